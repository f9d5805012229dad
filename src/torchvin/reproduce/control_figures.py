"""Figures of continuous control: ways over the map and the planner's value, final distances, a film."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchvin.evaluation.control import GOAL_RADIUS, evaluate_policy
from torchvin.experts.trajectory import Trajectories, TrajectoryOptimizer
from torchvin.io.files import replacing
from torchvin.maps.arenas import Arenas, encode_arenas
from torchvin.plotting.arenas import arena_image, draw_arena
from torchvin.plotting.figure import figure, legend_below
from torchvin.policies.force import ForcePolicy

_SHOWN = 4
_FILMED = 3
_COLORS = {"expert": "#303030", "VIN": "#d62728", "CNN": "#1f77b4", "MLP without the map": "#9467bd"}


def draw(policies: Mapping[str, ForcePolicy], arenas: Arenas, out: Path) -> dict[Path, str]:
    """Draw the figures.

    Args:
        policies: by their rows in the tables; the VIN is filmed, if it is among them.
        arenas: of the test.
        out: folder of the page.

    Returns: captions by path.
    Raises: InputError if a picture cannot be written.
    """
    shown = {name: policy for name, policy in policies.items() if name in _COLORS}
    found = {name: evaluate_policy(policy, arenas)[1] for name, policy in shown.items()}
    ways, distances, film = (out / "figures" / f"control-{name}" for name in ("ways.png", "distance.png", "vin.gif"))
    chosen = _hardest(arenas)
    captions = {}
    if "VIN" in shown:
        _draw_ways(ways, shown["VIN"], arenas, found, chosen)
        captions[ways] = (
            "Test arenas in which the way is longest beside the straight line. Above: the ways of the expert and of "
            "the policies, with a cross where one touches an obstacle. Below: the value of the VIN's plan."
        )
    _draw_distances(distances, found, arenas)
    captions[distances] = f"Final distance from the goal in {len(arenas)} test arenas; the line is the goal's radius."
    if "VIN" in found:
        _film(film, arenas, found["VIN"], chosen[:_FILMED])
        captions[film] = "The VIN pushes the body in three of these arenas."
    return captions


def _hardest(arenas: Arenas) -> Tensor:
    """The arenas whose shortest way is the longest beside the straight line."""
    expert = TrajectoryOptimizer(arenas)
    _, length = expert.routes(torch.arange(len(arenas)), arenas.start)
    detour = length / (arenas.start - arenas.goal).norm(dim=1)
    chosen: Tensor = detour.argsort(descending=True)[:_SHOWN]
    return chosen


def _draw_ways(path: Path, vin: ForcePolicy, arenas: Arenas, found: Mapping[str, Trajectories], chosen: Tensor) -> None:
    """Ways over the map, and the value of the plan beneath."""
    some = arenas[chosen]
    _, plan = vin.look(encode_arenas(some.obstacles, some.goal))
    assert plan is not None
    expert = TrajectoryOptimizer(some).from_start()
    with figure(path, 3.2 * len(chosen), 6.8, rows=2, columns=len(chosen)) as axes:
        for column, index in enumerate(chosen.tolist()):
            axis = axes[0][column]
            draw_arena(axis, arenas.obstacles[index], arenas.goal[index], GOAL_RADIUS)
            _way(axis, expert, column, "expert")
            for name, trajectories in found.items():
                _way(axis, trajectories, index, name)
            value = axes[1][column].imshow(plan.value[column, 0].detach().numpy(), extent=(-1, 1, -1, 1))
            axes[1][column].set(xticks=[], yticks=[])
            axes[1][column].figure.colorbar(value, ax=axes[1][column], shrink=0.7)
            x, y = (arenas.start[index]).tolist()
            axes[1][column].plot(x, y, "w.", markersize=9)
        legend_below(axes, columns=len(found) + 1)


def _way(axis: Any, trajectories: Trajectories, index: int, name: str) -> None:
    places = trajectories.state[index, :, :2].numpy()
    color = _COLORS[name]
    dashed = "--" if name == "expert" else "-"
    axis.plot(places[:, 0], places[:, 1], dashed, color=color, label=name, linewidth=1.4, zorder=3)
    axis.plot(*places[0], "o", color="#303030", markersize=4, zorder=4)
    touched = trajectories.touched[index].nonzero()[:, 0]
    if len(touched):
        axis.plot(*places[int(touched[0]) + 1], "x", color=color, markersize=8, markeredgewidth=2, zorder=5)


def _draw_distances(path: Path, found: Mapping[str, Trajectories], arenas: Arenas) -> None:
    """A histogram of final distances; the last bin holds everything beyond it."""
    edges = np.linspace(0.0, 1.0, 41)
    with figure(path, 6.4, 3.6) as axes:
        axis = axes[0][0]
        for name, trajectories in found.items():
            away = (trajectories.state[:, -1, :2] - arenas.goal).norm(dim=1).clamp(max=0.99).numpy()
            axis.hist(away, edges, histtype="step", linewidth=1.5, color=_COLORS[name], label=name)
        axis.axvline(GOAL_RADIUS, color="#3caa50", linestyle=":")
        axis.set(xlabel="final distance (beyond 1 in the last bin)", ylabel="arenas", yscale="symlog")
        axis.legend()


def _film(path: Path, arenas: Arenas, found: Trajectories, chosen: Tensor) -> None:
    """The body in some arenas side by side, every second step."""
    from PIL import Image

    frames = []
    gap = np.full((220, 6, 3), 200, dtype=np.uint8)
    for step in range(0, found.state.shape[1], 2):
        parts: list[np.ndarray] = []
        for index in chosen.tolist():
            places = found.state[index, : step + 1, :2].numpy()
            picture = arena_image(
                arenas.obstacles[index], arenas.goal[index], places, radius=0.05, goal_radius=GOAL_RADIUS, pixels=220
            )
            parts += [picture, gap]
        frames.append(Image.fromarray(np.concatenate(parts[:-1], axis=1)).quantize(32))
    with replacing(path) as temporary:
        first, *rest = frames
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=100, loop=0)
