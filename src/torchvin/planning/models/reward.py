"""Reward models f_R: from an observation to the reward of each action in each cell."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.planning.kernels.reference import by_orientation
from torchvin.planning.models.transition import Device, Place


class ImageReward(nn.Module):
    """The paper's reward: a linear network to one reward image R, and the kernel W_R from R to each Q channel.

    As in the authors' code there is no nonlinearity between the convolutions, and initial weights are 0.01 * N(0, 1).

    Args:
        num_actions: number of Q channels A (the paper: 10), in each orientation.
        in_channels: number of planes of an observation.
        hidden_channels: number of channels of the first convolution (the paper: 150).
        kernel_size: F of W_R, odd.
        scale: standard deviation of the initial weights.
        num_orientations: O. Each orientation has a reward image of its own.
        device, dtype: device and type of the weights.

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
        num_orientations: int = 1,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        channels, place = num_orientations * num_actions, Place(device=device, dtype=dtype)
        self.scale = scale
        self.hidden = nn.Conv2d(in_channels, hidden_channels, 3, padding=1, **place)
        self.reward = nn.Conv2d(hidden_channels, num_orientations, 1, bias=False, **place)
        self.q_conv = nn.Conv2d(num_orientations, channels, kernel_size, padding="same", bias=False, **place)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, `scale` * N(0, 1)."""
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=self.scale)

    def image(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"]:
        """The reward image R of each orientation.

        Two linear convolutions are computed as one, whose weights are the product of theirs. With 150 hidden channels
        this is 40 times less work. The parameters and their gradients are those of the two convolutions.
        """
        assert self.hidden.bias is not None
        outward = self.reward.weight[:, :, 0, 0]  # [O, hidden]
        weight = (outward @ self.hidden.weight.flatten(1)).view(-1, *self.hidden.weight.shape[1:])
        return functional.conv2d(planes, weight, outward @ self.hidden.bias, padding=1)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        q_reward: Tensor = self.q_conv(self.image(planes))
        return q_reward


class Rectifier(nn.Module):
    """relu(x) whose gradient is `leak` where x < 0. The values are exactly those of relu.

    A reward has few channels. With a plain relu some of them become 0 on every map early in training, and then have no
    gradient. An action is then never rewarded at the goal, or never costs anything at an obstacle. On 28x28 maps 2 of 4
    seeds ended at 94 and 76 % optimal; with the leak all four passed 99 %.

    >>> x = torch.tensor([-2.0, 3.0], requires_grad=True)
    >>> y = Rectifier()(x)
    >>> y.tolist(), torch.autograd.grad(y.sum(), x)[0].tolist()
    ([0.0, 3.0], [0.10000000149011612, 1.0])
    """

    def __init__(self, leak: float = 0.1) -> None:
        super().__init__()
        self.leak = leak

    def forward(self, x: Float[Tensor, "*S"]) -> Float[Tensor, "*S"]:
        opened = functional.relu(x)
        if not torch.is_grad_enabled():
            return opened
        below = x.clamp(max=0)
        return opened + self.leak * (below - below.detach())


class PositiveNetwork(nn.Sequential):
    """Convolution, relu, 1x1 convolution, Rectifier: a reward or cost of each action, never below 0.

    Without gradients it runs in place, and does not call each module: for one map the calls take as long as the
    convolutions.

    Args:
        first: convolution to the hidden channels.
        second: 1x1 convolution from the hidden channels to the actions.

    >>> network = PositiveNetwork(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 1))
    >>> network(torch.zeros(2, 1, 8, 5)).shape
    torch.Size([2, 8, 8, 5])
    """

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__(first, nn.ReLU(), second, Rectifier())

    @property
    def convolutions(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """The two layers with weights."""
        first, second = self[0], self[2]
        assert isinstance(first, nn.Conv2d)
        assert isinstance(second, nn.Conv2d)
        return first, second

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA *size"]:
        modules: Any = self._modules.values()
        first, relu, second, rectifier = modules
        if torch.is_grad_enabled():
            output: Tensor = rectifier(second(relu(first(planes))))
            return output
        hidden = functional.conv2d(planes, first.weight, first.bias, padding=first.padding).relu_()
        return functional.conv2d(hidden, second.weight, second.bias).relu_()


class ActionReward(nn.Module):
    """The reward of the normalized VIN: for each action, a reward of the goal minus a cost of the terrain.

    R_a(s) = relu(goal network)_a(s) - relu(terrain network)_a(s). Each network has two small convolutions. The goal
    network sees the goal planes only and has no biases, so its reward is exactly 0 away from the goal. The terrain
    network can learn a cost of exactly 0 where a move is free.

    The termination action has the value 0, so values are never below 0. Far from the goal a value is then only the
    discounted reward of the goal. A policy trained on 16x16 maps therefore plans hundreds of steps; rewards that are
    only nearly 0 would add up to more than that of the goal.

    Cells off the map count as obstacles, so that a map needs no border.

    Args:
        num_actions: number of actions of the environment, in each orientation.
        terrain_channels: number of planes before the goal planes. The first is the obstacle plane, 1 = blocked.
        hidden_channels: number of channels of the first convolutions, half for each network.
        termination: whether to append a channel of zeros to each orientation, for the termination action.
        num_orientations: O, which is also the number of goal planes.
        device, dtype: device and type of the weights.

    >>> ActionReward(num_actions=8)(torch.zeros(2, 2, 8, 5)).shape
    torch.Size([2, 9, 8, 5])
    """

    def __init__(
        self,
        *,
        num_actions: int,
        terrain_channels: int = 1,
        hidden_channels: int = 32,
        termination: bool = True,
        num_orientations: int = 1,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        half, place = hidden_channels // 2, Place(device=device, dtype=dtype)
        channels = num_orientations * num_actions
        self.goal = PositiveNetwork(
            nn.Conv2d(num_orientations, half, 3, padding=1, bias=False, **place),
            nn.Conv2d(half, channels, 1, bias=False, **place),
        )
        last = nn.Conv2d(half, channels, 1, **place)
        self.terrain = PositiveNetwork(nn.Conv2d(terrain_channels, half, 3, **place), last)
        self.termination = termination
        self.num_orientations = num_orientations
        self._open()

    def reset_parameters(self) -> None:
        """Draw all weights anew, as torch draws those of convolutions. Every cost starts at about 0.5."""
        for network in (self.goal, self.terrain):
            for convolution in network.convolutions:
                convolution.reset_parameters()
        self._open()

    def _open(self) -> None:
        """Start costs above 0, where they have the whole gradient."""
        bias = self.terrain.convolutions[1].bias
        assert bias is not None
        nn.init.constant_(bias, 0.5)

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        return f"termination={self.termination}, num_orientations={self.num_orientations}"

    def image(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        """The mean over the actions, for pictures: high at the goal, low where many moves are blocked."""
        return self.of_actions(planes).mean(dim=1, keepdim=True)

    def of_actions(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        """The reward of the environment's actions."""
        around = (1, 1, 1, 1)
        goals = self.num_orientations
        obstacles, others, goal = planes.split_with_sizes((1, planes.shape[1] - 1 - goals, goals), dim=1)
        terrain = functional.pad(obstacles, around, value=1.0)
        if others.shape[1]:
            terrain = torch.cat([terrain, functional.pad(others, around)], dim=1)
        reward: Tensor = self.goal(goal) - self.terrain(terrain)
        return reward

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        reward = self.of_actions(planes)
        if not self.termination:
            return reward
        if self.num_orientations == 1:  # the same without two views, which take as long as the padding
            return functional.pad(reward, (0, 0, 0, 0, 0, 1))
        with_zeros = functional.pad(by_orientation(reward, self.num_orientations), (0, 0, 0, 0, 0, 1))
        return with_zeros.flatten(1, 2)
