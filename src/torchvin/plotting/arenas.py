"""Pictures of arenas: as pixels, for environments and films, and on axes of matplotlib."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.maps.arenas import cell_centres
from torchvin.mdp.point_mass import HALF_SIDE, signed_distance

_FREE, _BLOCKED, _GOAL, _BODY, _VISITED = (
    (255, 255, 255),
    (120, 120, 120),
    (60, 170, 80),
    (214, 39, 40),
    (244, 170, 170),
)


def arena_image(
    obstacles: Float[Tensor, "P 5"],
    goal: Float[Tensor, "2"],
    path: np.ndarray,
    *,
    radius: float,
    goal_radius: float,
    pixels: int = 320,
) -> np.ndarray:
    """An arena from above, [pixels, pixels, 3] uint8: obstacles grey, goal green, body red, as in the paper.

    Args:
        obstacles, goal: of the arena.
        path: positions so far [L, 2]; the body is at the last one.
        radius: of the body.
        goal_radius: of the goal.
        pixels: per side.
    """
    points = cell_centres(pixels)
    colors = np.full((pixels, pixels, 3), _FREE, dtype=np.uint8)
    blocked = torch.zeros(pixels, pixels, dtype=torch.bool)
    if len(obstacles):
        blocked = signed_distance(points, obstacles)[0].amin(dim=-1) < 0
    colors[blocked.numpy()] = _BLOCKED
    _disc(colors, points, goal.numpy(), goal_radius, _GOAL)
    for place in path[:-1]:
        _disc(colors, points, place, radius / 4, _VISITED)
    _disc(colors, points, path[-1], radius, _BODY)
    return colors


def _disc(colors: np.ndarray, points: Tensor, centre: np.ndarray, radius: float, color: tuple[int, int, int]) -> None:
    """Paint a disc, looking at the pixels around it only."""
    pixels = len(colors)
    scale = pixels / (2 * HALF_SIDE)
    row, col, reach = (HALF_SIDE - centre[1]) * scale, (centre[0] + HALF_SIDE) * scale, radius * scale + 1
    rows = slice(max(0, int(row - reach)), max(0, int(row + reach) + 1))
    cols = slice(max(0, int(col - reach)), max(0, int(col + reach) + 1))
    near = points[rows, cols].numpy()
    inside = ((near - centre) ** 2).sum(axis=-1) <= radius**2
    colors[rows, cols][inside] = color


def draw_arena(axis: Any, obstacles: Float[Tensor, "P 5"], goal: Float[Tensor, "2"], goal_radius: float) -> None:
    """Draw obstacles and goal in the coordinates of the arena.

    Args:
        axis: of matplotlib.
        obstacles, goal: of the arena.
        goal_radius: of the goal.
    """
    from matplotlib.patches import Circle

    fine = cell_centres(400)
    if len(obstacles):
        distance = signed_distance(fine, obstacles)[0].amin(dim=-1).numpy()
        x, y = fine[0, :, 0].numpy(), fine[:, 0, 1].numpy()
        axis.contourf(x, y, distance, levels=[-HALF_SIDE, 0.0], colors=["#787878"])
    axis.add_patch(Circle(tuple(goal.tolist()), goal_radius, color="#3caa50", zorder=2))
    axis.set(xlim=(-HALF_SIDE, HALF_SIDE), ylim=(-HALF_SIDE, HALF_SIDE), aspect="equal", xticks=[], yticks=[])
