"""The device of a command, and sums in a fixed order on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from torchvin.errors import InputError, unknown_name

DeviceName = Literal["auto", "cpu", "cuda"]


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name: "cpu", "cuda", or "auto", which is the GPU if there is one.

    Raises: InputError for another name, or for "cuda" where PyTorch finds no GPU.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name not in ("auto", "cpu", "cuda"):
        raise unknown_name("device", name, ["auto", "cpu", "cuda"])
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        built = torch.version.cuda
        reason = "this PyTorch is built without CUDA" if built is None else f"PyTorch (CUDA {built}) finds no GPU"
        raise InputError(f"there is no CUDA device: {reason}. Use device 'cpu' or 'auto'.")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """On a GPU: PyTorch's deterministic algorithms, for a while. On a CPU nothing changes.

    An operator that has no such algorithm warns. cuBLAS needs CUBLAS_WORKSPACE_CONFIG, which is set if it is not yet;
    PyTorch reads it at the first matrix product of the process.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before, only_warned = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    memory: Any = torch.utils.deterministic  # without types
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = False  # a launch for each tensor
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
        memory.fill_uninitialized_memory = filled
