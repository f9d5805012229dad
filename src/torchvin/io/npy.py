"""NumPy's `.npy` without trust: no pickle, and no more memory than the bytes that are really there."""

import math
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class ByteStream(Protocol):
    """What an array is read from: an open file, an entry of an archive, bytes in memory."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; all that are left if it is negative."""


def read_header(stream: ByteStream, size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read what comes before the numbers: the shape, whether the first axis varies fastest, the type.

    Args:
        stream: at the beginning of the `.npy`.
        size: its length in bytes, as the file system or the archive tells it.

    Raises: ValueError for objects, another version of the format, or a shape that the bytes cannot hold.
    """
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f".npy version {version} is not supported")
    shape, is_fortran, dtype = readers[version](stream)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which are never loaded")
    needed = math.prod(shape) * dtype.itemsize
    if needed > size:
        raise ValueError(f"its header promises {needed} bytes, the file has {size}")
    return shape, is_fortran, dtype


def read_npy(stream: ByteStream, size: int) -> np.ndarray:
    """Read one array; arguments and errors are those of `read_header`, and ValueError if the numbers are cut off."""
    shape, is_fortran, dtype = read_header(stream, size)
    return _read_numbers(stream, shape, is_fortran, dtype)


def iterate_npy(stream: ByteStream, size: int, rows: int) -> Iterator[np.ndarray]:
    """Read one array in blocks of at most `rows` along its first axis; arguments and errors as `read_npy`."""
    shape, is_fortran, dtype = read_header(stream, size)
    if is_fortran or not shape:
        rows = max(1, *shape)
    for first in range(0, shape[0] if shape else 1, rows):
        block = (min(rows, shape[0] - first), *shape[1:]) if shape else shape
        yield _read_numbers(stream, block, is_fortran, dtype)


def _read_numbers(stream: ByteStream, shape: tuple[int, ...], is_fortran: bool, dtype: np.dtype) -> np.ndarray:
    needed = math.prod(shape) * dtype.itemsize
    content = stream.read(needed)
    if len(content) != needed:
        raise ValueError(f"it ends after {len(content)} of {needed} bytes")
    # A copy, because an array over bytes cannot be written to, which torch needs.
    array: np.ndarray = np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C").copy()
    return array
