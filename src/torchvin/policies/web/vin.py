"""The value iteration network on a web: learned reward of pages, a planner on links, values of links as attention."""

import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import WebObservation
from torchvin.policies.web.planners import WebPlanner
from torchvin.policies.web.policy import WebOutput, WebPolicy
from torchvin.policies.web.reactive import ReactiveScore
from torchvin.policies.web.similarity import PositiveScale, gather


class WebVIN(WebPolicy):
    """Planner, attention to the links of the page, logits (Tamar et al. 2016, sections 4 and 5.4).

    The logit of a link is beta times the value of the page it leads to, plus a reactive score if there is one.

    Args:
        planner: from an observation to a value of every page.
        score: reactive score of links; None leaves the values alone.
    """

    def __init__(self, *, planner: WebPlanner, score: ReactiveScore | None = None) -> None:
        super().__init__()
        self.web_planner = planner
        self.score = score
        self.beta = PositiveScale(12.0 if score is None else 1.0)

    @property
    def num_iterations(self) -> int:
        """K of a call that gives none."""
        return self.web_planner.iteration.num_iterations

    @property
    def aims_elsewhere_after_a_visit(self) -> bool:
        """As its planner does."""
        return self.web_planner.aims_elsewhere_after_a_visit

    def forward(  # type: ignore[override]
        self,
        observation: WebObservation,
        queries: Int[Tensor, "P"],
        pages: Int[Tensor, "P"],
        *,
        num_iterations: int | None = None,
    ) -> WebOutput:
        """Plan once for each query; see `WebPolicy.forward`."""
        value, reward = self.web_planner(observation, num_iterations=num_iterations)
        links = Links.of(observation.pages.graph, queries, pages)
        logits = self.beta() * gather(value, links.queries, links.pages)
        retrieval = None if reward is None else self.beta() * reward
        if self.score is not None:
            score, retrieval = self.score(observation, links)
            logits = logits + score
        return WebOutput(links, logits, value, retrieval)


class RandomLinks(WebPolicy):
    """Any link, each as likely as the others."""

    def forward(  # type: ignore[override]
        self,
        observation: WebObservation,
        queries: Int[Tensor, "P"],
        pages: Int[Tensor, "P"],
        *,
        num_iterations: int | None = None,
    ) -> WebOutput:
        """Random logits, from torch's global generator."""
        links = Links.of(observation.pages.graph, queries, pages)
        return WebOutput(links, torch.rand(len(links.pages)))
