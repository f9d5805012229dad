"""Data sets by their kind: a file by its suffix, or a folder of maps."""

from os import PathLike
from pathlib import Path

from torchvin.data.authors import read_mat
from torchvin.data.dataset import MapDataset
from torchvin.data.npz import read_npz
from torchvin.data.own import dataset_from
from torchvin.errors import InputError


def read_dataset(path: str | PathLike[str], split: str = "all") -> MapDataset:
    """Read our `.npz` or the authors' `.mat`, or make a data set of a folder of map files.

    The maps of a folder are solved by the expert when they are read, with drawn goals and seed 0. `dataset_from` takes
    more options, and `write_dataset` keeps the answers.

    Args:
        path: of the file or folder.
        split: "train", "heldout" or "all"; only the authors' training files have the first two.

    Raises: InputError if there is no such file, it is of another kind, damaged, or has no such split.
    """
    path = Path(path)
    if path.is_dir():
        _check_unsplit(path, "a folder", split)
        return dataset_from(path)
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; expected a data set: .npz (`torchvin data`), the authors' .mat, or a folder of "
            "maps."
        )
    if path.suffix == ".mat":
        return read_mat(path, split)
    if path.suffix != ".npz":
        raise InputError(
            f"{path}: expected a data set, .npz or .mat, got {path.suffix or 'no suffix'}; of a map file or an array, "
            "make one with `torchvin data --from`."
        )
    _check_unsplit(path, "an .npz", split)
    return read_npz(path)


def _check_unsplit(path: Path, kind: str, split: str) -> None:
    if split != "all":
        raise InputError(f"{path}: {kind} has no {split} split; use all.")
