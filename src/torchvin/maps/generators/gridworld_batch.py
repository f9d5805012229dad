"""The authors' grid world, many maps at a time: the distribution of `gridworld.py`, from another random stream.

Reinforcement learning sees each map for a few steps only, so it draws maps as fast as it plays on them. One map after
the other takes 1 ms, a thousand together take 0.03 ms each.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.gridworld import SMALLEST_SIDE, obstacle_settings
from torchvin.mdp.motion import GridMotion

_MOST_AT_ONCE = 1 << 22  # cells of obstacles in one round: bounds memory


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
    moves = moves or GridMotion()
    if num_maps < 1:
        raise InputError(f"the number of maps must be at least 1, got {num_maps}.")
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"a grid world is at least {SMALLEST_SIDE}x{SMALLEST_SIDE} cells, got {height}x{width}.")
    attempts, largest = obstacle_settings(height, width)
    per_map = attempts * (2 * math.ceil(largest) + 1) ** 2
    drawn: list[tuple[Tensor, Tensor]] = []
    missing = num_maps
    while missing > 0:
        number = min(max(1, _MOST_AT_ONCE // per_map), missing + missing // 3 + 8)  # about a fifth is rejected
        blocked, goal, usable = _candidates(number, height, width, random)
        index = torch.arange(number)
        around = moves.allowed(blocked)[index, :, goal[:, 0], goal[:, 1]].any(dim=1)
        kept = (usable & around).nonzero()[:, 0][:missing]
        drawn.append((blocked[kept], goal[kept]))
        missing -= len(kept)
    maps, goals = zip(*drawn, strict=True)
    return torch.cat(maps), torch.cat(goals)


def _candidates(number: int, height: int, width: int, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Maps before rejection: blocked, goal, and whether an obstacle was placed and the goal is free."""
    attempts, largest = obstacle_settings(height, width)
    goal = np.stack([random.integers(1, height, number), random.integers(1, width, number)], axis=1)
    tried = np.arange(attempts) < random.integers(1, attempts + 1, (number, 1))  # [M, attempts]
    centre = np.stack(
        [random.integers(0, height, (number, attempts)), random.integers(0, width, (number, attempts))], axis=-1
    )
    reach = math.ceil(largest)
    window = np.argwhere(np.ones((2 * reach + 1, 2 * reach + 1))) - reach  # [W, 2]
    covered = _shapes(random, (number, attempts), window, largest)
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
    usable = placed.any(axis=1) & ~blocked[np.arange(number), goal[:, 0], goal[:, 1]]
    return torch.from_numpy(blocked), torch.from_numpy(goal), torch.from_numpy(usable)


def _shapes(random: np.random.Generator, shape: tuple[int, int], window: np.ndarray, largest: float) -> np.ndarray:
    """Which cells of the window around its centre an obstacle covers, [M, attempts, W]: half circles, half rectangles."""
    radius = np.ceil(random.random(shape) * largest)[..., None]
    distance = (window**2).sum(axis=1)
    circle = (distance < radius * radius + radius) | (distance == 0)
    sides = np.ceil(random.random((*shape, 2)) * largest)[:, :, None]
    rectangle = ((window >= 0) & (window < sides)).all(axis=-1)
    covered: np.ndarray = np.where(random.random(shape)[..., None] < 0.5, circle, rectangle)
    return covered
