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
        """The reward image R.

        Two linear convolutions are one: the product of their weights is convolved, not the planes twice, which is 40
        times less work with 150 hidden channels. The parameters, and how they learn, stay those of the two.
        """
        assert self.hidden.bias is not None
        outward = self.reward.weight[:, :, 0, 0]  # [1, hidden]
        weight = (outward @ self.hidden.weight.flatten(1)).view(1, *self.hidden.weight.shape[1:])
        return functional.conv2d(planes, weight, outward @ self.hidden.bias, padding=1)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        q_reward: Tensor = self.share(self.image(planes))
        return q_reward


class ActionReward(nn.Module):
    """The normalised design's: what the goal pays minus what the terrain costs, each action its own.

    R_a(s) = relu(goal network)_a(s) - relu(terrain network)_a(s), each network two small convolutions. The goal network
    sees only the goal plane and has no biases, so that it pays exactly nothing away from the goal; the terrain network
    can learn to cost exactly nothing where a move is free. With the channel for giving up, which is worth 0, values
    never fall below 0, and far from the goal they are nothing but the discounted value of arriving: a policy learned on
    16x16 maps plans hundreds of steps, where rewards that are only nearly zero would add up to more than the goal.

    What lies off the map counts as obstacle, so that a map needs no border.

    Args:
        num_actions: actions of the environment.
        terrain_channels: planes before the last, which is the goal's; the first is the obstacles, 1 = blocked.
        hidden_channels: of the first convolutions, half for each network.
        give_up: append a channel of zeros, for an action that ends with nothing.

    >>> ActionReward(num_actions=8)(torch.zeros(2, 2, 8, 5)).shape
    torch.Size([2, 9, 8, 5])
    """

    def __init__(
        self, *, num_actions: int, terrain_channels: int = 1, hidden_channels: int = 32, give_up: bool = True
    ) -> None:
        super().__init__()
        half = hidden_channels // 2
        self.goal = nn.Sequential(
            nn.Conv2d(1, half, 3, bias=False), nn.ReLU(), nn.Conv2d(half, num_actions, 1, bias=False), nn.ReLU()
        )
        last = nn.Conv2d(half, num_actions, 1)
        assert last.bias is not None
        nn.init.constant_(last.bias, 0.5)  # every cost begins above 0: a rectifier that begins shut never opens
        self.terrain = nn.Sequential(nn.Conv2d(terrain_channels, half, 3), nn.ReLU(), last, nn.ReLU())
        self.give_up = give_up

    def image(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """The mean over the actions, for pictures: high at the goal, low where many moves are refused."""
        q_reward: Tensor = self(planes)
        return q_reward[:, : self.goal[2].out_channels].mean(dim=1, keepdim=True)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        around = (1, 1, 1, 1)
        obstacles, rest, goal = planes[:, :1], planes[:, 1:-1], planes[:, -1:]
        terrain = torch.cat([functional.pad(obstacles, around, value=1.0), functional.pad(rest, around)], dim=1)
        reward: Tensor = self.goal(functional.pad(goal, around)) - self.terrain(terrain)
        return functional.pad(reward, (0, 0, 0, 0, 0, 1)) if self.give_up else reward
