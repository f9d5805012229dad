"""The value iteration network: the paper's Figure 2 (left), one line a box."""

import math

from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class VIN(Policy):
    """reward -> planner (transition inside) -> attention -> reactive policy; each part can be replaced.

    Args:
        reward: module from planes [B, C, H, W] to the reward of each action [B, A, H, W], which the planner takes; with
            O > 1 orientations, here and in what follows, O * A channels.
        planner: `ValueIteration`, or a module called like it. Some make the reward themselves (`DynamicPlanner`) or
            have none (`GatedPlanner`); `reward` is then what they take in its place: the planes, or features.
        attention: module from Q values and states to features [B, S, A], or [B, A, H, W] without states.
        head: module from features to action logits.
        iterations_per_side: K = this times the longer side of the map, rounded up, where a call names no K: information
            must be able to flow from the goal to any other state (section 4). None: the planner's own `num_iterations`
            whatever the size (the limit of a planner that iterates to its fixed point).

    >>> import torch
    >>> from torchvin.policies.builders import PolicyConfig, build_policy
    >>> policy = build_policy(PolicyConfig())
    >>> output = policy(torch.zeros(2, 2, 12, 9), num_iterations=30)
    >>> output.logits.shape, output.plan.num_iterations
    (torch.Size([2, 8, 12, 9]), 30)
    """

    def __init__(
        self,
        *,
        reward: nn.Module,
        planner: nn.Module,
        attention: nn.Module,
        head: nn.Module,
        iterations_per_side: float | None = 2.0,
    ) -> None:
        super().__init__()
        self.reward = reward
        self.planner = planner
        self.attention = attention
        self.head = head
        self.iterations_per_side = iterations_per_side

    def default_iterations(self, height: int, width: int) -> int:
        """K for a map of this size."""
        if self.iterations_per_side is None:
            limit = self.planner.num_iterations
            assert isinstance(limit, int)
            return limit
        return math.ceil(self.iterations_per_side * max(height, width))

    def forward(
        self,
        planes: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Plan once, answer for `states` (row, col) or (orientation, row, col), or for every cell if none are given.

        Args:
            planes: from `maps.encode`, [B, C, H, W].
            states: [B, S, 2] or [B, S, 3].
            num_iterations: K; by the size of the map if not given.
            initial_value: V_0, to go on from an earlier plan.

        Raises: ShapeError, InputError: see `value_iteration` and the attention.
        """
        if num_iterations is None:
            num_iterations = self.default_iterations(*planes.shape[-2:])
        q_reward = self.reward(planes)
        plan = self.planner(q_reward, num_iterations=num_iterations, initial_value=initial_value)
        layers = {n: self.head(self.attention(q_values, states)) for n, q_values in plan.layers.items()}
        return PolicyOutput(logits=self.head(self.attention(plan.q_values, states)), plan=plan, layers=layers)
