"""Scattered cells: each is blocked independently, up to the edge of the map. Unlike mazes: no border, no structure."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.goals import draw_goal
from torchvin.maps.generators.seeds import generator

SMALLEST_SIDE = 4
DENSITIES = (0.0, 0.4)  # above that a straight move leads almost nowhere


def generate_scattered(
    num_maps: int,
    height: int,
    width: int | None = None,
    *,
    seed: int | Sequence[int] = 0,
    density: tuple[float, float] = DENSITIES,
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw maps without a border, cells blocked independently, and a goal that a move leads to; one density per map.

    The first maps of a longer run are those of a shorter one.

    Args:
        num_maps: how many maps, M.
        height, width: cells, at least 4 each; `width` defaults to `height`.
        seed: of NumPy's PCG64; one number or several.
        density: bounds of the share of blocked cells, drawn for each map.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col), not at the edge.
    Raises: InputError if `num_maps` < 1, a side < 4, a negative seed or bounds outside [0, 0.9].

    >>> blocked, _ = generate_scattered(2, 15, seed=0, density=(0.0, 0.0))
    >>> bool(blocked.any())
    False
    """
    width = height if width is None else width
    if num_maps < 1 or min(height, width) < SMALLEST_SIDE:
        raise InputError(f"scattered cells need at least one map of 4x4 cells, got {num_maps} of {height}x{width}.")
    random = generator(seed)
    if not 0 <= density[0] <= density[1] <= 0.9:
        raise InputError(f"the share of blocked cells must be bounds 0 <= low <= high <= 0.9, got {density}.")
    blocked = np.empty((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    for index in range(num_maps):
        share = random.uniform(*density)
        while True:
            blocked[index] = random.random((height, width)) < share
            if _has_neighbours(blocked[index]):
                break
        goal[index] = draw_goal(blocked[index], random)
    return torch.from_numpy(blocked), torch.from_numpy(goal)


def _has_neighbours(blocked: np.ndarray) -> bool:
    """Whether two free cells inside the edge lie side by side."""
    free = ~blocked[1:-1, 1:-1]
    return bool((free[:, 1:] & free[:, :-1]).any() or (free[1:] & free[:-1]).any())
