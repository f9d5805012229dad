"""NumPy's `.npz` without trust: no pickle, and no more memory than the bytes that are really there."""

import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from torchvin.errors import InputError
from torchvin.io.npy import iterate_npy, read_header, read_npy

#: Shape and type of an array.
Shape = tuple[tuple[int, ...], np.dtype]
_SUFFIX = ".npy"


def read_archive(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an `.npz` by name; those in `names` only, if they are given.

    Raises: InputError if the file is damaged, cut off or holds pickled objects.
    """
    arrays = {}
    with _opened(path) as archive:
        for name, info in _entries(archive).items():
            if names is None or name in names:
                with archive.open(info) as stream:
                    arrays[name] = read_npy(stream, info.file_size)
    return arrays


def array_shapes(path: Path) -> dict[str, Shape]:
    """Shape and type of each array of an `.npz`, by name; the numbers are not read.

    Raises: InputError as `read_archive`.
    """
    shapes = {}
    with _opened(path) as archive:
        for name, info in _entries(archive).items():
            with archive.open(info) as stream:
                shape, _, dtype = read_header(stream, info.file_size)
                shapes[name] = shape, dtype
    return shapes


def read_blocks(path: Path, name: str, rows: int) -> Iterator[np.ndarray]:
    """Read one array of an `.npz` in blocks of at most `rows` along its first axis: it may be larger than memory.

    Raises: InputError as `read_archive`, where the damage is met.
    """
    with _opened(path) as archive:
        info = _entries(archive)[name]
        with archive.open(info) as stream:
            yield from iterate_npy(stream, info.file_size, rows)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {info.filename.removesuffix(_SUFFIX): info for info in archive.infolist() if info.filename.endswith(_SUFFIX)}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except Exception as error:  # zipfile and zlib raise many kinds on damaged bytes; all mean the same to the user
        raise InputError(
            f"{path}: cannot be read as .npz ({error}); the file is damaged, cut off or pickled."
        ) from error
