"""Data sets of other public planners: `.npz` files whose arrays have numbers for names (`arr_0`, `arr_1`, ...).

- GPPN (RLAgent/gated-path-planning-networks) and Neural A* (omron-sinicx/planning-datasets): for each of the splits
  train, validation and test maps [N, H, W], 1 = free; goals [N, O, H, W], 1 at the goal; optimal policies
  [N, A, O, H, W], one-hot. Neural A* has optimal distances [N, O, H, W] behind them. All moves cost 1. With O = 4 the
  headings are N, E, W, S.
- PyTorch VIN (kentsommer/pytorch-value-iteration-networks): for train and test images [S, 2, H, W], channel 0 the
  obstacles (1 = obstacle), channel 1 has 10 at the goal; rows, columns and labels of S states. A map occurs once for
  each state of its demonstrations; it is read once. The moves are the VIN paper's.

Maps, goals and the motion model are read; the answers of the files are not: the expert solves the maps anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.io.archive import Shape, array_shapes, read_archive, read_blocks
from torchvin.maps.observe import GOAL_VALUE
from torchvin.mdp.motion import HEADINGS, DifferentialDrive, GridMotion, MotionModel

SPLITS = ("train", "validation", "test")
_SAMPLES_AT_ONCE = 4096
_THEIR_HEADINGS = ("N", "E", "W", "S")
#: Actions and orientations of GPPN and Neural A* -> their motion model.
_MOTIONS: dict[tuple[int, int], MotionModel] = {
    (4, 1): GridMotion(num_actions=4),
    (8, 1): GridMotion(num_actions=8, diagonal_cost=1.0),
    (3, 4): DifferentialDrive(),
}


@dataclass(frozen=True)
class PeerMaps:
    """Maps of another project's file.

    Attributes:
        blocked: True = obstacle, [M, H, W].
        goal: (row, col) or (orientation, row, col), [M, D]; it may lie on an obstacle.
        moves: of the environment.
        names: of each map, for messages.
    """

    blocked: Bool[Tensor, "M H W"]
    goal: Int[Tensor, "M D"]
    moves: MotionModel
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    """Arrays of a split and where it begins.

    Attributes:
        title: whose files have it.
        axes: of each array of a split.
        splits: their names, in the order of the file.
        read: from the path, the number of the first array of a split and the shapes to maps, goals and motion model.
    """

    title: str
    axes: tuple[str, ...]
    splits: tuple[str, ...]
    read: "Callable[[Path, int, Mapping[str, Shape]], tuple[np.ndarray, np.ndarray, MotionModel]]"


def peer_splits(path: Path) -> tuple[str, ...]:
    """The splits of a file in one of these layouts; none for any other file, damaged ones too.

    >>> peer_splits(Path("nowhere.npz"))
    ()
    """
    try:
        layout = _layout(array_shapes(path))
    except (InputError, OSError):
        return ()
    return layout.splits if layout else ()


def read_peer(path: Path, split: str = "all") -> PeerMaps | None:
    """Read the maps of one split, or of all, one after the other.

    Args:
        path: of an `.npz`.
        split: "train", "validation" (GPPN and Neural A* only), "test" or "all".

    Returns: the maps; None if the arrays of the file are named, or are as many as in none of the layouts.
    Raises: InputError if a shape, a value or the split is none of the layout.
    """
    shapes = array_shapes(path)
    layout = _layout(shapes)
    if layout is None:
        return None
    if split not in (*layout.splits, "all"):
        raise InputError(
            f"{path}: unknown split {split!r}; a file of {layout.title} has {', '.join(layout.splits)}, all."
        )
    chosen = layout.splits if split == "all" else (split,)
    found = []
    for name in chosen:
        first = layout.splits.index(name) * len(layout.axes)
        _check_shapes(path, layout, name, first, shapes)
        found.append(layout.read(path, first, shapes))
    blocked, goals, motions = zip(*found, strict=True)
    if len({part.shape[1:] for part in blocked}) > 1 or len(set(motions)) > 1:
        sizes = ", ".join(f"{name} {list(part.shape)}" for name, part in zip(chosen, blocked, strict=True))
        raise InputError(f"{path}: the splits must have maps of one size and the same actions, got {sizes}.")
    names = tuple(
        f"{path}, {name} map {index}" for name, part in zip(chosen, blocked, strict=True) for index in range(len(part))
    )
    return PeerMaps(
        torch.from_numpy(np.concatenate(blocked)), torch.from_numpy(np.concatenate(goals)), motions[0], names
    )


def _layout(shapes: Mapping[str, Shape]) -> "_Layout | None":
    if set(shapes) != {f"arr_{index}" for index in range(len(shapes))}:
        return None
    return next((layout for layout in _LAYOUTS if len(layout.axes) * len(layout.splits) == len(shapes)), None)


def _check_shapes(path: Path, layout: _Layout, split: str, first: int, shapes: Mapping[str, Shape]) -> None:
    """Raises: InputError naming the first array of the split whose axes are not those of the layout."""
    sizes: dict[str, int] = {}
    for index, axes in enumerate(layout.axes, first):
        shape, dtype = shapes[f"arr_{index}"]
        wanted = axes.split()
        if wanted == ["S"] and shape[1:] == (1,):  # as the code that writes them has it
            shape = shape[:1]
        fits = len(shape) == len(wanted) and dtype.kind in "biuf" and 0 not in shape
        if not fits or any(
            size != (int(axis) if axis.isdigit() else sizes.setdefault(axis, size))
            for axis, size in zip(wanted, shape, strict=True)
        ):
            known = "".join(f", {axis} = {size}" for axis, size in sizes.items())
            raise InputError(
                f"{path}: with {len(shapes)} arrays a file of {layout.title} is expected, whose arr_{index} ({split}) "
                f"is [{', '.join(wanted)}] of numbers{known}; got {dtype} {list(shape)[:8]}."
            )


def _read_policies(path: Path, first: int, shapes: Mapping[str, Shape]) -> tuple[np.ndarray, np.ndarray, MotionModel]:
    """A split of GPPN or Neural A*."""
    names = [f"arr_{first}", f"arr_{first + 1}"]
    arrays = read_archive(path, names)
    maps, goals = (arrays[name] for name in names)
    num_actions, orientations = shapes[f"arr_{first + 2}"][0][1:3]
    if (num_actions, orientations) not in _MOTIONS:
        raise InputError(
            f"{path}: arr_{first + 2} has {num_actions} actions and {orientations} orientations; expected 4 or 8 "
            "actions (news, moore), or 3 with 4 orientations (differential drive)."
        )
    if not np.isin(maps, (0, 1)).all():
        raise InputError(f"{path}: {names[0]} must hold 0 (obstacle) and 1 (free) only, got {_values(maps)}.")
    flat = goals.reshape(len(goals), -1)
    if not (np.isin(flat, (0, 1)).all() and (flat.sum(axis=1) == 1).all()):
        raise InputError(f"{path}: {names[1]} must hold one 1 per map, at the goal, and 0 elsewhere.")
    orientation, row, col = np.unravel_index(flat.argmax(axis=1), goals.shape[1:])
    cells = [row, col]
    if orientations > 1:
        cells.insert(0, np.array([HEADINGS.index(heading) for heading in _THEIR_HEADINGS])[orientation])
    return maps == 0, np.stack(cells, axis=1).astype(np.int64), _MOTIONS[num_actions, orientations]


def _read_states(path: Path, first: int, shapes: Mapping[str, Shape]) -> tuple[np.ndarray, np.ndarray, MotionModel]:
    """A split of the PyTorch VIN: each map with its goal once, in the order of the file."""
    name = f"arr_{first}"
    found: dict[bytes, tuple[np.ndarray, int]] = {}
    for images in read_blocks(path, name, _SAMPLES_AT_ONCE):
        maps, goals = images[:, 0], images[:, 1].reshape(len(images), -1)
        if not np.isin(maps, (0, 1)).all():
            raise InputError(
                f"{path}: channel 0 of {name} must hold 1 (obstacle) and 0 (free) only, got {_values(maps)}."
            )
        if ((goals == GOAL_VALUE).sum(axis=1) != 1).any():
            raise InputError(f"{path}: channel 1 of {name} must hold {GOAL_VALUE:g} exactly once, at the goal.")
        blocked, cells = maps == 1, (goals == GOAL_VALUE).argmax(axis=1)
        for one, cell in zip(blocked, cells.tolist(), strict=True):
            found.setdefault(one.tobytes() + cell.to_bytes(8, "little"), (one, cell))
    blocked = np.stack([one for one, _ in found.values()])
    cells = np.array([cell for _, cell in found.values()])
    return blocked, np.stack(np.divmod(cells, blocked.shape[2]), axis=1), GridMotion()


def _values(array: np.ndarray) -> str:
    return ", ".join(f"{value:g}" for value in np.unique(array)[:5].astype(float))


_POLICIES = ("N H W", "N O H W", "N A O H W")
_LAYOUTS = (
    _Layout("GPPN", _POLICIES, SPLITS, _read_policies),
    _Layout("Neural A*", (*_POLICIES, "N O H W"), SPLITS, _read_policies),
    _Layout("PyTorch VIN (kentsommer)", ("S 2 H W", "S", "S", "S"), ("train", "test"), _read_states),
)
#: For messages: what is read beside arrays with names.
EXPECTED = "arr_0, arr_1, ... as GPPN (9 arrays), Neural A* (12) or kentsommer's PyTorch VIN (8) write them"
