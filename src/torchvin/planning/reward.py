"""Reward models f_R: from the planes of a map to the reward of each action in each cell."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ImageReward(nn.Module):
    """The paper's: a linear network to one reward image R, then W_R, R's share of each action's Q.

    The authors' code has no nonlinearity between its convolutions, and initial weights of 0.01 * N(0, 1).

    Args:
        num_actions: Q channels A (the paper: 10).
        in_channels: planes of a map.
        hidden_channels: of the first convolution (the paper: 150).
        kernel_size: F of W_R, odd.
        scale: standard deviation of the initial weights.

    >>> ImageReward(num_actions=10)(torch.zeros(2, 2, 8, 5)).shape
    torch.Size([2, 10, 8, 5])
    """

    def __init__(
        self,
        *,
        num_actions: int,
        in_channels: int = 2,
        hidden_channels: int = 150,
        kernel_size: int = 3,
        scale: float = 0.01,
    ) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(in_channels, hidden_channels, 3, padding=1)
        self.reward = nn.Conv2d(hidden_channels, 1, 1, bias=False)
        self.share = nn.Conv2d(1, num_actions, kernel_size, padding="same", bias=False)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=scale)

    def image(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """The reward image R."""
        image: Tensor = self.reward(self.hidden(planes))
        return image

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        q_reward: Tensor = self.share(self.image(planes))
        return q_reward


class ActionReward(nn.Module):
    """The normalised design's: one small non-linear convolution gives each action its own reward.

    A move into an obstacle can cost what a move past it does not, which one reward image cannot say. What lies off the
    map counts as obstacle, so that a map needs no border.

    Args:
        num_actions: Q channels A.
        in_channels: planes of a map; the first is the obstacles, 1 = blocked.
        hidden_channels: of the convolution.

    >>> ActionReward(num_actions=8)(torch.zeros(2, 2, 8, 5)).shape
    torch.Size([2, 8, 8, 5])
    """

    def __init__(self, *, num_actions: int, in_channels: int = 2, hidden_channels: int = 32) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(in_channels, hidden_channels, 3)
        self.reward = nn.Conv2d(hidden_channels, num_actions, 1)

    def image(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """The reward of the best action, for pictures."""
        image: Tensor = self(planes).amax(dim=1, keepdim=True)
        return image

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        around = (1, 1, 1, 1)
        obstacles, rest = planes[:, :1], planes[:, 1:]
        padded = torch.cat([functional.pad(obstacles, around, value=1.0), functional.pad(rest, around)], dim=1)
        q_reward: Tensor = self.reward(functional.relu(self.hidden(padded)))
        return q_reward
