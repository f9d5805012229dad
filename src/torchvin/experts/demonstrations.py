"""Demonstrations as the authors drew them: a few random starts a map, one shortest path from each."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.moves import Mechanism, Moves
from torchvin.maps.states import unflatten
from torchvin.maps.walk import walk

NOT_SHOWN = 255  # no demonstration passes here
_STATES_AT_ONCE = 1 << 18  # bounds memory


def demonstrate(
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M D"],
    labels: UInt8[Tensor, "M *O H W"],
    *,
    num_demonstrations: int = 7,
    seed: int = 0,
    moves: Mechanism | None = None,
    entry_cost: Float[Tensor, "M H W"] | None = None,
) -> tuple[Int[Tensor, "M S D"], UInt8[Tensor, "M *O H W"]]:
    """Walk the expert from random starts.

    Starts are drawn without repetition from the states that reach the goal (the authors draw from the free cells and
    drop a start that cannot reach it).

    Args:
        blocked, goal: the maps.
        labels: the expert's action in each state, 255 where it has none, [M, H, W] or [M, O, H, W].
        num_demonstrations: starts a map, S; maps with fewer states that reach the goal have fewer.
        seed: of NumPy's PCG64.
        moves, entry_cost: of the environment.

    Returns: starts [M, S, 2] or [M, S, 3], -1 where a map has fewer, and the labels of the states walked through
        [M, H, W] or [M, O, H, W], 255 elsewhere.
    Raises: InputError if `num_demonstrations` < 1.
    """
    if num_demonstrations < 1:
        raise InputError(f"the number of demonstrations must be at least 1, got {num_demonstrations}.")
    moves = moves or Moves()
    num_maps, height, width = blocked.shape
    random = np.random.default_rng(seed)
    known = (labels != NOT_SHOWN).flatten(1).numpy()
    starts = np.full((num_maps, num_demonstrations), -1, dtype=np.int64)
    for index in range(num_maps):
        drawn = random.permutation(np.flatnonzero(known[index]))[:num_demonstrations]
        starts[index, : len(drawn)] = drawn
    flat = torch.from_numpy(starts)
    shown = torch.empty_like(labels)
    chunk = max(1, _STATES_AT_ONCE // labels[0].numel())
    for first in range(0, num_maps, chunk):
        maps = slice(first, first + chunk)
        limit = torch.full_like(flat[maps], labels[0].numel())
        path = walk(
            labels[maps],
            blocked[maps],
            goal[maps],
            flat[maps],
            limit=limit,
            moves=moves,
            entry_cost=None if entry_cost is None else entry_cost[maps],
            record=True,
        ).path
        assert path is not None  # recorded
        shown[maps] = shown_labels(labels[maps], path.flatten(1))
    return unflatten(flat, (height, width), moves.num_orientations), shown


def shown_labels(labels: UInt8[Tensor, "M *O H W"], states: Int[Tensor, "M T"]) -> UInt8[Tensor, "M *O H W"]:
    """`labels` in the flat `states` (-1 = none), 255 elsewhere."""
    shown = torch.zeros(labels.flatten(1).shape[0], labels.flatten(1).shape[1] + 1, dtype=torch.bool)
    shown.scatter_(1, torch.where(states >= 0, states, shown.shape[1] - 1), True)
    return torch.where(shown[:, :-1].view_as(labels), labels, NOT_SHOWN)
