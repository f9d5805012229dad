"""A data set of a user's own maps: goals read or drawn, and the expert's answers added."""

import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.data.dataset import OWN, MapDataset, solve_maps
from torchvin.data.draw import with_orientation
from torchvin.data.sources import OwnMaps, read_maps, whole_numbers
from torchvin.errors import InputError, errors_about
from torchvin.io.npy import read_npy
from torchvin.io.progress import progress_bar
from torchvin.maps.formats.contract import check_readable, one_line
from torchvin.maps.generators.seeds import generator
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.transitions import transitions

_GOAL_STREAM, _ORIENTATION_STREAM = 4, 2
_STATES_AT_ONCE = 1 << 18  # solved between two steps of the progress bar
_SECONDS_WITHOUT_BAR = 2.0
_GOAL_SUFFIXES = (".npy", ".csv", ".txt")
_GOAL_LINE = re.compile(r"\s*(-?\d{1,9}\s*[,;\s]\s*){1,2}-?\d{1,9}\s*")


def dataset_from(
    path: str | PathLike[str],
    goals: str | PathLike[str] | None = None,
    *,
    moves: MotionModel | None = None,
    default_moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
    threshold: float | None = None,
    split: str = "all",
    show_progress: bool = False,
) -> MapDataset:
    """Make a data set of maps that lie in files, with the expert's answers for every state.

    Args:
        path: a folder of map files (MovingAI, ROS, images, NumPy; all of one size), one such file, a `.npy` [H, W] or
            [M, H, W], an `.npz` (a data set; arrays named `blocked` or `maps`; a file of GPPN, Neural A* or
            kentsommer's PyTorch VIN, see `data.peers`), or the authors' `.mat`. Files of a folder are taken in the
            order of their names.
        goals: `.npy` [M, 2], or `.csv` or `.txt` with one ROW,COL per line and map. Without it the goals of the source
            are taken; if it has none, they are drawn among the cells that a move from another cell leads to.
        moves: of the environment. Without it that of the source: a data set's own; 8 moves that cut no corners where a
            ROS map is among the maps; else `default_moves`.
        default_moves: where neither `moves` is given nor the source says them; the paper's (8, a diagonal costs sqrt 2,
            corners may be cut) if not given.
        num_demonstrations: demonstrated paths per map.
        seed: of goals, orientations and starts of demonstrations.
        threshold: for images, darker than this is an obstacle, from 0 (black) to 1 (white).
        split: "train" or "heldout" of the authors' training files, "train", "validation" or "test" of other projects'
            files; all maps if not given.
        show_progress: print a progress bar on standard error.

    Maps of other projects whose goal lies on an obstacle, or is reached from no other cell, are left out; a warning
    counts them.

    Raises: InputError naming the file: it cannot be read, sizes differ, a goal is not a free cell or cannot be reached,
        or a map has no place for a goal.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/maps.npy", np.zeros((2, 3, 4), dtype=bool))
    ...     dataset = dataset_from(f"{folder}/maps.npy")
    >>> dataset.blocked.shape, dataset.optimal_actions.shape
    (torch.Size([2, 3, 4]), torch.Size([2, 3, 4]))
    """
    generator(seed)  # checked before the files are read
    goals_path = None if goals is None else Path(goals)
    with _steps("reading maps", show_progress) as advance:
        maps = read_maps(Path(path), threshold=threshold, leave_out=goals_path, split=split, on_progress=advance)
    if goals_path is not None:
        replaced = read_goals(goals_path, len(maps.blocked))
        maps = replace(maps, goal=replaced, source=OWN, may_be_unsolvable=False)
    moves = moves or maps.moves or default_moves or GridMotion()
    if maps.may_be_unsolvable:
        maps = _solvable(maps, moves, path)
    maps = replace(maps, goal=_goals(maps, moves, seed))
    return _solve(maps, moves, num_demonstrations, seed, show_progress)


def read_goals(path: Path, num_maps: int) -> Int[Tensor, "M D"]:
    """Read one goal per map: `.npy` [M, 2], or text with one ROW,COL per line.

    Empty lines, lines that begin with # and a first line without digits are skipped. Three numbers are ORIENTATION, ROW
    and COL.

    Raises: InputError naming the file and the line.
    """
    size = check_readable(path)
    suffix = path.suffix.lower()
    if suffix not in _GOAL_SUFFIXES:
        raise InputError(f"{path}: expected goals in {', '.join(_GOAL_SUFFIXES)}, got {suffix or 'no suffix'}.")
    if suffix == ".npy":
        try:
            with path.open("rb") as stream:
                array = read_npy(stream, size)
        except Exception as error:  # NumPy evaluates the header as a Python literal: nearly any exception may come
            raise InputError(f"{path}: cannot be read as .npy ({one_line(error)}); save an array [M, 2].") from error
    else:
        array = _read_lines(path)
    return whole_numbers(array, num_maps, str(path))


def reached_cells(blocked: Bool[Tensor, "H W"], moves: MotionModel) -> Bool[Tensor, "H W"]:
    """Cells that a move from another cell leads to: the places for a goal.

    >>> reached_cells(torch.tensor([[False, False, True, False]]), GridMotion()).tolist()
    [[True, True, False, False]]
    """
    cells = blocked.numel()
    target = transitions(blocked[None], moves).successor[0] % cells
    here = torch.arange(target.shape[-1]) % cells
    reached = torch.zeros(cells, dtype=torch.bool)
    reached[target[target != here]] = True
    return reached.view_as(blocked)


def _read_lines(path: Path) -> np.ndarray:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text with one ROW,COL per line, got other bytes.") from error
    goals: list[list[int]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#") or (not goals and not re.search(r"\d", line)):
            continue
        numbers = [int(part) for part in re.findall(r"-?\d+", line)] if _GOAL_LINE.fullmatch(line) else []
        if not numbers or (goals and len(numbers) != len(goals[0])):
            raise InputError(f"{path}, line {number}: expected ROW,COL such as 3,14, got {line.strip()[:40]!r}.")
        goals.append(numbers)
    if not goals:
        raise InputError(f"{path}: expected one ROW,COL per line and map, got no line.")
    return np.array(goals)


def _solvable(maps: OwnMaps, moves: MotionModel, path: str | PathLike[str]) -> OwnMaps:
    """Without the maps whose goal is on an obstacle or is reached from no other cell."""
    assert maps.goal is not None  # the files of other projects hold goals
    cells = zip(maps.blocked, maps.goal[:, -2:].tolist(), strict=True)
    kept = [index for index, (blocked, (row, col)) in enumerate(cells) if reached_cells(blocked, moves)[row, col]]
    if len(kept) == len(maps.blocked):
        return maps
    if not kept:
        raise InputError(f"{path}: all {len(maps.names)} goals lie on an obstacle or are reached from no other cell.")
    warnings.warn(
        f"{path}: left out {len(maps.names) - len(kept)} of {len(maps.names)} maps, whose goal lies on an obstacle or "
        "is reached from no other cell.",
        stacklevel=3,
    )
    names = tuple(maps.names[index] for index in kept)
    return replace(maps, blocked=maps.blocked[kept], goal=maps.goal[kept], names=names)


def _goals(maps: OwnMaps, moves: MotionModel, seed: int) -> Int[Tensor, "M D"]:
    """The goals of the source, checked, or drawn ones; with an orientation if the motion model has several."""
    random = generator((seed, _GOAL_STREAM))
    cells = []
    for index, (name, blocked) in enumerate(zip(maps.names, maps.blocked, strict=True)):
        with errors_about(name):
            reached = reached_cells(blocked, moves)
            if maps.goal is None:
                cells.append(_draw_goal(reached, random))
            else:
                _check_goal(maps.goal[index], blocked, reached, moves)
    goal = torch.stack(cells) if maps.goal is None else maps.goal
    if goal.shape[1] > moves.state_length:
        return goal[:, 1:]
    return goal if goal.shape[1] == moves.state_length else with_orientation(goal, moves, (seed, _ORIENTATION_STREAM))


def _draw_goal(reached: Bool[Tensor, "H W"], random: np.random.Generator) -> Int[Tensor, "2"]:
    places = reached.nonzero()
    if len(places) == 0:
        raise InputError(
            "no free cell can be reached from another, so there is no place for a goal; leave the map out."
        )
    return places[int(random.integers(len(places)))]


def _check_goal(
    goal: Int[Tensor, "D"], blocked: Bool[Tensor, "H W"], reached: Bool[Tensor, "H W"], moves: MotionModel
) -> None:
    *orientation, row, col = goal.tolist()
    height, width = blocked.shape
    if not (0 <= row < height and 0 <= col < width):
        raise InputError(
            f"the goal {row},{col} lies off the {height}x{width} map; goals are ROW,COL from 0,0 to "
            f"{height - 1},{width - 1}."
        )
    if orientation and moves.num_orientations > 1 and not 0 <= orientation[0] < moves.num_orientations:
        raise InputError(
            f"expected an orientation of the goal from 0 to {moves.num_orientations - 1}, got {orientation[0]}."
        )
    if blocked[row, col]:
        raise InputError(f"the goal {row},{col} lies on an obstacle; choose a free cell.")
    if not reached[row, col]:
        raise InputError(f"the goal {row},{col} cannot be reached from any other cell; choose another.")


def _solve(maps: OwnMaps, moves: MotionModel, num_demonstrations: int, seed: int, show_progress: bool) -> MapDataset:
    assert maps.goal is not None  # drawn
    num_maps, height, width = maps.blocked.shape
    at_once = max(1, _STATES_AT_ONCE // (moves.num_orientations * height * width))
    parts = []
    with _steps("solving maps", show_progress) as advance:
        for first in range(0, num_maps, at_once):
            here = slice(first, first + at_once)
            part = solve_maps(
                maps.blocked[here],
                maps.goal[here],
                moves=moves,
                num_demonstrations=num_demonstrations,
                seed=seed + first,  # a stream per part; a set that is solved in one part has that of `solve_maps`
                terrain=None if maps.terrain is None else maps.terrain[here],
                terrain_costs=maps.terrain_costs,
            )
            parts.append(part)
            advance(len(part), num_maps)
    return replace(_joined(parts), source=maps.source)


def _joined(parts: list[MapDataset]) -> MapDataset:
    content = {field.name: [getattr(part, field.name) for part in parts] for field in fields(MapDataset)}
    tensors: dict[str, Any] = {
        name: torch.cat(values) for name, values in content.items() if isinstance(values[0], Tensor)
    }
    return replace(parts[0], **tensors)


@contextmanager
def _steps(what: str, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for work that takes more than two seconds and says its number of steps with each of them."""
    began, waiting = time.monotonic(), 0
    advance_bar: Callable[[int], None] | None = None
    with ExitStack() as stack:

        def advance(steps: int, total: int) -> None:
            nonlocal waiting, advance_bar
            waiting += steps
            if advance_bar is None and time.monotonic() - began > _SECONDS_WITHOUT_BAR:
                advance_bar = stack.enter_context(progress_bar(what, total, shown=shown))
            if advance_bar is not None:
                advance_bar(waiting)
                waiting = 0

        yield advance
