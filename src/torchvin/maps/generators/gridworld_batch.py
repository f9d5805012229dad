"""The authors' grid world, many maps at a time: the distribution of `gridworld.py`, from another random stream.

Reinforcement learning sees each map for a few steps only, so it draws maps as fast as it plays on them. One map after
the other takes 1 ms, a thousand together take 0.03 ms each.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.gridworld import SMALLEST_SIDE, obstacle_settings
from torchvin.mdp.motion import GridMotion

_MOST_AT_ONCE = 1 << 22  # cells of obstacles in one round: bounds memory
_OF_A_MAP, _OF_AN_OBSTACLE = 3, 6  # uniform numbers: goal and attempts; centre, shape, radius, sides


def draw_gridworlds(
    num_maps: int, height: int, width: int, random: np.random.Generator, moves: GridMotion | None = None
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw maps and goals as `generate_gridworld` does, but in rounds of many.

    Args:
        num_maps: how many maps, M.
        height, width: cells, at least 4 each.
        random: where the numbers come from; it moves on.
        moves: that must lead to the goal; 8-connected by default.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col).
    Raises: InputError if `num_maps` < 1 or a side < 4.

    >>> blocked, goal = draw_gridworlds(3, 8, 9, np.random.default_rng(0))
    >>> blocked.shape, bool(blocked[torch.arange(3), goal[:, 0], goal[:, 1]].any())
    (torch.Size([3, 8, 9]), False)
    """
    if num_maps < 1:
        raise InputError(f"the number of maps must be at least 1, got {num_maps}.")
    numbers = _numbers_per_map(height, width)
    at_once = max(1, _MOST_AT_ONCE // numbers)
    drawn: list[tuple[Tensor, Tensor]] = []
    missing = num_maps
    while missing > 0:
        uniform = random.random((min(at_once, missing + missing // 3 + 8), numbers))  # about a fifth is rejected
        blocked, goal, usable = _candidates(uniform, height, width, moves or GridMotion())
        kept = usable.nonzero()[:, 0][:missing]
        drawn.append((blocked[kept], goal[kept]))
        missing -= len(kept)
    maps, goals = zip(*drawn, strict=True)
    return torch.cat(maps), torch.cat(goals)


def draw_gridworld_of_each(
    randoms: Sequence[np.random.Generator], height: int, width: int, moves: GridMotion | None = None
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """One map and goal from each generator: what a generator gives does not depend on the others.

    Args:
        randoms: where the numbers of each map come from.
        height, width, moves: as in `draw_gridworlds`.

    Raises: InputError for a side < 4.
    """
    numbers = _numbers_per_map(height, width)
    blocked = torch.empty(len(randoms), height, width, dtype=torch.bool)
    goal = torch.empty(len(randoms), 2, dtype=torch.int64)
    missing = list(range(len(randoms)))
    while missing:
        uniform = np.stack([randoms[index].random(numbers) for index in missing])
        maps, goals, usable = _candidates(uniform, height, width, moves or GridMotion())
        places = torch.tensor(missing)[usable]
        blocked[places], goal[places] = maps[usable], goals[usable]
        missing = [index for index, good in zip(missing, usable.tolist(), strict=True) if not good]
    return blocked, goal


def _numbers_per_map(height: int, width: int) -> int:
    """Uniform numbers that one candidate takes."""
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"a grid world is at least {SMALLEST_SIDE}x{SMALLEST_SIDE} cells, got {height}x{width}.")
    return _OF_A_MAP + _OF_AN_OBSTACLE * obstacle_settings(height, width)[0]


def _candidates(uniform: np.ndarray, height: int, width: int, moves: GridMotion) -> tuple[Tensor, Tensor, Tensor]:
    """Maps before rejection, from uniform numbers [M, N]: blocked, goal, and whether the map may be kept."""
    attempts, largest = obstacle_settings(height, width)
    number = len(uniform)
    of_map, of_obstacles = uniform[:, :_OF_A_MAP], uniform[:, _OF_A_MAP:].reshape(number, attempts, _OF_AN_OBSTACLE)
    goal = 1 + (of_map[:, :2] * (height - 1, width - 1)).astype(np.int64)
    tried = np.arange(attempts) < 1 + (of_map[:, 2:] * attempts).astype(np.int64)  # [M, attempts]
    centre = (of_obstacles[..., :2] * (height, width)).astype(np.int64)
    reach = math.ceil(largest)
    window = np.argwhere(np.ones((2 * reach + 1, 2 * reach + 1))) - reach  # [W, 2]
    covered = _shapes(of_obstacles[..., 2:], window, largest)
    cells = centre[:, :, None] + window  # [M, attempts, W, 2]
    covered &= ((cells >= 0) & (cells < (height, width))).all(axis=-1)
    on_goal = (covered & (cells == goal[:, None, None]).all(axis=-1)).any(axis=-1)
    placed = tried & ~on_goal  # an obstacle that covers the goal is skipped
    covered &= placed[:, :, None]
    blocked = np.zeros((number, height, width), dtype=bool)
    maps, *_ = np.nonzero(covered)
    blocked[maps, cells[covered][:, 0], cells[covered][:, 1]] = True
    blocked[:, [0, -1], :] = True
    blocked[:, :, [0, -1]] = True
    drawn, ends, index = torch.from_numpy(blocked), torch.from_numpy(goal), torch.arange(number)
    usable = torch.from_numpy(placed.any(axis=1)) & ~drawn[index, ends[:, 0], ends[:, 1]]
    return drawn, ends, usable & moves.allowed(drawn)[index, :, ends[:, 0], ends[:, 1]].any(dim=1)


def _shapes(uniform: np.ndarray, window: np.ndarray, largest: float) -> np.ndarray:
    """Which cells of the window around its centre an obstacle covers, [M, attempts, W]: a circle or a rectangle."""
    radius = np.ceil(uniform[..., 1:2] * largest)
    distance = (window**2).sum(axis=1)
    circle = (distance < radius * radius + radius) | (distance == 0)
    sides = np.ceil(uniform[..., None, 2:] * largest)
    rectangle = ((window >= 0) & (window < sides)).all(axis=-1)
    covered: np.ndarray = np.where(uniform[..., :1] < 0.5, circle, rectangle)
    return covered
