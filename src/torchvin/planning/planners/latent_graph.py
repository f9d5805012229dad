"""The latent-graph planner: value iteration in the exponential domain on a latent MDP, or its exact fixed point.

    U_a = exp(-cost_a) (P_a * V),   V <- max(exp(-goal_cost), max_a U_a)

V is exp(-cost to go). A few hundred steps from the goal it is smaller than any floating-point number. The planner
therefore stores log V. It takes the expectation under P_a relative to the largest V among the F*F neighbours, so that
every factor stays in range at any horizon.

A cost to go is a sum over the whole horizon, and actions differ by single costs. After 25,000 steps the spacing of
float32 is 0.002. Plans for deployment are therefore computed in float64.

If every P_a is one-hot, the fixed point is a shortest path in a graph. Dijkstra's algorithm finds it in one pass, and
the backward pass is one pass over the tree of shortest paths (`kernels.graph_search`).
"""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from torchvin.errors import unknown_name
from torchvin.maps.observe import GOAL_VALUE
from torchvin.planning.kernels.graph_search import shortest_paths
from torchvin.planning.kernels.grid_search import MOST_ACTIONS, NUM_PATTERNS, LocalMoves, action_sets, patterns
from torchvin.planning.kernels.reference import by_orientation, update
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.latent_mdp import LatentMDP, Steps
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.planners.planner import Planner
from torchvin.planning.value_iteration import check_num_iterations
from torchvin.types import PlannerOutput

Solve = Literal["exact", "iterate"]
_FAR = -1.0e9  # replaces log 0 in an expectation, which must stay finite


def look_ahead(
    mdp: LatentMDP, value: Float[Tensor, "B O H W"], leads: Int[Tensor, "N"] | None = None
) -> Float[Tensor, "B OA H W"]:
    """Log U of each action at log V; -inf for an action that leads nowhere.

    Args:
        mdp: the latent MDP.
        value: log V.
        leads: `destinations` of a deterministic MDP. A traced program then has one gather instead of a slice per
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
            - mdp.cost[:, channel].to(value.dtype)  # subtracting tensors of different types is slow
            for channel, (orientation, down, right) in enumerate(mdp.steps)
        ]
        return torch.stack(channels, dim=1)
    padded = functional.pad(value.clamp(min=_FAR), around, value=_FAR)
    largest = functional.max_pool2d(padded.amax(dim=1, keepdim=True), size, stride=1).detach()
    neighbours = functional.unfold(padded, size).view(value.shape[0], -1, height, width)  # [B, O * F * F, H, W]
    expected = torch.einsum("ad,bdhw->bahw", mdp.kernel.flatten(1), (neighbours - largest).exp())
    return expected.clamp(min=torch.finfo(value.dtype).tiny).log() + largest - mdp.cost


def destinations(steps: Steps, orientations: int, height: int, width: int, device: torch.device) -> Int[Tensor, "N"]:
    """The flat state to which each channel leads from each cell, row by row; O*H*W stands for off the map.

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
    """Make exactly `num_iterations` updates, from V_0 = exp(-goal_cost) or from a given log V.

    Returns: log U, log V, and as residual the largest change of log V that one more update would make. The residual is
        infinite if that update would reach new states.
    Raises: InputError for a negative K.
    """
    num_iterations = check_num_iterations(num_iterations)
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
    """The fixed point of a deterministic latent MDP, in float64: log U and log V. K and the residual are 0."""
    value = -shortest_paths(mdp.cost, mdp.goal_cost, mdp.steps)
    q_values = look_ahead(mdp, value)
    return PlannerOutput(q_values, value, 0, value.new_zeros(value.shape[0]), solved=True)


def _residual(mdp: LatentMDP, q_values: Tensor, value: Tensor) -> Float[Tensor, "B"]:
    # Not under no_grad: torch cannot load an exported program that has it.
    best = by_orientation(q_values.detach(), value.shape[1]).amax(dim=2)
    more = torch.maximum(-mdp.goal_cost.detach(), best) - value.detach()
    return more.nan_to_num(nan=0.0, posinf=torch.inf).abs().flatten(1).amax(dim=1)  # -inf before and after: no change


class LatentGraphPlanner(Planner):
    """Plans in a latent MDP that it learns: availability and cost of every move, goals, and where each move leads.

    In training the latent MDP is soft: availability and goal lie between 0 and 1. After calibration
    (`training.phases.calibration`), in evaluation mode, it is hardened and solved exactly, at any size and distance.

    Args:
        model: module from the observation to costs, soft or hardened.
        transition: where each move leads, [O*A, O, F, F]; can be made deterministic.
        solve: "exact" finds the fixed point by a graph search; "iterate" makes exactly K updates. While its moves are
            not deterministic, a planner with "exact" iterates, too.
        iterations_per_side: as in `Planner`, for a planner that iterates.

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
        """How plans are found: "exact" or "iterate". It may be set at any time."""
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
        """Whether it plans in the hardened MDP, which it does in evaluation mode after calibration."""
        return self.model.is_calibrated and not self.training

    def latent_mdp(self, observation: Float[Tensor, "B C H W"]) -> LatentMDP:
        """The latent MDP of an observation: hardened if `hardened`, soft otherwise."""
        cost, goal_cost = self.model.harden(observation) if self.hardened else self.model(observation)
        return LatentMDP(cost, goal_cost, self.transition(), self.transition.steps)

    @torch.no_grad()
    def local_moves(self) -> LocalMoves | None:
        """The hardened latent MDP as a table over all 3x3 patterns of obstacles; see `Planner.local_moves`."""
        steps, model = self.transition.steps, self.model
        if not (self.exact and self.hardened and model.sees_obstacles_only) or steps is None:
            return None
        if model.padding != 1 or len(steps) > MOST_ACTIONS or any(orientation for orientation, _, _ in steps):
            return None
        parameter = next(self.parameters())
        observation = torch.zeros(NUM_PATTERNS, 2, 3, 3, dtype=parameter.dtype, device=parameter.device)
        observation[:, 0] = patterns()
        cost = self.latent_mdp(observation).cost[:, :, 1, 1].cpu()
        observation[:, 1, 1, 1] = GOAL_VALUE
        stops = self.latent_mdp(observation[:1]).goal[0, 0].nonzero().cpu() - 1
        available = cost.isfinite()
        return LocalMoves(
            steps=np.array([step[1:] for step in steps]),
            costs=torch.where(available, cost, torch.inf).amin(dim=0).nan_to_num(posinf=1.0).double().numpy(),
            available=action_sets(available),
            stops=stops.numpy(),
        )

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """Plan. The value is log V, which is minus the cost to go; it is -inf where no goal can be reached.

        Args:
            observation: from `maps.observe`, [B, C, H, W].
            num_iterations: K of a planner that iterates; chosen by the size of the map if not given. An exact planner
                ignores it.
            initial_value: log V_0 of a planner that iterates. An exact planner ignores it.

        Raises: InputError for a negative K.
        """
        mdp = self.latent_mdp(observation)
        if self.exact:
            return solve_exactly(mdp)
        if self.solve == "exact" and self.hardened:  # no warning in training, while moves are still learned
            warnings.warn(
                "the moves of this calibrated planner are not deterministic, so it iterates in place of an exact "
                "solution. Train with a curriculum, which makes moves deterministic, or set solve='iterate'.",
                stacklevel=2,
            )
        num_iterations = self.iterations_of_call(num_iterations, observation)
        return self.plan_by_iteration(mdp if self.training else mdp.double(), num_iterations, initial_value)

    def plan_by_iteration(self, mdp: LatentMDP, num_iterations: int, initial_value: Tensor | None) -> PlannerOutput:
        """Plan by K updates. A subclass may override it with another recurrence."""
        return iterate(mdp, num_iterations, initial_value)
