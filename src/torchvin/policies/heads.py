"""Reactive policies: from what attention lets through to action logits, the same for a list of states and for maps."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

Features = Float[Tensor, "B S Q"] | Float[Tensor, "B Q H W"]
Logits = Float[Tensor, "B S A"] | Float[Tensor, "B A H W"]


class LinearHead(nn.Module):
    """The paper's: one linear layer without bias from the Q channels to the actions.

    Args:
        num_q: Q channels that come in (the paper: 10).
        num_actions: logits that go out (8).
        scale: standard deviation of the initial weights (the authors' code: 0.01).

    >>> LinearHead(num_q=10, num_actions=8)(torch.zeros(2, 10, 5, 4)).shape
    torch.Size([2, 8, 5, 4])
    """

    def __init__(self, *, num_q: int, num_actions: int, scale: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(scale * torch.randn(num_actions, num_q))

    def forward(self, features: Features) -> Logits:
        pattern = "ba...,ca->bc..." if features.dim() == 4 else "bsa,ca->bsc"
        return torch.einsum(pattern, features, self.weight)


class ScaleHead(nn.Module):
    """Logits = Q of the first channels times one learned positive number: the policy can be no better than the plan.

    So the Q channel of an action must mean that action, and the greedy policy is that of the plan at any size and K.

    Args:
        num_actions: logits that go out; Q channels beyond them (giving up) are the planner's own.

    >>> ScaleHead(num_actions=8)(torch.zeros(2, 9, 5, 4)).shape
    torch.Size([2, 8, 5, 4])
    """

    def __init__(self, *, num_actions: int) -> None:
        super().__init__()
        self.num_actions = num_actions
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, features: Features) -> Logits:
        actions = features.movedim(1, -1) if features.dim() == 4 else features
        logits = actions[..., : self.num_actions] * self.log_scale.exp()
        return logits.movedim(-1, 1) if features.dim() == 4 else logits
