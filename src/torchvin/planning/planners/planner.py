"""What every planner is: a module from the observation of a map to a plan."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.types import PlannerOutput


class Planner(nn.Module, ABC):
    """From an observation to a plan: model and recurrence together (Tamar et al. 2016, section 4, the VI module).

    A planner owns what it plans with: reward and transition, or a latent graph. Nothing else knows how it plans, so a
    caller asks for its capabilities (`exact`, `resumable`) and does not look at its class.

    Args:
        iterations_per_side: K is this times the longer side of the map, rounded up, where a call names no K:
            information must be able to flow from the goal to every state (section 4).
    """

    #: Phases of a training that this planner needs beside the epochs, by name (`tasks.gridworld`).
    phases: tuple[str, ...] = ()

    def __init__(self, *, iterations_per_side: float) -> None:
        super().__init__()
        self.iterations_per_side = iterations_per_side

    @property
    def exact(self) -> bool:
        """Whether plans are the fixed point, found without a number of iterations."""
        return False

    @property
    def resumable(self) -> bool:
        """Whether planning can continue from the value of an earlier plan."""
        return True

    @property
    def solver(self) -> dict[str, Any]:
        """How plans are found, as JSON, where that may be chosen after training; it is kept with the weights."""
        return {}

    def set_solver(self, solver: Mapping[str, Any]) -> None:
        """Choose how plans are found, by what `solver` gave.

        Raises: InputError for a choice that this planner does not have.
        """
        if solver:
            raise InputError(f"a {type(self).__name__} has one way to plan, got {dict(solver)}; leave it out.")

    def default_iterations(self, height: int, width: int) -> int:
        """K for a map of this size where a call names none; 0 where plans are exact."""
        return 0 if self.exact else self.iterations_for(height, width)

    def iterations_for(self, height: int, width: int) -> int:
        """K for a map of this size, also for a planner that would find the fixed point without iterations."""
        return math.ceil(self.iterations_per_side * max(height, width))

    def reward_image(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"] | None:
        """The learned reward as an image, for pictures; None if the planner has none."""
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
            observation: what the network sees of the maps (`maps.observe`), [B, C, H, W].
            num_iterations: K; `default_iterations` of the map's size if not given.
            initial_value: V_0 of a resumable planner, such as the value of an earlier plan.
        """
