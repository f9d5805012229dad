"""The authors' MATLAB files (github.com/avivt/VIN): two layouts, each with its traps.

Training files (`gridworld_16.mat`): maps row by row, 0 = obstacle, 1 = free; goal image 10 at the goal; one row per
batch of ten (state, action) pairs, states 0-based. The last batch of a map is filled up with its last pair. Test files
(`*_test.mat`): images column by column, and one path per map in 1-based (row, col), which
ends at the goal.
"""

import math
import subprocess
import sys
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch

from torchvin.data.dataset import AUTHORS, MapDataset, check_goals
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set, shortest_paths
from torchvin.maps.observe import GOAL_VALUE
from torchvin.mdp.motion import OFFSETS, GridMotion
from torchvin.spaces import StateSpace

TRAINING_KEYS = ("batch_im_data", "batch_value_data", "state_x_data", "state_y_data", "batch_label_data")
TEST_KEYS = ("all_im_data", "all_value_data", "all_states_xy")
TRAINING_SHARE = 6 / 7  # of the batches; the authors hold out the rest


def read_mat(path: str | PathLike[str], split: str = "all") -> MapDataset:
    """Read a training or a test file, recognised by its keys.

    Args:
        path: of the file.
        split: of a training file: "train" is the first 6/7 of its batches, "heldout" the maps of the rest that "train"
            does not hold (at 8x8 the authors' split leaks: 53 of 506 pairs of map and goal), "all" both. A test file
            has only "all".

    Raises: InputError if the file is damaged, lacks keys, or contradicts itself.
    """
    from scipy.io import loadmat

    path = Path(path)
    check_survivable(path)
    try:
        contents = loadmat(path)
    except Exception as error:  # the MATLAB reader raises many kinds on damaged bytes; all mean the same to the user
        raise InputError(
            f"{path}: cannot be read as a MATLAB file ({error}); it is damaged, cut off or saved as v7.3 (save as v7)."
        ) from error
    for keys, read in ((TRAINING_KEYS, _read_training), (TEST_KEYS, _read_test)):
        present = [key for key in keys if key in contents]
        if len(present) == len(keys):
            return read(path, contents, split)
        if present:
            missing = ", ".join(key for key in keys if key not in contents)
            raise InputError(f"{path}: lacks {missing}; the authors' files hold {', '.join(keys)}.")
    raise InputError(
        f"{path}: not a file of the authors: expected {', '.join(TRAINING_KEYS)} (training) or "
        f"{', '.join(TEST_KEYS)} (test), got {', '.join(key for key in contents if key[:2] != '__') or 'nothing'}."
    )


def is_training_file(path: str | PathLike[str]) -> bool:
    """Whether a `.mat` has the authors' training layout, which holds out a seventh."""
    from scipy.io import whosmat

    path = Path(path)
    try:
        check_survivable(path)
        return any(name == "batch_im_data" for name, _, _ in whosmat(path))
    except Exception:  # damaged in one of many ways; the reader that comes next says how
        return False


def check_survivable(path: Path) -> None:
    """Read an uncompressed file in a child process first: some damaged bytes crash SciPy and with it the process.

    Compressed files, as the authors' are, carry checksums and need no child process.

    Raises: InputError if the child dies.
    """
    with path.open("rb") as stream:
        first_tag = stream.read(132)[128:]
    if first_tag in (b"\x0f\0\0\0", b"\0\0\0\x0f"):  # miCOMPRESSED, in either byte order
        return
    code = "import sys; from scipy.io import loadmat; loadmat(sys.argv[1])"
    if subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False).returncode < 0:
        raise InputError(f"{path}: cannot be read as a MATLAB file; it is damaged.")


def _read_training(path: Path, contents: dict[str, Any], split: str) -> MapDataset:
    images, values, rows, cols, labels = (_integers(path, key, contents[key], 2) for key in TRAINING_KEYS)
    if len({len(array) for array in (images, values, rows, cols, labels)}) != 1 or not (
        rows.shape == cols.shape == labels.shape
    ):
        raise InputError(f"{path}: the batch arrays must have one row per batch, and states and labels one shape.")
    if rows.size == 0:
        raise InputError(f"{path}: the batches hold no states.")
    if split not in ("train", "heldout", "all"):
        raise InputError(f"unknown split {split!r}; a training file has train, heldout and all.")
    num_training = int(len(images) * TRAINING_SHARE)
    both = np.concatenate([images, values], axis=1)
    _, first_seen, of_batch = np.unique(both, axis=0, return_index=True, return_inverse=True)
    of_batch = of_batch.reshape(-1)
    order = np.argsort(first_seen)  # maps in the order of the file
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    of_batch = rank[of_batch]
    blocked, goal = _maps(path, images[first_seen[order]], values[first_seen[order]], column_major=False)
    _, height, width = blocked.shape
    if min(rows.min(), cols.min(), labels.min()) < 0 or (
        rows.max() >= height or cols.max() >= width or labels.max() >= len(OFFSETS)
    ):
        raise InputError(f"{path}: a state lies off the {height}x{width} map or a label is not one of 0..7.")
    demonstrated = torch.full(blocked.shape, NOT_SHOWN, dtype=torch.uint8)
    maps = torch.from_numpy(np.repeat(of_batch, rows.shape[1]))
    cells = torch.from_numpy((rows * width + cols).ravel())
    demonstrated.flatten(1)[maps, cells] = torch.from_numpy(labels.ravel().astype(np.uint8))
    visits = torch.zeros_like(demonstrated, dtype=torch.int64)
    visits.flatten(1).index_put_((maps, cells), torch.ones_like(cells), accumulate=True)
    dataset = _dataset(path, blocked, goal, demonstrated, _path_starts(goal, demonstrated, visits))
    in_training = torch.zeros(len(dataset), dtype=torch.bool)
    in_training[torch.from_numpy(of_batch[:num_training])] = True
    if split == "all":
        return dataset
    chosen = (in_training if split == "train" else ~in_training).nonzero()[:, 0]
    if len(chosen) == 0:
        raise InputError(f"{path}: too few maps for a {split} split; use all.")
    return dataset[chosen]


def _path_starts(goal: torch.Tensor, demonstrated: torch.Tensor, visits: torch.Tensor) -> torch.Tensor:
    """Where demonstrations begin, [M, S, 2]: cells that are passed more often than paths lead into them.

    The batches hold the paths' states in no order, but each as often as paths pass it. The last batch of a map is
    filled up with the last state of a path, so a cell beside the goal begins a path only where no other cell does.
    """
    width = demonstrated.shape[2]
    maps, cells = visits.flatten(1).nonzero(as_tuple=True)
    offsets = torch.tensor([row * width + col for row, col in OFFSETS])
    target = cells + offsets[demonstrated.flatten(1)[maps, cells].long()]
    inside = target.clamp(0, visits[0].numel() - 1)  # a wrong label is found later
    entered = torch.zeros_like(visits).flatten(1)
    entered.index_put_((maps, inside), visits.flatten(1)[maps, cells], accumulate=True)
    begins = visits.flatten(1) > entered
    beside = torch.zeros_like(begins)
    beside[maps, cells] = target == (goal[:, 0] * width + goal[:, 1])[maps]
    begins &= ~beside | ~(begins & ~beside).any(dim=1, keepdim=True)
    most = max(1, int(begins.sum(dim=1).max()))
    ordered = begins.int().sort(dim=1, descending=True, stable=True).indices[:, :most]
    starts = torch.where(begins.gather(1, ordered), ordered, -1)
    return StateSpace(demonstrated.shape[1], width).unflatten(starts)


def _read_test(path: Path, contents: dict[str, Any], split: str) -> MapDataset:
    if split != "all":
        raise InputError(f"{path}: a test file has no {split} split; use all.")
    images, values = (_integers(path, key, contents[key], 2) for key in TEST_KEYS[:2])
    paths = contents["all_states_xy"]
    if paths.dtype != object or paths.size != len(images):
        raise InputError(f"{path}: all_states_xy must hold one path for each of the {len(images)} maps.")
    blocked, goal = _maps(path, images, values, column_major=True)
    _, height, width = blocked.shape
    action_of = {offset: action for action, offset in enumerate(OFFSETS)}
    demonstrated = torch.full(blocked.shape, NOT_SHOWN, dtype=torch.uint8)
    starts = torch.full((len(blocked), 1, 2), -1, dtype=torch.int64)
    for index, cell in enumerate(paths.ravel()):
        if cell.size == 0:  # an unreachable start: the authors' expert leaves its path empty
            continue
        states = _integers(path, f"path {index}", cell, 2).astype(np.int64) - 1
        if states.shape[1] != 2 or (states < 0).any() or (states >= (height, width)).any():
            raise InputError(f"{path}: path {index} must hold (row, col) from 1 on the {height}x{width} map.")
        if tuple(states[-1]) != tuple(goal[index].tolist()):
            raise InputError(
                f"{path}: path {index} ends at {tuple(states[-1].tolist())}, the goal is at "
                f"{tuple(goal[index].tolist())}: images must be column by column and paths 1-based."
            )
        starts[index, 0] = torch.from_numpy(states[0])
        for state, following in pairwise(states):
            action = action_of.get(tuple((following - state).tolist()))
            if action is None:
                raise InputError(f"{path}: path {index} jumps from {state.tolist()} to {following.tolist()}.")
            demonstrated[index, state[0], state[1]] = action
    return _dataset(path, blocked, goal, demonstrated, starts)


def _dataset(
    path: Path, blocked: torch.Tensor, goal: torch.Tensor, demonstrated: torch.Tensor, starts: torch.Tensor
) -> MapDataset:
    try:
        check_goals(blocked, goal)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    optimal = shortest_paths(blocked, goal).optimal_actions
    optimal_here = action_set(optimal).gather(3, demonstrated.clamp(max=7).long()[..., None])[..., 0]
    if wrong := int(((demonstrated != NOT_SHOWN) & ~optimal_here).sum()):
        total = int((demonstrated != NOT_SHOWN).sum())
        raise InputError(
            f"{path}: {wrong} of {total} demonstrated actions do not begin a shortest path: the layout is not the "
            "authors' (training: row by row, 0-based; test: column by column, 1-based)."
        )
    return MapDataset(blocked, goal, optimal, demonstrated, starts, GridMotion(), source=AUTHORS)


def _maps(
    path: Path, images: np.ndarray, values: np.ndarray, *, column_major: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1] or images.shape != values.shape or len(images) == 0 or side < 2:
        raise InputError(f"{path}: images and goal images must be [maps, n*n], got {images.shape} and {values.shape}.")
    if not np.isin(images, (0, 1)).all():
        raise InputError(f"{path}: images must hold 0 (obstacle) and 1 (free) only, got {np.unique(images)[:5]}.")
    if ((goals := values == GOAL_VALUE).sum(axis=1) != 1).any():
        raise InputError(f"{path}: each goal image must hold {GOAL_VALUE:g} exactly once, at the goal.")
    blocked = torch.from_numpy(images == 0).view(-1, side, side)
    goal = StateSpace(side, side).unflatten(torch.from_numpy(goals.argmax(axis=1)))
    if column_major:
        return blocked.transpose(1, 2).contiguous(), goal.flip(1)
    return blocked, goal


def _integers(path: Path, key: str, array: Any, dimensions: int) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.ndim != dimensions or array.dtype.kind not in "biuf":
        got = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{path}: {key} must be an array of numbers with {dimensions} axes, got {got}.")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.round(array)).all()):
        raise InputError(f"{path}: {key} must hold whole numbers, got fractions or NaN.")
    return array.astype(np.int64)
