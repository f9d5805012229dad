"""A planner behind an encoder: it plans on features of an image in place of the planes of a map."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from torchvin.planning.planners.planner import Planner
from torchvin.types import PlannerOutput


class EncodedPlanner(Planner):
    """observation -> features on the planning grid -> planner. Both learn from the same loss.

    Args:
        encoder: module from the observation [B, C, H, W] to the planes that `planner` takes, [B, G, H, W].
        planner: any planner.

    >>> import torch
    >>> from torchvin import ActionReward, NormalizedTransition, ValueIteration
    >>> from torchvin.planning.planners.grid import GridPlanner
    >>> from torchvin.policies.encoders import PatchEncoder
    >>> iteration = ValueIteration(transition=NormalizedTransition(num_actions=8, termination=True), num_iterations=8)
    >>> planner = GridPlanner(reward=ActionReward(num_actions=8, terrain_channels=4), iteration=iteration)
    >>> EncodedPlanner(PatchEncoder(num_features=4), planner)(torch.zeros(2, 65, 6, 5)).q_values.shape
    torch.Size([2, 9, 6, 5])
    """

    def __init__(self, encoder: nn.Module, planner: Planner) -> None:
        super().__init__(iterations_per_side=planner.iterations_per_side)
        self.encoder = encoder
        self.planner = planner

    @property
    def exact(self) -> bool:
        """See `Planner.exact`."""
        return self.planner.exact

    @property
    def resumable(self) -> bool:
        """See `Planner.resumable`."""
        return self.planner.resumable

    @property
    def capturable(self) -> bool:
        return self.planner.capturable

    @property
    def solver(self) -> dict[str, Any]:
        """See `Planner.solver`."""
        return self.planner.solver

    def set_solver(self, solver: Mapping[str, Any]) -> None:
        self.planner.set_solver(solver)

    def iterations_for(self, height: int, width: int) -> int:
        return self.planner.iterations_for(height, width)

    def reward_image(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"] | None:
        return self.planner.reward_image(self.encoder(observation))

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        plan: PlannerOutput = self.planner(
            self.encoder(observation), num_iterations=num_iterations, initial_value=initial_value
        )
        return plan
