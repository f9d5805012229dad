"""The common part of the baselines without a planner: one size of map, no iterations."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class ReactivePolicy(Policy):
    """A baseline without a planner, for maps of one size.

    Args:
        height, width: size of every map. Its weights belong to places on the map, so it takes no other size.
    """

    def __init__(self, *, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    @abstractmethod
    def everywhere(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        """Logits of every cell."""

    @abstractmethod
    def at(self, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S A"]:
        """Logits of single states (row, col)."""

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S 2"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        self.check(observation, num_iterations, initial_value)
        if states is None:
            return PolicyOutput(logits=self.everywhere(observation), plan=None)
        check_shape("states", states, f"{len(observation)} S 2")
        return PolicyOutput(logits=self.at(observation, states), plan=None)

    def check(self, observation: Float[Tensor, "B C H W"], num_iterations: int | None, value: Tensor | None) -> None:
        """Raises: InputError for maps of another size, for a number of iterations, or for an initial value."""
        if tuple(observation.shape[2:]) != (self.height, self.width):
            raise InputError(
                f"this {type(self).__name__} was built for {self.height}x{self.width} maps and knows no other size, "
                f"got {observation.shape[2]}x{observation.shape[3]}; a VIN takes any."
            )
        if num_iterations or value is not None:
            raise InputError(
                f"a {type(self).__name__} does not plan: it takes neither a number of iterations nor an initial value."
            )
