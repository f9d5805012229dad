"""Terrain: cells of several classes, each with a cost of entering it. The shortest path may then cost more."""

import math

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape


def check_costs(costs: tuple[float, ...]) -> None:
    """Raises: InputError if a class of terrain has no positive cost, or there is no class."""
    if not costs or not all(0 < cost < math.inf for cost in costs):
        raise InputError(f"every class of terrain needs a positive cost, got {costs}.")


def check_terrain(
    blocked: Bool[Tensor, "M H W"], terrain: UInt8[Tensor, "M H W"] | None, costs: tuple[float, ...]
) -> None:
    """Every cell must have a class, and every class a positive cost.

    Raises: ShapeError; InputError saying which is missing.
    """
    check_costs(costs)
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
    return torch.tensor(costs, dtype=torch.float64).to(terrain.device, non_blocking=True)[terrain.long()]
