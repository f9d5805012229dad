"""The paper's reactive baseline of continuous control: two convolutions over the map, no planner."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.force import ForcePolicy


@dataclass(frozen=True)
class ControlCNNConfig(ArchitectureConfig):
    """Sizes of the CNN that pushes (Tamar et al. 2016, section 5.3)."""

    num_actions: int = 2
    """Components of the force."""
    height: int = 16
    """Rows of the map."""
    width: int = 16
    """Columns of the map."""
    hidden_channels: int = 20
    """Number of channels of each convolution."""
    hidden_units: int = 64
    """Units of the two hidden layers that make the force."""


def build(config: ControlCNNConfig) -> "ForcePolicy":
    """Build the network with fresh weights."""
    from torchvin.policies.force import ForcePolicy, MapFeatures

    channels = (config.hidden_channels, config.hidden_channels)
    eyes = MapFeatures(height=config.height, width=config.width, channels=channels)
    return ForcePolicy(
        planner=None,
        eyes=eyes,
        num_features=eyes.num_features,
        hidden=config.hidden_units,
        num_actions=config.num_actions,
    )


register_architecture(
    "control_cnn", ControlCNNConfig, build, summary="the paper's CNN that pushes a body: the whole map, no planner"
)
