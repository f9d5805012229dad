"""The baseline without planning: a learned score of query, page and link."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import WebObservation
from torchvin.policies.web.policy import WebOutput, WebPolicy
from torchvin.policies.web.similarity import PositiveScale, TextSimilarity, gather


class ReactiveScore(nn.Module):
    """Similarity of query and link, corrected by a network that sees query, page and link.

    The network sees: the word vectors of all three, the products of query and link and of query and page, both learned
    similarities, and how many links lead to and from the link's page. Its last layer begins at zero.

    Args:
        vector_size: of the word vectors.
        hidden_channels: of the network.
    """

    def __init__(self, *, vector_size: int, hidden_channels: int) -> None:
        super().__init__()
        self.reward = TextSimilarity(vector_size)
        self.beta = PositiveScale(12.0)
        # Without word vectors there is nothing to see in them.
        self.of_vectors = nn.ModuleList(nn.Linear(vector_size, hidden_channels) for _ in range(3 if vector_size else 0))
        self.of_products = nn.Linear(2 * vector_size + 4, hidden_channels)
        self.last = nn.Sequential(
            nn.ReLU(), nn.Linear(hidden_channels, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, 1)
        )
        nn.init.zeros_(self.last[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.last[-1].bias)  # type: ignore[arg-type]

    def forward(self, observation: WebObservation, links: Links) -> tuple[Float[Tensor, "M"], Float[Tensor, "Q N"]]:
        """Score of every link, and of every page by its similarity alone."""
        pages = observation.pages
        similarity = observation.of_walkers(self.reward(pages.texts, observation.query))
        of_query = observation.of_walkers(observation.query.vectors)
        of_link = gather(similarity, links.queries, links.pages)
        of_page = gather(similarity, links.queries, links.sources)
        asked, vectors = of_query[links.queries], pages.texts.vectors
        numbers = torch.stack([of_link, of_page], dim=1)
        products = torch.cat(
            [
                asked * vectors[links.pages],
                asked * vectors[links.sources],
                4 * numbers,
                0.2 * pages.degrees[links.pages],
            ],
            dim=1,
        )
        hidden = self.of_products(products)
        if self.of_vectors:
            hidden = hidden + self.of_vectors[0](of_query)[links.queries]
            hidden = hidden + self.of_vectors[1](vectors)[links.sources] + self.of_vectors[2](vectors)[links.pages]
        return self.beta() * of_link + self.last(hidden)[:, 0], self.beta() * similarity


class ReactiveWebPolicy(WebPolicy):
    """A policy that looks at the links of the page and does not plan.

    Args:
        vector_size, hidden_channels: as in `ReactiveScore`.
    """

    def __init__(self, *, vector_size: int, hidden_channels: int) -> None:
        super().__init__()
        self.score = ReactiveScore(vector_size=vector_size, hidden_channels=hidden_channels)

    def forward(  # type: ignore[override]
        self,
        observation: WebObservation,
        queries: Int[Tensor, "P"],
        pages: Int[Tensor, "P"],
        *,
        num_iterations: int | None = None,
    ) -> WebOutput:
        """See `WebPolicy.forward`; K is not used."""
        links = Links.of(observation.pages.graph, queries, pages)
        score, retrieval = self.score(observation, links)
        return WebOutput(links, score, retrieval=retrieval)
