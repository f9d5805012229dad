"""Data sets to files."""

from os import PathLike
from pathlib import Path

from torchvin.data.dataset import MapDataset
from torchvin.data.npz import write_npz
from torchvin.errors import InputError


def write_dataset(path: str | PathLike[str], dataset: MapDataset) -> None:
    """Write a data set as `.npz`, whole or not at all; `read_dataset` reads it.

    Args:
        path: of the file, ending in `.npz`.
        dataset: maps with the expert's answers and the motion model.

    Raises: InputError if `path` has another suffix or cannot be written.

    >>> import tempfile
    >>> from torchvin import generate_gridworld, read_dataset, solve_maps
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_dataset(f"{folder}/maps.npz", solve_maps(*generate_gridworld(3, 8)))
    ...     len(read_dataset(f"{folder}/maps.npz"))
    3
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path}: a data set is written as .npz, got {path.suffix or 'no suffix'}; give NAME.npz.")
    write_npz(path, dataset)
