"""Pictures of paths on overhead images."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from torchvin.navigation.image_path import ImagePath
from torchvin.plotting.figure import figure, legend_below

_SIDE = 5.2  # inches


def plot_image_path(
    image: UInt8[np.ndarray, "P Q"], planned: ImagePath, path: str | PathLike[str], *, title: str = ""
) -> None:
    """Draw the image with the path on it, and what each cell costs by the network, if it says so.

    Args:
        image: as it was planned on.
        planned: on this image.
        path: of the picture.
        title: of the image.

    Raises: InputError if `path` cannot be written.
    """
    rows, cols = image.shape
    panels: Sequence[str] = ("image",) if planned.learned_cost is None else ("image", "cost")
    with figure(
        path, 1.1 * len(panels) * _SIDE, _SIDE * min(max(rows / cols, 0.4), 2.0) + 0.8, columns=len(panels)
    ) as axes:
        for axis, what in zip(axes[0], panels, strict=True):
            if what == "image":
                axis.imshow(image, cmap="gray", interpolation="nearest")
                axis.set_title(title or "Image and path")
            else:
                _draw_cost(axis, planned, (rows, cols))
            _draw_paths(axis, planned)
            axis.set(xlabel="column, pixels", ylabel="row, pixels", xlim=(-0.5, cols - 0.5), ylim=(rows - 0.5, -0.5))
        legend_below(axes, columns=4)


def _draw_cost(axis: Any, planned: ImagePath, size: tuple[int, int]) -> None:
    cost = planned.learned_cost
    assert cost is not None
    height, width = cost.shape
    side = planned.cell_pixels
    shown: Float[np.ndarray, "H W"] = np.log10(cost.clip(min=1e-4))
    extent = (-0.5, side * width - 0.5, side * height - 0.5, -0.5)
    drawn = axis.imshow(shown, cmap="magma", interpolation="nearest", extent=extent)
    axis.figure.colorbar(drawn, ax=axis, label="log10 of the cost of a cell, in moves", shrink=0.75)
    axis.set_title("Learned cost")


def _draw_paths(axis: Any, planned: ImagePath) -> None:
    if planned.optimal_cells is not None:
        centres = planned.optimal_cells * planned.cell_pixels + (planned.cell_pixels - 1) / 2
        axis.plot(centres[:, 1], centres[:, 0], color="deepskyblue", linewidth=3, label="optimal path on the true map")
    label = f"path, cost {planned.cost:.2f}" if planned.found else "path, does not arrive"
    pixels = planned.pixels
    axis.plot(pixels[:, 1], pixels[:, 0], color="yellow", linewidth=1.6, label=label)
    for (row, col), marker, colour, name in ((pixels[0], "o", "white", "start"), (pixels[-1], "*", "gold", "end")):
        axis.plot(
            col, row, marker=marker, color=colour, markeredgecolor="black", markersize=11, linestyle="none", label=name
        )
