"""The normalized VIN (ours): transitions are distributions over neighbours, so that plans are stable at any K."""

from dataclasses import dataclass
from typing import Literal

from torchvin.architectures.parts import action_reward, check_kernel_size, image_reward
from torchvin.architectures.registry import register_architecture
from torchvin.planning.models.transition import NormalizedTransition
from torchvin.planning.planners.grid import GridPlanner
from torchvin.planning.value_iteration import Gradient, ValueIteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.heads import ScaleHead
from torchvin.policies.vin import VIN


@dataclass(frozen=True)
class NormalizedConfig(ArchitectureConfig):
    """The normalized VIN in numbers. It has one Q channel per action and one for the termination action."""

    hidden_channels: int = 32
    """Channels of the reward network's first convolutions."""
    kernel_size: int = 3
    """F: side of the neighbourhood that an action can reach, odd."""
    discount: float = 0.99
    """Discount of a value update."""
    iterations_per_side: float = 2.0
    """K as a multiple of the map's longer side, where K is not given."""
    gradient: Gradient = "unroll"
    """How the planner keeps its iterations for the backward pass: unroll or checkpoint; implicit plans to the fixed
    point and keeps none."""
    tolerance: float = 1e-6
    """Gradient implicit only: the residual, relative to the largest value of a map, that counts as the fixed point."""
    max_iterations: int = 10_000
    """Gradient implicit only: the limit of value updates, in place of iterations_per_side."""
    temperature: float = 0.0
    """Temperature of the soft maximum over actions; 0: the maximum."""
    reward: Literal["action", "image"] = "action"
    """action: a reward per action; image: one reward image, as in the paper."""
    num_orientations: int = 1
    """Orientations of the agent (differential drive: 4), each a value channel of the planner."""
    num_terrains: int = 1
    """Classes of terrain on the maps; all but the first have a plane."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kernel_size(self.kernel_size)


def build(config: NormalizedConfig) -> VIN:
    """The network with fresh weights."""
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
    summary="transitions are distributions over neighbours, a reward per action: stable at any K (ours)",
)
