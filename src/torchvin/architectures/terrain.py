"""The VIN on overhead images: an encoder from pixels to the planning grid, and any of our planners behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    """Number of planes that the encoder makes of the image, 1 to 16; not used by shortest_path, which has one: the cost
    of entering a cell."""
    encoder_channels: int = 16
    """Number of channels of the encoder's first convolution."""
    encoder_blocks: int = 0
    """Residual blocks of the encoder on the planning grid; 0: a plain stack of convolutions and poolings."""
    planner: Literal["shortest_path", "normalized", "paper"] = "shortest_path"
    """What plans on the features. shortest_path: exact, with the agent's own moves; normalized and paper: K value
    updates, with moves that are learned too (normalized did not get past straight lines in 6 epochs of 2,000 maps)."""
    caution: float = 1.0
    """Factor on the learned costs once trained (shortest_path): a larger one keeps farther from what may be steep."""
    hidden_channels: int = 32
    """Number of channels of the reward network's first convolutions."""
    iterations_per_side: float = 2.0
    """K per cell of the map's longer side, for calls that give no K; not used by shortest_path, which is exact."""


def build(config: TerrainConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torchvin.planning.planners.encoded import EncodedPlanner
    from torchvin.policies.encoders import PatchEncoder
    from torchvin.policies.vin import VIN

    as_cost = config.planner == "shortest_path"
    encoder = PatchEncoder(
        cell_pixels=config.cell_pixels,
        num_features=1 if as_cost else config.num_features,
        hidden_channels=config.encoder_channels,
        bounded=not as_cost,
        num_blocks=config.encoder_blocks,
    )
    on_grid = _GRID[config.planner](config)
    return VIN(planner=EncodedPlanner(encoder, on_grid.planner), attention=on_grid.attention, head=on_grid.head)


def _shortest_path(config: TerrainConfig) -> "VIN":
    """Exact plans with the agent's own moves, which it knows; what a cell costs is learned from the image."""
    from torchvin.mdp.motion import GridMotion
    from torchvin.planning.planners.cell_cost import CellCostPlanner
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import AdvantageHead
    from torchvin.policies.vin import VIN

    planner = CellCostPlanner(GridMotion(config.num_actions), caution=config.caution)
    return VIN(planner=planner, attention=StateAttention(), head=AdvantageHead(num_actions=config.num_actions))


def _normalized(config: TerrainConfig) -> "VIN":
    from torchvin.architectures.normalized import NormalizedConfig
    from torchvin.architectures.normalized import build as build_on_grid

    return build_on_grid(NormalizedConfig(**_on_features(config)))


def _paper(config: TerrainConfig) -> "VIN":
    from torchvin.architectures.paper import PaperConfig
    from torchvin.architectures.paper import build as build_on_grid

    return build_on_grid(PaperConfig(**_on_features(config)))


def _on_features(config: TerrainConfig) -> dict[str, Any]:
    """The options of a design on the planning grid whose planes are the features of the encoder."""
    return {
        "num_actions": config.num_actions,
        "hidden_channels": config.hidden_channels,
        "iterations_per_side": config.iterations_per_side,
        "num_terrains": config.num_features,
    }


_GRID: "dict[str, Callable[[TerrainConfig], VIN]]" = {
    "shortest_path": _shortest_path,
    "normalized": _normalized,
    "paper": _paper,
}

register_architecture(
    "terrain", TerrainConfig, build, summary="a VIN that sees overhead images: an encoder before the planner (ours)"
)
