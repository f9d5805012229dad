"""The "best achievable" baseline on overhead images: an obstacle classifier, then exact shortest paths."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.obstacle_planner import ObstaclePlanner


@dataclass(frozen=True)
class TerrainClassifierConfig(ArchitectureConfig):
    """Sizes of the classifier. It learns from obstacle labels, which the VIN never sees."""

    cell_pixels: int = 8
    """Pixels per side of a cell: 2, 4, 8, ... (the paper: 8)."""
    encoder_channels: int = 16
    """Number of channels of the encoder's first convolution."""
    encoder_blocks: int = 0
    """Residual blocks of the encoder on the planning grid; 0: a plain stack of convolutions and poolings."""


def build(config: TerrainClassifierConfig) -> "ObstaclePlanner":
    """Build the network with fresh weights."""
    from torchvin.policies.encoders import PatchEncoder
    from torchvin.policies.obstacle_planner import ObstaclePlanner

    encoder = PatchEncoder(
        cell_pixels=config.cell_pixels,
        num_features=1,
        hidden_channels=config.encoder_channels,
        num_blocks=config.encoder_blocks,
    )
    return ObstaclePlanner(encoder, num_actions=config.num_actions)


register_architecture(
    "terrain_classifier",
    TerrainClassifierConfig,
    build,
    summary="the paper's best achievable on images: an obstacle classifier, then exact shortest paths",
)
