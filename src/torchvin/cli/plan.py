"""`torchvin plan`: a path on a map of your own, and a picture of it.

The exit status is 3 where the policy does not arrive, so that a script need not read the text.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torchvin.errors import InputError

NOT_ARRIVED = 3  # exit status


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin plan`."""

    map: Path
    """Map: MovingAI .map, ROS map.yaml, .png .jpg .pgm .bmp, or .npy."""
    start: str
    """ROW,COL of the start, from 0,0 at the top left."""
    goal: str
    """ROW,COL of the goal."""
    weights: str | None = None
    """Name of shipped weights, or the folder of a run. Not given: gridworld-16-shortest-path, or its form that was
    trained without corner cutting, by the rule below."""
    corner_cutting: Literal["yes", "no"] | None = None
    """Whether a diagonal move may pass the corner of an obstacle. Not given: as the weights learned; without weights,
    no on a ROS map, else yes (the paper's rule)."""
    out: Path | None = None
    """Picture of map, value function, path and optimal path: .png, .svg or .pdf."""
    iterations: int | None = None
    """K, the number of value updates; as many as it takes if not given."""
    solve: Literal["exact", "iterate"] | None = None
    """Design shortest_path: exact (a graph search, what its weights do if not said) or iterate (K value updates)."""
    threshold: float | None = None
    """For pictures: darker than this is an obstacle, from 0 (black) to 1 (white)."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> int:
    """Read, plan, draw, print.

    Returns: the exit status: 0, or `NOT_ARRIVED`.
    """
    from torchvin.cli.output import print_json
    from torchvin.cli.solver import choose_solver
    from torchvin.evaluation.path import check_task, plan_path
    from torchvin.io.files import check_writable
    from torchvin.maps.formats import read_map
    from torchvin.mdp.motion import GridMotion
    from torchvin.plotting.figure import check_picture
    from torchvin.plotting.maps import plot_plan
    from torchvin.pretrained.store import load_policy

    start, goal = parse_state("--start", arguments.start), parse_state("--goal", arguments.goal)
    map_file = read_map(arguments.map, threshold=arguments.threshold)
    weights = arguments.weights or default_weights(arguments.map, arguments.corner_cutting)
    policy = load_policy(weights)
    config = policy.config
    assert config is not None  # loaded
    if (config.num_orientations, config.num_terrains) != (1, 1):
        raise InputError(
            f"{weights}: trained for {config.num_orientations} orientations and "
            f"{config.num_terrains} classes of terrain, and a map file has neither; choose other weights."
        )
    moves = policy.motion or GridMotion(config.num_actions)
    if arguments.corner_cutting and moves.corner_cutting != (arguments.corner_cutting == "yes"):
        learned = "yes" if moves.corner_cutting else "no"
        raise InputError(
            f"--corner-cutting {arguments.corner_cutting} contradicts {weights}, which learned to move with "
            f"--corner-cutting {learned}; leave the option out, or choose other weights."
        )
    check_task(map_file.blocked, start, goal, moves)
    if arguments.out:
        check_picture(arguments.out)
        check_writable(arguments.out)
    choose_solver(policy, arguments.solve, arguments.iterations)
    planned = plan_path(policy, map_file.blocked, start, goal, num_iterations=arguments.iterations, moves=moves)
    seconds = planned.seconds
    status = 0 if planned.found else NOT_ARRIVED
    if arguments.out:
        title = f"{arguments.map.name}: {start} to {goal}"
        plot_plan(map_file.blocked, planned, arguments.out, title=title, motion=moves)
    if arguments.json:
        print_json(
            {
                "found": planned.found,
                "cost": planned.cost,
                "optimal_cost": planned.optimal_cost,
                "path": planned.path,
                "seconds": seconds,
                "iterations": planned.iterations,
                "weights": weights,
                "motion": moves.to_json(),
            }
        )
        return status
    height, width = map_file.blocked.shape
    corners = "may" if moves.corner_cutting else "may not"
    how = f"{planned.iterations} value updates" if planned.iterations else "solved exactly"
    print(f"{arguments.map.name}: {height}x{width} cells, {int((~map_file.blocked).sum())} free")
    print(f"{moves.num_actions} moves; diagonal moves {corners} pass the corner of an obstacle ({weights})")
    if planned.found:
        excess = max(0.0, planned.cost / planned.optimal_cost - 1) if planned.optimal_cost else 0.0  # no -0.00 %
        print(
            f"path of {len(planned.path)} states, cost {planned.cost:.3f} cells; optimal {planned.optimal_cost:.3f} "
            f"({100 * excess:.2f} % above); {how}, {seconds:.2f} s"
        )
        if map_file.resolution is not None:
            print(f"length {planned.cost * map_file.resolution:.2f} m at {map_file.resolution:g} m per cell")
    else:
        print(
            f"the policy did not arrive ({how}, {seconds:.2f} s); a path of cost "
            f"{planned.optimal_cost:.3f} exists: these weights do not reach that far"
        )
    if arguments.out:
        print(f"picture: {arguments.out}")
    return status


def default_weights(map_path: Path, corner_cutting: str | None) -> str:
    """The weights where none are named: a robot, so a ROS map, must not pass corners; the paper's agent may.

    >>> default_weights(Path("office.yaml"), None), default_weights(Path("arena.map"), None)
    ('gridworld-16-shortest-path-no-corners', 'gridworld-16-shortest-path')
    """
    from torchvin.maps.formats.ros import ROS_SUFFIXES

    is_robots = map_path.suffix.lower() in ROS_SUFFIXES
    keeps_corners = corner_cutting == "no" if corner_cutting else is_robots
    return "gridworld-16-shortest-path" + ("-no-corners" if keeps_corners else "")


def parse_state(flag: str, text: str) -> tuple[int, int]:
    """(row, col) from "ROW,COL".

    Raises: InputError.
    """
    try:
        row, col = (int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"{flag} must be ROW,COL, two whole numbers such as 3,14; got {text!r}.") from error
    return row, col
