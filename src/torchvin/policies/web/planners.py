"""Planners on webs: from what walkers see to a value of every page. A planner owns its reward and its costs."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from torchvin.planning.graph_value_iteration import GraphValueIteration
from torchvin.policies.web.observation import WebObservation
from torchvin.policies.web.similarity import PositiveScale, TextSimilarity

#: The reward of a page that is not the target: finite, so that its gradient is.
_FAR = -1.0e4
#: The least probability of a category, so that its logarithm exists.
_LEAST = 1e-9


#: V_K of every page, and what each page is worth before planning; None where pages have no reward.
Planned = tuple[Float[Tensor, "Q N"], Float[Tensor, "Q N"] | None]


class WebPlanner(nn.Module, ABC):
    """From an observation to V_K of every page.

    Attributes:
        aims_elsewhere_after_a_visit: whether V depends on the pages that were visited.

    Args:
        num_iterations: K of a call that gives none.
    """

    aims_elsewhere_after_a_visit: ClassVar[bool]

    def __init__(self, *, num_iterations: int) -> None:
        super().__init__()
        self.iteration = GraphValueIteration(num_iterations=num_iterations)

    @abstractmethod
    def forward(self, observation: WebObservation, *, num_iterations: int | None = None) -> Planned:
        """Plan for every query."""


class PagePlanner(WebPlanner):
    """Planning on the graph of all pages and links.

    The reward of stopping on a page is its similarity to the query, a link costs c, and K times
    V(s) = max(reward(s), best neighbour - c): how good the best page is on which one can end, less the way to it. With
    K = 0 the value of a page is its reward: one follows the most similar link.

    Args:
        vector_size: of the word vectors.
        num_iterations: K of a call that gives none.
        link_cost: c. It is given, not learned: imitation of single steps makes it too large for whole walks.
    """

    aims_elsewhere_after_a_visit = True

    def __init__(self, *, vector_size: int, num_iterations: int, link_cost: float) -> None:
        super().__init__(num_iterations=num_iterations)
        self.reward = TextSimilarity(vector_size)
        self.link_cost = link_cost

    def forward(self, observation: WebObservation, *, num_iterations: int | None = None) -> Planned:
        """Pages where a walker has been are not its target."""
        similarity = observation.of_walkers(self.reward(observation.pages.texts, observation.query))
        reward = similarity.masked_fill(observation.visited, _FAR)
        graph = observation.pages.planning_graph
        plan = self.iteration(
            graph,
            edge_reward=reward.new_full((1, graph.num_edges), -self.link_cost),
            stop_reward=reward,
            initial_value=reward,
            num_iterations=num_iterations,
        )
        return plan.value, similarity


class RegionPlanner(WebPlanner):
    """Planning on a small graph that stands for the web: its nodes are the categories of pages (section 5.4).

    The reward of stopping in a category is the log-probability that the target is one of its pages, by a softmax of the
    similarities of the query and the pages. Going from one to another costs c * (1 - log of the share of its pages that
    link there). A page is worth the log of the sum over categories of exp(V) times its closeness, the share
    of the category's pages that it links to, plus a learned constant for targets that the categories do not tell.

    Args:
        vector_size: of the word vectors.
        num_iterations: K of a call that gives none.
        link_cost: c; given as in `PagePlanner`.
    """

    aims_elsewhere_after_a_visit = False

    def __init__(self, *, vector_size: int, num_iterations: int, link_cost: float) -> None:
        super().__init__(num_iterations=num_iterations)
        self.reward = TextSimilarity(vector_size)
        self.sharpness = PositiveScale(40.0)
        self.floor = PositiveScale(0.01)
        self.link_cost = link_cost

    def forward(self, observation: WebObservation, *, num_iterations: int | None = None) -> Planned:
        """Pages where a walker has been do not count: a category has others."""
        regions = observation.pages.regions
        similarity = observation.of_walkers(self.reward(observation.pages.texts, observation.query))
        target = (self.sharpness() * similarity).softmax(dim=1)
        reward = torch.sparse.mm(regions.membership.T, target.T).T.clamp(min=_LEAST).log()
        plan = self.iteration(
            regions.graph,
            edge_reward=-self.link_cost * (1 - regions.log_share)[None],
            stop_reward=reward,
            initial_value=reward,
            num_iterations=num_iterations,
        )
        likely = torch.sparse.mm(regions.closeness, plan.value.exp().T).T
        return (likely + self.floor()).log(), None
