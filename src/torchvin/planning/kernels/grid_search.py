"""Shortest paths on one map for one query, for planners whose moves depend on the 3x3 neighbourhood of a cell alone.

There are 512 patterns of obstacles in a 3x3 neighbourhood. A table of the moves that each pattern allows stands for the
whole map, so that a search computes nothing for a cell that it does not reach. `graph_search` solves every state of a
batch of maps, with gradients; this module answers single queries.

C++ searches (cpp/grid_search.cpp, A* for a query); where it was not compiled, SciPy's Dijkstra.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int32, Int64, UInt8, UInt16
from torch import Tensor

from torchvin.planning.kernels.cpu import kernel as cpu

NUM_PATTERNS = 512
MOST_ACTIONS = 16
UNREACHABLE = 255  # a choice; the number of actions stands for stopping


@dataclass(frozen=True)
class LocalMoves:
    """Moves that the 3x3 pattern of obstacles around a cell decides.

    Attributes:
        steps: (rows down, columns right) of each action, [A, 2], each from -1 to 1.
        costs: of each action, [A], positive.
        available: for each pattern the set of available actions, action a as bit a, [512]. Bit 3 * (row + 1) + col + 1
            of a pattern is set where the neighbour at (row, col) is blocked; off the map counts as blocked.
        stops: (rows, columns) from the goal of the cells in which the agent may stop, [N, 2].
    """

    steps: Int64[np.ndarray, "A 2"]
    costs: Float64[np.ndarray, "A"]
    available: UInt16[np.ndarray, "512"]
    stops: Int64[np.ndarray, "N 2"]


def patterns() -> Bool[Tensor, "512 3 3"]:
    """All patterns as maps of 3x3 cells, True = blocked, in the order of `LocalMoves.available`."""
    bits = torch.arange(NUM_PATTERNS)[:, None] >> torch.arange(9) & 1
    return bits.bool().view(NUM_PATTERNS, 3, 3)


def action_sets(available: Bool[Tensor, "N A"]) -> UInt16[np.ndarray, "N"]:
    """Rows of bools as sets: bit a is set where action a is available.

    >>> action_sets(torch.tensor([[True, False, True]])).tolist()
    [5]
    """
    bits = 2 ** np.arange(available.shape[1], dtype=np.uint32)
    sets: np.ndarray = (available.numpy() * bits).sum(axis=1).astype(np.uint16)
    return sets


@runtime_checkable
class GridSearch(Protocol):
    """Searches on one map. A cell is row * width + col."""

    def find(self, start: int, goals: Sequence[int]) -> tuple[float, Int32[np.ndarray, "T"], int]:
        """Cost of a shortest path to the nearest goal (inf if there is none), its cells, and cells expanded."""

    def solve(self, goals: Sequence[int]) -> None:
        """Find the shortest paths from every cell, for `follow` and `solution`."""

    def follow(self, start: int) -> tuple[float, Int32[np.ndarray, "T"]]:
        """Cost and cells of the path from `start`, after `solve`."""

    def solution(self) -> tuple[Float64[np.ndarray, "N"], UInt8[np.ndarray, "N"]]:
        """Distance and choice of every cell, after `solve`: an action, A = stop, 255 = unreachable."""

    def set_blocked(self, cell: int, blocked: bool) -> None:
        """Block or free a cell. What `solve` found is forgotten."""

    def walk(self, cells: Int32[np.ndarray, "T"]) -> tuple[int, float]:
        """How many of these cells an agent comes to that takes the moves between them, and what these cost.

        A move that is not available leaves the agent where it is for ever.
        """


def grid_search(
    blocked: Bool[np.ndarray, "H W"], moves: LocalMoves, entry_cost: Float64[np.ndarray, "H W"] | None = None
) -> GridSearch:
    """A search on a map.

    Args:
        blocked: True = obstacle, [H, W]; copied.
        moves: of the agent.
        entry_cost: factor on the cost of a move that ends in a cell, [H, W], positive and finite; 1 if not given.

    Raises: ValueError for costs that are not positive and finite.

    >>> step_right = LocalMoves(
    ...     np.array([[0, 1]]), np.ones(1), np.ones(512, dtype=np.uint16), np.zeros((1, 2), dtype=np.int64)
    ... )
    >>> cost, cells, _ = grid_search(np.zeros((1, 4), dtype=bool), step_right).find(0, [3])
    >>> cost, cells.tolist()
    (3.0, [0, 1, 2, 3])
    """
    if entry_cost is not None:
        entry_cost = np.ascontiguousarray(entry_cost, dtype=np.float64)
        if not (np.isfinite(entry_cost) & (entry_cost > 0)).all():
            raise ValueError("entry costs must be positive and finite")
    cells = np.ascontiguousarray(blocked, dtype=bool)
    if cpu.extension is None:
        return _ScipySearch(cells, moves, entry_cost)
    search: GridSearch = cpu.extension.GridSearch(
        cells.view(np.uint8), entry_cost, moves.steps, moves.costs, moves.available
    )
    return search


class _ScipySearch:
    """The same by SciPy."""

    def __init__(
        self, blocked: Bool[np.ndarray, "H W"], moves: LocalMoves, entry_cost: Float64[np.ndarray, "H W"] | None
    ) -> None:
        self._blocked, self._moves, self._entry_cost = blocked.copy(), moves, entry_cost

    def find(self, start: int, goals: Sequence[int]) -> tuple[float, np.ndarray, int]:
        self.solve(goals)
        cost, cells = self.follow(start)
        return cost, cells, self._blocked.size

    def solve(self, goals: Sequence[int]) -> None:
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        source, target, action, cost = self._edges()
        size = self._blocked.size
        # Of parallel moves the cheapest: the first of each pair in this order. Backwards, from the goals.
        rank = np.lexsort((cost, source, target))
        pairs = target[rank] * size + source[rank]
        rank = rank[np.concatenate([[True], pairs[1:] != pairs[:-1]])] if len(rank) else rank
        graph = csr_matrix((cost[rank], (target[rank], source[rank])), shape=(size, size))
        self._distance, parent, _ = dijkstra(graph, indices=list(goals), return_predecessors=True, min_only=True)
        self._choice = np.full(size, UNREACHABLE, dtype=np.uint8)
        chosen = rank[parent[source[rank]] == target[rank]]
        self._choice[source[chosen]] = action[chosen]
        self._choice[list(goals)] = len(self._moves.costs)

    def follow(self, start: int) -> tuple[float, np.ndarray]:
        if self._choice[start] == UNREACHABLE:
            return np.inf, np.empty(0, dtype=np.int32)
        offsets = (self._moves.steps @ np.array([self._blocked.shape[1], 1])).tolist()
        cells = [start]
        while (action := int(self._choice[cells[-1]])) < len(offsets):
            cells.append(cells[-1] + offsets[action])
        return float(self._distance[start]), np.array(cells, dtype=np.int32)

    def solution(self) -> tuple[np.ndarray, np.ndarray]:
        return self._distance, self._choice

    def set_blocked(self, cell: int, blocked: bool) -> None:
        self._blocked.flat[cell] = blocked

    def walk(self, cells: np.ndarray) -> tuple[int, float]:
        sets, width, total = self._sets(), self._blocked.shape[1], 0.0
        path = [divmod(cell, width) for cell in cells.tolist()]
        for index, (here, there) in enumerate(pairwise(path), 1):
            step = (there[0] - here[0], there[1] - here[1])
            costs = [
                cost
                for action, (way, cost) in enumerate(zip(self._moves.steps.tolist(), self._moves.costs, strict=True))
                if tuple(way) == step and sets[here] >> action & 1
            ]
            if not costs:
                return index, total
            total += float(min(costs)) * (1.0 if self._entry_cost is None else float(self._entry_cost[there]))
        return len(path), total

    def _sets(self) -> np.ndarray:
        height, width = self._blocked.shape
        padded = np.pad(self._blocked, 1, constant_values=True)
        pattern = np.zeros((height, width), dtype=np.int64)
        for bit in range(9):
            row, col = divmod(bit, 3)
            pattern |= padded[row : row + height, col : col + width].astype(np.int64) << bit
        sets: np.ndarray = self._moves.available[pattern]
        return sets

    def _edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """From, to, action and cost of every move."""
        height, width = self._blocked.shape
        sets, parts = self._sets(), []
        for action, (down, right) in enumerate(self._moves.steps):
            row, col = np.nonzero(sets >> action & 1)
            to_row, to_col = row + down, col + right
            inside = (to_row >= 0) & (to_row < height) & (to_col >= 0) & (to_col < width)
            source, target = (row * width + col)[inside], (to_row * width + to_col)[inside]
            factor = 1.0 if self._entry_cost is None else self._entry_cost.flat[target]
            parts.append(
                (source, target, np.full(len(source), action), np.full(len(source), self._moves.costs[action]) * factor)
            )
        source, target, actions, cost = (np.concatenate(part) for part in zip(*parts, strict=True))
        return source, target, actions, cost
