"""Terrain in patches: smooth noise is cut at its quantiles, so that each class covers an equal share of a map."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from torchvin.errors import InputError

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
