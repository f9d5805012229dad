"""Figures of Table 1: paths, what success depends on, what the network computes, how the networks learned."""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import torch

from torchvin.data.dataset import MapDataset
from torchvin.evaluation.path import State, follow_policy
from torchvin.evaluation.scorer import evaluate, greedy_actions, success_by_length
from torchvin.experts.grid import preferred_action
from torchvin.mdp.rollout import rollout
from torchvin.plotting.figure import figure, legend_below
from torchvin.plotting.maps import draw_ends, draw_map, draw_path, plot_network
from torchvin.plotting.tasks import furthest_start
from torchvin.reproduce.figures import Style, curves, learning_curves
from torchvin.reproduce.gridworld import Measured, first_seeds, fresh_maps

#: Each network has one line everywhere, told apart without colour.
STYLES: defaultdict[str, Style] = defaultdict(
    lambda: {"color": "tab:green", "linestyle": "-.", "marker": "D"},
    {
        "VIN": {"color": "black", "linestyle": "-", "marker": "o"},
        "VIN, best of 8 starts": {"color": "tab:purple", "linestyle": (0, (1, 2)), "marker": "x"},
        "VIN, the authors' start": {"color": "tab:brown", "linestyle": (0, (3, 1, 1, 1)), "marker": "+"},
        "VIN, every cell": {"color": "tab:orange", "linestyle": (0, (5, 1)), "marker": "v"},
        "CNN": {"color": "tab:red", "linestyle": "--", "marker": "s"},
        "FCN": {"color": "tab:blue", "linestyle": ":", "marker": "^"},
    },
)
K_FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
MAPS = {"length": 100, "iterations": 300}
EXAMPLES = 3  # maps of the figure of paths
_LEAST_STATES = 30  # fewer states of a length say little


def draw(rows: Sequence[Measured], out: Path) -> dict[Path, str]:
    """Draw every figure that the rows allow into `out`/figures; returns picture -> caption.

    The first seed of each network whose weights are at hand speaks for it; of the learning curves, the first seed with
    a history.

    Raises: InputError if `out` cannot be written.
    """
    folder = out / "figures"
    drawn: dict[Path, str] = {}
    if chosen := first_seeds(rows, lambda training: training.weights is not None):
        side = max(row.side for row in chosen)
        largest = [row for row in chosen if row.side == side]
        drawn[rollouts(largest, folder / "rollouts.png")] = (
            f"Greedy paths at {side}x{side}, from the state furthest from the goal: the optimal path in grey."
        )
        drawn[by_length(largest, folder / "length.png")] = (
            "Success from every state, against the number of moves of its shortest path."
        )
        drawn[by_iterations(chosen, folder / "iterations.png")] = (
            "Success against K at test. The line marks the K of the training."
        )
        if papers := [row for row in largest if row.network == "VIN"]:
            drawn[network(papers[0], folder / "network.png")] = (
                "What the paper's network learned: reward and value on a map it has not seen."
            )
    if histories := first_seeds(rows, lambda training: len(training.success) > 0):
        drawn[learning(histories, rows, folder / "learning.png")] = (
            "Learning curves of trainings with a history at hand: validation states from which the rollout fails."
        )
    return drawn


def rollouts(rows: Sequence[Measured], path: Path) -> Path:
    """The paper's Figure 3 (left): greedy paths beside the optimal one; a cross marks where a failing one stops."""
    maps = fresh_maps(rows[0].side, EXAMPLES)
    starts = [furthest_start(blocked, _goal(maps, index)) for index, blocked in enumerate(maps.blocked)]
    optimal = _paths(maps, starts, preferred_action(maps.optimal_actions))
    lines = {}
    for row in rows:
        actions = greedy_actions(row.training.policy(), maps, row.iterations, torch.device("cpu"))
        lines[row.network] = _paths(maps, starts, actions)
    with figure(path, 4.6 * EXAMPLES, 5.2, columns=EXAMPLES) as axes:
        for index, axis in enumerate(axes[0]):
            draw_map(axis, maps.blocked[index])
            draw_path(axis, optimal[index], "optimal", color="0.6", linewidth=5)
            failed = [name for name, drawn in lines.items() if drawn[index][-1] != _goal(maps, index)]
            for name, drawn in lines.items():
                draw_path(axis, drawn[index], name, **{**STYLES[name], "markersize": 3})
            draw_ends(axis, starts[index], _goal(maps, index))
            for name in failed:
                cross = {"marker": "X", "markersize": 8, "markeredgecolor": "white", "linestyle": "none", "zorder": 5}
                draw_path(axis, lines[name][index][-1:], "_", color=STYLES[name]["color"], **cross)
            axis.set_title("\n".join(wrap(rollout_title(index, failed), 60)), fontsize=9)
        legend_below(axes, columns=5)
    return path


def rollout_title(index: int, failed: Sequence[str]) -> str:
    """Title of a map: who does not arrive.

    >>> print(rollout_title(1, ["CNN", "FCN"]))
    map 1: CNN and FCN fail
    """
    if not failed:
        return f"map {index}: all arrive"
    if any("," in name for name in failed):
        names = "; ".join(failed)
    else:
        names = " and ".join(filter(None, [", ".join(failed[:-1]), failed[-1]]))
    return f"map {index}: {names} {'fails' if len(failed) == 1 else 'fail'}"


def _goal(maps: MapDataset, index: int) -> State:
    row, col = maps.goal[index].tolist()
    return row, col


def _paths(maps: MapDataset, starts: Sequence[State], actions: torch.Tensor) -> list[list[State]]:
    """The path on each map under one action per cell."""
    begin = maps.space.flatten(torch.tensor(starts)[:, None])
    limit = torch.full_like(begin, 2 * maps.space.num_states)
    states = rollout(actions, maps.blocked, maps.goal, begin, limit=limit, moves=maps.moves, record=True).path
    assert states is not None  # recorded
    return [[(row, col) for row, col in maps.space.unflatten(line[line >= 0]).tolist()] for line in states[:, 0]]


def by_length(rows: Sequence[Measured], path: Path) -> Path:
    """Success from every state against the number of moves of its shortest path."""
    side = rows[0].side
    maps = fresh_maps(side, MAPS["length"])
    lines = {}
    for row in rows:
        counts, rates = success_by_length(row.training.policy(), maps)
        enough = counts >= _LEAST_STATES
        lines[row.network] = (torch.arange(len(counts))[enough].tolist(), (100 * rates[enough]).tolist())
    with figure(path, 7.5, 4.4) as axes:
        axis = axes[0][0]
        curves(axis, lines, STYLES)
        axis.set(
            xlabel="moves of the shortest path",
            ylabel="rollouts that reach the goal [%]",
            title=f"Success against path length, {len(maps)} fresh {side}x{side} maps",
            ylim=(0, 103),
        )
    return path


def by_iterations(rows: Sequence[Measured], path: Path) -> Path:
    """Success of the planners against K, each trained at one K."""
    planners = [row for row in rows if row.iterations > 0]
    sides = sorted({row.side for row in planners})
    with figure(path, 4.2 * len(sides), 4.0, columns=len(sides)) as axes:
        for axis, side in zip(axes[0], sides, strict=True):
            maps = fresh_maps(side, MAPS["iterations"])
            lines = {}
            for row in (row for row in planners if row.side == side):
                policy = row.training.policy()
                iterations = [max(1, math.ceil(factor * row.iterations)) for factor in K_FACTORS]
                rates = [100 * evaluate(policy, maps, num_iterations=k).scores.success_rate for k in iterations]
                lines[row.network] = (iterations, rates)
                axis.axvline(row.iterations, color=STYLES[row.network]["color"], alpha=0.4, linewidth=1)
            curves(axis, lines, STYLES)
            axis.set(
                xlabel="K, value updates (line: as trained)",
                ylabel="success [%]",
                title=f"{side}x{side}",
                ylim=(0, 103),
            )
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:.0f}")
    return path


def network(row: Measured, path: Path) -> Path:
    """What the paper's network learned: reward and value on one unseen map."""
    maps = fresh_maps(row.side, 1)
    policy, blocked, goal = row.training.policy(), maps.blocked[0], _goal(maps, 0)
    planned = follow_policy(policy, blocked, furthest_start(blocked, goal), goal, num_iterations=row.iterations)
    plot_network(policy, blocked, planned, path, title=f"The paper's network at {row.side}x{row.side}")
    return path


def learning(histories: Sequence[Measured], rows: Sequence[Measured], path: Path) -> Path:
    """Failures on the validation maps against the epoch, one training per network; a note says who is missing."""
    success: dict[str, dict[str, Sequence[float]]] = {}
    for row in sorted(histories, key=lambda row: row.side):
        success.setdefault(f"{row.side}x{row.side}", {})[row.network] = row.training.success
    trained_there = [row for row in rows if str(row.side) in row.training.name.split("-")]
    missing = {
        panel: list(
            dict.fromkeys(
                row.network for row in trained_there if f"{row.side}x{row.side}" == panel and row.network not in drawn
            )
        )
        for panel, drawn in success.items()
    }
    learning_curves(path, success, missing, STYLES)
    return path
