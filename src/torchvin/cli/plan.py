"""`torchvin plan`: a path on a map or an overhead image of your own, and a picture of it.

The exit status is 3 where the policy does not arrive, so that a script need not read the text.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torchvin.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int

    from torchvin.cli.plan_report import Report
    from torchvin.evaluation.path import State
    from torchvin.io.stopwatch import Stopwatch
    from torchvin.mdp.motion import MotionModel
    from torchvin.navigation.path_planner import PathPlanner
    from torchvin.navigation.robot_map import RobotMap
    from torchvin.policies.policy import Policy

NOT_ARRIVED = 3  # exit status


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin plan`."""

    map: Path | None = None
    """Map: MovingAI .map, ROS map.yaml, .png .jpg .pgm .bmp, or .npy. Not given: the one that --scenario names."""
    image: Path | None = None
    """In place of --map, an overhead image (PNG, JPEG, GeoTIFF): what cannot be crossed is what the weights see.
    --start and --goal are then ROW,COL in pixels; with --world X,Y in metres. Of the options below --weights,
    --caution, --pixel-size, --dem, --normals, --max-slope, --out, --profile, --device and --json apply."""
    start: str | None = None
    """ROW,COL of the start, from 0,0 at the top left; with --world X,Y in metres. Weights of an agent with a heading
    need it too: ROW,COL,HEADING, N E S or W."""
    goal: str | None = None
    """ROW,COL of the goal, as the start."""
    scenario: Path | None = None
    """MovingAI .scen, in place of --start and --goal."""
    task: int = 1
    """Number of the task in the .scen; the first is 1."""
    world: bool = False
    """Start and goal are X,Y in metres: x to the right, y up, by the map's origin, yaw and resolution, as in ROS."""
    resolution: float | None = None
    """Metres per cell, for a map that does not say; its lower-left corner is then (0, 0)."""
    radius: float = 0.0
    """Radius of the robot in metres: its centre keeps at least this distance from every obstacle and from the edge of
    the map."""
    clearance_cost: float = 0.0
    """Extra cost of touching an obstacle, as a multiple of the cost of a move; it falls to a third over one radius."""
    unknown: str = "blocked"
    """Unknown cells: blocked, free, or cost:X (entering one costs X times as much)."""
    grades: str = "blocked"
    """Cells between free and occupied (ROS mode scale, grey pictures, arrays of 0 to 1 or 0 to 100): blocked, or cost:X
    (entering a cell of grade g, 0 to 1, costs 1 + X * g times as much)."""
    weights: str | None = None
    """Name of shipped weights, or the folder of a run. Not given: gridworld-16-shortest-path, or its form that was
    trained without corner cutting, by the rule below."""
    corner_cutting: Literal["yes", "no"] | None = None
    """Whether a diagonal move may pass the corner of an obstacle. Not given: as the weights learned; without weights,
    no on a ROS map and for a robot with a radius, else yes (the paper's rule)."""
    smooth: bool = False
    """Also give waypoints: the path as few straight lines that keep the same distance from obstacles."""
    out: Path | None = None
    """Picture of map, value function, path and optimal path: .png, .svg or .pdf."""
    csv: Path | None = None
    """File for the path: row, col, x, y in metres (where the map has them), and whether it is a waypoint."""
    iterations: int | Literal["auto"] = "auto"
    """K, the number of value updates. auto: doubled until the goal is reached or the values converge."""
    solve: Literal["exact", "iterate"] | None = None
    """Design shortest_path: exact (a graph search, what its weights do if not said) or iterate (K value updates)."""
    threshold: float | None = None
    """For pictures: darker than this is an obstacle, from 0 (black) to 1 (white)."""
    caution: float | None = None
    """For --image: factor on the learned costs; a larger one keeps farther from what may be steep. Not given: that of
    the weights."""
    pixel_size: float | None = None
    """For --image: side of a pixel in metres; the lower-left corner is then (0, 0). Not given: a GeoTIFF's own."""
    dem: Path | None = None
    """For --image: elevation of the same pixels in metres (.npy, GeoTIFF), to follow the path on the true map. The
    network does not see it."""
    normals: Path | None = None
    """For --image, in place of --dem: surface normals as colours."""
    max_slope: float = 10.0
    """For --dem and --normals: a cell with a steeper slope, in degrees, is an obstacle."""
    profile: bool = False
    """Print where the time went."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs: cpu, cuda, or auto (the GPU if there is one)."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> int:
    """Read, plan, smooth, draw, print.

    Returns: the exit status: 0, or `NOT_ARRIVED`.
    """
    from torchvin.cli.plan_report import Report, print_report
    from torchvin.io.files import check_writable
    from torchvin.io.stopwatch import Stopwatch
    from torchvin.plotting.figure import check_picture

    if arguments.image is not None:
        from torchvin.cli import plan_image

        return plan_image.run(arguments)
    _check_no_image(arguments)
    watch = Stopwatch()
    if arguments.out:
        check_picture(arguments.out)
    for path in (arguments.out, arguments.csv):
        if path:
            check_writable(path)
    map_path, start_text, goal_text = _task(arguments)
    robot = _read(arguments, map_path, watch)
    with watch("weights"):
        policy, name = _policy(arguments, map_path)
    with watch("table of moves"):
        planner = _planner(arguments, policy, name)
    start = _state(arguments, "--start", start_text, robot, planner.motion)
    goal = _state(arguments, "--goal", goal_text, robot, planner.motion)
    with watch("plan, and optimum to compare"):
        iterations = None if arguments.iterations == "auto" else arguments.iterations
        planned = planner.plan(
            robot.blocked,
            start,
            goal,
            entry_cost=robot.entry_cost,
            num_iterations=iterations,
            values=arguments.out is not None,
        )
    watch.seconds["optimum to compare"] = watch.seconds.pop("plan, and optimum to compare") - planned.seconds
    watch.add("plan", planned.seconds)
    waypoints = None
    if arguments.smooth and planned.found:
        with watch("smoothing"):
            waypoints = _waypoints(robot, planner, planned.states)
    prepared = sum(watch.seconds.get(stage, 0.0) for stage in ("inflation and costs", "table of moves", "smoothing"))
    report = Report(robot, planned, start, goal, name, planner.motion, planned.seconds + prepared, waypoints)
    _write_files(arguments, report, watch)
    print_report(report, as_json=arguments.json, profile=watch.seconds if arguments.profile else None)
    if arguments.out and not arguments.json:
        print(f"picture: {arguments.out}")
    return 0 if planned.found else NOT_ARRIVED


def _check_no_image(arguments: Arguments) -> None:
    """Raises: InputError for options of images."""
    defaults = Arguments()
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("caution", "pixel_size", "dem", "normals", "max_slope")
        if getattr(arguments, name) != getattr(defaults, name)
    ]
    if given:
        raise InputError(f"{' and '.join(given)} need an overhead image; add --image, or leave them out.")


def _read(arguments: Arguments, path: Path, watch: "Stopwatch") -> "RobotMap":
    """The map as the robot may use it."""
    from torchvin.cli.plan_report import note
    from torchvin.maps.formats import read_map
    from torchvin.maps.treatment import parse_treatment
    from torchvin.navigation.robot_map import robot_map, with_resolution

    unknown = parse_treatment("--unknown", arguments.unknown)
    grades = parse_treatment("--grades", arguments.grades, free=False)
    with watch("map file"):
        map_file = read_map(path, threshold=arguments.threshold, grades=grades.passable)
    for sentence in map_file.notes:
        note(f"{map_file.source}: {sentence}")
    with watch("inflation and costs"):
        return robot_map(
            with_resolution(map_file, arguments.resolution),
            unknown=unknown,
            grades=grades,
            radius=arguments.radius,
            clearance_cost=arguments.clearance_cost,
        )


def _state(arguments: Arguments, flag: str, text: str, robot: "RobotMap", motion: "MotionModel") -> "State":
    """The state of the agent that an option names.

    Raises: InputError if it is none, or the robot may not stand there.
    """
    place, heading = split_heading(flag, text, motion.num_orientations)
    cell = robot.cell(flag, *parse_point(flag, place)) if arguments.world else parse_state(flag, place)
    robot.check(flag, cell)
    return (*heading, *cell)


def _task(arguments: Arguments) -> tuple[Path, str, str]:
    """The map, and start and goal as the options give them.

    Raises: InputError if they are given twice, or not at all.
    """
    from torchvin.maps.formats import read_scenarios

    if arguments.scenario is None:
        map_path, start, goal = arguments.map, arguments.start, arguments.goal
        if map_path is None or start is None or goal is None:
            raise InputError(
                "expected --map FILE --start ROW,COL --goal ROW,COL, or --scenario FILE.scen; for images --image FILE."
            )
        return map_path, start, goal
    if arguments.start is not None or arguments.goal is not None or arguments.world:
        raise InputError("--scenario gives start and goal; leave --start, --goal and --world out.")
    tasks = read_scenarios(arguments.scenario)
    if not 1 <= arguments.task <= len(tasks):
        raise InputError(f"--task must lie between 1 and {len(tasks)}, got {arguments.task}: {arguments.scenario}.")
    task = tasks[arguments.task - 1]
    ends = [",".join(map(str, cell)) for cell in (task.start, task.goal)]
    return arguments.map or arguments.scenario.with_name(Path(task.map_name).name), ends[0], ends[1]


def _policy(arguments: Arguments, map_path: Path) -> "tuple[Policy, str]":
    """The weights that plan, and their name.

    Raises: InputError if they do not fit the options or a map.
    """
    from torchvin.cli.solver import choose_solver
    from torchvin.devices import choose_device
    from torchvin.pretrained.store import load_policy

    name = arguments.weights or default_weights(map_path, arguments.corner_cutting, arguments.radius)
    policy = load_policy(name).to(choose_device(arguments.device))
    config = policy.config
    assert config is not None  # loaded
    if config.num_terrains != 1:
        raise InputError(
            f"{name}: trained for {config.num_terrains} classes of terrain, and a map file has none; choose other "
            "weights."
        )
    choose_solver(policy, arguments.solve, None if arguments.iterations == "auto" else arguments.iterations)
    return policy, name


def _planner(arguments: Arguments, policy: "Policy", name: str) -> "PathPlanner":
    """The planner of the weights.

    Raises: InputError if they learned another corner rule than the options say.
    """
    from torchvin.navigation.path_planner import PathPlanner

    planner = PathPlanner(policy)
    learned = "yes" if planner.motion.corner_cutting else "no"
    if arguments.corner_cutting and arguments.corner_cutting != learned:
        raise InputError(
            f"--corner-cutting {arguments.corner_cutting} contradicts {name}, which learned to move with "
            f"--corner-cutting {learned}; leave the option out, or choose other weights."
        )
    if arguments.radius and planner.motion.corner_cutting:
        raise InputError(
            f"--radius: a robot with a radius cannot pass the corner of an obstacle, and {name} learned to; leave "
            "--weights and --corner-cutting out, or choose weights that were trained without corner cutting."
        )
    return planner


def _waypoints(robot: "RobotMap", planner: "PathPlanner", states: "Int[np.ndarray, 'T 2']") -> "Int[np.ndarray, 'P 2']":
    """The path as few straight lines."""
    from torchvin.navigation.smoothing import LineOfSight, pull_string

    sight = LineOfSight(
        robot.obstacles,
        radius=robot.radius,
        corner_cutting=planner.motion.corner_cutting,
        entry_cost=robot.entry_cost,
    )
    return pull_string(states, sight)


def _write_files(arguments: Arguments, report: "Report", watch: "Stopwatch") -> None:
    """The picture and the CSV, where asked for."""
    from torchvin.cli.plan_report import write_csv, write_picture

    if arguments.csv:
        write_csv(arguments.csv, report)
    if arguments.out:
        with watch("picture"):
            write_picture(arguments.out, report)


def default_weights(map_path: Path, corner_cutting: str | None, radius: float = 0.0) -> str:
    """The weights where none are named: a robot, so a ROS map, must not pass corners; the paper's agent may.

    >>> default_weights(Path("office.yaml"), None), default_weights(Path("arena.map"), None)
    ('gridworld-16-shortest-path-no-corners', 'gridworld-16-shortest-path')
    """
    from torchvin.maps.formats.ros import is_ros_map
    from torchvin.navigation.path_planner import weights_for

    keeps_corners = corner_cutting == "no" if corner_cutting else is_ros_map(map_path) or radius > 0
    return weights_for(corner_cutting=not keeps_corners)


def split_heading(flag: str, text: str, orientations: int) -> tuple[str, tuple[int, ...]]:
    """The place and the heading of "ROW,COL,HEADING"; no heading for an agent that has none.

    Raises: InputError.

    >>> split_heading("--start", "3,14,E", 4), split_heading("--start", "3,14", 1)
    (('3,14', (1,)), ('3,14', ()))
    """
    from torchvin.mdp.motion import HEADINGS

    if orientations == 1:
        return text, ()
    place, _, heading = text.rpartition(",")
    if orientations != len(HEADINGS) or heading.strip().upper() not in HEADINGS:
        raise InputError(
            f"{flag} needs a heading, for these weights move an agent that has one: ROW,COL,HEADING with "
            f"{', '.join(HEADINGS)}, such as 3,14,E; got {text!r:.60}."
        )
    return place, (HEADINGS.index(heading.strip().upper()),)


def parse_state(flag: str, text: str) -> tuple[int, int]:
    """(row, col) from "ROW,COL".

    Raises: InputError.
    """
    try:
        row, col = (int(part) for part in text.split(","))
    except ValueError as error:
        hint = "; for metres add --world" if re.search(r"\d\.\d", text) else ""
        raise InputError(f"{flag} must be ROW,COL, two whole numbers such as 3,14; got {text!r:.60}{hint}.") from error
    return row, col


def parse_point(flag: str, text: str) -> tuple[float, float]:
    """(x, y) in metres from "X,Y".

    Raises: InputError.

    >>> parse_point("--start", "-1.5,2")
    (-1.5, 2.0)
    """
    try:
        x, y = (float(part) for part in text.split(","))
        if not (abs(x) < 1e9 and abs(y) < 1e9):  # also NaN
            raise ValueError("not finite")
    except ValueError as error:
        raise InputError(f"{flag} must be X,Y in metres, two numbers such as -1.5,3.2; got {text!r:.60}.") from error
    return x, y
