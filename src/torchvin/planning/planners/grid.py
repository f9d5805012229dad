"""The paper's planner: a reward model, and value iteration with a learned transition."""

from jaxtyping import Float
from torch import Tensor, nn

from torchvin.planning.planners.planner import Planner
from torchvin.planning.value_iteration import ValueIteration
from torchvin.types import PlannerOutput


class GridPlanner(Planner):
    """observation -> reward of each action -> K value updates -> plan (Tamar et al. 2016, Figure 2).

    Args:
        reward: module from the observation [B, C, H, W] to the reward of each action [B, A, H, W]; O * A channels with
            O > 1 orientations.
        iteration: the recurrence; it contains the transition model.
        iterations_per_side: as in `Planner`. None: K is `iteration.num_iterations` at every size. A planner that
            iterates to its fixed point uses this as its limit.

    >>> import torch
    >>> from torchvin import ActionReward, NormalizedTransition
    >>> transition = NormalizedTransition(num_actions=8, termination=True)
    >>> iteration = ValueIteration(transition=transition, num_iterations=20)
    >>> planner = GridPlanner(reward=ActionReward(num_actions=8), iteration=iteration)
    >>> planner(torch.zeros(2, 2, 12, 9)).num_iterations
    24
    """

    def __init__(
        self, *, reward: nn.Module, iteration: ValueIteration, iterations_per_side: float | None = 2.0
    ) -> None:
        super().__init__(iterations_per_side=iterations_per_side or 0.0)
        self.reward = reward
        self.iteration = iteration
        self.has_limit = iterations_per_side is None

    @property
    def capturable(self) -> bool:
        """Not with the gradient "implicit": the host decides when to stop."""
        return self.iteration.gradient != "implicit"

    def iterations_for(self, height: int, width: int) -> int:
        return self.iteration.num_iterations if self.has_limit else super().iterations_for(height, width)

    def reward_image(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"] | None:
        image = getattr(self.reward, "image", None)
        return None if image is None else image(observation)

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        num_iterations = self.iterations_of_call(num_iterations, observation)
        plan: PlannerOutput = self.iteration(
            self.reward(observation), num_iterations=num_iterations, initial_value=initial_value
        )
        return plan
