"""Acting on a map that is seen only nearby: what was seen is remembered, and the policy plans again after every step.

As in CALVIN (Ishida & Henriques, CVPR 2022). Cells that nobody has seen yet are taken to be free, so that a plan leads
through the unknown until an obstacle is seen there.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.evaluation.metrics import margin
from torchvin.maps.observe import encode
from torchvin.mdp.steps import steps_to_goal
from torchvin.mdp.transitions import transitions
from torchvin.policies.policy import Policy


@dataclass(frozen=True)
class PartialViewScores:
    """One start per map.

    Attributes:
        maps: number of maps.
        success_rate: share of the starts from which the goal is reached within the limit.
        interval: half the width of its 95 % interval.
        extra_steps: steps beyond the shortest path of the fully known map, mean over the successes.
    """

    maps: int
    success_rate: float
    interval: float
    extra_steps: float


@torch.no_grad()
def evaluate_partial_view(
    policy: Policy, dataset: MapDataset, *, radius: int, limit: int = 4, seed: int = 0
) -> PartialViewScores:
    """Score a policy that sees the cells within `radius` rows and columns of itself, and remembers them.

    The position of the goal is known. A move into an obstacle fails: its cell was in view.

    Args:
        policy: without orientations; any that takes maps of this size.
        dataset: fresh maps.
        radius: of the view, in cells; 1 is the neighbouring cells.
        limit: steps allowed, as a multiple of the shortest path of the known map.
        seed: of the starts.
    """
    policy.eval()
    blocked, goal = dataset.blocked, dataset.goal
    table = transitions(blocked, dataset.moves)
    steps = steps_to_goal(table, goal)
    state = _starts(steps, seed)
    optimal = steps.gather(1, state[:, None])[:, 0]
    seen = torch.zeros_like(blocked)
    running = torch.ones(len(dataset), dtype=torch.bool)
    made, target = torch.zeros_like(state), table.space.flatten(goal)
    for _ in range(int(limit * optimal.max())):
        running &= (state != target) & (made < limit * optimal)
        acting = running.nonzero()[:, 0]
        if not len(acting):
            break
        cells = table.space.unflatten(state[acting])
        seen[acting] |= in_view(cells, radius, *blocked.shape[1:])
        known = encode(blocked[acting] & seen[acting], goal[acting])
        action = policy(known, cells[:, None]).logits[:, 0].argmax(dim=1)
        after = table.successor[acting, action, state[acting]]
        running[acting] = after != state[acting]  # a refused move would be chosen again
        state[acting], made[acting] = after, made[acting] + 1
    reached = state == target
    rate = float(reached.double().mean())
    extra = float((made - optimal)[reached].double().mean()) if reached.any() else float("nan")
    return PartialViewScores(len(dataset), rate, margin(rate, len(dataset)), extra)


def in_view(cells: Int[Tensor, "B 2"], radius: int, height: int, width: int) -> Bool[Tensor, "B H W"]:
    """The cells within `radius` rows and columns of each agent.

    >>> in_view(torch.tensor([[0, 1]]), 1, 2, 4).int().tolist()
    [[[1, 1, 1, 0], [1, 1, 1, 0]]]
    """
    rows = (torch.arange(height) - cells[:, :1]).abs() <= radius
    cols = (torch.arange(width) - cells[:, 1:]).abs() <= radius
    return rows[:, :, None] & cols[:, None, :]


def _starts(steps: Int[Tensor, "B S"], seed: int) -> Int[Tensor, "B"]:
    """One state per map that can reach its goal."""
    order = torch.rand(steps.shape, generator=torch.Generator().manual_seed(seed)).masked_fill_(steps <= 0, -1.0)
    return order.argmax(dim=1)
