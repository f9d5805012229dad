"""What a policy says of the links of pages: ragged, because pages have different numbers of links."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.planning.graph import Graph


@dataclass(frozen=True)
class Links:
    """The links of P places, a place being a walker on a page; M links in all.

    Attributes:
        offsets: links of place p are offsets[p], ..., offsets[p + 1] - 1, [P + 1].
        pages: where they lead, [M].
        queries: walker of each link, [M].
        sources: page of each link, [M].
    """

    offsets: Int[Tensor, "P1"]
    pages: Int[Tensor, "M"]
    queries: Int[Tensor, "M"]
    sources: Int[Tensor, "M"]

    @classmethod
    def of(cls, graph: Graph, queries: Int[Tensor, "P"], pages: Int[Tensor, "P"]) -> "Links":
        """All links of the given places.

        Args:
            graph: of the web.
            queries: number of the walker at each place.
            pages: page of each place.
        """
        counts = graph.offsets[pages + 1] - graph.offsets[pages]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        place = torch.repeat_interleave(torch.arange(len(pages)), counts)
        edge = graph.offsets[pages][place] + torch.arange(len(place)) - offsets[place]
        return cls(offsets, graph.targets[edge], queries[place], pages[place])

    @property
    def places(self) -> Int[Tensor, "M"]:
        """Number of the place of each link."""
        return torch.repeat_interleave(torch.arange(len(self.offsets) - 1), self.offsets.diff())

    def below_best(self, logits: Float[Tensor, "M"]) -> Float[Tensor, "M"]:
        """How far each link is below the best link of its place: 0 or less."""
        largest = logits.detach().new_full((len(self.offsets) - 1,), -torch.inf)
        return logits - largest.scatter_reduce(0, self.places, logits.detach(), "amax")[self.places]

    def log_softmax(self, logits: Float[Tensor, "M"]) -> Float[Tensor, "M"]:
        """Log-probabilities of the links of each place."""
        place, shifted = self.places, self.below_best(logits)
        total = shifted.new_zeros(len(self.offsets) - 1).index_add(0, place, shifted.exp())
        return shifted - total.log()[place]

    def log_share(self, log_probs: Float[Tensor, "M"], chosen: Bool[Tensor, "M"]) -> Float[Tensor, "P"]:
        """Log of the total probability of the chosen links of each place; very small where none is chosen."""
        total = log_probs.new_zeros(len(self.offsets) - 1).index_add(0, self.places, log_probs.exp() * chosen)
        return total.clamp(min=1e-12).log()

    def padded(self, values: Float[Tensor, "M"], fill: float = -torch.inf) -> Float[Tensor, "P L"]:
        """One row per place, as long as the longest list of links."""
        counts = self.offsets.diff()
        rows = values.new_full((len(counts), max(int(counts.max()), 1) if len(counts) else 1), fill)
        place = self.places
        rows[place, torch.arange(len(values)) - self.offsets[place]] = values
        return rows
