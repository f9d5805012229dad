"""The paper's FCN baseline: no planner, one size of map (Tamar et al. 2016, section 5.1)."""

from dataclasses import dataclass

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.reactive.fcn import FCN


@dataclass(frozen=True)
class FCNConfig(ArchitectureConfig):
    """The FCN in numbers; its layers are the authors'."""

    height: int = 16
    """Rows of the maps: the network knows this size only."""
    width: int = 16
    """Columns of the maps."""


def build(config: FCNConfig) -> FCN:
    """The network with fresh weights."""
    return FCN(height=config.height, width=config.width, num_actions=config.num_actions)


register_architecture("fcn", FCNConfig, build, summary="the paper's FCN baseline: no planner, one size of map")
