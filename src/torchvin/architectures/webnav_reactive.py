"""The baseline on a web: no planning."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.web.reactive import ReactiveWebPolicy


@dataclass(frozen=True)
class WebReactiveConfig(ArchitectureConfig):
    """The baseline on a web: scores of query, page and link, without planning."""

    vectors: Literal["glove", "minilm", "none"] = "glove"
    """As of the VIN on a web."""
    hidden_channels: int = 64
    """Number of channels of its network."""
    retrieval_weight: float = 0.5
    """Weight of the loss that asks the similarity for the target among all pages."""


def build(config: WebReactiveConfig) -> "ReactiveWebPolicy":
    """Build the network with fresh weights."""
    from torchvin.architectures.webnav import VECTOR_SIZES
    from torchvin.policies.web.reactive import ReactiveWebPolicy

    return ReactiveWebPolicy(vector_size=VECTOR_SIZES[config.vectors], hidden_channels=config.hidden_channels)


register_architecture(
    "webnav_reactive", WebReactiveConfig, build, summary="a baseline that walks a web link by link, without planning"
)
