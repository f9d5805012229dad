"""The shortest-path VIN (ours): a learned graph, solved by exact shortest paths in training and at any distance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.parts import check_kernel_size
from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class ShortestPathConfig(ArchitectureConfig):
    """Sizes of the shortest-path VIN."""

    hidden_channels: int = 32
    """Number of channels of the network that computes which moves are available."""
    kernel_size: int = 3
    """F: side of the square neighbourhood that an action can reach, odd."""
    iterations_per_side: float = 8.0
    """K per cell of the map's longer side, for calls that give no K while the planner iterates."""
    num_orientations: int = 1
    """Number of orientations of the agent (differential drive: 4). The planner has a value channel for each."""
    num_terrains: int = 1
    """Number of terrain classes on the maps. Each class but the first has a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)


def build(config: ShortestPathConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torchvin.planning.models.latent import LatentModel
    from torchvin.planning.models.transition import LearnedMoves
    from torchvin.planning.planners.latent_graph import LatentGraphPlanner
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import AdvantageHead
    from torchvin.policies.vin import VIN

    planner = LatentGraphPlanner(
        model=LatentModel(
            num_actions=config.num_actions,
            num_orientations=config.num_orientations,
            terrain_channels=config.num_terrains,
            goal_channels=config.num_orientations,
            hidden_channels=config.hidden_channels,
            kernel_size=config.kernel_size,
            state_costs=config.num_terrains > 1,
        ),
        transition=LearnedMoves(
            num_actions=config.num_actions,
            num_orientations=config.num_orientations,
            kernel_size=config.kernel_size,
        ),
        iterations_per_side=config.iterations_per_side,
    )
    return VIN(
        planner=planner,
        attention=StateAttention(num_orientations=config.num_orientations),
        head=AdvantageHead(num_actions=config.num_actions),
    )


register_architecture(
    "shortest_path",
    ShortestPathConfig,
    build,
    summary="a learned graph, solved by exact shortest paths: any size, any distance (ours)",
)
