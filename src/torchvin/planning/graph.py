"""Directed graphs to plan on: nodes, edges, and where an edge may lead."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import spmatrix

#: The compiled kernel numbers nodes and edges with 32 bits.
MOST = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Graph:
    """A directed graph of N nodes and E edges in CSR form (compressed sparse rows).

    The edges of node s are offsets[s], ..., offsets[s + 1] - 1. An edge is an action of its node. It leads to its
    target, or, if outcomes are given, to one of several targets with a probability each.

    Attributes:
        offsets: [N + 1], from 0 to E, ascending.
        targets: the node that each edge leads to, [E]; with outcomes its most probable one.
        outcomes: edge e has the outcomes outcomes[e], ..., outcomes[e + 1] - 1, [E + 1]; None if edges are certain.
        outcome_targets: [M].
        outcome_probabilities: [M]; those of an edge sum to 1, or to less where the world may end.
        sizes: number of nodes of each graph of a disjoint union (`Graph.union`), in order; one graph otherwise.

    Raises: InputError if the parts do not fit together.

    >>> graph = Graph.from_edge_index(torch.tensor([[0, 0, 1], [1, 2, 2]]), num_nodes=3)
    >>> graph.offsets.tolist(), graph.targets.tolist()
    ([0, 2, 3, 3], [1, 2, 2])
    """

    offsets: Int[Tensor, "N1"]
    targets: Int[Tensor, "E"]
    outcomes: Int[Tensor, "E1"] | None = None
    outcome_targets: Int[Tensor, "M"] | None = None
    outcome_probabilities: Float[Tensor, "M"] | None = None
    sizes: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        _check_offsets("offsets", self.offsets, len(self.targets))
        _check_nodes("targets", self.targets, self.num_nodes)
        given = [part is not None for part in (self.outcomes, self.outcome_targets, self.outcome_probabilities)]
        if any(given) and not all(given):
            raise InputError(
                "uncertain edges need outcomes, outcome_targets and outcome_probabilities; some are missing."
            )
        if self.outcomes is not None:
            assert self.outcome_targets is not None
            assert self.outcome_probabilities is not None
            _check_offsets("outcomes", self.outcomes, len(self.outcome_targets))
            _check_nodes("outcome_targets", self.outcome_targets, self.num_nodes)
            if len(self.outcomes) != self.num_edges + 1 or len(self.outcome_probabilities) != len(self.outcome_targets):
                raise InputError("outcomes must have one entry per edge and one more, and every outcome a probability.")
            share = self.outcome_probabilities
            if bool((share <= 0).any()) or bool((self.sum_outcomes(share) > 1 + 1e-4).any()):
                raise InputError("the probabilities of an edge's outcomes must be positive and sum to at most 1.")
        if not self.sizes:
            object.__setattr__(self, "sizes", (self.num_nodes,))

    @property
    def num_nodes(self) -> int:
        """N."""
        return self.offsets.shape[0] - 1

    @property
    def num_edges(self) -> int:
        """E."""
        return self.targets.shape[0]

    @cached_property
    def sources(self) -> Int[Tensor, "E"]:
        """The node that each edge leaves."""
        degrees = self.offsets.diff()
        return torch.repeat_interleave(torch.arange(self.num_nodes, device=degrees.device), degrees)

    def sum_outcomes(self, of_outcomes: Float[Tensor, "*B M"]) -> Float[Tensor, "*B E"]:
        """The sum over the outcomes of each edge."""
        assert self.outcomes is not None
        total = of_outcomes.new_zeros(*of_outcomes.shape[:-1], self.num_edges)
        return total.index_add(-1, self.outcome_edges, of_outcomes)

    @cached_property
    def outcome_edges(self) -> Int[Tensor, "M"]:
        """The edge that each outcome belongs to."""
        assert self.outcomes is not None
        return torch.repeat_interleave(torch.arange(self.num_edges, device=self.outcomes.device), self.outcomes.diff())

    @cached_property
    def narrow(self) -> tuple[Int[Tensor, "E"], Int[Tensor, "M"] | None]:
        """Targets and targets of outcomes in 32 bits, for the kernels."""
        certain = self.targets.to(torch.int32)
        return certain, None if self.outcome_targets is None else self.outcome_targets.to(torch.int32)

    @cached_property
    def predecessors(self) -> tuple[Int[Tensor, "N1"], Int[Tensor, "M"], Int[Tensor, "M"]]:
        """For the kernels: offsets [N + 1], and sources and numbers of the edges that may lead to each node.

        With outcomes, the numbers are those of outcomes.
        """
        from scipy.sparse import csr_matrix

        offsets, targets = self.offsets, self.targets
        if self.outcomes is not None:
            assert self.outcome_targets is not None
            offsets, targets = self.outcomes[offsets], self.outcome_targets
        shape = (self.num_nodes, self.num_nodes)
        numbers = np.arange(len(targets), dtype=np.int32)
        transposed = csr_matrix((numbers, targets.cpu().numpy(), offsets.cpu().numpy()), shape=shape).tocsc()
        starts, sources = transposed.indptr.astype(np.int64), transposed.indices.astype(np.int32)
        given = (torch.from_numpy(part).to(self.offsets.device) for part in (starts, sources, transposed.data))
        return next(given), next(given), next(given)

    def to(self, device: torch.device | str) -> "Graph":
        """The same graph on a device."""
        parts = (self.outcomes, self.outcome_targets, self.outcome_probabilities)
        moved = [None if part is None else part.to(device) for part in parts]
        return Graph(self.offsets.to(device), self.targets.to(device), moved[0], moved[1], moved[2], self.sizes)

    @classmethod
    def from_scipy(cls, matrix: "spmatrix") -> tuple["Graph", Float[Tensor, "E"]]:
        """The graph of a sparse matrix, rows lead to columns, and its entries as one number per edge.

        Explicit zeros are edges.

        Raises: InputError for a matrix that is not square.

        >>> from scipy.sparse import csr_matrix
        >>> graph, weight = Graph.from_scipy(csr_matrix([[0.0, 2.0], [3.0, 0.0]]))
        >>> graph.targets.tolist(), weight.tolist()
        ([1, 0], [2.0, 3.0])
        """
        from scipy.sparse import csr_matrix

        rows = csr_matrix(matrix)
        if rows.shape[0] != rows.shape[1]:
            raise InputError(
                f"the matrix of a graph must be square, got {rows.shape[0]} rows and {rows.shape[1]} columns."
            )
        offsets, targets = (torch.from_numpy(part.astype(np.int64)) for part in (rows.indptr, rows.indices))
        return cls(offsets, targets), torch.from_numpy(np.array(rows.data))

    @classmethod
    def from_edge_index(
        cls, edge_index: Int[Tensor, "2 E"], num_nodes: int | None = None, *, return_order: bool = False
    ) -> Any:
        """The graph of PyTorch Geometric's `edge_index` [2, E]: sources above targets, in any order.

        Args:
            edge_index: of the graph.
            num_nodes: one more than the largest number in it if not given.
            return_order: return (graph, order) too, so that `weight[order]` are the weights of the graph's edges.

        Raises: InputError.
        """
        if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.is_floating_point():
            raise InputError(
                f"edge_index must be whole numbers [2, E], got {edge_index.dtype} {list(edge_index.shape)}."
            )
        source, target = edge_index.long()
        count = (int(edge_index.max()) + 1 if edge_index.numel() else 0) if num_nodes is None else num_nodes
        _check_nodes("edge_index", edge_index.flatten(), count)
        order = source.argsort(stable=True)
        offsets = torch.zeros(count + 1, dtype=torch.int64, device=source.device)
        offsets[1:] = torch.bincount(source, minlength=count).cumsum(0)
        graph = cls(offsets, target[order])
        return (graph, order) if return_order else graph

    @classmethod
    def from_networkx(cls, graph: Any, weight: str = "weight") -> tuple["Graph", Float[Tensor, "E"]]:
        """The graph of networkx, nodes in its order, and one number per edge: its attribute `weight`, or 1.

        An undirected edge becomes two. Parallel edges stay apart.
        """
        number = {node: index for index, node in enumerate(graph.nodes)}
        found = [(number[a], number[b], float(data.get(weight, 1))) for a, b, data in graph.edges(data=True)]
        if not graph.is_directed():
            found += [(b, a, size) for a, b, size in found if a != b]
        index = torch.tensor([edge[:2] for edge in found], dtype=torch.int64).view(-1, 2).T
        made, order = cls.from_edge_index(index, len(number), return_order=True)
        return made, torch.tensor([edge[2] for edge in found])[order]

    @classmethod
    def union(cls, graphs: Sequence["Graph"]) -> "Graph":
        """Several graphs side by side as one: node n of a graph follows the nodes of the graphs before it.

        A batch of different graphs is planned as one; `sizes` tells whose a node is.

        Raises: InputError for no graphs, or where only some have uncertain edges.
        """
        if not graphs:
            raise InputError("a union needs at least one graph.")
        if len({graph.outcomes is None for graph in graphs}) > 1:
            raise InputError("a union needs graphs that are all certain, or all uncertain.")
        nodes = np.cumsum([0, *(graph.num_nodes for graph in graphs)]).tolist()
        edges = np.cumsum([0, *(graph.num_edges for graph in graphs)]).tolist()
        each = list(zip(graphs, nodes, edges, strict=False))
        offsets = torch.cat([graph.offsets[:-1] + edge for graph, _, edge in each] + [torch.tensor([edges[-1]])])
        targets = torch.cat([graph.targets + node for graph, node, _ in each])
        sizes = tuple(size for graph in graphs for size in graph.sizes)
        if graphs[0].outcomes is None:
            return cls(offsets, targets, sizes=sizes)
        starts = np.cumsum([0, *(len(graph.outcome_targets) for graph in graphs)]).tolist()  # type: ignore[arg-type]
        outcomes = [graph.outcomes[:-1] + start for graph, start in zip(graphs, starts, strict=False)]  # type: ignore[index]
        return cls(
            offsets,
            targets,
            torch.cat([*outcomes, torch.tensor([starts[-1]])]),
            torch.cat([graph.outcome_targets + node for graph, node, _ in each]),
            torch.cat([graph.outcome_probabilities for graph in graphs]),  # type: ignore[misc]
            sizes,
        )


def _check_offsets(name: str, offsets: Tensor, end: int) -> None:
    good = offsets.dim() == 1 and len(offsets) > 0 and not offsets.is_floating_point()
    if not good or int(offsets[0]) != 0 or int(offsets[-1]) != end or bool((offsets.diff() < 0).any()):
        raise InputError(f"{name} must be whole numbers that ascend from 0 to {end}.")
    if max(end, len(offsets)) > MOST:
        raise InputError(f"a graph may have at most {MOST:,} nodes and edges, got {len(offsets) - 1:,} and {end:,}.")


def _check_nodes(name: str, nodes: Tensor, count: int) -> None:
    if nodes.numel() and not (int(nodes.min()) >= 0 and int(nodes.max()) < count):
        raise InputError(
            f"{name} must be nodes from 0 to {count - 1}, "
            f"got {int(nodes.min())} to {int(nodes.max())}: an edge leads to "
            "a node that does not exist."
        )
