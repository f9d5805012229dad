"""The shortest-path planner: exponential-domain value iteration on a latent MDP, or its fixed point at once.

    U_a = exp(-cost_a) (P_a * V),   V <- max(exp(-goal_cost), max_a U_a)

V is exp(-cost to go), so it falls below the smallest number of any precision some hundred steps from the goal. Here is
kept log V, and the expectation under P_a is taken relative to the largest V among the F*F neighbours: no factor is ever
out of range, at any horizon. Costs to go are sums of up to the whole horizon, and what decides between actions are
differences of single costs: after 25,000 steps float32 is 0.002 apart, so plans for deployment are in float64.

If every P_a is a single neighbour, the fixed point is a shortest path in a graph: Dijkstra finds it in one pass, and
its adjoint is one pass back (`kernels.shortest_path`), whatever the horizon.
"""

import warnings
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError, unknown_name
from torchvin.planning.kernels.graph_search import shortest_paths
from torchvin.planning.kernels.reference import by_orientation, update
from torchvin.planning.models.latent_mdp import LatentMDP
from torchvin.types import PlannerOutput

Solve = Literal["exact", "iterate"]
_FAR = -1.0e9  # stands for log 0 where an expectation is taken, which must stay finite


def look_ahead(mdp: LatentMDP, value: Float[Tensor, "B O H W"]) -> Float[Tensor, "B OA H W"]:
    """Log U of each action at `value`, which is log V; -inf where nothing leads."""
    size = mdp.kernel.shape[-1]
    around = (size // 2,) * 4
    height, width = value.shape[2:]
    if mdp.deterministic:
        padded, half = functional.pad(value, around, value=-torch.inf), size // 2
        channels = [
            padded[:, orientation, half + down : half + down + height, half + right : half + right + width]
            - mdp.cost[:, channel].to(value.dtype)  # mixed types would be subtracted one by one
            for channel, (orientation, down, right) in enumerate(mdp.steps.tolist())
        ]
        return torch.stack(channels, dim=1)
    padded = functional.pad(value.clamp(min=_FAR), around, value=_FAR)
    largest = functional.max_pool2d(padded.amax(dim=1, keepdim=True), size, stride=1).detach()
    neighbours = functional.unfold(padded, size).view(len(value), -1, height, width)  # [B, O * F * F, H, W]
    expected = torch.einsum("ad,bdhw->bahw", mdp.kernel.flatten(1), (neighbours - largest).exp())
    return expected.clamp(min=torch.finfo(value.dtype).tiny).log() + largest - mdp.cost


def iterate(
    mdp: LatentMDP, num_iterations: int, initial_value: Float[Tensor, "B O H W"] | None = None
) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"]]:
    """(log U, log V) after exactly `num_iterations` updates of V_0 = the goals, or of a given log V."""
    stop = -mdp.goal_cost
    value = stop if initial_value is None else initial_value
    for _ in range(num_iterations):
        value = torch.maximum(stop, update(look_ahead(mdp, value), stop.shape[1]))
    return look_ahead(mdp, value), value


class ShortestPathPlanner:
    """Plans in a latent MDP; has no weights.

    Args:
        solve: "exact" finds the fixed point by a graph search, forward and backward, and iterates, saying so, where the
            MDP is no graph; "iterate" makes exactly K updates.

    Raises: InputError for an unknown `solve`.

    >>> kernel = torch.zeros(1, 1, 3, 3)
    >>> kernel[0, 0, 1, 0] = 1.0  # one action, to the left
    >>> mdp = LatentMDP(torch.ones(1, 1, 1, 4), torch.tensor([[[[0.0, torch.inf, torch.inf, torch.inf]]]]), kernel)
    >>> ShortestPathPlanner()(mdp, num_iterations=0).value.tolist()
    [[[[-0.0, -1.0, -2.0, -3.0]]]]
    >>> ShortestPathPlanner(solve="iterate")(mdp, num_iterations=2).value.tolist()
    [[[[-0.0, -1.0, -2.0, -inf]]]]
    """

    def __init__(self, *, solve: Solve = "exact") -> None:
        self.solve = solve

    @property
    def solve(self) -> Solve:
        """How plans are found; may be set at any time."""
        return self._solve

    @solve.setter
    def solve(self, solve: Solve) -> None:
        if solve not in get_args(Solve):
            raise unknown_name("way to solve", solve, get_args(Solve))
        self._solve: Solve = solve

    def __call__(
        self,
        mdp: LatentMDP,
        *,
        num_iterations: int,
        initial_value: Float[Tensor, "B O H W"] | None = None,
        solve: Solve | None = None,
    ) -> PlannerOutput:
        """Plan.

        Args:
            mdp: the latent MDP; the plan has its dtype, float64 if solved exactly.
            num_iterations: K of "iterate".
            initial_value: log V_0 of "iterate"; the fixed point does not depend on it.
            solve: this time; as built if not given.

        Returns: log U and log V, that is minus the costs to go; -inf where no goal is reached. K is 0 and the residual
            0 if solved exactly.
        Raises: InputError for a negative K.
        """
        if (solve or self.solve) == "exact":
            if mdp.deterministic:
                value = -shortest_paths(mdp.cost, mdp.goal_cost, mdp.steps)
                q_values = look_ahead(mdp, value)
                return PlannerOutput(q_values, value, 0, value.new_zeros(len(value)))
            warnings.warn(
                f"this latent MDP is no graph (its moves are not certain): {num_iterations} value updates instead of "
                "an exact solution. Train with a curriculum, which settles the moves, or set solve='iterate'.",
                stacklevel=2,
            )
        if num_iterations < 0:
            raise InputError(
                f"num_iterations must not be negative, got {num_iterations}: it is the number of updates K."
            )
        q_values, value = iterate(mdp, num_iterations, initial_value)
        return PlannerOutput(q_values, value, num_iterations, _residual(mdp, q_values, value))


@torch.no_grad()
def _residual(mdp: LatentMDP, q_values: Tensor, value: Tensor) -> Float[Tensor, "B"]:
    """Largest change of log V that one more update would make; infinite where it would reach new states."""
    best = by_orientation(q_values, value.shape[1]).amax(dim=2)
    more = torch.maximum(-mdp.goal_cost, best) - value
    return more.nan_to_num(nan=0.0, posinf=torch.inf).abs().flatten(1).amax(dim=1)  # -inf before and after: no change
