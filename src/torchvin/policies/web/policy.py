"""The interface of policies on webs."""

from abc import abstractmethod
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from torchvin.policies.policy import Policy
from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import WebObservation


@dataclass(frozen=True)
class WebOutput:
    """What a policy says of the links of P places.

    Attributes:
        links: of the places, M in all.
        logits: of each link, [M].
        value: of each page for each walker, [Q, N]; None of a policy that does not plan.
        retrieval: logits of each page to be the target, before any planning, [Q, N]; None of a policy that has none.
    """

    links: Links
    logits: Float[Tensor, "M"]
    value: Float[Tensor, "Q N"] | None = None
    retrieval: Float[Tensor, "Q N"] | None = None


class WebPolicy(Policy):
    """A network that is called with a web, queries and places, and returns logits of the links there."""

    @property
    def aims_elsewhere_after_a_visit(self) -> bool:
        """Whether what it says of a page depends on the pages that were visited."""
        return False

    @abstractmethod
    def forward(  # type: ignore[override]
        self,
        observation: WebObservation,
        queries: Int[Tensor, "P"],
        pages: Int[Tensor, "P"],
        *,
        num_iterations: int | None = None,
    ) -> WebOutput:
        """Logits of the links at P places.

        Args:
            observation: the web, Q queries, and where the walkers have been.
            queries: number of the walker at each place.
            pages: page of each place.
            num_iterations: K of a policy that plans; its own if not given.
        """
