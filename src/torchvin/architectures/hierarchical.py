"""The paper's VIN at two scales: a coarse plan, up-sampled, is an input of the fine planner (its appendix)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.parts import check_converges, check_kernel_size, image_reward
from torchvin.architectures.registry import register_architecture
from torchvin.planning.gradient import Gradient
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class HierarchicalConfig(ArchitectureConfig):
    """Sizes of the hierarchical VIN."""

    num_q: int = 10
    """Number of Q channels of both planners."""
    hidden_channels: int = 150
    """Number of channels of the reward networks' first convolutions."""
    kernel_size: int = 3
    """F: side of the square neighbourhood that an action can reach, odd."""
    iterations_per_side: float = 5 / 16
    """Fine K per cell of the map's longer side. The coarse planner makes twice as many iterations."""
    gradient: Gradient = "unroll"
    """How iterations are stored for the backward pass: unroll or checkpoint."""
    temperature: float = 0.0
    """Temperature of the soft maximum over Q channels; 0: the maximum."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)
        check_converges("hierarchical", self.gradient)


def build(config: HierarchicalConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torchvin.planning.models.transition import FreeTransition
    from torchvin.planning.planners.grid import GridPlanner
    from torchvin.planning.planners.hierarchical import HierarchicalPlanner
    from torchvin.planning.value_iteration import ValueIteration
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import LinearHead
    from torchvin.policies.vin import VIN

    def planner(extra_planes: int) -> GridPlanner:
        reward = image_reward(
            num_q=config.num_q,
            hidden_channels=config.hidden_channels,
            kernel_size=config.kernel_size,
            num_orientations=1,
            num_terrains=1,
            extra_planes=extra_planes,
        )
        transition = FreeTransition(num_actions=config.num_q, kernel_size=config.kernel_size)
        iteration = ValueIteration(
            transition=transition, num_iterations=10, gradient=config.gradient, temperature=config.temperature
        )
        return GridPlanner(reward=reward, iteration=iteration)

    return VIN(
        planner=HierarchicalPlanner(coarse=planner(0), fine=planner(1), iterations_per_side=config.iterations_per_side),
        attention=StateAttention(),
        head=LinearHead(num_q=config.num_q, num_actions=config.num_actions),
    )


register_architecture(
    "hierarchical",
    HierarchicalConfig,
    build,
    summary="the paper's VIN at two scales: a coarse plan, up-sampled, is an input of the fine planner (its appendix)",
)
