"""Which kernel runs the operator: one table, in order of preference, each with a probe that says why it cannot run."""

import functools
import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from torchvin.errors import InputError, unknown_name
from torchvin.planning.kernels import recording, reference
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

#: Per orientation; the fused kernels keep the action taken in a byte.
MOST_ACTIONS = 255
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


def run(
    backend: str,
    q_reward: Tensor,
    kernel: Tensor,
    value: Tensor,
    num_iterations: int,
    gradient: str,
    temperature: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Q, V and the residual, by the kernel that `choose` chooses; what only the reference has, by the reference.

    Args:
        backend: "auto" or a name.
        q_reward, value: as in `value_iteration`.
        kernel: [O*A, O, F, F], or [K + 1, O*A, O, F, F].
        num_iterations: K.
        gradient: "unroll" or "checkpoint".
        temperature: of the soft maximum.

    Raises: InputError, see `choose`; if another backend is named for what only the reference has.
    """
    actions = q_reward.shape[1] // value.shape[1]
    only_reference = "the soft maximum runs" if temperature else ""
    if actions > MOST_ACTIONS:  # GPPN's table has VINs of 600 Q channels
        only_reference = f"more than {MOST_ACTIONS} actions ({actions}) run"
    if only_reference and backend not in ("auto", REFERENCE):
        raise InputError(f"{only_reference} in plain PyTorch: use backend='auto' or 'reference', not {backend!r}.")
    chosen = REFERENCE if only_reference else choose(backend, q_reward)
    if chosen != REFERENCE and not recording.must_be_unrolled():
        from torchvin.planning.kernels import autograd

        return autograd.value_iteration(q_reward, kernel, value, num_iterations, gradient, chosen)
    q_values, final = reference.value_iteration(q_reward, kernel, value, num_iterations, gradient, temperature)
    return q_values, final, reference.residual(q_values, final, temperature)
