"""Every task of a MovingAI benchmark map: one plan per goal, and its greedy path from every start of that goal.

The moves are those that the policy learned, and so is the optimum. The benchmark's own lengths are of 8 moves whose
diagonals cost sqrt(2) and may not pass the corner of an obstacle; moves that may, as the paper's, are never longer.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.evaluation.scorer import greedy_actions
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import move_graph
from torchvin.maps.formats.map_file import read_map
from torchvin.maps.formats.scenarios import Scenario, read_scenarios
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rollout import rollout
from torchvin.policies.policy import Policy
from torchvin.spaces import StateSpace

SCENARIO_FILES = "*even*.scen"
_STATES_AT_ONCE = 1 << 17  # two maps of 256x256 fit the cache: twice as fast as 16 of them


@dataclass(frozen=True)
class TaskScores:
    """Results of the tasks of one map.

    Attributes:
        map_name: of the map.
        tasks: all of them.
        solvable: tasks whose start can reach its goal with the given moves.
        found: of the solvable, those whose greedy path arrives.
        optimal: of the solvable, those whose path has the optimal cost.
        cost, optimal_cost: of the tasks found, all together.
        worst_ratio: the largest ratio of cost to optimum of a single task; 1 if none was found.
        plans: goals, each planned once.
        seconds: of plans and rollouts, without the expert.
    """

    map_name: str
    tasks: int
    solvable: int
    found: int
    optimal: int
    cost: float
    optimal_cost: float
    worst_ratio: float
    plans: int
    seconds: float

    @property
    def cost_ratio(self) -> float:
        """Cost of the paths found over the optimum of the same tasks; 1 if none was found."""
        return self.cost / self.optimal_cost if self.optimal_cost else 1.0


def together(parts: Sequence[TaskScores]) -> TaskScores:
    """The scores of all tasks of a map from those of its parts, which have no goal in common."""
    sums = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("tasks", "solvable", "found", "optimal", "cost", "optimal_cost", "plans", "seconds")
    }
    return TaskScores(map_name=parts[0].map_name, worst_ratio=max(part.worst_ratio for part in parts), **sums)


def find_scenarios(folder: str | PathLike[str], pattern: str = SCENARIO_FILES) -> dict[Path, list[Scenario]]:
    """The maps under `folder`, small ones first, and the tasks of all their scenario files of that name.

    Raises: InputError if there are none, or a scenario file has no map beside it.
    """
    folder = Path(folder)
    tasks: dict[Path, list[Scenario]] = {}
    for path in sorted(folder.rglob(pattern)):
        for scenario in read_scenarios(path):
            tasks.setdefault(path.with_name(Path(scenario.map_name).name), []).append(scenario)
    if not tasks:
        raise InputError(f"{folder}: no scenario files {pattern} here; expected maps of the MovingAI benchmark.")
    if missing := [path for path in tasks if not path.is_file()]:
        raise InputError(f"{missing[0]}: no such map, but a scenario file beside it names it.")
    return dict(sorted(tasks.items(), key=lambda entry: (entry[1][0].height * entry[1][0].width, entry[0])))


def score_tasks(
    policy: Policy,
    map_path: str | PathLike[str],
    tasks: Sequence[Scenario],
    *,
    moves: MotionModel | None = None,
    num_iterations: int | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> TaskScores:
    """Plan every task of a map and compare with the optimum of the same moves.

    Args:
        policy: with the actions of `moves`.
        map_path: `.map` of the tasks.
        tasks: start and goal of each, (row, col).
        moves: those that the policy learned if not given; the paper's 8 if that is not known.
        num_iterations: K; by the size of the map if not given.
        on_progress: called with the number of goals planned after each batch.

    Raises: InputError if a task does not fit the map, or the moves have orientations, which a task does not say.
    """
    from scipy.sparse.csgraph import dijkstra

    moves = moves or policy.motion or GridMotion()
    if moves.num_orientations > 1:
        raise InputError(f"the tasks of benchmark maps have no orientations, but the agent has: {moves.summary}.")
    map_path = Path(map_path)
    blocked = read_map(map_path).blocked
    size = blocked.shape[0], blocked.shape[1]
    space = StateSpace(*size)
    if wrong := [task for task in tasks if (task.height, task.width) != size]:
        raise InputError(f"{map_path}: {size[0]}x{size[1]}, but a task says {wrong[0].height}x{wrong[0].width}.")
    start = space.flatten(torch.tensor([task.start for task in tasks]))
    goal = space.flatten(torch.tensor([task.goal for task in tasks]))
    goals, group = torch.unique(goal, return_inverse=True)
    iterations = policy.default_iterations(*size) if num_iterations is None else num_iterations
    device = next(policy.parameters()).device
    graph = move_graph(blocked[None], moves)[0]
    reached = torch.zeros(len(tasks), dtype=torch.bool)
    cost = torch.zeros(len(tasks), dtype=torch.float64)
    best = torch.full_like(cost, torch.inf)
    seconds = 0.0
    at_once = max(1, _STATES_AT_ONCE // blocked.numel())
    for first in range(0, len(goals), at_once):
        chosen = goals[first : first + at_once]
        began = time.perf_counter()
        batch = _unsolved(blocked, chosen, moves)
        actions = greedy_actions(policy, batch, iterations, device)
        mine = ((group >= first) & (group < first + len(chosen))).nonzero()[:, 0]
        starts, column = _by_row(group[mine] - first, start[mine], len(chosen))
        limit = torch.full_like(starts, blocked.numel())
        rollouts = rollout(actions, batch.blocked, batch.goal, starts, limit=limit, moves=moves)
        reached[mine] = rollouts.reached[group[mine] - first, column]
        cost[mine] = rollouts.cost[group[mine] - first, column]
        seconds += time.perf_counter() - began
        best[mine] = torch.from_numpy(dijkstra(graph, indices=chosen.numpy()))[group[mine] - first, start[mine]]
        if on_progress:
            on_progress(len(chosen))
    best[blocked.flatten()[goal]] = torch.inf  # nothing arrives on an obstacle
    solvable = best.isfinite()
    found = reached & solvable
    longer = found & (best > 0)
    ratio = cost[longer] / best[longer]
    return TaskScores(
        map_name=map_path.stem,
        tasks=len(tasks),
        solvable=int(solvable.sum()),
        found=int(found.sum()),
        optimal=int((found & ((cost - best).abs() < 1e-6)).sum()),
        cost=float(cost[found].sum()),
        optimal_cost=float(best[found].sum()),
        worst_ratio=float(ratio.max()) if len(ratio) else 1.0,
        plans=len(goals),
        seconds=seconds,
    )


def _unsolved(blocked: Bool[Tensor, "H W"], goals: Tensor, moves: MotionModel) -> MapDataset:
    """One map with several goals, without the expert's answers."""
    maps = blocked.expand(len(goals), -1, -1)
    none = torch.zeros(maps.shape, dtype=torch.uint8)
    cells = moves.states(*blocked.shape).unflatten(goals)
    return MapDataset(maps, cells, none, torch.full_like(none, NOT_SHOWN), cells[:, None], moves)


def _by_row(row: Tensor, value: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Values side by side in the row of each, filled up with -1; and the column of each."""
    order = row.argsort(stable=True)
    counts = row.bincount(minlength=rows)
    first = counts.cumsum(0) - counts
    column = torch.empty_like(row)
    column[order] = torch.arange(len(row)) - first[row[order]]
    table = torch.full((rows, max(int(counts.max()), 1)), -1, dtype=torch.int64)
    table[row, column] = value
    return table, column
