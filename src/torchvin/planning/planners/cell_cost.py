"""Exact plans of an agent that knows its own moves: what is learned is what it costs to enter each cell."""

import math
from collections.abc import Mapping
from typing import Any, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.errors import InputError, unknown_name
from torchvin.mdp.motion import GridMotion
from torchvin.planning.models.cell_cost import GAIN, CellCost
from torchvin.planning.models.latent_mdp import LatentMDP
from torchvin.planning.planners.latent_graph import Solve, iterate, solve_exactly
from torchvin.planning.planners.planner import Planner
from torchvin.types import PlannerOutput


class CellCostPlanner(Planner):
    """One feature per cell and the goal -> costs of moves -> exact shortest paths, differentiable.

    Demonstrators see the ground and pass close to what is steep. A network sees an image, is never sure, and an error
    ends its path. Imitation finds the cost at which its paths are most like theirs, and that is too little to be safe.
    `caution` multiplies the learned costs in evaluation mode: paths become longer, and keep away from what may be
    steep. In training mode, and so for what is learned, it is 1.

    Args:
        moves: the agent's moves.
        caution: factor on the learned costs in evaluation mode, above 0.
        gain: see `CellCost`.

    Raises: InputError for a caution that is not above 0.

    >>> planner = CellCostPlanner(GridMotion(8))
    >>> observation = torch.zeros(1, 2, 4, 5)
    >>> observation[0, 1, 2, 3] = 10.0  # the goal
    >>> plan = planner(observation)
    >>> plan.q_values.shape, plan.value[0, 0, 2, 3].item() == 0
    (torch.Size([1, 8, 4, 5]), True)
    """

    kernel: Tensor

    def __init__(self, moves: GridMotion, *, caution: float = 1.0, gain: float = GAIN) -> None:
        super().__init__(iterations_per_side=2.0)
        self.caution = _checked(caution)
        self.solve: Solve = "exact"
        self.model = CellCost(moves, gain=gain)
        self.steps = tuple((0, down, right) for down, right in moves.offsets)
        kernel = torch.zeros(moves.num_actions, 1, 3, 3)
        for action, (down, right) in enumerate(moves.offsets):
            kernel[action, 0, 1 + down, 1 + right] = 1.0
        self.register_buffer("kernel", kernel, persistent=False)

    @property
    def exact(self) -> bool:
        """Whether plans are found by a graph search, and not by K updates (for programs that cannot hold a search)."""
        return self.solve == "exact"

    @property
    def resumable(self) -> bool:
        """Whether it iterates: a graph search has nothing to continue."""
        return not self.exact

    @property
    def solver(self) -> dict[str, Any]:
        """`caution`: see `CellCostPlanner`; `solve`: exact, or iterate."""
        return {"caution": self.caution, "solve": self.solve}

    def set_solver(self, solver: Mapping[str, Any]) -> None:
        if unknown := sorted(set(solver) - {"caution", "solve"}):
            raise InputError(f"a {type(self).__name__} has caution and solve to choose, and no {', '.join(unknown)}.")
        solve = solver.get("solve", self.solve)
        if solve not in get_args(Solve):
            raise unknown_name("way to solve", solve, get_args(Solve))
        self.caution, self.solve = _checked(solver.get("caution", self.caution)), solve

    def reward_image(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """Minus the learned cost of entering each cell, without `caution`."""
        return -self.model.image(observation)

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """Plan; log U and log V, minus the cost to go. A graph search uses neither K nor `initial_value`."""
        cost, goal_cost = self.model(observation, caution=1.0 if self.training else self.caution)
        mdp = LatentMDP(cost, goal_cost, self.kernel, self.steps)
        if self.exact:
            return solve_exactly(mdp)
        return iterate(mdp, self.iterations_of_call(num_iterations, observation), initial_value)


def _checked(caution: Any) -> float:
    if not isinstance(caution, int | float) or not 0 < caution < math.inf:
        raise InputError(f"the caution must be a positive number, got {caution!r:.40}.")
    return float(caution)
