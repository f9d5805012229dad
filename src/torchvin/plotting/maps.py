"""Pictures of a map: obstacles, value function, policy, paths."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.evaluation.path import PlannedPath, State
from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.plotting.figure import figure, legend_below
from torchvin.policies.policy import Policy

OBSTACLE = "#303030"
UNKNOWN = "#9a8fb0"
TOO_NEAR = "#d9a441"  # free, and nearer to an obstacle than the robot's radius
MOST_ARROWS = 40  # cells per side above which arrows would be a grey haze
ARROW = 0.6  # length of an arrow for a move of one cell, in cells


def draw_map(
    axis: Any, blocked: Bool[Tensor, "H W"], cells: Float[Tensor, "H W"] | None = None, label: str = ""
) -> None:
    """Draw obstacles dark and free cells white, or in the colour of a number.

    Args:
        axis: of matplotlib.
        blocked: True = obstacle, [H, W].
        cells: a number per cell, [H, W]; obstacles are not shown.
        label: of the colour bar.
    """
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


def draw_policy(
    axis: Any,
    blocked: Bool[Tensor, "H W"],
    actions: Int[Tensor, "H W"],
    goal: State,
    motion: MotionModel | None = None,
) -> Any:
    """Draw an arrow for the action of every free cell but the goal.

    Args:
        axis: of matplotlib, its rows downwards as `draw_map` leaves them.
        blocked: True = obstacle, [H, W].
        actions: index of the action, [H, W].
        goal: (row, col).
        motion: says where each action leads; the paper's 8 moves if not given.

    Returns: the arrows, a `matplotlib.quiver.Quiver` in units of cells.
    Raises: InputError if the agent has orientations: one cell then has several actions.
    """
    motion = motion or GridMotion()
    if motion.num_orientations > 1:
        raise InputError(
            f"arrows show one action per cell, and a {type(motion).__name__} has {motion.num_orientations}; draw its "
            "path alone."
        )
    shown = ~blocked
    shown[goal] = False
    rows, cols = (index.numpy() for index in shown.nonzero(as_tuple=True))
    offsets = torch.tensor([(row, col) for _, row, col in motion.effects[0]])
    arrows = offsets[actions[shown]].numpy() * ARROW
    return axis.quiver(
        cols,
        rows,
        arrows[:, 1],
        arrows[:, 0],
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color="white" if axis.images and len(axis.images) > 1 else "black",
        width=0.0035,
    )


def draw_path(axis: Any, path: Sequence[State], label: str, **style: Any) -> None:
    """Draw a path of (row, col) through the centres of its cells; `style` goes to matplotlib's `plot`."""
    rows, cols = zip(*(state[-2:] for state in path), strict=True)
    axis.plot(cols, rows, label=label, **style)


def draw_ends(axis: Any, start: State, goal: State) -> None:
    """Mark start and goal, both (row, col)."""
    marks = {"markersize": 9, "markeredgecolor": "black", "linestyle": "none"}
    axis.plot(start[-1], start[-2], marker="o", color="white", label="start", **marks)
    axis.plot(goal[-1], goal[-2], marker="*", color="gold", label="goal", **{**marks, "markersize": 14})


def _draw_policy_path(axis: Any, planned: PlannedPath) -> None:
    what = f"path of the policy, cost {planned.cost:.2f}" if planned.found else "path of the policy, does not arrive"
    draw_path(axis, planned.path, what, color="tab:red", linewidth=1.6, linestyle="--")
    draw_ends(axis, planned.optimal_path[0], planned.optimal_path[-1])


def _draw_both_paths(axis: Any, planned: PlannedPath) -> None:
    draw_path(axis, planned.optimal_path, "_", color="white", linewidth=4.5)
    draw_path(
        axis, planned.optimal_path, f"optimal path, cost {planned.optimal_cost:.2f}", color="black", linewidth=2.8
    )
    _draw_policy_path(axis, planned)


def _draw_classes(
    axis: Any, blocked: Bool[Tensor, "H W"], obstacles: Bool[Tensor, "H W"] | None, unknown: Bool[Tensor, "H W"] | None
) -> None:
    """Colour the cells that are blocked for another reason than an obstacle, and the unknown ones."""
    from matplotlib.colors import ListedColormap

    margin = None if obstacles is None else blocked & ~obstacles
    for cells, colour, label in ((margin, TOO_NEAR, "nearer than the radius"), (unknown, UNKNOWN, "unknown")):
        if cells is not None and cells.any():
            shade = np.ma.masked_array(np.ones(cells.shape), mask=~cells.numpy())
            axis.imshow(shade, cmap=ListedColormap([colour]), interpolation="nearest")
            axis.plot([], [], marker="s", color=colour, linestyle="none", label=label)  # for the legend


def plot_plan(
    blocked: Bool[Tensor, "H W"],
    planned: PlannedPath,
    path: str | PathLike[str],
    *,
    title: str = "",
    motion: MotionModel | None = None,
    obstacles: Bool[Tensor, "H W"] | None = None,
    unknown: Bool[Tensor, "H W"] | None = None,
    waypoints: Sequence[State] | None = None,
) -> None:
    """Draw a planned path beside the optimal one: on the map, and on the value function with the policy's arrows.

    Args:
        blocked: the map, [H, W].
        planned: on this map.
        path: of the picture.
        title: of the map.
        motion: of the agent; the paper's 8 moves if not given.
        obstacles: what is blocked before inflation by a radius, [H, W]; `blocked` if not given.
        unknown: cells that nobody has seen, [H, W].
        waypoints: of the smoothed path.

    Raises: InputError if the plan has no values of cells, or `path` cannot be written.
    """
    if planned.value is None:
        raise InputError("this plan has no values of cells to draw; plan with values=True.")
    height, width = blocked.shape
    arrows = max(height, width) <= MOST_ARROWS and planned.actions is not None
    side = 5.2
    with figure(path, 2.3 * side, side * min(max(height / width, 0.5), 2.0) + 0.9, columns=2) as axes:
        left, right = axes[0]
        draw_map(left, blocked)
        _draw_classes(left, blocked, obstacles, unknown)
        _draw_both_paths(left, planned)
        if waypoints is not None:
            draw_path(left, waypoints, "smoothed path", color="tab:blue", linewidth=1.6, marker="o", markersize=3)
        left.set_title(title or "Map and paths")
        draw_map(right, blocked, planned.value, "value V")
        if arrows and planned.actions is not None:
            draw_policy(right, blocked, planned.actions, planned.optimal_path[-1], motion)
        _draw_policy_path(right, planned)
        how = f"after {planned.iterations} updates" if planned.iterations else "of the exact plan"
        right.set_title(f"Value function {how}" + (", policy" if arrows else ""))
        legend_below(axes, columns=4)


@torch.no_grad()
def plot_network(
    policy: Policy,
    blocked: Bool[Tensor, "H W"],
    planned: PlannedPath,
    path: str | PathLike[str],
    *,
    title: str = "",
    motion: MotionModel | None = None,
) -> None:
    """Draw what a network computes on one map, in the order of the data flow: map, reward, value, policy and paths.

    Args:
        policy: with a planner that has a `reward_image`.
        blocked: the map, [H, W].
        planned: by this policy on this map.
        path: of the picture.
        title: of the whole figure.
        motion: of the agent; the paper's 8 moves if not given.

    Raises: InputError if the policy has no image of its reward, or `path` cannot be written.
    """
    if planned.value is None or planned.actions is None:
        raise InputError("this plan has no values of cells to draw; plan with `follow_policy`.")
    goal = planned.optimal_path[-1]
    observation = encode(blocked[None], torch.tensor([goal]), dtype=next(policy.parameters()).dtype)
    image = None if policy.planner is None else policy.planner.reward_image(observation)
    if image is None:
        inside = type(policy if policy.planner is None else policy.planner).__name__
        raise InputError(f"a {inside} has no image of its reward to draw; choose a policy whose planner has one.")
    with figure(path, 17, 4.6, columns=4) as axes:
        world, rewards, values, paths = axes[0]
        draw_map(world, blocked)
        draw_ends(world, planned.optimal_path[0], goal)
        world.set_title("Map")
        draw_map(rewards, blocked, image[0, 0], "reward, mean over the actions")
        rewards.set_title("Learned reward")
        draw_map(values, blocked, planned.value, "value V")
        values.set_title(f"Value after {planned.iterations} updates")
        draw_map(paths, blocked)
        draw_policy(paths, blocked, planned.actions, goal, motion)
        _draw_both_paths(paths, planned)
        paths.set_title("Policy and path")
        legend_below(axes, columns=4)
        if title:
            paths.figure.suptitle(title)
