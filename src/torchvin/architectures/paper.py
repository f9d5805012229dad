"""The paper's VIN: free kernels and one reward image (Tamar et al. 2016, sections 4 and 5.1)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.parts import action_reward, check_converges, check_kernel_size, image_reward
from torchvin.architectures.registry import register_architecture
from torchvin.planning.gradient import Gradient
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN

#: Side of the paper's maps -> K per cell of the side. 1e-6 is subtracted because rounding up must give 36, not 37.
PAPER_ITERATIONS_PER_SIDE = {8: 1.25, 16: 1.25, 28: 36 / 28 - 1e-6}


@dataclass(frozen=True)
class PaperConfig(ArchitectureConfig):
    """Sizes of the paper's VIN. The defaults are the paper's: 150 hidden channels, 10 Q channels, K = 10 at 8x8."""

    num_q: int = 10
    """Number of Q channels of the planner, in each orientation."""
    hidden_channels: int = 150
    """Number of channels of the reward network's first convolution."""
    kernel_size: int = 3
    """F: side of the square neighbourhood that an action can reach, odd."""
    iterations_per_side: float = 1.25
    """K per cell of the map's longer side, for calls that give no K."""
    gradient: Gradient = "unroll"
    """How iterations are stored for the backward pass: unroll or checkpoint."""
    temperature: float = 0.0
    """Temperature of the soft maximum over Q channels; 0: the maximum."""
    reward: Literal["image", "action"] = "image"
    """image: one reward image. action: one reward per action, and one Q channel for the termination action."""
    untied: int = 0
    """K + 1: a kernel per iteration, and one for the look-ahead. 0: one kernel for all. A network with K + 1 kernels
    plans with this K only."""
    num_orientations: int = 1
    """Number of orientations of the agent (differential drive: 4). The planner has a value channel for each."""
    num_terrains: int = 1
    """Number of terrain classes on the maps. Each class but the first has a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)
        check_converges("paper", self.gradient)


def build(config: PaperConfig) -> "VIN":
    """Build the network with fresh weights, 0.01 * N(0, 1) as in the authors' code."""
    from torchvin.planning.models.transition import FreeTransition
    from torchvin.planning.planners.grid import GridPlanner
    from torchvin.planning.value_iteration import ValueIteration
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import LinearHead
    from torchvin.policies.vin import VIN

    sizes = {
        "num_q": config.num_q,
        "hidden_channels": config.hidden_channels,
        "num_orientations": config.num_orientations,
        "num_terrains": config.num_terrains,
    }
    reward = (
        image_reward(**sizes, kernel_size=config.kernel_size) if config.reward == "image" else action_reward(**sizes)
    )
    transition = FreeTransition(
        num_actions=config.num_q,
        kernel_size=config.kernel_size,
        num_kernels=config.untied,
        num_orientations=config.num_orientations,
    )
    head = LinearHead(num_q=config.num_q, num_actions=config.num_actions)
    iteration = ValueIteration(
        transition=transition, num_iterations=10, gradient=config.gradient, temperature=config.temperature
    )
    planner = GridPlanner(reward=reward, iteration=iteration, iterations_per_side=config.iterations_per_side)
    return VIN(planner=planner, attention=StateAttention(num_orientations=config.num_orientations), head=head)


register_architecture("paper", PaperConfig, build, summary="free kernels and one reward image (Tamar et al. 2016)")
