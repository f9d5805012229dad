"""Where a map's goal lies, for all generators but the authors' own."""

import numpy as np

from torchvin.errors import InputError


def draw_goal(blocked: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(row, col), uniform over the free cells inside the border of one map that a straight move leads to.

    Raises: InputError if there is none.

    >>> draw_goal(np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]], dtype=bool), np.random.default_rng(0))[0].item()
    1
    """
    free = ~blocked[1:-1, 1:-1]
    beside = ~(blocked[:-2, 1:-1] & blocked[2:, 1:-1] & blocked[1:-1, :-2] & blocked[1:-1, 2:])
    cells = np.argwhere(free & beside) + 1
    if len(cells) == 0:
        raise InputError("no free cell inside the border has a free cell beside it, so there is no place for a goal.")
    goal: np.ndarray = cells[random.integers(len(cells))]
    return goal
