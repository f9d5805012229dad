"""A baseline of continuous control that sees no map: the state of the body and the goal alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.force import ForcePolicy


@dataclass(frozen=True)
class ControlMLPConfig(ArchitectureConfig):
    """Sizes of the network that pushes without a map."""

    num_actions: int = 2
    """Components of the force."""
    hidden_units: int = 64
    """Units of the two hidden layers that make the force."""


def build(config: ControlMLPConfig) -> "ForcePolicy":
    """Build the network with fresh weights."""
    from torchvin.policies.force import ForcePolicy

    return ForcePolicy(
        planner=None, eyes=None, num_features=0, hidden=config.hidden_units, num_actions=config.num_actions
    )


register_architecture("control_mlp", ControlMLPConfig, build, summary="pushes a body without seeing the map")
