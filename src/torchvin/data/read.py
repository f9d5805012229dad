"""Data sets by their suffix."""

from pathlib import Path

from torchvin.data.authors import read_mat
from torchvin.data.dataset import MapDataset
from torchvin.data.npz import read_npz
from torchvin.errors import InputError


def read_dataset(path: Path, split: str = "all") -> MapDataset:
    """Read our `.npz` or the authors' `.mat`.

    Args:
        path: of the file.
        split: "train", "heldout" or "all"; only the authors' training files have the first two.

    Raises: InputError.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a data set, .npz (`torchvin data`) or the authors' .mat.")
    if path.suffix == ".mat":
        return read_mat(path, split)
    if path.suffix != ".npz":
        raise InputError(f"{path}: expected a data set, .npz or .mat, got {path.suffix or 'no suffix'}.")
    if split != "all":
        raise InputError(f"{path}: an .npz has no {split} split; use all.")
    return read_npz(path)
