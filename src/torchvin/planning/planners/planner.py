"""The interface of every planner: a module from the observation of a map to a plan."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.planning.kernels.grid_search import LocalMoves
from torchvin.planning.value_iteration import check_num_iterations
from torchvin.types import PlannerOutput


class Planner(nn.Module, ABC):
    """A model and a recurrence: from an observation to a plan (Tamar et al. 2016, section 4, the VI module).

    A planner owns its model: reward and transition, or a latent graph. A caller asks a planner for its capabilities
    (`exact`, `resumable`) and does not look at its class.

    Args:
        iterations_per_side: K per cell of the map's longer side, rounded up, where a call gives no K. K must suffice
            for information to flow from the goal to every state (section 4).
    """

    #: Names of the training phases that this planner needs in addition to the epochs (`tasks.gridworld`).
    phases: tuple[str, ...] = ()

    def __init__(self, *, iterations_per_side: float) -> None:
        super().__init__()
        self.iterations_per_side = iterations_per_side

    @property
    def exact(self) -> bool:
        """Whether a plan is the fixed point, found by a graph search without iterations."""
        return False

    @property
    def resumable(self) -> bool:
        """Whether planning can continue from the value of an earlier plan (`initial_value`)."""
        return True

    @property
    def capturable(self) -> bool:
        """Whether a CUDA graph can hold a plan in training mode.

        Every plan of a size must be made of the same operations on the device, and wait for no number of it.
        """
        return not self.exact

    @property
    def solver(self) -> dict[str, Any]:
        """The choice of solver, as JSON, for a planner that has one; it is stored with the weights."""
        return {}

    def set_solver(self, solver: Mapping[str, Any]) -> None:
        """Choose the solver, in the form that `solver` returns.

        Raises: InputError for a choice that this planner does not have.
        """
        if solver:
            raise InputError(f"a {type(self).__name__} has one way to plan, got {dict(solver)}; leave it out.")

    def default_iterations(self, height: int, width: int) -> int:
        """The K of a call without `num_iterations`, for a map of this size; 0 for an exact planner."""
        return 0 if self.exact else self.iterations_for(height, width)

    def iterations_for(self, height: int, width: int) -> int:
        """K for a map of this size if the planner iterates, whether or not it is exact."""
        return math.ceil(self.iterations_per_side * max(height, width))

    def iterations_of_call(self, num_iterations: int | None, observation: Float[Tensor, "B C H W"]) -> int:
        """K of a call: the given one, or the default for the size of the observation.

        Raises: InputError for what is no whole number, for a negative one, and for one that is too large.
        """
        if num_iterations is None:
            _, _, height, width = observation.shape
            return self.default_iterations(height, width)
        return check_num_iterations(num_iterations)

    def reward_image(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"] | None:
        """The learned reward as an image, for pictures; None if the planner has none."""
        return None

    def local_moves(self) -> LocalMoves | None:
        """The moves in which it plans, if the 3x3 neighbourhood of a cell decides them and its plan is a shortest path.

        A search for one path then needs no plan of the whole map (`kernels.grid_search`). None for any other planner.
        """
        return None

    @abstractmethod
    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """Plan for every state of every map.

        Args:
            observation: from `maps.observe`, [B, C, H, W].
            num_iterations: K; `default_iterations` of the map's size if not given.
            initial_value: V_0 of a resumable planner, such as the value of an earlier plan.
        """
