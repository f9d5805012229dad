"""The figures of the table: paths, what success depends on, how the networks learned."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from torchvin.evaluation.path import plan_path
from torchvin.evaluation.scorer import evaluate, greedy_actions, success_by_length
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.mdp.rollout import rollout
from torchvin.plotting.figure import figure
from torchvin.plotting.maps import draw_ends, draw_map, draw_path, plot_network
from torchvin.policies.vin import VIN
from torchvin.reproduce.book import Measured, first_seeds, fresh_maps
from torchvin.spaces import unflatten

#: Each network has one line everywhere, told apart without colour.
STYLES: dict[str, dict[str, Any]] = {
    "VIN": {"color": "black", "linestyle": "-", "marker": "o"},
    "VIN, best of 8 starts": {"color": "tab:purple", "linestyle": (0, (1, 2)), "marker": "x"},
    "VIN, the authors' start": {"color": "tab:brown", "linestyle": (0, (3, 1, 1, 1)), "marker": "+"},
    "VIN, every cell": {"color": "tab:orange", "linestyle": (0, (5, 1)), "marker": "v"},
    "CNN": {"color": "tab:red", "linestyle": "--", "marker": "s"},
    "FCN": {"color": "tab:blue", "linestyle": ":", "marker": "^"},
}
OURS_STYLE: dict[str, Any] = {"color": "tab:green", "linestyle": "-.", "marker": "D"}
K_FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
MAPS = {"length": 100, "iterations": 300}


def draw(rows: Sequence[Measured], out: Path) -> list[Path]:
    """Draw every figure that the rows allow into `out`/figures.

    The first seed of each network speaks for it whose weights are at hand, of the learning curves the first with one.

    Raises: InputError if `out` cannot be written.
    """
    folder = out / "figures"
    drawn = []
    if chosen := first_seeds(rows, lambda training: training.weights is not None):
        side = max(row.side for row in chosen)
        largest = [row for row in chosen if row.side == side]
        drawn = [folder / "rollouts.png", folder / "length.png", folder / "iterations.png"]
        rollouts(largest, drawn[0])
        by_length(largest, drawn[1])
        by_iterations(chosen, drawn[2])
        if papers := [row for row in largest if row.network == "VIN"]:
            drawn.append(folder / "network.png")
            network(papers[0], drawn[-1])
    if histories := first_seeds(rows, lambda training: len(training.success) > 0):
        drawn.append(folder / "learning.png")
        learning(histories, drawn[-1])
    return drawn


def _style(name: str) -> dict[str, Any]:
    return STYLES.get(name, OURS_STYLE)


@torch.no_grad()
def rollouts(rows: Sequence[Measured], path: Path, examples: int = 3) -> None:
    """The paper's Figure 3 (left): greedy paths beside the optimal one, from the state furthest from the goal."""
    maps = fresh_maps(rows[0].side, examples)
    height, width = maps.size
    distance = shortest_paths(maps.blocked, maps.goal).distance
    start = torch.where(distance.isinf(), -1.0, distance).flatten(1).argmax(dim=1)[:, None]
    expert = preferred_action(maps.optimal_actions)

    def paths(actions: torch.Tensor) -> list[list[tuple[int, int]]]:
        limit = torch.full_like(start, 2 * height * width)
        cells = rollout(actions, maps.blocked, maps.goal, start, limit=limit, record=True).path
        assert cells is not None  # recorded
        return [[(row, col) for row, col in unflatten(line[line >= 0], maps.size).tolist()] for line in cells[:, 0]]

    lines = {"optimal": paths(expert)}
    for row in rows:
        policy = row.training.policy()
        actions = greedy_actions(policy, maps, policy.default_iterations(height, width), torch.device("cpu"))
        lines[row.network] = paths(actions)
    with figure(path, 4.6 * examples, 6.0, columns=examples) as axes:
        for index, axis in enumerate(axes[0]):
            draw_map(axis, maps.blocked[index])
            for name, drawn in lines.items():
                style = {"color": "0.6", "linewidth": 5} if name == "optimal" else {**_style(name), "markersize": 3}
                draw_path(axis, drawn[index], name, **style)
            goal = tuple(maps.goal[index].tolist())
            draw_ends(axis, lines["optimal"][index][0], (goal[0], goal[1]))
            axis.set_title(f"map {index}")
        axes[0][examples // 2].legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4, facecolor="lightgrey")


def by_length(rows: Sequence[Measured], path: Path) -> None:
    """Success from every state against the number of moves of its shortest path."""
    maps = fresh_maps(rows[0].side, MAPS["length"])
    with figure(path, 7.5, 4.4) as axes:
        axis = axes[0][0]
        for row in rows:
            counts, rates = success_by_length(row.training.policy(), maps)
            enough = counts >= 30  # fewer states say little
            lengths = torch.arange(len(counts))[enough]
            axis.plot(lengths, 100 * rates[enough], label=row.network, markersize=4, **_style(row.network))
        axis.set(
            xlabel="moves of the shortest path",
            ylabel="rollouts that reach the goal [%]",
            title=f"Success against path length, {len(maps)} fresh {rows[0].side}x{rows[0].side} maps",
            ylim=(0, 103),
        )
        axis.legend()
        axis.grid(alpha=0.3)


def by_iterations(rows: Sequence[Measured], path: Path) -> None:
    """Success of the planners against K, each trained at one K."""
    planners = [row for row in rows if row.iterations > 0]
    sides = sorted({row.side for row in planners})
    with figure(path, 4.2 * len(sides), 4.0, columns=len(sides)) as axes:
        for axis, side in zip(axes[0], sides, strict=True):
            maps = fresh_maps(side, MAPS["iterations"])
            for row in (row for row in planners if row.side == side):
                policy = row.training.policy()
                iterations = [max(1, math.ceil(factor * row.iterations)) for factor in K_FACTORS]
                rates = [100 * evaluate(policy, maps, num_iterations=k).scores.success_rate for k in iterations]
                axis.plot(iterations, rates, label=row.network, markersize=4, **_style(row.network))
                axis.axvline(row.iterations, color=_style(row.network)["color"], alpha=0.4, linewidth=1)
            axis.set(
                xlabel="K, value updates (line: as trained)",
                ylabel="success [%]",
                title=f"{side}x{side}",
                ylim=(0, 103),
            )
            axis.set_xscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:.0f}")
            axis.legend(fontsize=8)
            axis.grid(alpha=0.3)


def network(row: Measured, path: Path) -> None:
    """What the paper's network learned: reward and value on one unseen map."""
    maps = fresh_maps(row.side, 1)
    policy = row.training.policy()
    assert isinstance(policy, VIN)
    distance = shortest_paths(maps.blocked, maps.goal).distance[0]
    start = divmod(int(torch.where(distance.isinf(), -1.0, distance).argmax()), row.side)
    goal = (int(maps.goal[0, 0]), int(maps.goal[0, 1]))
    planned = plan_path(policy, maps.blocked[0], start, goal, num_iterations=row.iterations)
    plot_network(policy, maps.blocked[0], planned, path, title=f"The paper's network at {row.side}x{row.side}")


def learning(rows: Sequence[Measured], path: Path) -> None:
    """Failures on the validation maps against the epoch, one training each."""
    sides = sorted({row.side for row in rows})
    with figure(path, 4.2 * len(sides), 4.0, columns=len(sides)) as axes:
        for axis, side in zip(axes[0], sides, strict=True):
            for row in (row for row in rows if row.side == side):
                failures = [max(1e-2, 100 * (1 - success)) for success in row.training.success]
                style = {**_style(row.network), "marker": None}
                axis.plot(range(1, len(failures) + 1), failures, label=row.network, **style)
            axis.set(xlabel="epoch", ylabel="validation states that fail [%]", yscale="log", title=f"{side}x{side}")
            axis.legend(fontsize=8)
            axis.grid(alpha=0.3)
