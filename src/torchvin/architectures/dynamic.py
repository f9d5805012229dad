"""Dynamic transitions: a kernel per cell, computed from the map, and the adaptive highway loss (DT-VIN, ICML 2025)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.parts import check_converges, check_kernel_size
from torchvin.architectures.registry import register_architecture
from torchvin.planning.gradient import Gradient
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class DynamicConfig(ArchitectureConfig):
    """Sizes of DT-VIN. F = 3 and J = 10 are the paper's (second-hand, unverified); K = 4 per side is ours."""

    num_actions: int = 4
    """Actions of the environment."""
    hidden_channels: int = 150
    """Channels of the reward network's first convolution."""
    kernel_size: int = 3
    """F: side of the square neighbourhood that an action can reach, odd."""
    iterations_per_side: float = 4.0
    """K per cell of the map's longer side, for calls that give no K."""
    gradient: Gradient = "unroll"
    """How iterations are stored for the backward pass: unroll or checkpoint."""
    layer_every: int = 10
    """J: the adaptive highway loss uses every J-th value update; 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)
        check_converges("dynamic", self.gradient)


def build(config: DynamicConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torch import nn

    from torchvin.planning.planners.dynamic import DynamicPlanner, DynamicTransition
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import ScaleHead
    from torchvin.policies.vin import VIN

    reward = nn.Sequential(
        nn.Conv2d(2, config.hidden_channels, 3, padding=1), nn.Conv2d(config.hidden_channels, 1, 1, bias=False)
    )
    planner = DynamicPlanner(
        reward=reward,
        transition=DynamicTransition(num_actions=config.num_actions, kernel_size=config.kernel_size),
        iterations_per_side=config.iterations_per_side,
        layer_every=config.layer_every,
        gradient=config.gradient,
    )
    return VIN(planner=planner, attention=StateAttention(), head=ScaleHead(num_actions=config.num_actions))


register_architecture(
    "dynamic",
    DynamicConfig,
    build,
    summary="a transition kernel per cell, computed from the map; adaptive highway loss (DT-VIN, ICML 2025)",
)
