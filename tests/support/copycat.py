"""A policy of given actions, for agents with orientations too."""

import torch
from torch import Tensor

from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class Copycat(Policy):
    """Says what it was given, [M, O, H, W], whatever it sees."""

    def __init__(self, actions: Tensor, num_actions: int) -> None:
        super().__init__()
        self.dummy = torch.nn.Parameter(torch.zeros(()))
        self.actions, self.num_actions = actions, num_actions

    def default_iterations(self, height, width):
        return 0

    def forward(self, planes, states=None, *, num_iterations=None):
        chosen = torch.nn.functional.one_hot(self.actions.long() % 255 % self.num_actions, self.num_actions)
        return PolicyOutput(logits=chosen.movedim(-1, -3).flatten(1, -3).float(), plan=None)
