"""A map as a robot may use it: classes of cells treated, obstacles inflated, costs of cells, metres."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from torchvin.errors import InputError
from torchvin.maps.formats.contract import MapFile
from torchvin.maps.treatment import BLOCKED, Treatment, treat
from torchvin.maps.world import Cell, WorldFrame, world_frame
from torchvin.navigation.clearance import clearance, inflate, nearness_cost

_DECAY_WITHOUT_RADIUS = 2.0  # cells


@dataclass(frozen=True)
class RobotMap:
    """Where the centre of a robot may be, and what being there costs.

    Attributes:
        map_file: as it was read.
        obstacles: cells that hold an obstacle, [H, W]; unknown and graded cells by their treatment.
        blocked: cells where the centre may not be: obstacles, and what is nearer to one than the radius, [H, W].
        entry_cost: factor on the cost of entering a cell, [H, W]; None if it is 1 everywhere.
        radius: of the robot, in cells.
        frame: cells and metres; None if the map does not say how large its cells are.
    """

    map_file: MapFile
    obstacles: Bool[np.ndarray, "H W"]
    blocked: Bool[np.ndarray, "H W"]
    entry_cost: Float64[np.ndarray, "H W"] | None
    radius: float
    frame: WorldFrame | None

    def cell(self, flag: str, x: float, y: float) -> Cell:
        """The cell of a point in metres.

        Raises: InputError if the map says nothing of metres.
        """
        if self.frame is None:
            raise InputError(
                f"{flag} in metres: {self.map_file.source} does not say how large a cell is; add --resolution METRES."
            )
        return self.frame.to_cell(x, y)

    def check(self, flag: str, cell: Cell) -> None:
        """Check that the robot may stand in a cell of the map; cells off the map are left to the planner's check.

        Raises: InputError saying why it may not.
        """
        height, width = self.blocked.shape
        if not (0 <= cell[0] < height and 0 <= cell[1] < width) or not self.blocked[cell]:
            return
        unknown = self.map_file.unknown
        if not self.obstacles[cell]:
            distance = float(clearance(self.obstacles)[cell])
            metres = self.frame.resolution if self.frame else 1.0
            raise InputError(
                f"{flag} {cell} is {distance * metres:.3g} m from an obstacle, and the robot's radius is "
                f"{self.radius * metres:.3g} m; choose a cell further from obstacles."
            )
        if unknown is not None and unknown[cell]:
            raise InputError(
                f"{flag} {cell} lies in unknown space, which is blocked; choose a known cell, or add --unknown free."
            )
        if self.map_file.grade is not None and self.map_file.grade[cell] > 0:
            raise InputError(
                f"{flag} {cell} lies in a cell that is neither free nor occupied, which is blocked; choose a free "
                "cell, or add --grades cost:X."
            )


def robot_map(
    map_file: MapFile,
    *,
    unknown: Treatment = BLOCKED,
    grades: Treatment = BLOCKED,
    radius: float = 0.0,
    clearance_cost: float = 0.0,
) -> RobotMap:
    """Treat the cells of a map and inflate its obstacles.

    Args:
        map_file: as it was read.
        unknown, grades: treatment of these classes (`maps.treatment`).
        radius: of the robot, in metres.
        clearance_cost: extra cost of touching an obstacle, as a multiple of the cost of a move; it falls to a third
            over one radius (2 cells without a radius).

    Raises: InputError for a radius or cost below 0, a radius on a map without metres, or a map with no cell left.
    """
    for flag, value in (("--radius", radius), ("--clearance-cost", clearance_cost)):
        if not 0 <= value < np.inf:
            raise InputError(f"{flag} must be a number, 0 or more; got {value:g}.")
    frame = world_frame(map_file)
    if radius and frame is None:
        raise InputError(
            f"--radius is in metres, and {map_file.source} does not say how large a cell is; add --resolution METRES."
        )
    cells = radius / frame.resolution if frame else 0.0
    obstacles, factor = treat(map_file, unknown, grades)
    distance = clearance(obstacles) if clearance_cost or cells > 0.5 else None
    blocked = inflate(obstacles, cells, distance)
    if blocked.all():
        raise InputError(f"{map_file.source}: no cell is as far from obstacles as the radius of {radius:g} m.")
    if clearance_cost and distance is not None:
        near = nearness_cost(distance, cells, clearance_cost, cells or _DECAY_WITHOUT_RADIUS)
        factor = near if factor is None else factor * near
    return RobotMap(map_file, obstacles, blocked, factor, cells, frame)


def with_resolution(map_file: MapFile, resolution: float | None) -> MapFile:
    """A map whose cells are `resolution` metres wide, its lower-left corner at (0, 0); as it is if not given.

    Raises: InputError if the map says how large its cells are, or the resolution is not above 0.
    """
    if resolution is None:
        return map_file
    if map_file.resolution is not None:
        raise InputError(
            f"--resolution {resolution:g}: {map_file.source} says {map_file.resolution:g} m per cell; leave it out."
        )
    if not 0 < resolution < np.inf:
        raise InputError(f"--resolution must be a number of metres per cell above 0, got {resolution:g}.")
    return dataclasses.replace(map_file, resolution=resolution)
