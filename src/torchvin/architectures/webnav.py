"""Networks that navigate a web: planning on its links or on its categories, and the baseline without planning."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torchvin.architectures.registry import register_architecture
from torchvin.policies.config import ArchitectureConfig

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.policies.web.vin import WebVIN

#: Numbers of the vector of a text.
VECTOR_SIZES = {"glove": 50, "minilm": 384, "none": 0}


@dataclass(frozen=True)
class WebNavConfig(ArchitectureConfig):
    """The VIN on a web of pages. The number of actions is that of a page's links; `num_actions` is not used."""

    planner: Literal["pages", "categories"] = "pages"
    """pages: plan on the graph of all pages. categories: plan on the small graph of their categories, and add what is
    found to a reactive score (the paper's way)."""
    vectors: Literal["glove", "minilm", "none"] = "glove"
    """Vectors of texts beside words (BM25): averaged word vectors, glove (extra webnav); sentence embeddings, minilm
    (extra sentences); or none."""
    num_iterations: int = 6
    """K of a call that gives none: how many links ahead is looked."""
    link_cost: float = 0.015
    """What following a link costs, in units of the similarity; given, because
    imitation of single steps would learn one that is too large for whole walks."""
    hidden_channels: int = 64
    """Number of channels of the reactive score; not used by the planner on pages."""
    retrieval_weight: float = 0.5
    """Weight of the loss that asks the reward of a page for the target among all pages; only of the planner on
    pages."""


def build(config: WebNavConfig) -> "WebVIN":
    """Build the network with fresh weights."""
    from torchvin.policies.web.planners import PagePlanner, RegionPlanner
    from torchvin.policies.web.reactive import ReactiveScore
    from torchvin.policies.web.vin import WebVIN

    size = VECTOR_SIZES[config.vectors]
    if config.planner == "pages":
        return WebVIN(
            planner=PagePlanner(vector_size=size, num_iterations=config.num_iterations, link_cost=config.link_cost)
        )
    return WebVIN(
        planner=RegionPlanner(vector_size=size, num_iterations=config.num_iterations, link_cost=config.link_cost),
        score=ReactiveScore(vector_size=size, hidden_channels=config.hidden_channels),
    )


register_architecture(
    "webnav", WebNavConfig, build, summary="a VIN that walks a web: value iteration on pages and links"
)
