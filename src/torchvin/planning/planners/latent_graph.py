"""The latent-graph planner: exponential-domain value iteration on a latent MDP, or its fixed point at once.

    U_a = exp(-cost_a) (P_a * V),   V <- max(exp(-goal_cost), max_a U_a)

V is exp(-cost to go), so it falls below the smallest number of any precision some hundred steps from the goal.
Therefore log V is kept, and the expectation under P_a is taken relative to the largest V among the F*F neighbours: no
factor is ever out of range, at any horizon. Costs to go are sums over the whole horizon, and actions are decided by
differences of single costs: after 25,000 steps the spacing of float32 is 0.002, so plans for deployment are in float64.

If every P_a is a single neighbour, the fixed point is a shortest path in a graph: Dijkstra finds it in one pass, and
its adjoint is one pass back (`kernels.graph_search`), whatever the horizon.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError, unknown_name
from torchvin.planning.kernels.graph_search import shortest_paths
from torchvin.planning.kernels.reference import by_orientation, update
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.latent_mdp import LatentMDP, Steps
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.planners.planner import Planner
from torchvin.types import PlannerOutput

Solve = Literal["exact", "iterate"]
_FAR = -1.0e9  # stands for log 0 where an expectation is taken, which must stay finite


def look_ahead(
    mdp: LatentMDP, value: Float[Tensor, "B O H W"], leads: Int[Tensor, "N"] | None = None
) -> Float[Tensor, "B OA H W"]:
    """Log U of each action at `value`, which is log V; -inf where nothing leads.

    Args:
        mdp: the latent MDP.
        value: log V.
        leads: `destinations` of a deterministic MDP, for programs that are traced: one gather in place of a slice per
            action.
    """
    size = mdp.kernel.shape[-1]
    around = (size // 2,) * 4
    height, width = value.shape[2:]
    if leads is not None:
        nowhere = value.new_full((value.shape[0], 1), -torch.inf)
        reached = torch.cat([value.flatten(1), nowhere], dim=1).index_select(1, leads)
        return reached.view(value.shape[0], -1, height, width) - mdp.cost.to(value.dtype)
    if mdp.deterministic:
        padded, half = functional.pad(value, around, value=-torch.inf), size // 2
        channels = [
            padded[:, orientation, half + down : half + down + height, half + right : half + right + width]
            - mdp.cost[:, channel].to(value.dtype)  # mixed types would be subtracted one by one
            for channel, (orientation, down, right) in enumerate(mdp.steps)
        ]
        return torch.stack(channels, dim=1)
    padded = functional.pad(value.clamp(min=_FAR), around, value=_FAR)
    largest = functional.max_pool2d(padded.amax(dim=1, keepdim=True), size, stride=1).detach()
    neighbours = functional.unfold(padded, size).view(value.shape[0], -1, height, width)  # [B, O * F * F, H, W]
    expected = torch.einsum("ad,bdhw->bahw", mdp.kernel.flatten(1), (neighbours - largest).exp())
    return expected.clamp(min=torch.finfo(value.dtype).tiny).log() + largest - mdp.cost


def destinations(steps: Steps, orientations: int, height: int, width: int, device: torch.device) -> Int[Tensor, "N"]:
    """The flat state to which each channel leads from each cell, one row of cells after the other; O*H*W = off the map.

    >>> destinations(((0, 0, -1),), 1, 1, 3, torch.device("cpu")).tolist()  # one action, to the left
    [3, 0, 1]
    """
    rows, cols = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
    flat = []
    for orientation, down, right in steps:
        row, col = rows + down, cols + right
        inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
        state = orientation * height * width + row * width + col
        flat.append(torch.where(inside, state, orientations * height * width).flatten())
    return torch.cat(flat)


def iterate(
    mdp: LatentMDP, num_iterations: int, initial_value: Float[Tensor, "B O H W"] | None = None
) -> PlannerOutput:
    """Exactly `num_iterations` updates of V_0 = the goals, or of a given log V.

    Returns: log U, log V, and as residual the largest change of log V that one more update would make; infinite where
        it would reach new states.
    Raises: InputError for a negative K.
    """
    if num_iterations < 0:
        raise InputError(f"num_iterations must not be negative, got {num_iterations}: it is the number of updates K.")
    stop = -mdp.goal_cost
    value = stop if initial_value is None else initial_value
    leads = None
    if torch.compiler.is_compiling() and mdp.deterministic:
        _, orientations, height, width = value.shape
        leads = destinations(mdp.steps, orientations, height, width, value.device)
    for _ in range(num_iterations):
        value = torch.maximum(stop, update(look_ahead(mdp, value, leads), stop.shape[1]))
    q_values = look_ahead(mdp, value, leads)
    return PlannerOutput(q_values, value, num_iterations, _residual(mdp, q_values, value))


def solve_exactly(mdp: LatentMDP) -> PlannerOutput:
    """The fixed point of a deterministic latent MDP: log U and log V, in float64; K and the residual are 0."""
    value = -shortest_paths(mdp.cost, mdp.goal_cost, mdp.steps)
    q_values = look_ahead(mdp, value)
    return PlannerOutput(q_values, value, 0, value.new_zeros(value.shape[0]), solved=True)


@torch.no_grad()
def _residual(mdp: LatentMDP, q_values: Tensor, value: Tensor) -> Float[Tensor, "B"]:
    best = by_orientation(q_values, value.shape[1]).amax(dim=2)
    more = torch.maximum(-mdp.goal_cost, best) - value
    return more.nan_to_num(nan=0.0, posinf=torch.inf).abs().flatten(1).amax(dim=1)  # -inf before and after: no change


class LatentGraphPlanner(Planner):
    """Plans in a latent MDP that it learns: availability, cost and goal of every move, and where each move leads.

    In training the latent MDP is soft: availability and goal lie between 0 and 1. In evaluation, after calibration
    (`training.phases.calibration`), it is hardened and solved exactly, at any size and distance.

    Args:
        model: from the observation to costs, soft or hardened.
        transition: where each move leads, [O*A, O, F, F]; can be made deterministic.
        solve: "exact" finds the fixed point by a graph search, forward and backward; "iterate" makes exactly K updates.
            An exact planner whose moves are not deterministic yet iterates.
        iterations_per_side: as in `Planner`, where the planner iterates.

    Raises: InputError for an unknown `solve`.

    >>> planner = LatentGraphPlanner(model=LatentModel(num_actions=4), transition=LearnedMoves(num_actions=4))
    >>> planner.exact
    False
    >>> planner.transition.make_deterministic()
    >>> planner.exact, planner(torch.zeros(2, 2, 12, 9)).q_values.shape
    (True, torch.Size([2, 4, 12, 9]))
    """

    phases = ("curriculum", "calibration")

    def __init__(
        self,
        *,
        model: LatentModel,
        transition: LearnedMoves,
        solve: Solve = "exact",
        iterations_per_side: float = 8.0,
    ) -> None:
        super().__init__(iterations_per_side=iterations_per_side)
        self.model = model
        self.transition = transition
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

    @property
    def solver(self) -> dict[str, Any]:
        return {"solve": self.solve}

    def set_solver(self, solver: Mapping[str, Any]) -> None:
        self.solve = solver.get("solve", self.solve)

    @property
    def exact(self) -> bool:
        return self.solve == "exact" and self.transition.is_deterministic

    @property
    def hardened(self) -> bool:
        """Whether it plans in the hardened MDP: in evaluation mode, after calibration."""
        return self.model.is_calibrated and not self.training

    def latent_mdp(self, observation: Float[Tensor, "B C H W"]) -> LatentMDP:
        """What it plans in: hardened in evaluation mode, soft in training."""
        cost, goal_cost = self.model.harden(observation) if self.hardened else self.model(observation)
        return LatentMDP(cost, goal_cost, self.transition(), self.transition.steps)

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """Plan; values are log V, minus the cost to go, and -inf where no goal is reached.

        Args:
            observation: planes of the maps, [B, C, H, W].
            num_iterations: K where it iterates; by the size of the map if not given.
            initial_value: log V_0 where it iterates; the fixed point does not depend on it.

        Raises: InputError for a negative K.
        """
        mdp = self.latent_mdp(observation)
        if self.exact:
            return solve_exactly(mdp)
        if self.solve == "exact" and self.hardened:  # silent in training, where moves are still learned
            warnings.warn(
                "the moves of this calibrated planner are not deterministic, so it iterates in place of an exact "
                "solution. Train with a curriculum, which makes moves deterministic, or set solve='iterate'.",
                stacklevel=2,
            )
        if num_iterations is None:
            num_iterations = self.default_iterations(*observation.shape[-2:])
        return self.plan_by_iteration(mdp if self.training else mdp.double(), num_iterations, initial_value)

    def plan_by_iteration(self, mdp: LatentMDP, num_iterations: int, initial_value: Tensor | None) -> PlannerOutput:
        """Plan by K updates; to be overridden by another recurrence."""
        return iterate(mdp, num_iterations, initial_value)
