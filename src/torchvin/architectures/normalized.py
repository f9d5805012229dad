"""The normalized VIN (ours): transitions are distributions over neighbours, so plans are stable at any K."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.parts import action_reward, check_kernel_size, image_reward
from torchvin.architectures.registry import register_architecture
from torchvin.planning.gradient import Gradient
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class NormalizedConfig(ArchitectureConfig):
    """Sizes of the normalized VIN. It has one Q channel per action, and one for the termination action."""

    hidden_channels: int = 32
    """Number of channels of the reward network's first convolutions."""
    kernel_size: int = 3
    """F: side of the square neighbourhood that an action can reach, odd."""
    discount: float = 0.99
    """Discount of a value update."""
    iterations_per_side: float = 2.0
    """K per cell of the map's longer side, for calls that give no K."""
    gradient: Gradient = "unroll"
    """How iterations are stored for the backward pass: unroll or checkpoint. implicit plans to the fixed point and
    stores none."""
    tolerance: float = 1e-6
    """Only with gradient implicit: iteration stops when the residual is at most this times a map's largest value."""
    max_iterations: int = 10_000
    """Only with gradient implicit: the limit of value updates, which replaces iterations_per_side."""
    temperature: float = 0.0
    """Temperature of the soft maximum over actions; 0: the maximum."""
    reward: Literal["action", "image"] = "action"
    """action: one reward per action. image: one reward image, as in the paper."""
    num_orientations: int = 1
    """Number of orientations of the agent (differential drive: 4). The planner has a value channel for each."""
    num_terrains: int = 1
    """Number of terrain classes on the maps. Each class but the first has a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)


def build(config: NormalizedConfig) -> "VIN":
    """Build the network with fresh weights."""
    from torchvin.planning.models.transition import NormalizedTransition
    from torchvin.planning.planners.grid import GridPlanner
    from torchvin.planning.value_iteration import ValueIteration
    from torchvin.policies.attention import StateAttention
    from torchvin.policies.heads import ScaleHead
    from torchvin.policies.vin import VIN

    transition = NormalizedTransition(
        num_actions=config.num_actions,
        kernel_size=config.kernel_size,
        discount=config.discount,
        termination=True,
        num_orientations=config.num_orientations,
    )
    sizes = {
        "num_q": config.num_actions + 1,
        "hidden_channels": config.hidden_channels,
        "num_orientations": config.num_orientations,
        "num_terrains": config.num_terrains,
    }
    planner = GridPlanner(
        reward=action_reward(**sizes)
        if config.reward == "action"
        else image_reward(**sizes, kernel_size=config.kernel_size),
        iteration=ValueIteration(
            transition=transition,
            num_iterations=config.max_iterations,
            gradient=config.gradient,
            tolerance=config.tolerance,
            temperature=config.temperature,
        ),
        iterations_per_side=None if config.gradient == "implicit" else config.iterations_per_side,
    )
    return VIN(
        planner=planner,
        attention=StateAttention(num_orientations=config.num_orientations),
        head=ScaleHead(num_actions=config.num_actions, num_orientations=config.num_orientations),
    )


register_architecture(
    "normalized",
    NormalizedConfig,
    build,
    summary="transitions are distributions over neighbours, one reward per action: stable at any K (ours)",
)
