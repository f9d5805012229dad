"""What every policy is: planes of a map in, action logits out, for all cells or for the states asked for."""

from abc import ABC, abstractmethod

from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.types import PolicyOutput


class Policy(nn.Module, ABC):
    """Called with planes and, if wanted, states; the trainer and the scorer need no more than this class says."""

    @abstractmethod
    def default_iterations(self, height: int, width: int) -> int:
        """K for a map of this size where a call names none; 0 for a policy that does not plan."""

    @abstractmethod
    def forward(
        self,
        planes: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
    ) -> PolicyOutput:
        """Logits [B, S, A] for `states` (row, col), or [B, A, H, W] for every cell if none are given.

        Of an agent with O > 1 orientations states are (orientation, row, col), and maps have channels o * A + a.
        """


class ReactivePolicy(Policy):
    """A baseline without a planner, for maps of one size.

    Args:
        height, width: of every map it will ever see: its weights are tied to places.
    """

    def __init__(self, *, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    def default_iterations(self, height: int, width: int) -> int:
        return 0

    def check(self, planes: Float[Tensor, "B C H W"], num_iterations: int | None) -> None:
        """Raises: InputError for maps of another size, or for a number of iterations."""
        if tuple(planes.shape[2:]) != (self.height, self.width):
            raise InputError(
                f"this {type(self).__name__} was built for {self.height}x{self.width} maps and knows no other size, "
                f"got {planes.shape[2]}x{planes.shape[3]}; a VIN takes any."
            )
        if num_iterations:
            raise InputError(f"a {type(self).__name__} does not plan, so it has no number of iterations; leave it out.")
