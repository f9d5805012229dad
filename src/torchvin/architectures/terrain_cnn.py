"""The reactive baseline on overhead images: the terrain VIN's encoder, and convolutions in place of a planner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.reactive.overhead_cnn import OverheadCNN


@dataclass(frozen=True)
class TerrainCNNConfig(ArchitectureConfig):
    """Sizes of the reactive CNN on overhead images."""

    cell_pixels: int = 8
    """Pixels per side of a cell: 2, 4, 8, ... (the paper: 8)."""
    num_features: int = 8
    """Number of planes that the encoder makes of the image, 1 to 16."""
    encoder_channels: int = 16
    """Number of channels of the encoder's first convolution."""
    encoder_blocks: int = 0
    """Residual blocks of the encoder on the planning grid; 0: a plain stack of convolutions and poolings."""
    hidden_channels: int = 48
    """Number of channels of each dilated convolution."""


def build(config: TerrainCNNConfig) -> "OverheadCNN":
    """Build the network with fresh weights."""
    from torchvin.policies.encoders import PatchEncoder
    from torchvin.policies.reactive.overhead_cnn import OverheadCNN

    encoder = PatchEncoder(
        cell_pixels=config.cell_pixels,
        num_features=config.num_features,
        hidden_channels=config.encoder_channels,
        num_blocks=config.encoder_blocks,
    )
    return OverheadCNN(
        encoder,
        num_planes=config.num_features + 1,
        num_actions=config.num_actions,
        hidden_channels=config.hidden_channels,
    )


register_architecture(
    "terrain_cnn",
    TerrainCNNConfig,
    build,
    summary="the reactive baseline on images: the same encoder, convolutions, no planner",
)
