"""State values for learning from reward: of a policy that plans, read from its plan; of a reactive one, learned.

A critic is part of the training, not of the policy: it is not kept with the weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.planning.kernels.reference import by_orientation
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.cnn import CNN
from torchvin.spaces import StateSpace

#: From flat states [B, S] to action logits [B, S, A] and state values [B, S].
Answer = Callable[[Tensor], tuple[Tensor, Tensor]]


class Critic(nn.Module, ABC):
    """Action logits of a policy together with state values."""

    @abstractmethod
    def forward(
        self, policy: Policy, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S A"], Float[Tensor, "B S"]]:
        """Logits and values of flat states, with gradients."""

    def answer(self, policy: Policy, observation: Float[Tensor, "B C H W"]) -> Answer:
        """The same for one observation and any states, step by step; what is common to all states is computed once."""
        return lambda states: self(policy, observation, states)


class PlanCritic(Critic):
    """Value of a state = scale * V(s) + offset, with the V of the planner's own plan.

    The planner's reward has a scale of its own, which the two learned numbers match to the reward of the environment.

    Args:
        num_orientations: O, the number of value channels.
    """

    def __init__(self, *, num_orientations: int = 1) -> None:
        super().__init__()
        self.num_orientations = num_orientations
        self.scale = nn.Parameter(torch.ones(()))
        self.offset = nn.Parameter(torch.zeros(()))

    @torch.no_grad()
    def fit(self, plan_value: Float[Tensor, "B S"], returns: Float[Tensor, "B S"]) -> None:
        """Set scale and offset so that the values are as close to returns as they can be (least squares).

        Args:
            plan_value: V of some states.
            returns: what their values should be.

        >>> critic = PlanCritic()
        >>> critic.fit(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 2.0]]))
        >>> critic.scale.item(), critic.offset.item()
        (0.5, 1.0)
        """
        spread = (plan_value - plan_value.mean()).flatten()
        self.scale.copy_((spread @ returns.flatten()) / (spread @ spread).clamp(min=1e-12))
        self.offset.copy_(returns.mean() - self.scale * plan_value.mean())

    def forward(
        self, policy: Policy, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S A"], Float[Tensor, "B S"]]:
        height, width = observation.shape[2:]
        space = StateSpace(height, width, self.num_orientations)
        output = policy(observation, space.unflatten(states))
        assert output.plan is not None
        return output.logits, self.scale * output.plan.value.flatten(1).gather(1, states) + self.offset

    def answer(self, policy: Policy, observation: Float[Tensor, "B C H W"]) -> Answer:
        """One plan for all states of each map."""
        output = policy(observation)
        assert output.plan is not None
        by_state = by_orientation(output.logits, self.num_orientations).transpose(1, 2).flatten(2).mT.contiguous()
        values = self.scale * output.plan.value.flatten(1) + self.offset

        def look_up(states: Tensor) -> tuple[Tensor, Tensor]:
            return by_state.take_along_dim(states[..., None], dim=1), values.gather(1, states)

        return look_up


class FeatureCritic(Critic):
    """Value of a state = a linear layer on the features that the last layer of a CNN sees.

    Args:
        num_features: of a state.
    """

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_features, 1)

    def forward(
        self, policy: Policy, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S A"], Float[Tensor, "B S"]]:
        assert isinstance(policy, CNN)
        features = policy.state_features(observation, StateSpace(policy.height, policy.width).unflatten(states))
        return policy.head(features), self.linear(features)[..., 0]


def critic_for(policy: Policy) -> Critic:
    """A critic with fresh weights.

    Raises: InputError for a policy that neither plans nor is a CNN.

    >>> from torchvin import NormalizedConfig, build_policy
    >>> type(critic_for(build_policy(NormalizedConfig()))).__name__
    'PlanCritic'
    """
    if policy.planner is not None:
        return PlanCritic(num_orientations=1 if policy.config is None else policy.config.num_orientations)
    if isinstance(policy, CNN):
        return FeatureCritic(policy.head.in_features)
    raise InputError(
        f"learning from reward needs state values, which a {type(policy).__name__} does not give; choose an "
        "architecture that plans, or the CNN."
    )
