"""The device of a command, sums in a fixed order on it, and work that is captured once and replayed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import torch

from torchvin.errors import InputError, unknown_name

DeviceName = Literal["auto", "cpu", "cuda"]
Result = TypeVar("Result")
_WARM_UP = 3  # calls before a capture, in which libraries and memory find their place


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


def has_graphs(device: torch.device) -> bool:
    """Whether work on a device can be captured and replayed."""
    return device.type == "cuda"


def captured(run: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
    """Work as a CUDA graph. `run` is called three times on a stream of its own, once more to be captured, and no more.

    Args:
        run: launches the same work on the same tensors in every call, and asks the device for no number.

    Returns: what replays the work, and what `run` returned in the capture: tensors that every replay writes again.
    Raises: RuntimeError for work that cannot be captured.
    """
    cuda: Any = torch.cuda  # partly without types
    stream, graph = cuda.Stream(), cuda.CUDAGraph()
    stream.wait_stream(cuda.current_stream())
    with cuda.stream(stream):
        for _ in range(_WARM_UP):
            run()
    cuda.current_stream().wait_stream(stream)
    with cuda.graph(graph, stream=stream):
        result = run()
    return graph.replay, result
