"""Figures of the overhead images: paths on the image, learned cost beside hidden slope."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.data.overhead import OverheadDataset, with_images
from torchvin.evaluation.scorer import evaluate, greedy_actions, success_by_length
from torchvin.experts.grid import preferred_action
from torchvin.experts.path_lengths import path_lengths
from torchvin.maps.generators.overhead import MAX_SLOPE, hidden_slope
from torchvin.mdp.rollout import rollout
from torchvin.plotting.figure import figure
from torchvin.policies.policy import Policy

_MAPS = 100
_SHOWN = 4
_CAUTIONS = (1.0, 3.0, 10.0, 20.0, 40.0, 100.0, 300.0)


def draw(policy: Policy, out: Path, seed: Sequence[int]) -> tuple[dict[Path, str], float]:
    """Draw the figures of a VIN.

    Args:
        policy: with a reward image.
        out: folder of the page.
        seed: of the held-out maps.

    Returns: captions by path, and Spearman's correlation of learned cost and true slope.
    Raises: InputError if a picture cannot be written.
    """
    maps = draw_maps("terrain", _MAPS, 16, 16, seed=seed)
    assert isinstance(maps, OverheadDataset)
    slope = hidden_slope(_MAPS, 16, seed=seed)
    cost = learned_cost(policy, maps)
    names = ("paths", "cost", "slope", "length")
    paths, costs, slopes, length = (out / "figures" / f"mars-{name}.png" for name in names)
    far = farthest_starts(maps)
    chosen = far.lengths.argsort(descending=True)[:_SHOWN]
    shown = with_images(maps[chosen], maps.image[chosen])
    _draw_paths(paths, policy, shown, far.starts[chosen])
    _draw_costs(costs, shown, cost[chosen.numpy()], slope[chosen.numpy()])
    _draw_slopes(slopes, cost.ravel(), slope.ravel())
    _draw_lengths(length, policy, maps)
    captions = {
        paths: f"Held-out terrain: the image that the network sees, its path (crosses) and the true optimal path "
        f"(line), of the longest demonstrations among {_MAPS} "
        "maps, the hardest there are. Crosses end where the network walks against what it took for free.",
        costs: "The image, the cost of each cell that the network learned from paths, and the steepest slope of "
        "each cell, which it never saw (degrees).",
        slopes: f"The learned cost of each cell by its steepest slope, {_MAPS} held-out maps; right of the line are "
        "obstacles. Bright: many cells.",
        length: f"Success from every state by the length of its optimal path, {_MAPS} held-out maps.",
    }
    return captions, rank_correlation(cost.ravel(), slope.ravel())


def draw_caution(policy: Policy, out: Path, maps: OverheadDataset) -> dict[Path, str]:
    """Draw success and optimality by the caution of a VIN; its own is put back.

    Args:
        policy: whose planner has a caution.
        out: folder of the page.
        maps: that no table uses.

    Returns: the caption, by path.
    Raises: InputError if the picture cannot be written.
    """
    path = out / "figures" / "mars-caution.png"
    assert policy.planner is not None
    own = policy.planner.solver
    scores = []
    for caution in _CAUTIONS:
        policy.planner.set_solver({"caution": caution})
        scores.append(evaluate(policy, maps).scores)
    policy.planner.set_solver(own)
    with figure(path, 4.6, 3.2) as axes:
        axis = axes[0][0]
        axis.semilogx(_CAUTIONS, [100 * score.success_rate for score in scores], marker=".", label="success")
        axis.semilogx(_CAUTIONS, [100 * score.optimal_rate for score in scores], marker=".", label="optimal")
        axis.axvline(own["caution"], color="grey", linestyle=":", label="caution of the weights")
        axis.set(xlabel="caution: factor on the learned costs", ylabel="%")
        axis.legend()
    return {
        path: f"What caution buys: success and optimality on {len(maps)} maps that no table uses. The caution of the "
        "weights was chosen on such maps."
    }


@dataclass(frozen=True)
class Far:
    """The demonstration of each map that begins farthest from the goal.

    Attributes:
        starts: flat states, [M, 1].
        lengths: moves of the optimal path, [M].
    """

    starts: Int[torch.Tensor, "M 1"]
    lengths: Int[torch.Tensor, "M"]


def farthest_starts(maps: MapDataset) -> Far:
    """See `Far`."""
    lengths = path_lengths(maps.blocked, maps.optimal_actions, maps.moves).flatten(1)
    starts = maps.space.flatten(maps.starts)
    moves, which = lengths.gather(1, starts.clamp(min=0)).where(starts >= 0, -1).max(dim=1)
    return Far(starts.gather(1, which[:, None]), moves)


@torch.no_grad()
def learned_cost(policy: Policy, maps: OverheadDataset) -> Float[np.ndarray, "M H W"]:
    """Minus the reward image of each map."""
    assert policy.planner is not None
    reward = policy.planner.reward_image(maps.planes())
    assert reward is not None
    cost: np.ndarray = -reward[:, 0].numpy()
    return cost


def rank_correlation(one: Float[np.ndarray, "N"], other: Float[np.ndarray, "N"]) -> float:
    """Spearman's correlation.

    >>> round(rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])), 6)
    1.0
    """
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)


def _draw_paths(path: Path, policy: Policy, maps: OverheadDataset, starts: Int[torch.Tensor, "M 1"]) -> None:
    iterations = policy.default_iterations(*maps.size)
    learned = greedy_actions(policy, maps, iterations, torch.device("cpu"))
    optimal = preferred_action(maps.optimal_actions, maps.moves)
    with figure(path, 3.2 * len(maps), 3.4, columns=len(maps)) as axes:
        for index, axis in enumerate(axes[0]):
            _show(axis, maps.image[index].numpy(), "gray")
            for actions, style in ((optimal, "-"), (learned, "x")):
                rows, cols = _followed(actions[index : index + 1], maps[index : index + 1], starts[index : index + 1])
                half = maps.cell_pixels / 2 - 0.5
                axis.plot(
                    maps.cell_pixels * cols + half,
                    maps.cell_pixels * rows + half,
                    style,
                    color="deepskyblue" if style == "-" else "yellow",
                    markersize=6,
                    linewidth=2,
                )


def _followed(actions: torch.Tensor, one: MapDataset, start: Int[torch.Tensor, "1 1"]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cells of a path."""
    limit = torch.full_like(start, 2 * sum(one.size))
    path = rollout(actions, one.blocked, one.goal, start, limit=limit, moves=one.moves, record=True).path
    assert path is not None
    cells = one.space.unflatten(path[0, 0][path[0, 0] >= 0]).numpy()
    return cells[:, 0], cells[:, 1]


def _draw_costs(
    path: Path, maps: OverheadDataset, cost: Float[np.ndarray, "M H W"], slope: Float[np.ndarray, "M H W"]
) -> None:
    with figure(path, 3.0 * len(maps), 8.6, rows=3, columns=len(maps)) as axes:
        for index in range(len(maps)):
            _show(axes[0][index], maps.image[index].numpy(), "gray")
            _show(axes[1][index], np.log(cost[index]), "magma")
            _show(axes[2][index], slope[index].clip(max=25), "magma")
        for axis, name in zip(axes[:, 0], ("image", "learned cost (log)", "true slope"), strict=True):
            axis.set_ylabel(name)


def _draw_slopes(path: Path, cost: Float[np.ndarray, "N"], slope: Float[np.ndarray, "N"]) -> None:
    with figure(path, 4.8, 3.6) as axes:
        axis = axes[0][0]
        axis.hexbin(slope.clip(max=30), np.log10(cost.clip(min=1e-5)), gridsize=40, bins="log", cmap="magma", mincnt=1)
        axis.axvline(MAX_SLOPE, color="deepskyblue")
        axis.set(xlabel="steepest slope of the cell, degrees", ylabel="log10 of the learned cost, in moves")


def _draw_lengths(path: Path, policy: Policy, maps: OverheadDataset) -> None:
    states, success = success_by_length(policy, maps)
    known = states > 20
    with figure(path, 4.6, 3.2) as axes:
        axes[0][0].plot(known.nonzero()[:, 0].numpy(), 100 * success[known].numpy(), marker=".")
        axes[0][0].set_xlabel("moves of the optimal path")
        axes[0][0].set_ylabel("success, %")


def _show(axis: Any, picture: np.ndarray, colours: str) -> None:
    axis.imshow(picture, cmap=colours)
    axis.set_xticks([])
    axis.set_yticks([])
