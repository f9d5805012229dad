"""Our file: named fields and a version, never pickled."""

from pathlib import Path

import numpy as np
import torch

from torchvin.arrays import read_npy
from torchvin.data.dataset import MapDataset, check_goals
from torchvin.errors import InputError
from torchvin.files import replacing
from torchvin.maps.moves import Moves

SCHEMA = "torchvin-maps"
VERSION = 1
#: field -> (dtype on disk, axes)
FIELDS = {
    "blocked": (np.bool_, "M H W"),
    "goal": (np.int32, "M 2"),
    "optimal_actions": (np.uint8, "M H W"),
    "demonstrated": (np.uint8, "M H W"),
    "starts": (np.int32, "M S 2"),
}
HEADER = {"schema": "U", "version": "i", "num_actions": "i", "corner_cutting": "b"}  # scalars and their NumPy kinds


def write_npz(path: Path, dataset: MapDataset) -> None:
    """Write a data set, compressed; the file appears whole or not at all.

    Raises: InputError if `path` cannot be written.
    """
    arrays = {name: getattr(dataset, name).cpu().numpy().astype(dtype) for name, (dtype, _) in FIELDS.items()}
    header = {
        "schema": np.array(SCHEMA),
        "version": np.array(VERSION),
        "num_actions": np.array(dataset.moves.num_actions),
        "corner_cutting": np.array(dataset.moves.corner_cutting),
    }
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **header, **arrays)


def read_npz(path: Path) -> MapDataset:
    """Read a data set that `write_npz` wrote; every field is checked before it is believed.

    Raises: InputError saying what the file should hold and what it does.
    """
    arrays = _read_arrays(path)
    if missing := [name for name in (*HEADER, *FIELDS) if name not in arrays]:
        raise InputError(
            f"{path}: not a data set of torchvin: it lacks {', '.join(missing)}; make one with `torchvin data`."
        )
    header = {}
    for name, kind in HEADER.items():
        if arrays[name].shape != () or arrays[name].dtype.kind != kind:
            raise InputError(f"{path}: {name} must be one value, got {arrays[name].dtype} {arrays[name].shape}.")
        header[name] = arrays[name].item()
    if header["schema"] != SCHEMA or header["version"] != VERSION:
        raise InputError(
            f"{path}: expected {SCHEMA} version {VERSION}, got {header['schema']} version {header['version']}; "
            "make the data again with `torchvin data`, or upgrade torchvin."
        )
    sizes: dict[str, int] = {}
    for name, (dtype, axes) in FIELDS.items():
        array = arrays[name]
        fits = array.dtype == dtype and array.ndim == len(axes.split())
        if not fits or any(
            size != (int(axis) if axis.isdigit() else sizes.setdefault(axis, size))
            for axis, size in zip(axes.split(), array.shape, strict=True)
        ):
            raise InputError(
                f"{path}: {name} must be {np.dtype(dtype).name} [{', '.join(axes.split())}], "
                f"got {array.dtype} {list(array.shape)}."
            )
    if 0 in sizes.values():
        raise InputError(f"{path}: the data set is empty: {sizes}.")
    tensors = {name: torch.from_numpy(arrays[name]) for name in FIELDS}
    for name in ("goal", "starts"):
        tensors[name] = tensors[name].long()
    try:
        moves = Moves(header["num_actions"], header["corner_cutting"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    dataset = MapDataset(**tensors, moves=moves)
    _check_values(path, dataset)
    return dataset


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {}
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as stream:
                        arrays[info.filename.removesuffix(".npy")] = read_npy(stream, info.file_size)
            return arrays
    except Exception as error:  # zipfile and zlib raise many kinds on damaged bytes; all mean the same to the user
        raise InputError(
            f"{path}: cannot be read as .npz ({error}); the file is damaged, cut off or pickled."
        ) from error


def _check_values(path: Path, dataset: MapDataset) -> None:
    try:
        check_goals(dataset.blocked, dataset.goal)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    num_actions = dataset.moves.num_actions
    height, width = dataset.size
    shown = dataset.demonstrated
    starts = dataset.starts
    checks = {
        f"demonstrated must hold actions below {num_actions}, or 255": (shown < num_actions) | (shown == 255),
        f"optimal_actions must hold sets of {num_actions} actions": dataset.optimal_actions.int() < (1 << num_actions),
        f"starts must lie on the {height}x{width} map, or be -1": (
            (starts >= 0) & (starts < torch.tensor([height, width]))
        )
        .all(dim=-1)
        .logical_or((starts == -1).all(dim=-1)),
    }
    for rule, holds in checks.items():
        if not holds.all():
            raise InputError(f"{path}: {rule}; the file is damaged: make it again with `torchvin data`.")
