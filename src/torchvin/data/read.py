"""Data sets by their kind: a file by its suffix, or a folder of maps."""

from os import PathLike
from pathlib import Path

from torchvin.data.authors import is_training_file, read_mat
from torchvin.data.dataset import MapDataset
from torchvin.data.npz import read_npz
from torchvin.data.own import dataset_from
from torchvin.data.peers import peer_splits
from torchvin.errors import InputError
from torchvin.mdp.motion import MotionModel


def read_dataset(
    path: str | PathLike[str], split: str = "all", *, default_moves: MotionModel | None = None
) -> MapDataset:
    """Read our `.npz` or the authors' `.mat`, or make a data set of another project's `.npz` or a folder of map files.

    The maps of a folder or of another project (`data.peers`) are solved by the expert when they are read, with seed 0;
    those of a folder have drawn goals. `dataset_from` takes more options, and `write_dataset` keeps the answers.

    Args:
        path: of the file or folder.
        split: "train" or "heldout" of the authors' training files, "train", "validation" or "test" of other projects'
            files, or "all".
        default_moves: of a folder whose maps do not say them, see `dataset_from`.

    Raises: InputError if there is no such file, it is of another kind, damaged, or has no such split.
    """
    path = Path(path)
    if path.is_dir():
        _check_unsplit(path, "a folder", split)
        return dataset_from(path, default_moves=default_moves)
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
    if peer_splits(path):
        return dataset_from(path, split=split)
    _check_unsplit(path, "an .npz", split)
    return read_npz(path)


def default_split(path: str | PathLike[str], *, training: bool) -> str:
    """The split of a file that a training learns from, or a network is scored on.

    Args:
        path: of a data set.
        training: whether it is for a training.

    Returns: of the authors' training files "train" or "heldout", of other projects' files "train" or "test"; else
        "all".

    >>> default_split("maps.npz", training=True)
    'all'
    """
    path = Path(path)
    if path.suffix == ".mat" and is_training_file(path):
        return "train" if training else "heldout"
    if path.suffix == ".npz" and peer_splits(path):
        return "train" if training else "test"
    return "all"


def _check_unsplit(path: Path, kind: str, split: str) -> None:
    if split != "all":
        raise InputError(f"{path}: {kind} has no {split} split; use all.")
