"""Follow actions over maps: the environment's dynamics, for every start of every map at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from torchvin.maps.moves import Moves


@dataclass(frozen=True)
class Walks:
    """What became of each start.

    Attributes:
        reached: whether the walk ended at the goal within its limit, [B, S] bool.
        num_steps: moves made until the goal, or the limit where it was not reached, [B, S] int64.
        cost: of the moves that changed the state, [B, S] float64.
        path: flat cells row * W + col of each moment, [B, S, T + 1] int64, -1 after the end; None unless recorded.
    """

    reached: Bool[Tensor, "B S"]
    num_steps: Int[Tensor, "B S"]
    cost: Float[Tensor, "B S"]
    path: Int[Tensor, "B S T"] | None = None


def walk(
    actions: Shaped[Tensor, "B H W"],
    blocked: Bool[Tensor, "B H W"],
    goal: Int[Tensor, "B 2"],
    starts: Int[Tensor, "B S"],
    *,
    limit: Int[Tensor, "B S"],
    moves: Moves | None = None,
    record: bool = False,
) -> Walks:
    """Follow one action a cell from `starts` until the goal or `limit` moves; nothing is planned again on the way.

    Args:
        actions: index of the action in each cell, [B, H, W]; 255 = stay.
        blocked: True = obstacle, [B, H, W].
        goal: (row, col), [B, 2].
        starts: flat cells row * W + col, [B, S]; -1 = none (not reached, no steps).
        limit: moves allowed to each walk, [B, S]; a move that is refused counts.
        moves: of the environment.
        record: keep the paths.

    >>> actions = torch.full((1, 1, 4), 2)  # east
    >>> walks = walk(actions, torch.zeros(1, 1, 4, dtype=torch.bool), torch.tensor([[0, 3]]), torch.tensor([[0, 3]]),
    ...              limit=torch.tensor([[9, 9]]))
    >>> walks.reached.tolist(), walks.num_steps.tolist()
    ([[True, True]], [[3, 0]])
    """
    moves = moves or Moves()
    width = blocked.shape[2]
    chosen = actions.flatten(1).long()
    stays = chosen == 255
    chosen = chosen.masked_fill(stays, 0)
    changes = moves.allowed(blocked).flatten(2).gather(1, chosen[:, None])[:, 0] & ~stays  # [B, N]
    offsets = torch.tensor([row * width + col for row, col in moves.offsets], device=blocked.device)
    step = torch.where(changes, offsets[chosen], 0)
    price = torch.where(changes, torch.tensor(moves.costs, dtype=torch.float64, device=blocked.device)[chosen], 0.0)
    target = goal[:, :1] * width + goal[:, 1:]  # [B, 1]
    present = starts >= 0
    here = torch.where(present, starts, target)
    num_steps = torch.zeros_like(starts)
    cost = torch.zeros(starts.shape, dtype=torch.float64, device=starts.device)
    path = [starts]
    going = present & (here != target) & (num_steps < limit)
    while going.any():
        cost += torch.where(going, price.gather(1, here), 0.0)
        here = torch.where(going, here + step.gather(1, here), here)
        num_steps += going
        if record:
            path.append(torch.where(going, here, -1))
        going = going & (here != target) & (num_steps < limit)
    reached = present & (here == target) & (num_steps <= limit)
    return Walks(reached, num_steps, cost, torch.stack(path, dim=-1) if record else None)
