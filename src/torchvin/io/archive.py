"""NumPy's `.npz` without trust: no pickle, and no more memory than the bytes that are really there."""

import zipfile
from pathlib import Path

import numpy as np

from torchvin.errors import InputError
from torchvin.io.npy import read_npy


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an `.npz` by name.

    Raises: InputError if the file is damaged, cut off or holds pickled objects.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as stream:
                        arrays[info.filename.removesuffix(".npy")] = read_npy(stream, info.file_size)
    except Exception as error:  # zipfile and zlib raise many kinds on damaged bytes; all mean the same to the user
        raise InputError(
            f"{path}: cannot be read as .npz ({error}); the file is damaged, cut off or pickled."
        ) from error
    return arrays
