"""NumPy's `.npy` without trust: no pickle, and no more memory than the bytes that are really there."""

import math
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class ByteStream(Protocol):
    """What an array is read from: an open file, an entry of an archive, bytes in memory."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; all that are left if it is negative."""


def read_npy(stream: ByteStream, size: int) -> np.ndarray:
    """Read one array.

    Args:
        stream: at the beginning of the `.npy`.
        size: its length in bytes, as the file system or the archive tells it.

    Raises: ValueError for anything but a whole, plain array (no objects).
    """
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read_header:
        raise ValueError(f".npy version {version} is not supported")
    shape, fortran, dtype = read_header[version](stream)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which are never loaded")
    needed = math.prod(shape) * dtype.itemsize
    if needed > size:
        raise ValueError(f"its header promises {needed} bytes, the file has {size}")
    content = stream.read(needed)
    if len(content) != needed:
        raise ValueError(f"it ends after {len(content)} of {needed} bytes")
    # A copy, because an array over bytes cannot be written to, which torch needs.
    array: np.ndarray = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C").copy()
    return array
