"""The shortest-path design (ours): a learned graph, trained and solved by exact shortest paths, at any distance."""

from dataclasses import dataclass

from torchvin.architectures.parts import check_kernel_size
from torchvin.architectures.registry import register_architecture
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.planners.latent_graph import LatentGraphPlanner
from torchvin.policies.attention import StateAttention
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.heads import AdvantageHead
from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class ShortestPathConfig(ArchitectureConfig):
    """The shortest-path design in numbers."""

    hidden_channels: int = 32
    """Channels of the network that says which moves are available."""
    kernel_size: int = 3
    """F: side of the neighbourhood that an action can reach, odd."""
    iterations_per_side: float = 8.0
    """K as a multiple of the map's longer side, where the planner iterates and K is not given."""
    num_orientations: int = 1
    """Orientations of the agent (differential drive: 4), each a value channel of the planner."""
    num_terrains: int = 1
    """Classes of terrain on the maps; all but the first have a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)


def build(config: ShortestPathConfig) -> VIN:
    """The network with fresh weights."""
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
    summary="a learned graph, trained and solved by exact shortest paths: any size, any distance (ours)",
)
