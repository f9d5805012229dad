"""Demonstrations as the authors drew them: a few random starts a map, one shortest path from each."""

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.moves import Moves
from torchvin.maps.walk import walk

NOT_SHOWN = 255  # no demonstration passes here
_CELLS_AT_ONCE = 1 << 18  # bounds memory


def demonstrate(
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M 2"],
    labels: UInt8[Tensor, "M H W"],
    *,
    num_demonstrations: int = 7,
    seed: int = 0,
    moves: Moves | None = None,
) -> tuple[Int[Tensor, "M S 2"], UInt8[Tensor, "M H W"]]:
    """Walk the expert from random starts.

    Starts are drawn without repetition from the cells that reach the goal (the authors draw from the free cells and
    drop a start that cannot reach it).

    Args:
        blocked, goal: the maps.
        labels: the expert's action in each cell, 255 where it has none, [M, H, W].
        num_demonstrations: starts a map, S; maps with fewer cells that reach the goal have fewer.
        seed: of NumPy's PCG64.
        moves: of the environment.

    Returns: starts [M, S, 2], -1 where a map has fewer, and the labels of the cells walked through [M, H, W], 255
        elsewhere.
    Raises: InputError if `num_demonstrations` < 1.
    """
    if num_demonstrations < 1:
        raise InputError(f"the number of demonstrations must be at least 1, got {num_demonstrations}.")
    num_maps, _, width = blocked.shape
    random = np.random.default_rng(seed)
    known = (labels != NOT_SHOWN).flatten(1).numpy()
    starts = np.full((num_maps, num_demonstrations), -1, dtype=np.int64)
    for index in range(num_maps):
        cells = np.flatnonzero(known[index])
        drawn = random.permutation(cells)[:num_demonstrations]
        starts[index, : len(drawn)] = drawn
    flat = torch.from_numpy(starts)
    shown = torch.where(visits(labels, blocked, goal, flat, moves) > 0, labels, NOT_SHOWN)
    return unflatten(flat, width), shown


def visits(
    labels: UInt8[Tensor, "M H W"],
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M 2"],
    starts: Int[Tensor, "M S"],
    moves: Moves | None = None,
) -> Int[Tensor, "M H W"]:
    """How many of the walks from `starts` (flat cells, -1 = none) along `labels` pass each cell, the goal left out.

    >>> east = torch.full((1, 1, 3), 2, dtype=torch.uint8)
    >>> visits(east, torch.zeros(1, 1, 3, dtype=torch.bool), torch.tensor([[0, 2]]), torch.tensor([[0, 1]])).tolist()
    [[[1, 2, 0]]]
    """
    num_maps, height, width = labels.shape
    counts = torch.zeros(num_maps, height * width + 1, dtype=torch.int64)  # the last: the end of a walk, or none
    chunk = max(1, _CELLS_AT_ONCE // (height * width))
    for first in range(0, num_maps, chunk):
        maps = slice(first, first + chunk)
        limit = torch.full_like(starts[maps], height * width)
        path = walk(labels[maps], blocked[maps], goal[maps], starts[maps], limit=limit, moves=moves, record=True).path
        assert path is not None  # recorded
        cells = torch.where(path >= 0, path, height * width).flatten(1)
        counts[maps].scatter_add_(1, cells, torch.ones_like(cells))
    counts.scatter_(1, goal[:, :1] * width + goal[:, 1:], 0)
    return counts[:, :-1].view_as(labels)


def unflatten(cells: Int[Tensor, "*shape"], width: int) -> Int[Tensor, "*shape 2"]:
    """Flat cells to (row, col), -1 to (-1, -1)."""
    states = torch.stack([cells // width, cells % width], dim=-1)
    return torch.where(cells[..., None] >= 0, states, -1)
