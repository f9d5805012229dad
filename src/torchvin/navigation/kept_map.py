"""What `PathPlanner` keeps of a map for the next query: searches, and all paths to a goal that is asked for again."""

import numpy as np
import torch
from jaxtyping import Int32
from torch import Tensor

from torchvin.evaluation.path import State
from torchvin.planning.kernels.grid_search import GridSearch, LocalMoves, grid_search

_QUERIES_BEFORE_TREE = 2  # with one goal, answered one by one before all paths to it are found at once


class KeptMap:
    """The searches on one map, and how often its last goal was asked for.

    Args:
        blocked: True for obstacles, [H, W]; copied.
        entry_cost: cost of entering each cell, [H, W]; copied; None if all cost the same.
    """

    def __init__(self, blocked: np.ndarray, entry_cost: np.ndarray | None) -> None:
        self.blocked, self.entry_cost = blocked.copy(), None if entry_cost is None else entry_cost.copy()
        self.width = blocked.shape[1]
        self._searches: dict[int, GridSearch] = {}
        self._goal: State | None = None  # of the last query, and the cells where the agent may stop
        self._stops: list[int] = []
        self._queries = 0

    def serves(self, shape: tuple[int, ...], entry_cost: np.ndarray | None) -> bool:
        """Whether a map of this shape and these costs differs in its obstacles at most, which `change` takes over."""
        if self.blocked.shape != shape:
            return False
        if self.entry_cost is None or entry_cost is None:
            return self.entry_cost is entry_cost
        return np.array_equal(self.entry_cost, entry_cost)

    def search(self, moves: LocalMoves) -> GridSearch:
        """The search with these moves."""
        if id(moves) not in self._searches:
            self._searches[id(moves)] = grid_search(self.blocked, moves, self.entry_cost)
        return self._searches[id(moves)]

    def path(self, moves: LocalMoves, begin: int, goal: State) -> Int32[np.ndarray, "T"]:
        """Cells of a shortest path to where the agent may stop; none if there is no path."""
        search = self.search(moves)
        self._queries = self._queries + 1 if goal == self._goal else 1
        if self._queries == 1:
            self._goal, self._stops = goal, _stops(moves, goal, self.blocked.shape)
        if self._queries <= _QUERIES_BEFORE_TREE:
            return search.find(begin, self._stops)[1]
        if self._queries == _QUERIES_BEFORE_TREE + 1:
            search.solve(self._stops)
        return search.follow(begin)[1]

    def everywhere(self, moves: LocalMoves, goal: State) -> tuple[Tensor, Tensor]:
        """Value and action of every cell: minus the cost to go, and the choice; action 0 where there is none."""
        search = self.search(moves)
        search.solve(_stops(moves, goal, self.blocked.shape))
        distance, choice = search.solution()
        shape = self.blocked.shape
        actions = np.where(choice < len(moves.costs), choice, 0).astype(np.int64)
        return torch.from_numpy(-distance.reshape(shape)), torch.from_numpy(actions.reshape(shape))

    def change(self, blocked: np.ndarray) -> None:
        """Take over a map of the same size, cell by cell where few differ."""
        differs = np.flatnonzero(blocked != self.blocked)
        if len(differs) == 0:
            return
        self._goal = None
        self.blocked = blocked.copy()
        if len(differs) > blocked.size // 100:
            self._searches = {}
            return
        for search in self._searches.values():
            for cell in differs.tolist():
                search.set_blocked(cell, bool(blocked.flat[cell]))


def _stops(moves: LocalMoves, goal: State, shape: tuple[int, ...]) -> list[int]:
    height, width = shape
    around = [(goal[0] + down, goal[1] + right) for down, right in moves.stops.tolist()]
    return [row * width + col for row, col in around if 0 <= row < height and 0 <= col < width]
