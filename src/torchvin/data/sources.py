"""A user's own maps: a folder of map files, one map file, an array, a data set, or a file of the authors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from torchvin.data.authors import read_mat
from torchvin.data.dataset import AUTHORS, OWN, MapDataset
from torchvin.data.npz import read_npz
from torchvin.data.peers import EXPECTED as PEERS
from torchvin.data.peers import read_peer
from torchvin.errors import InputError
from torchvin.io.archive import read_archive
from torchvin.io.npy import read_npy
from torchvin.maps.formats.contract import MapFile, check_map, check_readable, one_line
from torchvin.maps.formats.map_file import FORMATS, read_map
from torchvin.maps.formats.numpy_array import KINDS, as_blocked
from torchvin.maps.formats.ros import ROS_SUFFIXES
from torchvin.maps.formats.ros_yaml import read_ros_yaml
from torchvin.mdp.motion import GridMotion, MotionModel

ARRAYS = ("blocked", "maps")  # names of the maps in a plain .npz
GOALS = ("goal", "goals")
_EXPECTED = "a folder of map files, one map file, .npy, .npz or the authors' .mat"


@dataclass(frozen=True)
class OwnMaps:
    """M maps of one size, before the expert has solved them.

    Attributes:
        blocked: True = obstacle, [M, H, W].
        names: of each map, for messages.
        goal: (row, col) or (orientation, row, col), [M, D]; None if the source has no goals.
        moves: the motion model that the source says or, for a robot's map, implies; None if it says nothing.
        terrain: class of each cell, [M, H, W]; None if there is one class only.
        terrain_costs: of each class.
        source: see `MapDataset.source`.
        may_be_unsolvable: a map whose goal is blocked, or cut off from all other cells, is left out: the data set of
            another project is what it is. In a user's own maps such a goal is an error.
    """

    blocked: Bool[Tensor, "M H W"]
    names: tuple[str, ...]
    goal: Int[Tensor, "M D"] | None = None
    moves: MotionModel | None = None
    terrain: UInt8[Tensor, "M H W"] | None = None
    terrain_costs: tuple[float, ...] = (1.0,)
    source: str = OWN
    may_be_unsolvable: bool = False


def read_maps(
    path: Path,
    *,
    split: str = "all",
    threshold: float | None = None,
    leave_out: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> OwnMaps:
    """Read maps by the kind of `path`.

    The files of a folder are read in the order of their names. Subfolders, files of other kinds, and the images that a
    ROS `.yaml` of the folder names are left out. If any map is a ROS map, corners may not be cut.

    Args:
        path: a folder, a map file (`maps.formats.FORMATS`), `.npy` [H, W] or [M, H, W], `.npz` of ours, with an array
            `blocked` or `maps` (and perhaps `goal` or `goals`) or of other projects (`data.peers`), or `.mat` of the
            authors.
        split: of the authors' training files and of those of other projects; all maps if not given.
        threshold: for images, see `read_map`.
        leave_out: a file of the folder that is no map, such as that of the goals.
        on_progress: called with the number of files read since the last call, and that of all files.

    Raises: InputError naming the file and what is wrong with it.
    """
    if path.is_dir():
        _check_unsplit(path, split)
        return _read_folder(path, threshold, leave_out, on_progress)
    check_readable(path)
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return _of_dataset(read_mat(path, split), path)
    if suffix == ".npz":
        return _of_peer(path, split) or _read_archive(path, split)
    _check_unsplit(path, split)
    if suffix == ".npy":
        return _stack(_read_array(path), path)
    if suffix in FORMATS:
        return _of_files([path], threshold, on_progress)
    raise InputError(f"{path}: expected {_EXPECTED}, got {suffix or 'a file without a suffix'}.")


def _read_folder(
    folder: Path,
    threshold: float | None,
    leave_out: Path | None,
    on_progress: Callable[[int, int], None] | None,
) -> OwnMaps:
    visible = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    files = [entry for entry in visible if entry.suffix.lower() in FORMATS]
    no_maps = {read_ros_yaml(entry).image.resolve() for entry in files if entry.suffix.lower() in ROS_SUFFIXES}
    if leave_out is not None:
        no_maps.add(leave_out.resolve())
    files = [entry for entry in files if entry.resolve() not in no_maps]
    if not files:
        suffixes = ", ".join(sorted({entry.suffix or entry.name for entry in visible})) or "no files"
        raise InputError(f"{folder}: expected map files ({', '.join(FORMATS)}) in this folder, got {suffixes}.")
    return _of_files(files, threshold, on_progress)


def _of_files(files: list[Path], threshold: float | None, on_progress: Callable[[int, int], None] | None) -> OwnMaps:
    maps = []
    for path in files:
        takes_threshold = FORMATS[path.suffix.lower()].takes_threshold
        maps.append(read_map(path, threshold=threshold if takes_threshold else None).blocked)
        if maps[-1].shape != maps[0].shape:
            sizes = ["x".join(map(str, blocked.shape)) for blocked in (maps[0], maps[-1])]
            raise InputError(
                f"the maps of a data set have one size, but {files[0]} has {sizes[0]} cells and {path} has {sizes[1]};"
                " crop them, or make a data set of each size."
            )
        if on_progress:
            on_progress(1, len(files))
    is_robots = any(path.suffix.lower() in ROS_SUFFIXES for path in files)
    moves = GridMotion(corner_cutting=False) if is_robots else None
    return OwnMaps(torch.stack(maps), tuple(map(str, files)), moves=moves)


def _read_array(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as stream:
            return read_npy(stream, path.stat().st_size)
    except Exception as error:  # NumPy evaluates the header as a Python literal: nearly any exception may come
        raise InputError(f"{path}: cannot be read as .npy ({one_line(error)}); save a plain array.") from error


def _of_peer(path: Path, split: str) -> OwnMaps | None:
    maps = read_peer(path, split)
    if maps is None:
        return None
    return OwnMaps(maps.blocked, maps.names, maps.goal, maps.moves, may_be_unsolvable=True)


def _check_unsplit(path: Path, split: str) -> None:
    if split != "all":
        raise InputError(f"{path}: there is no {split} split in it; leave --split out.")


def _read_archive(path: Path, split: str) -> OwnMaps:
    _check_unsplit(path, split)
    arrays = read_archive(path)
    if "schema" in arrays:
        return _of_dataset(read_npz(path), path)
    present = [name for name in ARRAYS if name in arrays]
    if len(present) != 1:
        raise InputError(
            f"{path}: expected one array named {' or '.join(ARRAYS)}, [M, H, W], or {PEERS}, got "
            f"{', '.join(list(arrays)[:20]) or 'none'}."
        )
    maps = _stack(arrays[present[0]], path)
    goals = [arrays[name] for name in GOALS if name in arrays]
    if not goals:
        return maps
    goal = whole_numbers(goals[0], len(maps.blocked), f"{path}, {' or '.join(GOALS)}")
    return OwnMaps(maps.blocked, maps.names, goal)


def _stack(array: np.ndarray, path: Path) -> OwnMaps:
    if array.dtype.kind not in KINDS or array.ndim not in (2, 3) or 0 in array.shape:
        raise InputError(
            f"{path}: expected maps [M, H, W] or one map [H, W] of bool or numbers, got {array.dtype} "
            f"{list(array.shape)[:8]}; save maps.astype(bool)."
        )
    blocked = as_blocked(array.reshape(-1, *array.shape[-2:]), path)
    names = tuple(f"{path}, map {index}" for index in range(len(blocked)))
    for name, one in zip(names, blocked, strict=True):
        check_map(MapFile(one, source=name))
    return OwnMaps(blocked, names)


def _of_dataset(dataset: MapDataset, path: Path) -> OwnMaps:
    return OwnMaps(
        dataset.blocked,
        tuple(f"{path}, map {index}" for index in range(len(dataset))),
        dataset.goal,
        # The authors' files say nothing of moves: they were made with the default ones.
        None if dataset.source == AUTHORS else dataset.moves,
        dataset.terrain,
        dataset.terrain_costs,
        dataset.source,
    )


def whole_numbers(array: np.ndarray, num_maps: int, source: str) -> Int[Tensor, "M D"]:
    """Goals as int64, one per map.

    Raises: InputError, naming `source`, unless `array` holds whole numbers, two or three per map.
    """
    if array.ndim != 2 or array.shape[1] not in (2, 3) or array.dtype.kind not in "iuf":
        raise InputError(
            f"{source}: expected goals [M, 2] of whole numbers, got {array.dtype} {list(array.shape)[:8]}."
        )
    if not (np.isfinite(array).all() and (array == np.round(array)).all() and (np.abs(array) < 2**31).all()):
        raise InputError(f"{source}: expected whole numbers, ROW,COL from 0,0 at the top left, got others.")
    if len(array) != num_maps:
        raise InputError(
            f"{source}: expected one goal for each of the {num_maps} maps, in their order (files: by name), "
            f"got {len(array)}."
        )
    return torch.from_numpy(array.astype(np.int64))
