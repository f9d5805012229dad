"""Paths on a map for single queries: weights loaded once, and everything kept that the next query can use.

Weights whose moves depend on the 3x3 neighbourhood of a cell alone (the design `shortest_path`) are turned into a table
of 512 patterns once (`planning.kernels.grid_search`). A query is then one A* search that looks at no cell it does not
reach; from the third query with one goal on, all shortest paths to it are known. Any other weights plan the whole map
at each query (`evaluation.path.follow_policy`).
"""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int32, Int64
from torch import Tensor

from torchvin.errors import InputError, ShapeError
from torchvin.evaluation.path import PlannedPath, State, check_ends, follow_policy, unreachable
from torchvin.maps.formats.contract import MapFile
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.navigation.kept_map import KeptMap
from torchvin.planning.kernels.grid_search import (
    MOST_ACTIONS,
    LocalMoves,
    action_sets,
    patterns,
)
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import load_policy

DEFAULT_WEIGHTS = "gridworld-16-shortest-path"
_NO_STATES = np.empty((0, 2), dtype=np.int64)

Map = MapFile | Bool[Tensor, "H W"] | Bool[np.ndarray, "H W"]


def weights_for(corner_cutting: bool) -> str:
    """The shipped weights that plan where none are named, by whether diagonal moves may pass corners.

    >>> weights_for(corner_cutting=False)
    'gridworld-16-shortest-path-no-corners'
    """
    return DEFAULT_WEIGHTS + ("" if corner_cutting else "-no-corners")


def true_moves(motion: MotionModel) -> LocalMoves | None:
    """The motion model as a table over patterns; None for an agent with orientations, or with longer steps."""
    if motion.num_orientations > 1:
        return None
    steps = [step[1:] for step in motion.effects[0]]
    if motion.num_actions > MOST_ACTIONS or any(abs(part) > 1 for step in steps for part in step):
        return None
    return LocalMoves(
        steps=np.array(steps),
        costs=np.array(motion.costs),
        available=action_sets(motion.allowed(patterns())[:, :, 1, 1]),
        stops=np.zeros((1, 2), dtype=np.int64),
    )


class PathPlanner:
    """Answers queries for paths; what one query computed serves the next.

    The map may change between queries. Where only cells changed, they are changed in the search that is kept.

    Args:
        weights: name or folder of weights, or a policy; `gridworld-16-shortest-path` if not given, or its form that was
            trained without corner cutting.
        corner_cutting: whether a diagonal move may pass the corner of an obstacle; as the weights learned if not given,
            and yes (the paper's rule) where no weights are named.

    Raises: InputError if there are no such weights, or they learned another rule.

    >>> planner = PathPlanner()
    >>> blocked = np.zeros((5, 7), dtype=bool)
    >>> planner.plan(blocked, (0, 0), (4, 6)).path[:3]
    [(0, 0), (1, 1), (2, 2)]
    >>> blocked[2, 2] = True
    >>> planner.plan(blocked, (0, 0), (4, 6)).path == planner.plan(blocked, (0, 0), (4, 6)).optimal_path
    True
    """

    def __init__(
        self, weights: str | os.PathLike[str] | Policy | None = None, *, corner_cutting: bool | None = None
    ) -> None:
        if weights is None:
            weights = weights_for(corner_cutting is not False)
        self.name = type(weights).__name__ if isinstance(weights, Policy) else os.fspath(weights)
        self.policy = weights if isinstance(weights, Policy) else load_policy(weights)
        self.motion: MotionModel = self.policy.motion or _motion_of(self.policy, self.name)
        if corner_cutting is not None and corner_cutting != self.motion.corner_cutting:
            learned = "with" if self.motion.corner_cutting else "without"
            raise InputError(
                f"corner_cutting={corner_cutting} contradicts {self.name}, which learned to move {learned} corner "
                "cutting; leave it out, or choose other weights."
            )
        self._true = true_moves(self.motion)
        self._learned = self._table()
        # Costs of cells are factors on the costs of moves. What is given for the one holds for the other.
        self._learned_with_true_costs = (
            None if self._learned is None or self._true is None else replace(self._learned, costs=self._true.costs)
        )
        self._kept: KeptMap | None = None  # the map of the last query

    @property
    def searches(self) -> bool:
        """Whether a query is one search, which looks at no cell that it does not reach."""
        return self._learned is not None

    def plan(
        self,
        map: Map,
        start: State,
        goal: State,
        *,
        entry_cost: Float64[np.ndarray, "H W"] | None = None,
        num_iterations: int | None = None,
        compare: bool = True,
        values: bool = False,
    ) -> PlannedPath:
        """The path of the greedy policy, by the moves that the weights were trained for.

        Args:
            map: a map as read by `read_map`, or an array or tensor, True = obstacle, [H, W].
            start, goal: (row, col), or (orientation, row, col) of an agent with orientations.
            entry_cost: factor on the cost of a move that ends in a cell, [H, W], positive; 1 if not given. Weights that
                search take it without training; moves then cost what the motion model says.
            num_iterations: K of a policy that iterates; as many as it takes if not given.
            compare: find the optimum too. It is not counted in `seconds`. Without it, `optimal_cost` is NaN.
            values: fill in `value` and `actions` of every cell, for pictures.

        Raises: InputError if start or goal is no free cell of the map, if no path exists, or if the weights cannot take
            what is asked; ShapeError for a map or costs of another shape.
        """
        blocked = _blocked(map)
        check_ends(blocked, start, goal, self.motion)
        entry_cost = None if entry_cost is None else _checked_cost(entry_cost, blocked.shape)
        moves = self._moves(entry_cost)
        if moves is None or num_iterations is not None:
            return self._plan_every_cell(blocked, start, goal, entry_cost, num_iterations)
        began = time.perf_counter()
        kept = self._on(blocked, entry_cost)
        planned = self._query(kept, moves, start, goal)
        seconds = time.perf_counter() - began
        optimal, optimal_cost = planned.optimal_states, math.nan
        if compare or not planned.found:
            optimal_cost, optimal = self._optimum(kept, start, goal)
        value, actions = kept.everywhere(moves, goal) if values else (None, None)
        return replace(
            planned,
            optimal_states=optimal,
            optimal_cost=optimal_cost,
            value=value,
            actions=actions,
            seconds=seconds,
        )

    def plan_many(
        self, map: Map, tasks: Sequence[tuple[State, State]], *, entry_cost: Float64[np.ndarray, "H W"] | None = None
    ) -> list[PlannedPath]:
        """Paths of many tasks on one map, in their order; starts with one goal share its solution.

        No optimum is computed, except for a task whose path does not arrive.

        Args:
            map: see `plan`.
            tasks: (start, goal) of each.
            entry_cost: see `plan`.

        Raises: InputError as `plan`, for the first task that has no path.

        >>> [planned.cost for planned in PathPlanner().plan_many(np.zeros((3, 9), dtype=bool), [((0, 0), (0, 8))] * 2)]
        [8.0, 8.0]
        """
        blocked = _blocked(map)
        entry_cost = None if entry_cost is None else _checked_cost(entry_cost, blocked.shape)
        moves = self._moves(entry_cost)
        if moves is None:
            return [self.plan(blocked, start, goal, entry_cost=entry_cost, compare=False) for start, goal in tasks]
        kept, paths = self._on(blocked, entry_cost), {}
        for index in sorted(range(len(tasks)), key=lambda index: tasks[index][1]):
            start, goal = tasks[index]
            check_ends(blocked, start, goal, self.motion)
            paths[index] = self._query(kept, moves, start, goal)
            if not paths[index].found:
                optimal_cost, optimal = self._optimum(kept, start, goal)
                paths[index] = replace(paths[index], optimal_cost=optimal_cost, optimal_states=optimal)
        return [paths[index] for index in range(len(tasks))]

    def _moves(self, entry_cost: np.ndarray | None) -> LocalMoves | None:
        """The table to search with; None for weights that plan every cell."""
        return self._learned if entry_cost is None else self._learned_with_true_costs

    def _query(self, kept: KeptMap, moves: LocalMoves, start: State, goal: State) -> PlannedPath:
        """The path by the learned moves, as far as an agent comes with it in the true environment."""
        assert self._true is not None
        began = time.perf_counter()
        width = kept.width
        begin, end = start[0] * width + start[1], goal[0] * width + goal[1]
        cells = kept.path(moves, begin, goal)
        cells = cells if len(cells) else np.array([begin], dtype=np.int32)
        reached, cost = kept.search(self._true).walk(cells)
        cells = cells[:reached]
        found = int(cells[-1]) == end
        return PlannedPath(
            found=found,
            states=_states(cells, width),
            cost=cost if found else math.inf,
            optimal_states=_NO_STATES,
            optimal_cost=math.nan,
            value=None,
            actions=None,
            iterations=0,
            seconds=time.perf_counter() - began,
        )

    def _optimum(self, kept: KeptMap, start: State, goal: State) -> tuple[float, Int64[np.ndarray, "T 2"]]:
        """Cost and states of a shortest path by the true moves.

        Raises: InputError if there is none.
        """
        assert self._true is not None
        width = kept.width
        search = kept.search(self._true)
        cost, cells, _ = search.find(start[0] * width + start[1], [goal[0] * width + goal[1]])
        if math.isinf(cost):
            raise unreachable(start, goal)
        return cost, _states(cells, width)

    def forget(self) -> None:
        """Forget the map of the last query and what is kept of it."""
        self._kept = None

    def _on(self, blocked: np.ndarray, entry_cost: np.ndarray | None) -> KeptMap:
        """What is kept of this map; cells that changed are changed in it."""
        kept = self._kept
        if kept is None or not kept.serves(blocked.shape, entry_cost):
            kept = self._kept = KeptMap(blocked, entry_cost)
        kept.change(blocked)
        return kept

    def _plan_every_cell(
        self, blocked: np.ndarray, start: State, goal: State, entry_cost: np.ndarray | None, num_iterations: int | None
    ) -> PlannedPath:
        if entry_cost is not None:
            raise InputError(
                f"{self.name}: these weights have learned no costs of cells; choose weights that plan by a graph "
                f"search, such as {DEFAULT_WEIGHTS}."
            )
        tensor = torch.from_numpy(blocked)
        return follow_policy(self.policy, tensor, start, goal, num_iterations=num_iterations, moves=self.motion)

    def _table(self) -> LocalMoves | None:
        """The learned moves as a table, if a search with it takes the paths that the policy takes."""
        planner = self.policy.planner
        learned = planner.local_moves() if planner is not None and self.policy.follows_plan else None
        if learned is None or self._true is None or not np.array_equal(learned.steps, self._true.steps):
            return None
        return learned


def plan_path(
    map: Map | str | os.PathLike[str],
    start: State,
    goal: State,
    *,
    weights: str | os.PathLike[str] | Policy | None = None,
    corner_cutting: bool | None = None,
    entry_cost: Float64[np.ndarray, "H W"] | None = None,
    compare: bool = True,
) -> PlannedPath:
    """One path on one map. For more than one query, keep a `PathPlanner`.

    Args:
        map: a file, what `read_map` made of it, or an array or tensor, True = obstacle, [H, W].
        start, goal: (row, col).
        weights, corner_cutting: see `PathPlanner`; for a ROS map file corners may not be cut if neither is given.
        entry_cost, compare: see `PathPlanner.plan`.

    Raises: InputError, see `PathPlanner`.

    >>> planned = plan_path(np.zeros((5, 7), dtype=bool), (0, 0), (4, 6))
    >>> planned.found, round(planned.cost, 3), round(planned.optimal_cost, 3)
    (True, 7.657, 7.657)
    """
    if isinstance(map, str | os.PathLike):
        from torchvin.maps.formats import read_map
        from torchvin.maps.formats.ros import is_ros_map

        if weights is None and corner_cutting is None and is_ros_map(map):
            corner_cutting = False
        map = read_map(map)
    return PathPlanner(weights, corner_cutting=corner_cutting).plan(
        map, start, goal, entry_cost=entry_cost, compare=compare
    )


def _motion_of(policy: Policy, name: str) -> MotionModel:
    """The grid moves of a policy whose weights say nothing of moves: the paper's.

    Raises: InputError for a policy whose agent has orientations.
    """
    if policy.config is not None and policy.config.num_orientations > 1:
        raise InputError(
            f"{name}: these weights say nothing of how their agent with {policy.config.num_orientations} orientations "
            "moves; train them again, or choose other weights."
        )
    return GridMotion(4 if policy.config is not None and policy.config.num_actions == 4 else 8)


def _blocked(map: Map) -> Bool[np.ndarray, "H W"]:
    blocked = map.blocked if isinstance(map, MapFile) else map
    array = blocked.detach().cpu().numpy() if isinstance(blocked, Tensor) else np.asarray(blocked)
    if array.dtype != bool:
        raise InputError(f"a map is an array of bool, True = obstacle; got {array.dtype}. Pass map.astype(bool).")
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"a map must have shape [H, W], got {list(array.shape)}.")
    return np.ascontiguousarray(array)


def _checked_cost(entry_cost: np.ndarray, shape: tuple[int, ...]) -> Float64[np.ndarray, "H W"]:
    try:
        cost = np.ascontiguousarray(entry_cost, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"entry_cost: {error}") from error
    if cost.shape != shape:
        raise ShapeError(f"entry_cost must have the shape of the map, {list(shape)}, got {list(cost.shape)}.")
    if not (np.isfinite(cost) & (cost > 0)).all():
        raise InputError("entry_cost must be finite and above 0 in every cell; block the cells that cannot be entered.")
    return cost


def _states(cells: Int32[np.ndarray, "T"], width: int) -> Int64[np.ndarray, "T 2"]:
    states = np.empty((len(cells), 2), dtype=np.int64)
    np.divmod(cells, width, out=(states[:, 0], states[:, 1]))
    return states
