"""A policy whose actions a test chooses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from torchvin.planning.planners.grid import GridPlanner
from torchvin.planning.value_iteration import ValueIteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.heads import ScaleHead
from torchvin.policies.vin import VIN


class Table(nn.Module):
    """In place of a reward: the logits of the maps that come, in the order in which they come."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits
        self.seen = 0

    def forward(self, planes: Tensor) -> Tensor:
        first, self.seen = self.seen, (self.seen + len(planes)) % len(self.logits)
        return self.logits[first : first + len(planes)].to(planes.dtype)


class Nowhere(nn.Module):
    """A transition without weight: Q is the reward at any K."""

    def __init__(self, num_actions: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.zeros(num_actions, 1, 1, 1))

    def forward(self) -> Tensor:
        return self.kernel


@pytest.fixture(scope="session")
def policy_of_logits() -> Callable[[Tensor], VIN]:
    """A VIN with these logits, [M, A, H, W], for the maps of one data set."""

    def policy(logits: Tensor) -> VIN:
        iteration = ValueIteration(transition=Nowhere(logits.shape[1]), num_iterations=1)
        return VIN(
            planner=GridPlanner(reward=Table(logits), iteration=iteration),
            attention=StateAttention(),
            head=ScaleHead(num_actions=logits.shape[1]),
        )

    return policy


@pytest.fixture(scope="session")
def policy_of_actions(policy_of_logits) -> Callable[..., VIN]:
    """A VIN that prefers these actions, [M, H, W]; 255 counts as north."""

    def policy(actions: Tensor, num_actions: int = 8) -> VIN:
        chosen = nn.functional.one_hot(actions.long().remainder(255), num_actions).movedim(-1, 1)
        return policy_of_logits(3.0 * chosen - 1.0)

    return policy
