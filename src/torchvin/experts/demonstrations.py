"""Demonstrations as the authors drew them: a few random starts a map, one shortest path from each."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rollout import rollout

NOT_SHOWN = 255  # no demonstration passes here
_STATES_AT_ONCE = 1 << 18  # bounds memory


def demonstrate(
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M D"],
    labels: UInt8[Tensor, "M *O H W"],
    *,
    num_demonstrations: int = 7,
    seed: int = 0,
    moves: MotionModel | None = None,
    entry_cost: Float[Tensor, "M H W"] | None = None,
) -> tuple[Int[Tensor, "M S D"], UInt8[Tensor, "M *O H W"]]:
    """Roll the expert out from random starts.

    Starts are drawn without repetition from the states that reach the goal (the authors draw from the free cells and
    drop a start that cannot reach it).

    Args:
        blocked, goal: the maps.
        labels: the expert's action in each state, 255 where it has none, [M, H, W] or [M, O, H, W].
        num_demonstrations: starts a map, S; maps with fewer states that reach the goal have fewer.
        seed: of NumPy's PCG64.
        moves, entry_cost: of the environment.

    Returns: starts [M, S, 2] or [M, S, 3], -1 where a map has fewer, and the labels of the states on the way
        [M, H, W] or [M, O, H, W], 255 elsewhere.
    Raises: InputError if `num_demonstrations` < 1.
    """
    if num_demonstrations < 1:
        raise InputError(f"the number of demonstrations must be at least 1, got {num_demonstrations}.")
    moves = moves or GridMotion()
    num_maps, height, width = blocked.shape
    random = np.random.default_rng(seed)
    known = (labels != NOT_SHOWN).flatten(1).numpy()
    starts = np.full((num_maps, num_demonstrations), -1, dtype=np.int64)
    for index in range(num_maps):
        drawn = random.permutation(np.flatnonzero(known[index]))[:num_demonstrations]
        starts[index, : len(drawn)] = drawn
    flat = torch.from_numpy(starts)
    passed = visits(labels, blocked, goal, flat, moves=moves, entry_cost=entry_cost)
    shown = torch.where(passed > 0, labels, NOT_SHOWN)
    return moves.states(height, width).unflatten(flat), shown


def visits(
    labels: UInt8[Tensor, "M *O H W"],
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M D"],
    starts: Int[Tensor, "M S"],
    *,
    moves: MotionModel | None = None,
    entry_cost: Float[Tensor, "M H W"] | None = None,
) -> Int[Tensor, "M *O H W"]:
    """Number of the rollouts from `starts` (flat states, -1 = none) along `labels` that pass each state but the goal.

    >>> east = torch.full((1, 1, 3), 2, dtype=torch.uint8)
    >>> visits(east, torch.zeros(1, 1, 3, dtype=torch.bool), torch.tensor([[0, 2]]), torch.tensor([[0, 1]])).tolist()
    [[[1, 2, 0]]]
    """
    num_maps, *_, height, width = labels.shape
    states = labels[0].numel()
    counts = torch.zeros(num_maps, states + 1, dtype=torch.int64)  # the last: the end of a rollout, or none
    chunk = max(1, _STATES_AT_ONCE // states)
    for first in range(0, num_maps, chunk):
        maps = slice(first, first + chunk)
        path = rollout(
            labels[maps],
            blocked[maps],
            goal[maps],
            starts[maps],
            limit=torch.full_like(starts[maps], states),
            moves=moves,
            entry_cost=None if entry_cost is None else entry_cost[maps],
            record=True,
        ).path
        assert path is not None  # recorded
        passed = torch.where(path >= 0, path, states).flatten(1)
        counts[maps].scatter_add_(1, passed, torch.ones_like(passed))
    counts.scatter_(1, (moves or GridMotion()).states(height, width).flatten(goal)[:, None], 0)
    return counts[:, :-1].view_as(labels)
