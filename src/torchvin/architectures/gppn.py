"""Gated path planning networks: an LSTM in every cell replaces the maximum (Lee et al., ICML 2018)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.parts import check_converges, check_kernel_size
from torchvin.architectures.registry import register_architecture
from torchvin.planning.gradient import Gradient
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class GPPNConfig(ArchitectureConfig):
    """Sizes of GPPN. The defaults are those of the paper's table for 10,000 mazes of 15x15 with 4 moves."""

    num_actions: int = 4
    """Actions of the environment, in each orientation."""
    hidden_channels: int = 150
    """Number of channels of the features and of the LSTM."""
    kernel_size: int = 9
    """F: side of the square neighbourhood from which a cell gets messages, odd (the paper: 3 to 11)."""
    iterations_per_side: float = 20 / 15 - 1e-6
    """LSTM steps K per cell of the map's longer side, for calls that give no K."""
    gradient: Gradient = "unroll"
    """How steps are stored for the backward pass: unroll or checkpoint."""
    num_orientations: int = 1
    """Number of orientations of the agent (differential drive: 4)."""
    num_terrains: int = 1
    """Number of terrain classes on the maps. Each class but the first has a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)
        check_converges("gppn", self.gradient)


def build(config: GPPNConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torch import nn

    from torchvin.planning.planners.gated import GatedPlanner
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.vin import VIN

    planner = GatedPlanner(
        in_channels=config.hidden_channels,
        num_actions=config.num_orientations * config.num_actions,
        hidden_channels=config.hidden_channels,
        kernel_size=config.kernel_size,
        iterations_per_side=config.iterations_per_side,
        gradient=config.gradient,
    )
    # Built after the planner, so that a seed gives the same weights as in version 0.1.
    planes = config.num_terrains + config.num_orientations
    planner.features = nn.Conv2d(planes, config.hidden_channels, 3, padding=1)
    attention = StateAttention(num_orientations=config.num_orientations)
    return VIN(planner=planner, attention=attention, head=nn.Identity())


register_architecture(
    "gppn",
    GPPNConfig,
    build,
    summary="gated path planning: an LSTM in every cell replaces the maximum (Lee et al. 2018)",
)
