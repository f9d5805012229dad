"""What a policy sees of a web: pages and queries as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_matrix
from torch import Tensor

from torchvin.data.corpora.features import TextFeatures
from torchvin.planning.graph import Graph

if TYPE_CHECKING:
    from scipy.sparse import spmatrix

    from torchvin.data.corpora.web import Web


class TextIndex:
    """T texts, from a bucket of words to those that have it.

    Args:
        features: of the texts.
    """

    def __init__(self, features: TextFeatures) -> None:
        self.vectors: Float[Tensor, "T D"] = torch.from_numpy(np.array(features.vectors))
        by_bucket = features.terms.tocsc()
        self._starts = torch.from_numpy(by_bucket.indptr.astype(np.int64))
        self._texts = torch.from_numpy(by_bucket.indices.astype(np.int64))
        self._weights: Float[Tensor, X] = torch.from_numpy(np.array(by_bucket.data))

    def __len__(self) -> int:
        return len(self.vectors)

    def matches(self, query: "Queried") -> tuple[Int[Tensor, "X"], Int[Tensor, "X"], Float[Tensor, "X"]]:
        """Every bucket that a query and a text have in common.

        Returns: where it is in [Q, T] flattened, the bucket, and the product of both weights; summed over the
            buckets it is the share of the query that the text has.
        """
        if self in query.found:
            return query.found[self]
        buckets = query.buckets
        counts = self._starts[buckets + 1] - self._starts[buckets]
        entry = torch.repeat_interleave(torch.arange(len(buckets)), counts)
        first = self._starts[buckets] - counts.cumsum(0) + counts
        place = first[entry] + torch.arange(len(entry))
        where = query.rows[entry] * len(self) + self._texts[place]
        query.found[self] = where, buckets[entry], query.weights[entry] * self._weights[place]
        return query.found[self]


class Pages:
    """The pages of a web as tensors: no weights, so that a network can be asked about any web.

    Attributes:
        web: of N pages and E links.
        graph: the links.
        planning_graph: the links as planners believe them to be: the same, but in experiments.
        texts: the pages.
        degrees: log(1 + number of links) to and from each page, [N, 2].

    Args:
        web: see above.
        planning_graph: other links for planners.
    """

    def __init__(self, web: "Web", planning_graph: Graph | None = None) -> None:
        corpus = web.corpus
        self.web = web
        self.graph = Graph(torch.from_numpy(np.array(corpus.offsets)), torch.from_numpy(np.array(corpus.targets)))
        self.planning_graph = self.graph if planning_graph is None else planning_graph
        self.texts = TextIndex(web.pages)
        counts = corpus.adjacency.sum(axis=0), corpus.adjacency.sum(axis=1)
        self.degrees: Float[Tensor, "N 2"] = torch.from_numpy(
            np.log1p(np.stack([np.asarray(part).ravel() for part in counts], axis=1)).astype(np.float32)
        )

    def __len__(self) -> int:
        return self.graph.num_nodes

    @cached_property
    def regions(self) -> "Regions":
        """The approximate graph: one node per category of pages."""
        return Regions.of(self.web)


@dataclass(frozen=True)
class Queried:
    """Q queries as tensors.

    Attributes:
        rows, buckets, weights: weight of bucket `buckets[x]` in query `rows[x]`, [X]; `rows` ascend.
        vectors: averaged word vectors, [Q, D].
        found: kept answers of `TextIndex.matches`.
    """

    rows: Int[Tensor, "X"]
    buckets: Int[Tensor, "X"]
    weights: Float[Tensor, "X"]
    vectors: Float[Tensor, "Q D"]
    found: dict["TextIndex", tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, chosen: Int[Tensor, "C"]) -> "Queried":
        """Some of the queries in any order, each as often as `chosen` says."""
        counts = self.rows.bincount(minlength=len(self))
        many = counts[chosen]
        row = torch.repeat_interleave(torch.arange(len(chosen)), many)
        entry = (counts.cumsum(0) - counts)[chosen][row] + torch.arange(len(row)) - (many.cumsum(0) - many)[row]
        return Queried(row, self.buckets[entry], self.weights[entry], self.vectors[chosen])

    @classmethod
    def of(cls, features: TextFeatures) -> "Queried":
        """From features of the queries."""
        entries = features.terms.tocoo()
        rows, buckets = (torch.from_numpy(part.astype(np.int64)) for part in (entries.row, entries.col))
        return cls(
            rows, buckets, torch.from_numpy(np.array(entries.data)), torch.from_numpy(np.array(features.vectors))
        )


@dataclass(frozen=True)
class WebObservation:
    """What Q walkers see: the web, their queries, and where they have been.

    Attributes:
        pages: of the web.
        query: T queries.
        visited: pages where each walker has been, [Q, N]; none of them was the target, or the walk would be over.
        asked: number of the query of each walker, [Q]; None: walker i has query i. Walkers who share a query share
            what it has in common with the pages.
    """

    pages: Pages
    query: Queried
    visited: Bool[Tensor, "Q N"]
    asked: Int[Tensor, "Q"] | None = None

    def __getitem__(self, chosen: Int[Tensor, "C"]) -> "WebObservation":
        """What some of the walkers see."""
        if self.asked is None:
            return WebObservation(self.pages, self.query[chosen], self.visited[chosen])
        return WebObservation(self.pages, self.query, self.visited[chosen], self.asked[chosen])

    def of_walkers(self, of_queries: Float[Tensor, "T X"]) -> Float[Tensor, "Q X"]:
        """The row of its query for each walker."""
        return of_queries if self.asked is None else of_queries[self.asked]


def observe(pages: Pages, bags: Sequence[Sequence[str]]) -> WebObservation:
    """The observation of walkers that have not begun.

    Args:
        pages: of the web.
        bags: words of each query.
    """
    query = Queried.of(pages.web.encoder(bags))
    return WebObservation(pages, query, torch.zeros(len(query), len(pages), dtype=torch.bool))


@dataclass(frozen=True)
class Regions:
    """A small graph that stands for the web: its nodes are categories, R of them.

    Attributes:
        membership: share of each page in each category, rows of pages sum to 1 (0 without a category), [N, R] sparse.
        closeness: share of the pages of each category that a page links to, [N, R] sparse.
        graph: categories of which a page links to one of the other, and each to itself.
        log_share: log of the share of the first category's pages that have such a link, [E].
    """

    membership: Tensor
    closeness: Tensor
    graph: Graph
    log_share: Float[Tensor, "E"]

    @classmethod
    def of(cls, web: "Web") -> "Regions":
        """The regions of a web."""
        corpus = web.corpus
        names = sorted({name for page in corpus.categories for name in page})
        number = {name: index for index, name in enumerate(names)}
        pairs = [(page, number[name]) for page, found in enumerate(corpus.categories) for name in set(found)]
        rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        shape = (len(corpus), max(len(names), 1))
        member = csr_matrix((np.ones(len(pairs), dtype=np.float32), (rows, columns)), shape=shape)
        size = np.maximum(np.asarray(member.sum(axis=0)).ravel(), 1)
        links = csr_matrix(corpus.adjacency @ member)
        share = csr_matrix(member.T @ (links > 0).astype(np.float32) / size[:, None]).tolil()
        share.setdiag(1.0)
        graph, weight = Graph.from_scipy(share.tocsr())
        each = np.maximum(np.asarray(member.sum(axis=1)), 1)
        membership, closeness = _sparse(member.multiply(1 / each)), _sparse(links.multiply(1 / size))
        return cls(membership, closeness, graph, weight.float().clamp(min=1e-6).log())


def _sparse(matrix: "spmatrix") -> Tensor:
    entries = matrix.tocoo()
    places = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    values = torch.from_numpy(entries.data.astype(np.float32))
    return torch.sparse_coo_tensor(places, values, matrix.shape, check_invariants=True).coalesce()
