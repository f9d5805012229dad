"""Distance from obstacles: exact Euclidean inflation by the radius of a robot, and a cost of being near.

An obstacle is the whole square of its cell, and so is everything off the map. The distance of a cell is that of its
centre from the nearest such square.

Where every cell of a path keeps a distance r and no move passes the corner of a blocked cell, every point between the
cells keeps it too: the two cells beside a diagonal move are free, so they keep the distance, and the nearest obstacle
is nearer to one of the four cells than to the move.
"""

import numpy as np
from jaxtyping import Bool, Float64

_TOLERANCE = 1e-9  # cells: a radius of exactly so many cells fits


def clearance(blocked: Bool[np.ndarray, "H W"]) -> Float64[np.ndarray, "H W"]:
    """Distance of the centre of each cell from the nearest obstacle, in cells; 0 on obstacles.

    >>> clearance(np.array([[False, False, False, True]])).tolist()  # off the map is no free space
    [[0.5, 0.5, 0.5, 0.0]]
    """
    from scipy.ndimage import distance_transform_edt

    height, width = blocked.shape
    padded = np.pad(blocked, 1, constant_values=True)
    # The nearest point of a square to another cell's centre is a corner of it or the middle of an edge. All of them
    # lie on a lattice of half a cell.
    occupied = np.zeros((2 * height + 5, 2 * width + 5), dtype=bool)
    for down in range(3):
        for right in range(3):
            occupied[down : down + 2 * height + 3 : 2, right : right + 2 * width + 3 : 2] |= padded
    distance: np.ndarray = distance_transform_edt(~occupied, sampling=0.5)[3:-3:2, 3:-3:2]
    return distance


def inflate(
    blocked: Bool[np.ndarray, "H W"], radius: float, distance: Float64[np.ndarray, "H W"] | None = None
) -> Bool[np.ndarray, "H W"]:
    """Block every cell whose centre is nearer than `radius` to an obstacle.

    Args:
        blocked: True = obstacle, [H, W].
        radius: in cells.
        distance: `clearance(blocked)` if it is known.

    >>> inflate(np.array([[0, 0, 0, 0, 1]], dtype=bool).repeat(5, axis=0), 1.0)[2].tolist()
    [True, False, False, True, True]
    """
    inflated: np.ndarray = blocked.copy()
    if radius > 0.5:  # a cell that is free has its own half
        inflated |= (clearance(blocked) if distance is None else distance) < radius - _TOLERANCE
    return inflated


def nearness_cost(
    distance: Float64[np.ndarray, "H W"], radius: float, weight: float, decay: float
) -> Float64[np.ndarray, "H W"]:
    """Factor on the cost of entering a cell: 1 + weight * exp(-(distance - radius) / decay).

    It falls with the distance as the inflation layer of ROS's costmap_2d does.

    Args:
        distance: `clearance` of each cell, in cells.
        radius: of the robot, in cells.
        weight: the extra cost of touching an obstacle, as a multiple of the move's own cost.
        decay: the distance in cells over which the extra cost falls to a third (1/e).
    """
    return 1 + weight * np.exp(-np.maximum(distance - radius, 0) / decay)
