"""The figures of the mazes: a large maze with its plan, success by path length. Both read without colour."""

from collections.abc import Sequence
from pathlib import Path

import torch

from torchvin.evaluation.path import plan_path
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.motion import Moves
from torchvin.plotting.figure import figure
from torchvin.plotting.maps import plot_plan
from torchvin.pretrained.store import load_policy
from torchvin.reproduce.mazes import MazeRow, Task, maps_of

STYLES = (
    {"color": "black", "linestyle": "-", "marker": "o"},
    {"color": "0.35", "linestyle": "--", "marker": "s"},
    {"color": "0.55", "linestyle": ":", "marker": "^"},
    {"color": "0.2", "linestyle": "-.", "marker": "D"},
    {"color": "0.7", "linestyle": "-", "marker": "v"},
)
LARGE = 101


def draw(rows: Sequence[MazeRow], out: Path) -> dict[Path, str]:
    """Draw what the rows allow into `out`/figures: picture -> caption.

    Raises: InputError if `out` cannot be written.
    """
    scored = [row for row in rows if row.scores is not None]
    drawn = {}
    if large := next((row for row in scored if (row.task.kind, row.task.side) == ("perfect-maze", LARGE)), None):
        path = out / "figures" / "maze-101.png"
        length = maze(large, path)
        drawn[path] = (
            f"A perfect maze of {LARGE}x{LARGE} and what {large.planner} ({Path(large.weights).name}) plans on it, "
            f"from the cell furthest from the goal, {length} moves away."
        )
    tasks = [task for task in dict.fromkeys(row.task for row in scored) if task.table != "other maps"]
    compared = [task for task in tasks if len({row.planner for row in scored if row.task == task}) > 1]
    if compared:
        hardest = max(compared, key=lambda task: (task.side, task.kind))
        path = out / "figures" / "maze-lengths.png"
        by_length([row for row in scored if row.task == hardest], hardest, path)
        drawn[path] = f"Success by the length of the optimal path: {hardest.kind} {hardest.side}x{hardest.side}."
    return drawn


def maze(row: MazeRow, path: Path) -> int:
    """Draw the plan of a row's weights (4 moves) on the first of its maps; the number of moves of the optimal path."""
    maps = maps_of(row.task, 1)
    distance = shortest_paths(maps.blocked, maps.goal, maps.moves).distance[0]
    furthest = int(torch.where(distance.isinf(), -1.0, distance).argmax())
    start = divmod(furthest, row.task.side)
    goal = (int(maps.goal[0, 0]), int(maps.goal[0, 1]))
    policy = load_policy(row.weights).double()
    planned = plan_path(policy, maps.blocked[0], start, goal, moves=Moves(num_actions=4))
    plot_plan(maps.blocked[0], planned, path, title=f"{row.task.kind} {row.task.side}x{row.task.side}")
    return len(planned.optimal_path) - 1


def by_length(rows: Sequence[MazeRow], task: Task, path: Path) -> None:
    """Success of the first seed of each planner in each bin of path lengths."""
    with figure(path, 7.5, 4.4) as axes:
        axis = axes[0][0]
        for row, style in zip({row.planner: row for row in reversed(rows)}.values(), STYLES, strict=False):
            middle = [(part.first + part.last) / 2 for part in row.lengths]
            axis.plot(middle, [100 * part.success_rate for part in row.lengths], label=row.planner, **style)
        axis.set(
            xlabel="moves of the optimal path (middle of the bin)",
            ylabel="states that reach the goal [%]",
            title=f"Success against path length, {task.kind} {task.side}x{task.side}",
            ylim=(-3, 103),
            xscale="log",
        )
        axis.legend()
        axis.grid(alpha=0.3)
