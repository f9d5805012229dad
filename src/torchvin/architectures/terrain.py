"""The VIN on overhead images: an encoder from pixels to the planning grid, and any of our planners behind it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class TerrainConfig(ArchitectureConfig):
    """Sizes of the VIN on overhead images. It sees pixels and the goal, never an obstacle (section 5.2)."""

    cell_pixels: int = 8
    """Pixels per side of a cell: 2, 4, 8, ... (the paper: 8)."""
    num_features: int = 8
    """Number of planes that the encoder makes of the image, 1 to 16."""
    encoder_channels: int = 16
    """Number of channels of the encoder's first convolution."""
    planner: Literal["normalized", "paper"] = "normalized"
    """What plans on the features."""
    hidden_channels: int = 32
    """Number of channels of the reward network's first convolutions."""
    iterations_per_side: float = 2.0
    """K per cell of the map's longer side, for calls that give no K."""


def build(config: TerrainConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torchvin.architectures import normalized, paper
    from torchvin.planning.planners.encoded import EncodedPlanner
    from torchvin.policies.encoders import PatchEncoder
    from torchvin.policies.vin import VIN

    encoder = PatchEncoder(
        cell_pixels=config.cell_pixels, num_features=config.num_features, hidden_channels=config.encoder_channels
    )
    if config.planner == "paper":
        on_grid = paper.build(
            paper.PaperConfig(
                config.num_actions,
                hidden_channels=config.hidden_channels,
                iterations_per_side=config.iterations_per_side,
                num_terrains=config.num_features,
            )
        )
    else:
        on_grid = normalized.build(
            normalized.NormalizedConfig(
                config.num_actions,
                hidden_channels=config.hidden_channels,
                iterations_per_side=config.iterations_per_side,
                num_terrains=config.num_features,
            )
        )
    return VIN(planner=EncodedPlanner(encoder, on_grid.planner), attention=on_grid.attention, head=on_grid.head)


register_architecture(
    "terrain", TerrainConfig, build, summary="a VIN that sees overhead images: an encoder before the planner (ours)"
)
