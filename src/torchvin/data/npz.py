"""Our file: named fields and a version, never pickled."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from torchvin.data.dataset import MapDataset, check_goals
from torchvin.errors import InputError
from torchvin.io.archive import read_archive
from torchvin.io.files import replacing
from torchvin.maps.terrain import check_terrain
from torchvin.mdp.motion import MOTION_MODELS, MotionModel, Moves, motion_model
from torchvin.spaces import off_the_map

SCHEMA = "torchvin-maps"
VERSIONS = (1, 2)  # 2 adds mechanisms with orientations and terrain; what fits in 1 is written as 1
#: field -> (dtype on disk, axes); D numbers make a state, and O orientations are an axis where there are several
FIELDS = {
    "blocked": (np.bool_, "M H W"),
    "goal": (np.int32, "M D"),
    "optimal_actions": (np.uint8, "M O H W"),
    "demonstrated": (np.uint8, "M O H W"),
    "starts": (np.int32, "M S D"),
}
TERRAIN = {"terrain": (np.uint8, "M H W"), "terrain_costs": (np.float64, "T")}  # version 2, both or none
HEADER = {"schema": "U", "version": "i", "num_actions": "i", "corner_cutting": "b"}  # scalars and their NumPy kinds
MECHANISM = "mechanism"  # version 2: name of a mechanism other than grid moves
SOURCE = "source"  # any version, may lack: `MapDataset.source`; earlier readers ignore it


def write_npz(path: Path, dataset: MapDataset) -> None:
    """Write a data set, compressed; the file appears whole or not at all.

    Raises: InputError if `path` cannot be written.
    """
    arrays = {name: getattr(dataset, name).cpu().numpy().astype(dtype) for name, (dtype, _) in FIELDS.items()}
    if not isinstance(dataset.moves, Moves):
        name = next(name for name, known in MOTION_MODELS.items() if known == dataset.moves)
        arrays[MECHANISM] = np.array(name)
    if dataset.terrain is not None:
        arrays["terrain"] = dataset.terrain.cpu().numpy()
        arrays["terrain_costs"] = np.array(dataset.terrain_costs)
    header = {
        "schema": np.array(SCHEMA),
        "version": np.array(VERSIONS[len(arrays) > len(FIELDS)]),
        "num_actions": np.array(dataset.moves.num_actions),
        "corner_cutting": np.array(dataset.moves.corner_cutting),
    }
    if dataset.source:
        header[SOURCE] = np.array(dataset.source)
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **header, **arrays)


def read_npz(path: Path) -> MapDataset:
    """Read a data set that `write_npz` wrote; every field is checked before it is believed.

    Raises: InputError saying what the file should hold and what it does.
    """
    arrays = read_archive(path)
    if missing := [name for name in (*HEADER, *FIELDS) if name not in arrays]:
        raise InputError(
            f"{path}: not a data set of torchvin: it lacks {', '.join(missing)}; make one with `torchvin data`."
        )
    header = {name: _scalar(path, arrays, name, kind) for name, kind in HEADER.items()}
    if header["schema"] != SCHEMA or header["version"] not in VERSIONS:
        raise InputError(
            f"{path}: expected {SCHEMA} version {' or '.join(map(str, VERSIONS))}, got {header['schema']} version "
            f"{header['version']}; make the data again with `torchvin data`, or upgrade torchvin."
        )
    try:
        moves = _moves(path, arrays, header)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    has_terrain = bool(TERRAIN.keys() & arrays.keys())
    _check_shapes(path, arrays, moves, has_terrain)
    content: dict[str, Any] = {name: torch.from_numpy(arrays[name]) for name in FIELDS}
    for name in ("goal", "starts"):
        content[name] = content[name].long()
    if has_terrain:
        content["terrain"] = torch.from_numpy(arrays["terrain"])
        content["terrain_costs"] = tuple(arrays["terrain_costs"].tolist())
    source = _scalar(path, arrays, SOURCE, "U") if SOURCE in arrays else ""
    dataset = MapDataset(**content, moves=moves, source=source)
    _check_values(path, dataset)
    return dataset


def _scalar(path: Path, arrays: dict[str, np.ndarray], name: str, kind: str) -> Any:
    if arrays[name].shape != () or arrays[name].dtype.kind != kind:
        raise InputError(f"{path}: {name} must be one value, got {arrays[name].dtype} {arrays[name].shape}.")
    return arrays[name].item()


def _moves(path: Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> MotionModel:
    if MECHANISM not in arrays:
        return Moves(header["num_actions"], header["corner_cutting"])
    moves = motion_model(_scalar(path, arrays, MECHANISM, "U"))
    if (moves.num_actions, moves.corner_cutting) != (header["num_actions"], header["corner_cutting"]):
        raise InputError(f"{arrays[MECHANISM]} has {moves.num_actions} actions, got {header['num_actions']}.")
    return moves


def _check_shapes(path: Path, arrays: dict[str, np.ndarray], moves: MotionModel, has_terrain: bool) -> None:
    orientations = "" if moves.num_orientations == 1 else f"{moves.num_orientations} "
    sizes: dict[str, int] = {}
    for name, (dtype, axes) in {**FIELDS, **(TERRAIN if has_terrain else {})}.items():
        if name not in arrays:
            raise InputError(f"{path}: it has {', '.join(TERRAIN.keys() & arrays.keys())} but no {name}.")
        array = arrays[name]
        axes = axes.replace("O ", orientations).replace("D", str(moves.state_length))
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


def _check_values(path: Path, dataset: MapDataset) -> None:
    orientations = dataset.moves.num_orientations
    try:
        check_goals(dataset.blocked, dataset.goal, orientations)
        check_terrain(dataset.blocked, dataset.terrain, dataset.terrain_costs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    num_actions = dataset.moves.num_actions
    height, width = dataset.size
    shown, starts = dataset.demonstrated, dataset.starts
    checks = {
        f"demonstrated must hold actions below {num_actions}, or 255": (shown < num_actions) | (shown == 255),
        f"optimal_actions must hold sets of {num_actions} actions": dataset.optimal_actions.int() < (1 << num_actions),
        f"starts must lie on the {height}x{width} map, or be -1": ~off_the_map(starts, (height, width), orientations)
        | (starts == -1).all(dim=-1),
    }
    for rule, holds in checks.items():
        if not holds.all():
            raise InputError(f"{path}: {rule}; the file is damaged: make it again with `torchvin data`.")
