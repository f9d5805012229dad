"""String pulling: a path of cells becomes a few straight lines, each with the distance from obstacles kept.

A straight line may take the place of a part of the path if no point of it comes nearer to an obstacle than allowed, and
if it costs no more where cells have costs. The test is exact: it measures the distance of the line from the squares of
all obstacles near it.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int

_TOUCH = 1e-6  # cells
_PIECE = 16.0  # cells: lines are tested in pieces, so that few obstacles are near each


class LineOfSight:
    """Whether a robot can go from the centre of a cell straight to the centre of another one.

    Args:
        blocked: obstacles as the map has them, not inflated, True = obstacle, [H, W]. Off the map is an obstacle.
        radius: of the robot, in cells.
        corner_cutting: whether a line may touch the corner of an obstacle; only for radius 0.
        entry_cost: factor on cost per cell, [H, W]; 1 if not given.

    >>> blocked = np.zeros((3, 5), dtype=bool)
    >>> blocked[0, 2] = True
    >>> sight = LineOfSight(blocked)
    >>> sight.clear((1, 0), (1, 4)), sight.clear((0, 0), (0, 4))
    (True, False)
    """

    def __init__(
        self,
        blocked: Bool[np.ndarray, "H W"],
        *,
        radius: float = 0.0,
        corner_cutting: bool = False,
        entry_cost: Float64[np.ndarray, "H W"] | None = None,
    ) -> None:
        from scipy.spatial import cKDTree

        self.entry_cost = entry_cost
        # A free cell has its own half, and the line leaves from its centre: a smaller radius adds nothing but that a
        # corner may not be touched.
        self._least = radius - _TOUCH if radius > 0 else -_TOUCH if corner_cutting else _TOUCH
        self._radius = radius
        self._squares = _outline(blocked)
        self._tree = cKDTree(self._squares) if len(self._squares) else None

    def clear(self, start: tuple[int, int], end: tuple[int, int]) -> bool:
        """Whether the line between two cells keeps its distance from every obstacle."""
        if self._tree is None:
            return True
        first, last = np.array(start, dtype=np.float64), np.array(end, dtype=np.float64)
        pieces = max(1, int(np.ceil(np.linalg.norm(last - first) / _PIECE)))
        ends = first + (last - first) * np.linspace(0, 1, pieces + 1)[:, None]
        for begin, stop in pairwise(ends):
            reach = np.linalg.norm(stop - begin) / 2 + self._radius + 1
            near = self._tree.query_ball_point((begin + stop) / 2, reach)
            if near and line_clearance(begin, stop, self._squares[near]) < self._least:
                return False
        return True

    def cost(self, start: tuple[int, int], end: tuple[int, int]) -> float:
        """Length of the line in cells, times the factors of the cells that it crosses."""
        first, last = np.array(start, dtype=np.float64), np.array(end, dtype=np.float64)
        length = float(np.linalg.norm(last - first))
        if self.entry_cost is None or length == 0:
            return length
        count = max(2, int(np.ceil(length * 8)))
        points = first + (last - first) * ((np.arange(count) + 0.5) / count)[:, None]
        row, col = np.rint(points).astype(np.int64).T
        return length * float(self.entry_cost[row, col].mean())


def line_clearance(
    start: Float64[np.ndarray, "2"], end: Float64[np.ndarray, "2"], squares: Float64[np.ndarray, "N 2"]
) -> float:
    """Least distance of a line from unit squares around (row, col), in cells; negative where it enters one.

    >>> line_clearance(np.array([0.0, 0.0]), np.array([0.0, 4.0]), np.array([[2.0, 2.0]]))
    1.5
    """
    along = end - start
    length = float(np.hypot(*along))
    if length == 0:
        outside = np.maximum(np.abs(squares - start) - 0.5, 0)
        return float(np.hypot(*outside.T).min())
    # Distance of a segment from a convex square: at an end of the segment, or at a corner of the square, or less than
    # 0 where it enters. Entering: clip the segment to the square, a little smaller.
    low, high = np.zeros(len(squares)), np.ones(len(squares))
    for axis in range(2):
        near, far = squares[:, axis] - 0.5 + 2 * _TOUCH, squares[:, axis] + 0.5 - 2 * _TOUCH
        if along[axis] == 0:
            outside = (start[axis] <= near) | (start[axis] >= far)
            low[outside], high[outside] = 1.0, 0.0
            continue
        one, other = (near - start[axis]) / along[axis], (far - start[axis]) / along[axis]
        low, high = np.maximum(low, np.minimum(one, other)), np.minimum(high, np.maximum(one, other))
    if (low < high).any():
        return -1.0
    distances = []
    for point in (start, end):
        outside = np.maximum(np.abs(squares - point) - 0.5, 0)
        distances.append(np.hypot(*outside.T).min())
    for down in (-0.5, 0.5):
        for right in (-0.5, 0.5):
            corner = squares + np.array([down, right]) - start
            part = np.clip(corner @ along / length**2, 0, 1)
            distances.append(np.hypot(*(corner - part[:, None] * along).T).min())
    return float(min(distances))


def pull_string(states: Int[np.ndarray, "T 2"], sight: LineOfSight) -> Int[np.ndarray, "P 2"]:
    """The corners of a shorter way along the path: each is as far along the path as the one before it can see.

    Args:
        states: cells (row, col) of the path, [T, 2].
        sight: says which straight lines are allowed.

    Returns: a part of the states, the first and the last included, [P, 2].

    >>> path = np.array([[0, 0], [1, 1], [1, 2], [1, 3], [2, 4]])
    >>> pull_string(path, LineOfSight(np.zeros((3, 5), dtype=bool))).tolist()
    [[0, 0], [2, 4]]
    """
    cells = [(int(row), int(col)) for row, col in states]
    steps = [sight.cost(one, other) for one, other in pairwise(cells)]
    travelled = np.concatenate([[0.0], np.cumsum(steps)])

    def allowed(begin: int, end: int) -> bool:
        if end == begin + 1:
            return True
        cheaper = sight.cost(cells[begin], cells[end]) <= float(travelled[end] - travelled[begin]) + _TOUCH
        return (sight.entry_cost is None or cheaper) and sight.clear(cells[begin], cells[end])

    kept, here = [0], 0
    while here < len(cells) - 1:
        here = _furthest(here, len(cells) - 1, allowed)
        kept.append(here)
    return states[kept]


def _furthest(here: int, last: int, allowed: Callable[[int, int], bool]) -> int:
    """The furthest cell seen: steps double while they succeed, then halve."""
    reached, step = here + 1, 1
    while reached < last and allowed(here, min(reached + step, last)):
        reached, step = min(reached + step, last), step * 2
    while step > 1:
        step //= 2
        if reached + step <= last and allowed(here, reached + step):
            reached += step
    return reached


def _outline(blocked: Bool[np.ndarray, "H W"]) -> Float64[np.ndarray, "N 2"]:
    """The obstacles that have a free neighbour, and those around the map, as (row, col)."""
    padded = np.pad(blocked, 1, constant_values=True)
    free = np.pad(~padded, 1)
    beside = np.zeros_like(padded)
    height, width = padded.shape
    for down in range(3):
        for right in range(3):
            beside |= free[down : down + height, right : right + width]
    return np.argwhere(padded & beside).astype(np.float64) - 1
