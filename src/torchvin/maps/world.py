"""Cells and metres: the pose of a map in the world, as ROS has it (x to the right, y up, yaw counter-clockwise)."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from torchvin.errors import InputError
from torchvin.maps.formats.contract import MapFile

Cell = tuple[int, int]


@dataclass(frozen=True)
class WorldFrame:
    """Where the cells of a map lie in the world.

    Args:
        height: rows of the map.
        resolution: metres per cell.
        origin: (x metres, y metres, yaw radians) of the lower-left corner of the cell (height - 1, 0), as in the
            `origin` of a ROS map.

    >>> frame = WorldFrame(height=10, resolution=0.5, origin=(-1.0, 2.0, 0.0))
    >>> frame.to_world(np.array([[9, 0], [0, 3]])).tolist()  # centres of cells
    [[-0.75, 2.25], [0.75, 6.75]]
    >>> frame.to_cell(0.75, 6.75)
    (0, 3)
    """

    height: int
    resolution: float
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def to_world(self, points: Int[np.ndarray, "T 2"] | Float64[np.ndarray, "T 2"]) -> Float64[np.ndarray, "T 2"]:
        """(x, y) in metres of points (row, col) in cells; whole numbers are the centres of cells."""
        x0, y0, yaw = self.origin
        right = (points[:, 1] + 0.5) * self.resolution
        up = (self.height - points[:, 0] - 0.5) * self.resolution
        cos, sin = math.cos(yaw), math.sin(yaw)
        return np.stack([x0 + cos * right - sin * up, y0 + sin * right + cos * up], axis=1)

    def to_cell(self, x: float, y: float) -> Cell:
        """(row, col) of the cell that holds the point (x, y) in metres. It may lie off the map."""
        x0, y0, yaw = self.origin
        cos, sin = math.cos(yaw), math.sin(yaw)
        right = (cos * (x - x0) + sin * (y - y0)) / self.resolution
        up = (cos * (y - y0) - sin * (x - x0)) / self.resolution
        # A centre that went through metres comes back as the same cell: rounding is a billionth of a cell.
        return self.height - 1 - math.floor(up + 1e-9), math.floor(right + 1e-9)


def world_frame(map_file: MapFile) -> WorldFrame | None:
    """The frame of a map; None if the map does not say how large its cells are.

    Raises: InputError for a resolution that is not above 0.
    """
    if map_file.resolution is None:
        return None
    if not 0 < map_file.resolution < math.inf:
        raise InputError(f"the resolution must be a number of metres per cell above 0, got {map_file.resolution}.")
    return WorldFrame(map_file.blocked.shape[0], map_file.resolution, map_file.origin or (0.0, 0.0, 0.0))
