"""From numbers to networks: the only code that sees a policy's configuration."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from torchvin.errors import InputError, unknown_name
from torchvin.planning.reward import ActionReward, ImageReward
from torchvin.planning.transition import FreeTransition, NormalisedTransition
from torchvin.planning.value_iteration import Gradient, ValueIteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.heads import LinearHead, ScaleHead
from torchvin.policies.vin import VIN

Design = Literal["normalised", "paper"]
DESIGNS: dict[str, str] = {
    "normalised": "transitions are distributions over neighbours, a reward an action: stable at any K (ours)",
    "paper": "free kernels and one reward image (Tamar et al. 2016)",
}


@dataclass(frozen=True)
class PolicyConfig:
    """A VIN design in numbers. The defaults are the normalised design's; `PAPER` holds the paper's."""

    design: Design = "normalised"
    """normalised (ours, stable at any K) or paper; `torchvin list` says more."""
    num_actions: int = 8
    """Actions of the environment."""
    num_q: int = 9
    """Q channels of the planner; the normalised design has one an action and one for giving up."""
    hidden_channels: int = 32
    """Channels of the reward network's first convolution."""
    kernel_size: int = 3
    """F: side of the neighbourhood that an action can reach, odd."""
    discount: float = 0.99
    """Discount of the normalised design; free kernels learn theirs."""
    iterations_per_side: float = 2.0
    """K as a multiple of the map's longer side, where K is not given."""
    gradient: Gradient = "unroll"
    """How the planner keeps its iterations for the backward pass: unroll or checkpoint."""

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise unknown_name("design", self.design, DESIGNS)
        if self.gradient not in get_args(Gradient):
            raise unknown_name("gradient mode", self.gradient, get_args(Gradient))
        if self.design == "normalised" and self.num_q != self.num_actions + 1:
            raise InputError(
                f"the normalised design has one Q channel an action and one for giving up: num_q must be "
                f"{self.num_actions + 1}, got {self.num_q}."
            )
        if not 0 < self.discount < 1:
            raise InputError(f"discount must lie between 0 and 1, got {self.discount}.")
        for name in ("num_actions", "num_q", "hidden_channels"):
            if getattr(self, name) < 1 + (name == "hidden_channels"):
                raise InputError(f"{name} is too small: {getattr(self, name)}.")
        if self.kernel_size % 2 == 0 or self.kernel_size < 1:
            raise InputError(f"kernel_size must be odd and positive, got {self.kernel_size}.")
        if self.iterations_per_side <= 0:
            raise InputError(f"iterations_per_side must be positive, got {self.iterations_per_side}.")


#: The paper's numbers at 8x8 and 16x16 (K = 10 and 20); at 28x28 it takes K = 36 = 1.28... a side.
PAPER = PolicyConfig(design="paper", num_q=10, hidden_channels=150, iterations_per_side=1.25)


def build_policy(config: PolicyConfig) -> VIN:
    """Build a VIN with fresh weights, drawn from torch's global generator.

    >>> sum(parameter.numel() for parameter in build_policy(PAPER).parameters())
    3260
    """
    if config.design == "paper":
        reward: nn.Module = ImageReward(
            num_actions=config.num_q, hidden_channels=config.hidden_channels, kernel_size=config.kernel_size
        )
        transition: nn.Module = FreeTransition(num_actions=config.num_q, kernel_size=config.kernel_size)
        head: nn.Module = LinearHead(num_q=config.num_q, num_actions=config.num_actions)
    else:
        reward = ActionReward(num_actions=config.num_actions, hidden_channels=config.hidden_channels)
        transition = NormalisedTransition(
            num_actions=config.num_actions, kernel_size=config.kernel_size, discount=config.discount, give_up=True
        )
        head = ScaleHead(num_actions=config.num_actions)
    return VIN(
        reward=reward,
        planner=ValueIteration(transition=transition, num_iterations=1, gradient=config.gradient),
        attention=StateAttention(),
        head=head,
        iterations_per_side=config.iterations_per_side,
    )
