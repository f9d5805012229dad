"""NumPy `.npy` maps: 1 or True is blocked, 0 or False is free. Never unpickled; the header is not believed.

The data of a ROS OccupancyGrid are read too: 0 free, 100 occupied, -1 unknown, which is blocked. Grades between
free and blocked are read where the caller asks for them: 1 to 99, or numbers between 0 and 1.
"""

import math
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile, check_readable, check_size, one_line

KINDS = "biuf"  # bool, integers, floats
OCCUPIED, UNKNOWN = 100, -1  # of a nav_msgs/OccupancyGrid


def read_numpy(path: Path, *, grades: bool = False) -> MapFile:
    """Read an array [H, W] of 0 and 1, or of 0, 100 and -1 (bool, integers or floats; any byte order, C or Fortran).

    Args:
        path: of the file.
        grades: whether values between free and blocked are read as grades: of 0 to 100 in percent, of 0 to 1 as is.

    Returns: `MapFile`; array row 0 is row 0.
    Raises: InputError if it is no `.npy`, is damaged, has another shape or type, or holds other values.
    """
    size = check_readable(path)
    with path.open("rb") as file:
        shape, is_fortran, dtype = _read_header(file, path)
        if dtype.hasobject or dtype.kind not in KINDS or len(shape) != 2:
            raise InputError(
                f"{path}: expected an array [H, W] of bool or numbers, got the shape {list(shape)[:8]} of"
                f" {dtype!s:.40}; save map.astype(bool)."
            )
        check_size(*shape, path)
        expected, came = math.prod(shape) * dtype.itemsize, size - file.tell()
        if expected != came:
            raise InputError(
                f"{path}: expected {expected} bytes for the shape {list(shape)} of {dtype}, got {came};"
                " the file is truncated or damaged."
            )
        array = np.fromfile(file, dtype).reshape(shape, order="F" if is_fortran else "C")  # plain numbers: no pickle
    if grades:
        return _graded(array, path)
    is_grid = not (array == 1).any()  # as `as_blocked` decides
    unknown = torch.from_numpy(array == UNKNOWN) if is_grid and (array == UNKNOWN).any() else None
    return MapFile(as_blocked(array, path), source=str(path), unknown=unknown)


def _graded(array: np.ndarray, path: Path) -> MapFile:
    known = array != UNKNOWN
    highest = OCCUPIED if array.dtype.kind in "iu" and array[known].max(initial=0) > 1 else 1
    wrong = known & ~((array >= 0) & (array <= highest))  # NaN too
    if wrong.any():
        row, col = np.unravel_index(wrong.argmax(), wrong.shape)
        raise InputError(
            f"{path}: expected grades from 0 (free) to {highest} (blocked), or -1 (unknown), got {array[row, col]} at "
            f"row {int(row)}, col {int(col)}; {_advice(array)}"
        )
    grade = np.where(known & (array < highest), array / highest, 0).astype(np.float32)
    return MapFile(
        torch.from_numpy(array != 0),
        source=str(path),
        unknown=None if known.all() else torch.from_numpy(~known),
        grade=torch.from_numpy(grade) if grade.any() else None,
    )


def as_blocked(array: np.ndarray, source: object) -> Bool[Tensor, "*M H W"]:
    """An array of 0 and 1, [H, W] or [M, H, W] of bool or numbers, as a bool tensor of the same shape.

    An array of 0, 100 and -1 is an OccupancyGrid: -1 is unknown, and unknown is blocked.

    Raises: InputError, naming `source`, if the array holds another value.

    >>> as_blocked(np.array([[0.0, 1.0]]), "map").tolist()
    [[False, True]]
    """
    free = array == 0
    blocked = array == 1
    if not blocked.any():
        blocked = (array == OCCUPIED) | (array == UNKNOWN)
    wrong = ~(blocked | free)  # NaN too
    if wrong.any():
        index = np.unravel_index(wrong.argmax(), wrong.shape)
        where = ", ".join(
            f"{axis} {int(i)}" for axis, i in zip(("map", "row", "col")[-array.ndim :], index, strict=True)
        )
        raise InputError(
            f"{source}: expected only 0 (free) and 1 (blocked), got {array[index]} at {where}; {_advice(array)}"
        )
    return torch.from_numpy(np.ascontiguousarray(blocked))


def _advice(array: np.ndarray) -> str:
    """How to make a bool array of one that is refused: right for each kind of grid when followed to the letter."""
    low, high = array.min(), array.max()
    if not np.isfinite(array).all():
        return "save grid != 0: what is not known to be free, NaN and infinity too, is then blocked."
    if low == UNKNOWN and high <= OCCUPIED:
        return "this looks like an occupancy grid; save grid != 0: unknown and partly occupied cells are then blocked."
    if low >= 0 and high <= 1:
        return "save grid >= 0.5 if these are probabilities of an obstacle, grid < 0.5 if bright is free."
    if low >= 0 and OCCUPIED < high <= 255:
        return "save grid < 128 if this is a picture and bright is free, grid > 0 if these are costs and 0 is free."
    return "save a bool array that is True where a cell is blocked."


def write_numpy(path: Path, map_file: MapFile) -> None:
    """Write `blocked` as a bool array [H, W], whole or not at all.

    Raises: InputError if `path` cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, map_file.blocked.cpu().numpy(), allow_pickle=False)


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran order, and type that the header claims; leaves `file` at the data."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers written by Python 2
            version = np.lib.format.read_magic(file)
            return readers[version](file)
    except Exception as error:  # NumPy evaluates the header as a Python literal: nearly any exception may come
        raise InputError(
            f"{path}: expected a .npy array (version 1 or 2), got what cannot be read: {one_line(error)}"
        ) from error
