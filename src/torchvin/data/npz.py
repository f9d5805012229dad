"""Our file: named fields and a version, never pickled."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from torchvin.data.dataset import MapDataset, check_goals
from torchvin.data.overhead import OverheadDataset, with_images
from torchvin.errors import InputError, errors_about, unknown_name
from torchvin.experts.grid import set_dtype
from torchvin.io.archive import read_archive
from torchvin.io.files import replacing
from torchvin.maps.terrain import check_terrain
from torchvin.mdp.motion import NAMES_IN_FILES, DifferentialDrive, GridMotion, MotionModel, motion_from_json

SCHEMA = "torchvin-maps"
#: 1 has grid moves whose diagonals cost sqrt(2); 2 adds differential drive, by name, and terrain; 3 adds every other
#: motion model, such as diagonals that cost 1; 4 adds overhead images. A data set is written in the first version that
#: holds it.
VERSIONS = (1, 2, 3, 4)
#: field -> (dtype on disk, axes); D numbers make a state, and O orientations are an axis where there are several
FIELDS = {
    "blocked": (np.bool_, "M H W"),
    "goal": (np.int32, "M D"),
    "optimal_actions": (np.uint8, "M O H W"),  # int64 for more than 8 actions
    "demonstrated": (np.uint8, "M O H W"),
    "starts": (np.int32, "M S D"),
}
TERRAIN = {"terrain": (np.uint8, "M H W"), "terrain_costs": (np.float64, "T")}  # version 2, both or none
IMAGE = {"image": (np.uint8, "M P Q")}  # version 4: what a network sees of `blocked` (`data.overhead`)
_ALL_FIELDS = {**FIELDS, **TERRAIN, **IMAGE}
HEADER = {"schema": "U", "version": "i", "num_actions": "i", "corner_cutting": "b"}  # scalars and their NumPy kinds
MECHANISM = "mechanism"  # version 2: name of a motion model, one of `NAMES_IN_FILES`
MOTION = "motion"  # version 3: the motion model as JSON, in place of the name
SOURCE = "source"  # any version, may lack: `MapDataset.source`; earlier readers ignore it


def write_npz(path: Path, dataset: MapDataset) -> None:
    """Write a data set, compressed; the file appears whole or not at all.

    Raises: InputError if `path` cannot be written, or the motion model cannot be stored.
    """
    moves, version = dataset.moves, 1
    arrays = {name: getattr(dataset, name).cpu().numpy().astype(_dtype(name, moves)) for name in FIELDS}
    if moves == DifferentialDrive():
        version, arrays[MECHANISM] = 2, np.array(DifferentialDrive.kind)
    elif moves != GridMotion(moves.num_actions if moves.num_actions in (4, 8) else 8, moves.corner_cutting):
        version, arrays[MOTION] = 3, np.array(json.dumps(moves.to_json()))
    if dataset.terrain is not None:
        version = max(version, 2)
        arrays["terrain"] = dataset.terrain.cpu().numpy()
        arrays["terrain_costs"] = np.array(dataset.terrain_costs)
    if isinstance(dataset, OverheadDataset):
        version, arrays["image"] = 4, dataset.image.cpu().numpy()
    header = {
        "schema": np.array(SCHEMA),
        "version": np.array(version),
        "num_actions": np.array(moves.num_actions),
        "corner_cutting": np.array(moves.corner_cutting),
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
            f"{path}: expected {SCHEMA} version 1, 2, 3 or 4, got {header['schema']} version "
            f"{header['version']}; make the data again with `torchvin data`, or upgrade torchvin."
        )
    try:
        moves = _moves(path, arrays, header)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    has_terrain = bool(TERRAIN.keys() & arrays.keys())
    _check_shapes(path, arrays, moves, [*(TERRAIN if has_terrain else ()), *IMAGE.keys() & arrays.keys()])
    content: dict[str, Any] = {name: torch.from_numpy(arrays[name]) for name in FIELDS}
    for name in ("goal", "starts"):
        content[name] = content[name].long()
    if has_terrain:
        content["terrain"] = torch.from_numpy(arrays["terrain"])
        content["terrain_costs"] = tuple(arrays["terrain_costs"].tolist())
    source = _scalar(path, arrays, SOURCE, "U") if SOURCE in arrays else ""
    dataset = MapDataset(**content, moves=moves, source=source)
    if "image" in arrays:
        with errors_about(path):
            dataset = with_images(dataset, torch.from_numpy(arrays["image"]))
    _check_values(path, dataset)
    return dataset


def _dtype(name: str, moves: MotionModel) -> type[np.generic]:
    """Type of an array on disk: sets of many actions are wider."""
    wide = name == "optimal_actions" and set_dtype(moves.num_actions) == torch.int64
    return np.int64 if wide else _ALL_FIELDS[name][0]


def _scalar(path: Path, arrays: dict[str, np.ndarray], name: str, kind: str) -> Any:
    if arrays[name].shape != () or arrays[name].dtype.kind != kind:
        raise InputError(f"{path}: {name} must be one value, got {arrays[name].dtype} {arrays[name].shape}.")
    return arrays[name].item()


def _moves(path: Path, arrays: dict[str, np.ndarray], header: dict[str, Any]) -> MotionModel:
    if MOTION in arrays:
        try:
            moves = motion_from_json(json.loads(_scalar(path, arrays, MOTION, "U")))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{MOTION} must be a motion model as JSON ({error}).") from error
    elif MECHANISM in arrays:
        if (name := _scalar(path, arrays, MECHANISM, "U")) not in NAMES_IN_FILES:
            raise unknown_name("motion model", name, NAMES_IN_FILES)
        moves = NAMES_IN_FILES[name]
    else:
        return GridMotion(header["num_actions"], header["corner_cutting"])
    if (moves.num_actions, moves.corner_cutting) != (header["num_actions"], header["corner_cutting"]):
        raise InputError(f"the motion model has {moves.num_actions} actions, got {header['num_actions']}.")
    return moves


def _check_shapes(path: Path, arrays: dict[str, np.ndarray], moves: MotionModel, more: Sequence[str]) -> None:
    orientations = "" if moves.num_orientations == 1 else f"{moves.num_orientations} "
    sizes: dict[str, int] = {}
    for name, (_, axes) in _ALL_FIELDS.items():
        if name not in FIELDS and name not in more:
            continue
        dtype = _dtype(name, moves)
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
        f"optimal_actions must hold sets of {num_actions} actions": dataset.optimal_actions.long() >> num_actions == 0,
        f"starts must lie on the {height}x{width} map, or be -1": dataset.space.contains(starts)
        | (starts == -1).all(dim=-1),
    }
    for rule, holds in checks.items():
        if not holds.all():
            raise InputError(f"{path}: {rule}; the file is damaged: make it again with `torchvin data`.")
