"""Which kernel runs the operator: one table, chosen by name or automatically, imported when first used.

A backend is a function with the signature of `reference.value_iteration`. Faster ones join `BACKENDS` in order of
preference, each with a probe that says why it cannot run here, if it cannot.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from torchvin.errors import InputError, unknown_name

Kernel = Callable[[Tensor, Tensor, Tensor, int, str], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Backend:
    """One implementation of the operator.

    Attributes:
        module: that holds its `value_iteration`.
        summary: one line for `torchvin info`.
        why_not: returns why it cannot run on a tensor (its device, dtype, size), or None if it can; asked with None
            for the machine as a whole.
    """

    module: str
    summary: str
    why_not: Callable[[Tensor | None], str | None]


BACKENDS: dict[str, Backend] = {
    "reference": Backend(
        module="torchvin.planning.kernels.reference",
        summary="plain PyTorch, any device and dtype; defines the semantics",
        why_not=lambda q_reward: None,
    ),
}


def choose(backend: str, q_reward: Tensor) -> Kernel:
    """The kernel for `q_reward`: the first that can run it for "auto", else the one named.

    Raises: InputError for an unknown name, or a named backend that cannot run this tensor.
    """
    if backend == "auto":
        backend = next(name for name, entry in BACKENDS.items() if entry.why_not(q_reward) is None)
    elif backend not in BACKENDS:
        raise unknown_name("backend", backend, ["auto", *BACKENDS])
    elif reason := BACKENDS[backend].why_not(q_reward):
        raise InputError(f"backend {backend!r} cannot run this plan: {reason}. Use backend='auto'.")
    kernel: Kernel = importlib.import_module(BACKENDS[backend].module).value_iteration
    return kernel
