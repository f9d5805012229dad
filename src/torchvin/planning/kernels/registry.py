"""Which kernel runs the operator: one table, in order of preference, each with a probe that says why it cannot run."""

import functools
import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from torchvin.errors import InputError, unknown_name
from torchvin.planning.kernels.kernel import Kernel


@dataclass(frozen=True)
class Backend:
    """One implementation of the operator.

    Attributes:
        summary: one line for `torchvin info`: what it is, and the measured reason for its place.
        load: returns its kernel, importing it when it is first asked; None for the reference, which is plain PyTorch.
    """

    summary: str
    load: Callable[[], Kernel] | None = None

    @functools.cached_property
    def kernel(self) -> Kernel:
        """The kernel, imported when first asked for."""
        assert self.load is not None
        return self.load()

    def why_not(self, q_reward: Tensor | None) -> str | None:
        """Why it cannot run on a tensor, or None if it can; None asks for the machine as a whole."""
        return self.kernel.why_not(q_reward) if self.load else None


def _module(name: str) -> Callable[[], Kernel]:
    return lambda: cast(Kernel, importlib.import_module(name))


#: The first that can run a tensor does. On a CPU the C++ kernel wins at every size measured (docs/results.md), down to
#: one map of 8x8, so nothing but device and dtype decides; threads are torch's, used from 10 million multiply-adds on.
BACKENDS: dict[str, Backend] = {
    "cpu": Backend(
        "C++ with SIMD, all iterations in cache, 5 bytes per cell and iteration kept",
        _module("torchvin.planning.kernels.cpu.kernel"),
    ),
    "triton": Backend(
        "all iterations of a small map in one launch, 5 bytes per cell and iteration kept",
        _module("torchvin.planning.kernels.triton.kernel"),
    ),
    "reference": Backend("plain PyTorch, any device and dtype; defines the semantics"),
}

REFERENCE = "reference"


def choose(backend: str, q_reward: Tensor) -> str:
    """The name of the kernel for `q_reward`: the first that can run it for "auto", else the one named.

    Raises: InputError for an unknown name, or a named backend that cannot run this tensor.
    """
    if backend == "auto":
        for name, candidate in BACKENDS.items():
            if name == "triton" and not q_reward.is_cuda:
                continue  # its interpreter runs on a CPU, for tests that ask for it, and takes minutes
            if candidate.why_not(q_reward) is None:
                break
        if name == REFERENCE and q_reward.is_cpu and BACKENDS["cpu"].why_not(None):
            _warn_not_compiled()
        return name
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, ["auto", *BACKENDS])
    if reason := BACKENDS[backend].why_not(q_reward):
        raise InputError(f"backend {backend!r} cannot run this plan: {reason}. Use backend='auto'.")
    return backend


_warned = False


def _warn_not_compiled() -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            "torchvin was installed without its compiled kernel: planning on a CPU runs in plain PyTorch, several "
            "times slower. To get it, install a C++17 compiler (Debian: apt install g++) and then torchvin again: "
            "pip install --force-reinstall --no-deps torchvin.",
            stacklevel=4,
        )
