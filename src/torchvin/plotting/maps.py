"""Pictures of a map: obstacles, value function, policy, paths."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.evaluation.path import PlannedPath, State
from torchvin.maps.observe import encode
from torchvin.mdp.motion import OFFSETS
from torchvin.plotting.figure import figure
from torchvin.policies.vin import VIN

OBSTACLE = "#303030"
MOST_ARROWS = 40  # cells a side above which arrows would be a grey haze


def draw_map(
    axis: Any, blocked: Bool[Tensor, "H W"], cells: Float[Tensor, "H W"] | None = None, label: str = ""
) -> None:
    """Draw obstacles dark, and `cells` (a number a free cell) in colour with a bar beside it."""
    from matplotlib.colors import ListedColormap

    height, width = blocked.shape
    if cells is not None:
        free = np.ma.masked_array(cells.double().numpy(), mask=blocked.numpy())
        image = axis.imshow(free, cmap="viridis", interpolation="nearest")
        axis.figure.colorbar(image, ax=axis, label=label, shrink=0.75)
    shade = np.ma.masked_array(np.ones((height, width)), mask=~blocked.numpy())
    axis.imshow(shade, cmap=ListedColormap([OBSTACLE]), interpolation="nearest")
    axis.set(xlabel="column", ylabel="row", xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axis.set_facecolor("white")


def draw_policy(axis: Any, blocked: Bool[Tensor, "H W"], actions: Int[Tensor, "H W"], goal: State) -> None:
    """Draw an arrow for the action of every free cell but the goal."""
    shown = ~blocked
    shown[goal] = False
    rows, cols = (index.numpy() for index in shown.nonzero(as_tuple=True))
    offsets = torch.tensor(OFFSETS)[actions[shown]].numpy() * 0.6
    axis.quiver(
        cols,
        rows,
        offsets[:, 1],
        offsets[:, 0],
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color="white" if axis.images and len(axis.images) > 1 else "black",
        width=0.0035,
    )


def draw_path(axis: Any, path: Sequence[State], label: str, **style: Any) -> None:
    """Draw a path through the centres of its cells."""
    rows, cols = zip(*path, strict=True)
    axis.plot(cols, rows, label=label, **style)


def draw_ends(axis: Any, start: State, goal: State) -> None:
    """Mark start and goal."""
    marks = {"markersize": 9, "markeredgecolor": "black", "linestyle": "none"}
    axis.plot(start[1], start[0], marker="o", color="white", label="start", **marks)
    axis.plot(goal[1], goal[0], marker="*", color="gold", label="goal", **{**marks, "markersize": 14})


def _draw_paths(axis: Any, planned: PlannedPath) -> None:
    draw_path(axis, planned.optimal_path, "_", color="white", linewidth=4.5)
    draw_path(axis, planned.optimal_path, f"optimal, cost {planned.optimal_cost:.2f}", color="black", linewidth=2.8)
    what = f"policy, cost {planned.cost:.2f}" if planned.found else "policy, does not arrive"
    draw_path(axis, planned.path, what, color="tab:red", linewidth=1.6, linestyle="--")
    draw_ends(axis, planned.optimal_path[0], planned.optimal_path[-1])


def plot_plan(blocked: Bool[Tensor, "H W"], planned: PlannedPath, path: Path, *, title: str = "") -> None:
    """Draw a planned path beside the optimal one: on the map, and on the value function with the policy's arrows.

    Raises: InputError if `path` cannot be written.
    """
    height, width = blocked.shape
    side = 5.2
    with figure(path, 2.3 * side, side * min(max(height / width, 0.5), 2.0) + 0.9, columns=2) as axes:
        left, right = axes[0]
        draw_map(left, blocked)
        _draw_paths(left, planned)
        left.set_title(title or "Map and paths")
        handles, labels = left.get_legend_handles_labels()
        left.legend(
            handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, facecolor="lightgrey", fontsize=8
        )
        draw_map(right, blocked, planned.value, "value V")
        if max(height, width) <= MOST_ARROWS:
            draw_policy(right, blocked, planned.actions, planned.optimal_path[-1])
        draw_path(right, planned.path, "policy", color="tab:red", linewidth=1.6, linestyle="--")
        draw_ends(right, planned.optimal_path[0], planned.optimal_path[-1])
        how = f"after {planned.iterations} updates" if planned.iterations else "of the exact plan"
        right.set_title(f"Value function {how}" + (", policy" if max(height, width) <= MOST_ARROWS else ""))


@torch.no_grad()
def plot_network(
    policy: VIN, blocked: Bool[Tensor, "H W"], planned: PlannedPath, path: Path, *, title: str = ""
) -> None:
    """Draw what a network computes on one map, in the order of the data flow: map, reward, value, policy and paths.

    Args:
        policy: with a reward model that has `image`.
        blocked: the map, [H, W].
        planned: by this policy on this map.
        path: of the picture.
        title: of the whole figure.

    Raises: InputError if `path` cannot be written.
    """
    goal = planned.optimal_path[-1]
    planes = encode(blocked[None], torch.tensor([goal]), dtype=next(policy.parameters()).dtype)
    image = policy.planner.reward_image(planes)
    if image is None:
        raise InputError(f"a {type(policy.planner).__name__} has no image of its reward to draw.")
    reward = image[0, 0]
    with figure(path, 17, 4.6, columns=4) as axes:
        world, rewards, values, paths = axes[0]
        draw_map(world, blocked)
        draw_ends(world, planned.optimal_path[0], goal)
        world.set_title("Map")
        draw_map(rewards, blocked, reward, "reward, mean over the actions")
        rewards.set_title("Learned reward")
        draw_map(values, blocked, planned.value, "value V")
        values.set_title(f"Value after {planned.iterations} updates")
        draw_map(paths, blocked)
        draw_policy(paths, blocked, planned.actions, goal)
        _draw_paths(paths, planned)
        paths.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8, facecolor="lightgrey")
        paths.set_title("Policy and path")
        if title:
            paths.figure.suptitle(title)
