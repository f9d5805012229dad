"""Terrain: cells of several classes, and what it costs to enter each; the optimum is then no number of steps.

Classes lie in patches: smooth noise is cut at its quantiles, so that each class covers an equal share of a map.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape

MOST_TERRAINS = 16
_PATCH = 2.0  # cells: the width of the blur, so that a patch is some five cells wide


def generate_terrain(
    num_maps: int, height: int, width: int | None = None, *, num_terrains: int = 3, seed: int | Sequence[int] = 0
) -> UInt8[Tensor, "M H W"]:
    """Draw the class of each cell, 0 to `num_terrains` - 1, in patches; each map has equally much of each class.

    Args:
        num_maps: how many maps, M; the first of a longer run are those of a shorter one.
        height, width: cells; `width` defaults to `height`.
        num_terrains: classes, 1 to 16.
        seed: of NumPy's PCG64.

    Raises: InputError if a number is too small or too large.

    >>> generate_terrain(1, 6, num_terrains=2)[0].sum().item()
    18
    """
    from scipy.ndimage import gaussian_filter

    width = height if width is None else width
    if min(num_maps, height, width) < 1 or not 1 <= num_terrains <= MOST_TERRAINS:
        raise InputError(
            f"terrain needs at least one map, cells and 1 to {MOST_TERRAINS} classes, "
            f"got {num_maps} maps of {height}x{width} with {num_terrains} classes."
        )
    random = np.random.default_rng(seed)
    terrain = np.empty((num_maps, height, width), dtype=np.uint8)
    for index in range(num_maps):
        smooth = gaussian_filter(random.standard_normal((height, width)), _PATCH)
        rank = smooth.ravel().argsort().argsort()
        terrain[index] = (rank * num_terrains // rank.size).reshape(height, width)
    return torch.from_numpy(terrain)


def check_terrain(
    blocked: Bool[Tensor, "M H W"], terrain: UInt8[Tensor, "M H W"] | None, costs: tuple[float, ...]
) -> None:
    """Every cell must have a class, and every class a positive cost.

    Raises: ShapeError; InputError saying which is missing.
    """
    if not costs or not all(0 < cost < math.inf for cost in costs):
        raise InputError(f"every class of terrain needs a positive cost, got {costs}.")
    if terrain is None:
        if costs != (1.0,):
            raise InputError(f"costs of {len(costs)} classes of terrain were given, {costs}, but no terrain.")
        return
    check_shape("terrain", terrain, " ".join(map(str, blocked.shape)))
    if int(terrain.max()) >= len(costs):
        raise InputError(f"the terrain has a class {int(terrain.max())}, but there are costs for {len(costs)} classes.")


def entry_cost(terrain: UInt8[Tensor, "M H W"] | None, costs: tuple[float, ...]) -> Float[Tensor, "M H W"] | None:
    """Factor on the cost of a move that ends in a cell, float64; None where there is no terrain and all cost 1.

    >>> entry_cost(torch.tensor([[[0, 1]]], dtype=torch.uint8), (1.0, 2.5)).tolist()
    [[[1.0, 2.5]]]
    """
    if terrain is None:
        return None
    return torch.tensor(costs, dtype=torch.float64, device=terrain.device)[terrain.long()]
