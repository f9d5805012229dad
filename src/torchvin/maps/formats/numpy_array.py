"""NumPy `.npy` maps: 1 or True is blocked, 0 or False is free. Never unpickled; the header is not believed."""

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


def read_numpy(path: Path) -> MapFile:
    """Read an array [H, W] that holds only 0 and 1 (bool, integers or floats; either byte order, C or Fortran).

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
    return MapFile(as_blocked(array, path), source=str(path))


def as_blocked(array: np.ndarray, source: object) -> Bool[Tensor, "*M H W"]:
    """An array of 0 and 1, [H, W] or [M, H, W] of bool or numbers, as a bool tensor of the same shape.

    Raises: InputError, naming `source`, if the array holds another value.

    >>> as_blocked(np.array([[0.0, 1.0]]), "map").tolist()
    [[False, True]]
    """
    blocked = array == 1
    wrong = ~(blocked | (array == 0))  # NaN too
    if wrong.any():
        index = np.unravel_index(wrong.argmax(), wrong.shape)
        where = ", ".join(
            f"{axis} {int(i)}" for axis, i in zip(("map", "row", "col")[-array.ndim :], index, strict=True)
        )
        raise InputError(
            f"{source}: expected only 0 (free) and 1 (blocked), got {array[index]} at {where};"
            " save a bool array, such as grid > 0.5."
        )
    return torch.from_numpy(np.ascontiguousarray(blocked))


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
