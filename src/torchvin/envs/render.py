"""Pictures of an agent on its map: an image, a text, a window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchvin.envs.episodes import Episodes

_LONGER_SIDE = 320  # pixels
_FREE, _BLOCKED, _GOAL, _AGENT, _VISITED = (
    (255, 255, 255),
    (48, 48, 48),
    (255, 214, 0),
    (214, 39, 40),
    (244, 190, 190),
)
_HEADINGS = "^>v<"
#: Backends of matplotlib that have no window.
_WITHOUT_WINDOW = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def as_image(episodes: Episodes, agent: int, visited: Sequence[int] = ()) -> np.ndarray:
    """The map from above, [height, width, 3] uint8: obstacles dark, goal yellow, agent red.

    Args:
        episodes: of the agents.
        agent: index of the one to draw.
        visited: flat states to tint.
    """
    blocked, goal = _map(episodes, agent)
    height, width = blocked.shape
    colors = np.where(blocked[..., None], np.array(_BLOCKED, np.uint8), np.array(_FREE, np.uint8))
    for state in visited:
        colors[_cell(episodes, state)] = _VISITED
    colors[goal] = _GOAL
    size = max(4, _LONGER_SIDE // max(height, width))
    image: np.ndarray = colors.repeat(size, axis=0).repeat(size, axis=1)
    state = int(episodes.state[agent])
    row, col = _cell(episodes, state)
    mark = image[row * size : (row + 1) * size, col * size : (col + 1) * size]
    mark[_disc(size, state // episodes.space.num_cells if episodes.space.num_orientations > 1 else None)] = _AGENT
    return image


def as_text(episodes: Episodes, agent: int) -> str:
    """The map as text, one line per row: `#` obstacle, `.` free, `G` goal, `A` agent (`^>v<` if it has a heading)."""
    blocked, goal = _map(episodes, agent)
    cells = np.where(blocked, "#", ".")
    cells[goal] = "G"
    state = int(episodes.state[agent])
    headed = episodes.space.num_orientations == len(_HEADINGS)
    cells[_cell(episodes, state)] = _HEADINGS[state // episodes.space.num_cells] if headed else "A"
    return "\n".join("".join(row) for row in cells)


class Window:
    """A window of matplotlib that shows one image after the other."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt
        from gymnasium import logger

        if plt.get_backend().lower() in _WITHOUT_WINDOW:
            logger.warn(
                f"matplotlib's backend {plt.get_backend()} has no window, so render mode human shows nothing; use "
                "rgb_array."
            )
        self._plt = plt
        self._figure: Any = plt.figure("torchvin")
        axis = self._figure.add_axes((0, 0, 1, 1))
        axis.set_axis_off()
        self._axis = axis
        self._image: Any = None

    def show(self, image: np.ndarray) -> None:
        """Show an image."""
        if self._image is None:
            self._image = self._axis.imshow(image)
            if self._plt.get_backend().lower() not in _WITHOUT_WINDOW:
                self._figure.show()
        self._image.set_data(image)
        self._figure.canvas.draw_idle()
        self._figure.canvas.flush_events()

    def close(self) -> None:
        """Close the window."""
        self._plt.close(self._figure)


def _map(episodes: Episodes, agent: int) -> tuple[np.ndarray, tuple[int, int]]:
    index = episodes.which[agent]
    row, col = episodes.worlds.goal[index, -2:].tolist()
    blocked: np.ndarray = episodes.worlds.blocked[index].numpy()
    return blocked, (row, col)


def _cell(episodes: Episodes, state: int) -> tuple[int, int]:
    row, col = divmod(state % episodes.space.num_cells, episodes.space.width)
    return row, col


def _disc(size: int, heading: int | None) -> np.ndarray:
    """The pixels of the agent, [size, size] bool: a disc, or the half that looks ahead and a dot."""
    rows, cols = np.mgrid[:size, :size] - (size - 1) / 2
    inside: np.ndarray = rows**2 + cols**2 <= (0.36 * size) ** 2
    if heading is None:
        return inside
    ahead = (-rows, cols, rows, -cols)[heading]
    half: np.ndarray = inside & (ahead >= -0.05 * size)
    return half
