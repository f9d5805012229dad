"""Whether a call is written down as a program instead of being answered, and what such a program can hold.

Also what tells tensors that a kernel may be given as they are from those that only the dispatcher can open.
"""

import sys
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.nn import Parameter

#: The types of ordinary tensors; those of their subclasses know more than numbers.
PLAIN = (Tensor, Parameter)

dual: Any = unpack_dual  # without types


def is_traced() -> bool:
    """Whether `torch.jit.trace` writes down what is done."""
    tracing: bool = torch.jit.is_tracing()  # type: ignore[no-untyped-call,attr-defined,unused-ignore]
    return tracing


def is_recorded() -> bool:
    """Whether calls are written down as a graph of operators: by torch.compile, torch.export or make_fx."""
    if torch.compiler.is_compiling():
        return True
    recorder = sys.modules.get("torch.fx.experimental.proxy_tensor")  # who has not imported it does not record
    return recorder is not None and recorder.get_proxy_mode() is not None


def why_not(tensor: Tensor) -> str | None:
    """Why no kernel may be given `tensor`, or None if it may."""
    if is_recorded() or is_traced():
        return "programs that are traced or exported hold the reference"
    if type(tensor) not in PLAIN:
        return f"the tensor is a {type(tensor).__name__}"
    return None


def has_no_data(error: RuntimeError) -> bool:
    """Whether a kernel failed because a tensor has no numbers to point at, as under vmap."""
    return "data pointer" in str(error)


def must_be_unrolled() -> bool:
    """Whether the program must not hold our operator: TorchScript or ONNX.

    The reference then takes the kernel's place, iteration by iteration.
    """
    if is_traced():
        return True
    return torch.compiler.is_compiling() and torch.onnx.is_in_onnx_export()  # ONNX's answer takes a microsecond


def cannot_stop_early() -> bool:
    """Whether the program has a fixed length, so that no loop ends when its numbers have converged."""
    exporting = getattr(torch.compiler, "is_exporting", None)  # since PyTorch 2.7
    return must_be_unrolled() or (exporting is not None and exporting())
