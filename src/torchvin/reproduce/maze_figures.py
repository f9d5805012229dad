"""Figures of the mazes: a large maze with its plan, success by path length. Both read without colour."""

from collections.abc import Sequence
from pathlib import Path

from torchvin.evaluation.path import follow_policy
from torchvin.mdp.motion import GridMotion
from torchvin.plotting.figure import figure
from torchvin.plotting.maps import plot_plan
from torchvin.plotting.tasks import furthest_start
from torchvin.pretrained.store import load_policy
from torchvin.reproduce.figures import curves
from torchvin.reproduce.maze_tasks import MazeRow, MazeTask, maps_of

STYLES = (
    {"color": "black", "linestyle": "-", "marker": "o"},
    {"color": "0.35", "linestyle": "--", "marker": "s"},
    {"color": "0.55", "linestyle": ":", "marker": "^"},
    {"color": "0.2", "linestyle": "-.", "marker": "D"},
    {"color": "0.7", "linestyle": "-", "marker": "v"},
)
LARGE = 101


def draw(rows: Sequence[MazeRow], out: Path) -> dict[Path, str]:
    """Draw what the rows allow into `out`/figures; returns picture -> caption.

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
    """Draw the plan of a row's weights on the first of its maps; returns the number of moves of the optimal path."""
    maps = maps_of(row.task, 1)
    blocked, goal = maps.blocked[0], (int(maps.goal[0, 0]), int(maps.goal[0, 1]))
    start = furthest_start(blocked, goal, maps.moves)
    assert isinstance(maps.moves, GridMotion)  # only mazes without orientations are drawn
    planned = follow_policy(load_policy(row.weights).double(), blocked, start, goal, moves=maps.moves)
    plot_plan(blocked, planned, path, title=f"{row.task.kind} {row.task.side}x{row.task.side}", motion=maps.moves)
    return len(planned.optimal_path) - 1


def by_length(rows: Sequence[MazeRow], task: MazeTask, path: Path) -> None:
    """Success of the first seed of each planner in each bin of path lengths."""
    first = {row.planner: row for row in reversed(rows)}
    lines = {
        planner: (
            [(part.first + part.last) / 2 for part in row.lengths],
            [100 * part.success_rate for part in row.lengths],
        )
        for planner, row in first.items()
    }
    with figure(path, 7.5, 4.4) as axes:
        axis = axes[0][0]
        curves(axis, lines, dict(zip(lines, STYLES, strict=False)))
        axis.set(
            xlabel="moves of the optimal path (middle of the bin)",
            ylabel="states that reach the goal [%]",
            title=f"Success against path length, {task.kind} {task.side}x{task.side}",
            ylim=(-3, 103),
            xscale="log",
        )
