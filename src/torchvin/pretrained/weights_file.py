"""Reading a weights file: names and shapes from its header first, the numbers once a network of these shapes exists."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from torchvin.errors import InputError

#: Tensor name -> shape.
Shapes = Mapping[str, list[int]]
#: From a tensor's name in the file to its name in the network.
Rename = Callable[[str], str]
#: Functions that make a tensor of a given size: `torch.nn` makes its weights with these.
_FACTORIES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}
#: Numbers that a network may hold beside its stored weights.
_SPARE = 1 << 20


def stored_shapes(path: Path, rename: Rename) -> dict[str, list[int]]:
    """The shapes in a file's header. No tensor is read.

    Raises: InputError if the file is no safetensors file, or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            return {rename(name): list(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise _unreadable(path, error) from error


def stored_tensors(path: Path, rename: Rename) -> dict[str, Tensor]:
    """The tensors of a file.

    Raises: InputError if the file is damaged, or holds NaN or infinity.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = {rename(name): tensor for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError, ValueError) as error:
        raise _unreadable(path, error) from error
    if bad := [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]:
        raise InputError(f"{path.name}: {bad[0]} holds NaN or infinity; the training that wrote it diverged.")
    return tensors


def check_same_shapes(path: Path, expected: Shapes, got: Shapes) -> None:
    """Raises: InputError naming the first tensor whose shape differs, or that only one side has."""
    if expected != got:
        wrong = next(name for name in {**expected, **got} if expected.get(name) != got.get(name))
        raise InputError(
            f"{path.name} holds weights of another architecture: {wrong} should be {expected.get(wrong, 'absent')}, "
            f"got {got.get(wrong, 'none')}."
        )


def shapes_of(network: torch.nn.Module) -> dict[str, list[int]]:
    """The shapes of a network's weights."""
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


class SizeLimit(TorchFunctionMode):
    """Within this context a network is built that has as many weights as a file, and not many more.

    A configuration within its ranges may still ask for gigabytes. A small file must not make the reader allocate them,
    so the sizes of new tensors are added up, and the first one that goes too far is refused before it is made.

    Args:
        stored: shapes of the tensors in the file.

    Raises: InputError.
    """

    def __init__(self, stored: Shapes) -> None:
        super().__init__()
        self.stored = sum(math.prod(shape) for shape in stored.values())
        self.left = 2 * self.stored + _SPARE

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FACTORIES:
            size = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
            self.left -= math.prod(size)
            if self.left < 0:
                raise InputError(
                    f"the config asks for a network many times larger than the {self.stored:,} weights in the file, "
                    f"with a tensor of {list(size)}; the two do not belong together."
                )
        return func(*args, **kwargs)


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path.name} cannot be read as safetensors ({error}).")
