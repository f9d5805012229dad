"""A map as it lies in a file, and what every map must satisfy whatever its format."""

import stat
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchvin.errors import InputError

MAX_CELLS = 2**28  # 16,384 x 16,384; a larger claim is a damaged header or an attack
MAX_REASON = 200  # characters of a foreign error message that are worth showing


@dataclass(frozen=True)
class MapFile:
    """A map with what its file says of it.

    Unknown cells and cells with a grade are blocked unless a caller decides otherwise (`maps.treatment`).

    Attributes:
        blocked: True = obstacle, unknown or graded, [H, W]; row 0 is the top of the picture.
        resolution: metres per cell; None where the format does not say.
        origin: ROS pose (x metres, y metres, yaw radians) of the lower-left corner, the cell (H - 1, 0); None where the
            format does not say.
        source: the file it came from, for messages.
        unknown: cells that nobody has seen, [H, W]; None if the format has no such class.
        grade: of cells that are neither free nor occupied, how far they are from free, above 0 and below 1; 0 for all
            others, [H, W] float32. None if the file has no such cells.
        notes: what a user should know of how the file was read, one sentence each.
    """

    blocked: Bool[Tensor, "H W"]
    resolution: float | None = None
    origin: tuple[float, float, float] | None = None
    source: str = "map"
    unknown: Bool[Tensor, "H W"] | None = None
    grade: Float[Tensor, "H W"] | None = None
    notes: tuple[str, ...] = ()


def check_size(height: int, width: int, source: str | Path) -> None:
    """Check a claimed size before anything of that size is allocated.

    Raises: InputError unless there are 2 to 2^28 cells.
    """
    if height < 1 or width < 1 or height * width < 2:
        raise InputError(f"{source}: expected a map of at least 2 cells, got height {height} and width {width}.")
    if height * width > MAX_CELLS:
        raise InputError(
            f"{source}: expected a map of at most {MAX_CELLS} cells, got height {height} and width {width};"
            " crop it or lower its resolution."
        )


def check_map(map_file: MapFile) -> None:
    """Check what every map must satisfy, read or written: bool [H, W], 2 to 2^28 cells, at least one of them free.

    Raises: InputError.
    """
    blocked, source = map_file.blocked, map_file.source
    if blocked.dtype != torch.bool:
        raise InputError(f"{source}: blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    if blocked.dim() != 2:
        raise InputError(f"{source}: expected a map with the shape [H, W], got {list(blocked.shape)}.")
    height, width = blocked.shape
    check_size(height, width, source)
    if blocked.all():
        raise InputError(
            f"{source}: expected at least one free cell, got a {height}x{width} map of obstacles only;"
            " check which value means blocked."
        )


def check_readable(path: Path) -> int:
    """Check that `path` is an ordinary file that can be opened.

    Returns: its size in bytes.
    Raises: InputError if it is missing, a folder, a device or a pipe, or may not be read.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its other end
            path.open("rb").close()
            return status.st_size
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"cannot read {str(path)!r}: {reason}; give the path of an existing file.") from error
    kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not an ordinary file"
    raise InputError(f"cannot read {str(path)!r}: it is {kind}; give the path of an existing file.")


def one_line(error: BaseException) -> str:
    """The message of a foreign error in one short line, its type where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_REASON else text[:MAX_REASON] + "..."
