"""A differential-drive robot follows a plan on a ROS map, with bounded speed and turn rate, and touches nothing.

    python examples/drive_a_map.py --out runs/drive

The planner has headings (weights `maze-15-drive`: left, right, forward) and was trained on 15x15 mazes; the map is
docs/maps/rooms.yaml. The robot is a disc with a heading. It moves along the waypoints of the plan by two rules: turn
towards the next waypoint, and drive as fast as the turn allows. Its distance from obstacles is measured exactly.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from numpy.typing import NDArray

from torchvin import PathPlanner, read_map
from torchvin.errors import InputError
from torchvin.maps.world import world_frame
from torchvin.navigation.clearance import clearance
from torchvin.plotting.figure import figure

_STEP = 0.02  # seconds
_EAST = 1  # orientations are N, E, S, W


@dataclass(frozen=True)
class Arguments:
    """Options of the drive."""

    out: Path = Path("runs/drive")
    """Folder of drive.png."""
    map: Path = Path(__file__).parents[1] / "docs" / "maps" / "rooms.yaml"
    """A map with metres per cell, such as ROS's map_server writes."""
    weights: str = "maze-15-drive"
    """Weights of a planner with headings."""
    start: tuple[int, int] | None = None
    """ROW COL; the first free cell if not given. The robot looks east."""
    goal: tuple[int, int] | None = None
    """ROW COL; the free cell that is farthest from the start if not given."""
    radius: float = 0.08
    """Of the robot, in metres."""
    speed: float = 0.5
    """Largest speed, in metres per second."""
    turn_rate: float = 1.5
    """Largest turn rate, in radians per second."""


def drive(
    places: NDArray[np.float64], heading: float, near: float, arguments: Arguments
) -> tuple[NDArray[np.float64], bool]:
    """Follow places (x, y); the poses (x, y, heading) every 0.02 s, and whether the last place was reached.

    A place is reached where the robot is nearer than `near`, all in metres.
    """
    length = np.hypot(*np.diff(places, axis=0).T).sum()
    most = int((20 * length / arguments.speed + 60) / _STEP)
    pose, poses, target = np.array([*places[0], heading]), [], 0
    for _ in range(most):
        poses.append(pose.copy())
        away = places[target] - pose[:2]
        if np.hypot(*away) < near:
            if target == len(places) - 1:
                return np.array(poses), True
            target += 1
            continue
        turn = math.remainder(math.atan2(away[1], away[0]) - pose[2], math.tau)
        rate = float(np.clip(4.0 * turn, -arguments.turn_rate, arguments.turn_rate))
        ahead = arguments.speed * max(0.0, math.cos(turn)) ** 8
        pose += _STEP * np.array([ahead * math.cos(pose[2]), ahead * math.sin(pose[2]), rate])
    return np.array(poses), False


def least_distance(poses: NDArray[np.float64], squares: NDArray[np.float64], side: float) -> float:
    """The least distance of any pose from squares with these centres, in metres."""
    least = math.inf
    for pose in poses[:, :2]:
        beyond = np.maximum(np.abs(squares - pose) - side / 2, 0.0)
        least = min(least, float(np.hypot(*beyond.T).min()))
    return least


def main(arguments: Arguments) -> None:
    map_file = read_map(arguments.map)
    frame = world_frame(map_file)
    if frame is None or frame.origin[2]:
        raise InputError(f"{arguments.map}: a drive needs metres per cell, and a map that is not turned.")
    obstacles, cell = map_file.blocked.numpy(), frame.resolution
    # The plan keeps the middle of every cell a cell farther away than the robot needs.
    blocked = clearance(obstacles) * cell < arguments.radius + cell
    free = np.argwhere(~blocked)
    if len(free) == 0:
        raise InputError(f"{arguments.map}: no free cell is left for a robot of radius {arguments.radius} m.")
    start = arguments.start or tuple(free[0].tolist())
    goal = arguments.goal or tuple(free[np.hypot(*(free - start).T).argmax()].tolist())
    planner = PathPlanner(arguments.weights)
    plans = [planner.plan(blocked, (_EAST, *start), (facing, *goal), compare=False) for facing in range(4)]
    plan = min(plans, key=lambda found: found.cost)
    cells = np.array([state[1:] for state in plan.states])
    places = frame.to_world(cells[np.append(True, np.any(np.diff(cells, axis=0) != 0, axis=1))])
    poses, arrived = drive(places, 0.0, 0.6 * cell, arguments)
    least = least_distance(poses, frame.to_world(np.argwhere(obstacles)), cell)
    with figure(arguments.out / "drive.png", 5.0, 5.0) as axes:
        axis = axes[0][0]
        left, low = frame.origin[:2]
        height, width = (side * cell for side in obstacles.shape)
        axis.imshow(~obstacles, cmap="gray", extent=(left, left + width, low, low + height))
        axis.plot(*places.T, ".", markersize=3, label="plan")
        axis.plot(*poses[:, :2].T, label="robot")
        axis.set(xlabel="x [m]", ylabel="y [m]")
        axis.legend()
    collision = least < arguments.radius
    print(
        f"{'success' if arrived and not collision else 'failure'}: {len(plan.states)} states planned, "
        f"{len(poses) * _STEP:.1f} s driven, {'arrived' if arrived else 'did not arrive'}, "
        f"{'collision' if collision else 'no collision'}: at least {least:.3f} m from every obstacle, with a radius of "
        f"{arguments.radius} m"
    )
    if collision or not arrived:
        raise SystemExit(1)


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
