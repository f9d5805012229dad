"""The paper's CNN baseline: no planner, maps of one size (Tamar et al. 2016, section 5.1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.reactive.cnn import CNN


@dataclass(frozen=True)
class CNNConfig(ArchitectureConfig):
    """Sizes of the CNN. Its layers are those of the authors' code."""

    height: int = 16
    """Rows of the maps. The network takes maps of this size only."""
    width: int = 16
    """Columns of the maps."""


def build(config: CNNConfig) -> "CNN":
    """Build the network with fresh weights."""
    from torchvin.policies.reactive.cnn import CNN

    return CNN(height=config.height, width=config.width, num_actions=config.num_actions)


register_architecture("cnn", CNNConfig, build, summary="the paper's CNN baseline: no planner, maps of one size")
