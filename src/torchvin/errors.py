"""What went wrong, in one line: what was expected, what came, what to do."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line answers `--help` without it
    import torch


class InputError(ValueError):
    """Bad input from the user: the command line prints it as one line and exits with status 2."""


class ShapeError(InputError):
    """A tensor of the wrong shape."""


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """The error for a name that does not exist, with the nearest one that does.

    >>> print(unknown_name("preset", "gridworld-61", ["gridworld-8", "gridworld-16"]))
    unknown preset 'gridworld-61'. Did you mean 'gridworld-16'? Choose one of: gridworld-8, gridworld-16.
    """
    choices = list(choices)
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return InputError(f"unknown {kind} {name!r}.{hint} Choose one of: {', '.join(choices)}.")


@contextmanager
def errors_about(what: object) -> Iterator[None]:
    """Put `what`, such as the path of a file, before the message of an InputError that is raised inside.

    >>> try:
    ...     with errors_about("maps.npz"):
    ...         raise InputError("it is damaged.")
    ... except InputError as error:
    ...     print(error)
    maps.npz: it is damaged.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from error


def check_shape(name: str, tensor: "torch.Tensor", expected: str) -> None:
    """Check the shape of `tensor` against axis names.

    A number must match the size of its axis. A letter that occurs twice must have the same size both times.

    Raises: ShapeError, which names the tensor, the expected axes and the actual shape.

    >>> import torch
    >>> check_shape("kernel", torch.zeros(4, 1, 3, 3), "A 1 F F")
    """
    axes = expected.split()
    sizes: dict[str, int] = {}
    shape = tensor.shape
    matches = len(shape) == len(axes)
    for axis, size in zip(axes, shape, strict=False):  # a loop: `all` of a generator takes twice as long
        matches = matches and size == (int(axis) if axis.isdigit() else sizes.setdefault(axis, size))
    if not matches:
        raise ShapeError(f"{name} must have shape [{', '.join(axes)}], got {list(shape)}.")


class TrainingError(RuntimeError):
    """Training cannot continue although its input is valid: the command line prints it and exits with status 1."""
