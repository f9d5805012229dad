"""The paper's CNN baseline: no planner, one size of map (Tamar et al. 2016, section 5.1)."""

from dataclasses import dataclass

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.reactive.cnn import CNN


@dataclass(frozen=True)
class CNNConfig(ArchitectureConfig):
    """The CNN in numbers; its layers are the authors'."""

    height: int = 16
    """Rows of the maps: the network knows this size only."""
    width: int = 16
    """Columns of the maps."""


def build(config: CNNConfig) -> CNN:
    """The network with fresh weights."""
    return CNN(height=config.height, width=config.width, num_actions=config.num_actions)


register_architecture("cnn", CNNConfig, build, summary="the paper's CNN baseline: no planner, one size of map")
