"""Caves: random rock smoothed by a cellular automaton, seeded. Unlike mazes: wide, winding, no straight walls."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.goals import draw_goal
from torchvin.maps.generators.seeds import generator

SMALLEST_SIDE = 8
_ROCK = 0.45  # share of rock before the first round
_ROUNDS = 4
_LEAST_FREE = 0.15  # of the map: a smaller cave is drawn again


def generate_caves(
    num_maps: int, height: int, width: int | None = None, *, seed: int | Sequence[int] = 0
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw maps of one connected cave each, and a goal in it.

    45 % of the cells begin as rock. In each of four rounds a cell becomes rock if five or more of the 3x3 cells around
    it are. Only the largest cave is kept. The first maps of a longer run are those of a shorter one.

    Args:
        num_maps: how many maps, M.
        height, width: cells, at least 8 each; `width` defaults to `height`.
        seed: of NumPy's PCG64; one number or several.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col).
    Raises: InputError if `num_maps` < 1, a side < 8 or a negative seed.

    >>> generate_caves(2, 15, seed=0)[0].shape
    torch.Size([2, 15, 15])
    """
    width = height if width is None else width
    if num_maps < 1 or min(height, width) < SMALLEST_SIDE:
        raise InputError(f"caves need at least one map of 8x8 cells, got {num_maps} of {height}x{width}.")
    random = generator(seed)
    blocked = np.ones((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    for index in range(num_maps):
        while (~blocked[index]).mean() < _LEAST_FREE:
            blocked[index] = _cave(height, width, random)
        goal[index] = draw_goal(blocked[index], random)
    return torch.from_numpy(blocked), torch.from_numpy(goal)


def _cave(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import convolve, label

    rock = random.random((height, width)) < _ROCK
    for _ in range(_ROUNDS):
        rock = convolve(rock.astype(np.uint8), np.ones((3, 3), dtype=np.uint8), mode="constant", cval=1) >= 5
        rock[[0, -1], :] = True
        rock[:, [0, -1]] = True
    caves, _ = label(~rock)
    sizes = np.bincount(caves.ravel())
    sizes[0] = 0  # the rock
    largest: np.ndarray = caves != max(sizes.argmax(), 1)
    return largest
