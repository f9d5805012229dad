"""Random maps: the authors' grid world (avivt/VIN `script_make_data.m` and `obstacles.m`), seeded.

The discrete shapes: MATLAB's drawing of small circles is not public, so the three cases that the paper's sizes use were
fitted to the densities of the authors' files. A circle of radius 0, 1, 2 covers 1, 5, 21 cells
(squared distance below r*r + r, or the centre alone) and a rectangle with a side of 0 covers nothing.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.seeds import generator
from torchvin.mdp.motion import GridMotion

#: side -> (most obstacle attempts, largest obstacle size): the settings of the NIPS paper [5,000 maps, 7 paths each].
PAPER_SETTINGS = {8: (30, 0.0), 16: (40, 1.0), 28: (50, 2.0)}
SMALLEST_SIDE = 4  # a border of one cell around at least 2x2 cells


def obstacle_settings(height: int, width: int) -> tuple[int, float]:
    """Most obstacle attempts and largest obstacle size, by the size of the map: the paper's at 8, 16 and 28.

    Between them linear in the side, sqrt(H * W) for maps that are not square; above 28 obstacles grow with the map, so
    that density stays; below 8 the number of attempts shrinks with the area.

    >>> obstacle_settings(16, 16), obstacle_settings(56, 56)
    ((40, 1.0), (50, 4.0))
    """
    side = math.sqrt(height * width)
    sides = list(PAPER_SETTINGS)
    attempts, sizes = zip(*PAPER_SETTINGS.values(), strict=True)
    scale_attempts = min(1.0, (side / sides[0]) ** 2)
    scale_size = max(1.0, side / sides[-1])
    return (
        max(1, round(float(np.interp(side, sides, attempts)) * scale_attempts)),
        float(np.interp(side, sides, sizes)) * scale_size,
    )


def generate_gridworld(
    num_maps: int,
    height: int,
    width: int | None = None,
    *,
    seed: int | Sequence[int] = 0,
    moves: GridMotion | None = None,
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw maps as the authors did: random circles and rectangles, a border, a random goal inside it.

    A map is drawn again if no obstacle was placed, if the border hits the goal, or if no move leads to the goal. The
    first maps of a longer run are those of a shorter one with the same seed.

    Args:
        num_maps: how many maps, M.
        height, width: cells, at least 4 each; `width` defaults to `height`.
        seed: of NumPy's PCG64; one number or several.
        moves: that must lead to the goal; 8-connected by default.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col).
    Raises: InputError if `num_maps` < 1, a side < 4, or a negative seed.

    >>> blocked, goal = generate_gridworld(2, 8, seed=0)
    >>> blocked.shape, bool(blocked[0, 0].all())
    (torch.Size([2, 8, 8]), True)
    """
    width = height if width is None else width
    moves = moves or GridMotion()
    if num_maps < 1:
        raise InputError(f"the number of maps must be at least 1, got {num_maps}.")
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"a grid world is at least {SMALLEST_SIDE}x{SMALLEST_SIDE} cells, got {height}x{width}.")
    random = generator(seed)
    settings = obstacle_settings(height, width)
    blocked = np.empty((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    for index in range(num_maps):
        while not _draw(blocked[index], goal[index], random, settings, moves):
            pass
    return torch.from_numpy(blocked), torch.from_numpy(goal)


def _draw(
    blocked: np.ndarray, goal: np.ndarray, random: np.random.Generator, settings: tuple[int, float], moves: GridMotion
) -> bool:
    """Draw one map in place; False if it must be rejected."""
    height, width = blocked.shape
    most_attempts, largest = settings
    goal[:] = random.integers(1, height), random.integers(1, width)
    blocked[:] = False
    placed = 0
    for _ in range(random.integers(1, most_attempts + 1)):
        row, col = random.integers(0, height), random.integers(0, width)
        cells = _circle(random, largest) if random.random() < 0.5 else _rectangle(random, largest)
        cells = cells + (row, col)  # noqa: RUF005 - array addition
        cells = cells[((cells >= 0) & (cells < (height, width))).all(axis=1)]
        if not (cells == goal).all(axis=1).any():  # an obstacle that covers the goal is skipped
            blocked[cells[:, 0], cells[:, 1]] = True
            placed += 1
    blocked[[0, -1], :] = True
    blocked[:, [0, -1]] = True
    if placed == 0 or blocked[tuple(goal)]:
        return False
    around = torch.from_numpy(blocked[goal[0] - 1 : goal[0] + 2, goal[1] - 1 : goal[1] + 2])
    return bool(moves.allowed(around[None])[0, :, 1, 1].any())


def _circle(random: np.random.Generator, largest: float) -> np.ndarray:
    radius = math.ceil(random.random() * largest)
    square = np.argwhere(np.ones((2 * radius + 1, 2 * radius + 1))) - radius
    distance = (square**2).sum(axis=1)
    disc: np.ndarray = square[(distance < radius * radius + radius) | (distance == 0)]
    return disc


def _rectangle(random: np.random.Generator, largest: float) -> np.ndarray:
    sides = [math.ceil(random.random() * largest) for _ in range(2)]
    return np.argwhere(np.ones(sides))
