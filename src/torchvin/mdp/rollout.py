"""Follow actions over maps: the environment's dynamics, for every start of every map at once."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.transitions import transitions


@dataclass(frozen=True)
class Rollouts:
    """What became of each start.

    Attributes:
        reached: whether the rollout ended at the goal within its limit, [B, S] bool.
        num_steps: moves made until the goal, or the limit where it was not reached, [B, S] int64.
        cost: of the moves that changed the state, [B, S] float64.
        path: flat states of each moment, [B, S, T + 1] int64, -1 after the end; None unless recorded.
    """

    reached: Bool[Tensor, "B S"]
    num_steps: Int[Tensor, "B S"]
    cost: Float[Tensor, "B S"]
    path: Int[Tensor, "B S T"] | None = None


def rollout(
    actions: Shaped[Tensor, "B *O H W"],
    blocked: Bool[Tensor, "B H W"],
    goal: Int[Tensor, "B D"],
    starts: Int[Tensor, "B S"],
    *,
    limit: Int[Tensor, "B S"] | int,
    moves: MotionModel | None = None,
    entry_cost: Float[Tensor, "B H W"] | None = None,
    record: bool = False,
) -> Rollouts:
    """Follow one action a state from `starts` until the goal or `limit` moves; nothing is planned again on the way.

    Args:
        actions: index of the action in each state, [B, H, W], or [B, O, H, W] for O > 1 orientations; 255 = stay.
        blocked: True = obstacle, [B, H, W].
        goal: (row, col), [B, 2], or (orientation, row, col), [B, 3].
        starts: flat states (`spaces.StateSpace`), [B, S]; -1 = none (not reached, no steps).
        limit: moves allowed in each rollout, [B, S], or in all of them; a move that is not allowed counts. For a number
            the host need not wait for the device.
        moves: of the environment.
        entry_cost: factor on the cost of a move that ends in a cell, [B, H, W] float64; 1 everywhere if not given.
        record: keep the paths.

    >>> actions = torch.full((1, 1, 4), 2)  # east
    >>> blocked, goal, starts = torch.zeros(1, 1, 4, dtype=torch.bool), torch.tensor([[0, 3]]), torch.tensor([[0, 3]])
    >>> rollouts = rollout(actions, blocked, goal, starts, limit=torch.tensor([[9, 9]]))
    >>> rollouts.reached.tolist(), rollouts.num_steps.tolist()
    ([[True, True]], [[3, 0]])
    """
    table = transitions(blocked, moves or GridMotion(), entry_cost)
    target = table.space.flatten(goal)[:, None]
    successor, price = table.under(actions.flatten(1))
    present = starts >= 0
    begin = torch.where(present, starts, target)
    if isinstance(limit, int):
        longest, limit = limit, torch.full_like(starts, limit)
    else:
        longest = int(limit.max()) if limit.numel() else 0
    if not record:
        end, num_steps, cost = _follow(successor, price, target, begin, limit, longest)
        return Rollouts(present & (end == target), num_steps, cost)
    path = _record(successor, target, starts, begin, limit)
    made = path[..., 1:] >= 0
    left = path[..., :-1].clamp(min=0).flatten(1)
    cost = (price.gather(1, left).view_as(made) * made).sum(dim=-1)
    num_steps = made.sum(dim=-1)
    end = torch.cat([begin[..., None], path[..., 1:]], dim=-1).gather(-1, num_steps[..., None])[..., 0]
    return Rollouts(present & (end == target), num_steps, cost, path)


def _follow(
    successor: Int[Tensor, "B N"],
    price: Float[Tensor, "B N"],
    target: Int[Tensor, "B 1"],
    begin: Int[Tensor, "B S"],
    limit: Int[Tensor, "B S"],
    longest: int,
) -> tuple[Int[Tensor, "B S"], Int[Tensor, "B S"], Float[Tensor, "B S"]]:
    """Where `limit` moves, at most `longest`, lead, staying at the goal; the moves made, and their cost.

    By doubling: 2, 4, 8, ... moves from every state are twice half as many, and the limit is a sum of such numbers.
    50,000 moves in a maze thus take 16 rounds.
    """
    at_goal = torch.zeros_like(successor, dtype=torch.bool).scatter_(1, target, True)
    jump = torch.where(at_goal, target, successor)
    length = (~at_goal).long()
    price = price.masked_fill(at_goal, 0.0)
    here, num_steps, cost = begin, torch.zeros_like(begin), torch.zeros_like(begin, dtype=torch.float64)
    for digit in range(longest.bit_length()):
        odd = limit >> digit & 1 == 1
        num_steps = num_steps + odd * length.gather(1, here)
        cost = cost + odd * price.gather(1, here)
        here = torch.where(odd, jump.gather(1, here), here)
        length = length + length.gather(1, jump)
        price = price + price.gather(1, jump)
        jump = jump.gather(1, jump)
    return here, num_steps, cost


def _record(
    successor: Int[Tensor, "B N"],
    target: Int[Tensor, "B 1"],
    starts: Int[Tensor, "B S"],
    begin: Int[Tensor, "B S"],
    limit: Int[Tensor, "B S"],
) -> Int[Tensor, "B S T"]:
    """The states of each rollout, one move at a time."""
    if begin.numel() == 1:  # a list, because a move of one rollout is too little work for a tensor
        onward, goal, walked = successor[0].tolist(), int(target), [int(begin)]
        while walked[-1] != goal and len(walked) <= int(limit):
            walked.append(onward[walked[-1]])
        return torch.tensor([[[int(starts), *walked[1:]]]], device=starts.device)
    path, here, done = [starts], begin, 0
    going = (here != target) & (limit > 0)
    while going.any():
        here = torch.where(going, successor.gather(1, here), here)
        path.append(torch.where(going, here, -1))
        done += 1
        going = going & (here != target) & (limit > done)
    return torch.stack(path, dim=-1)
