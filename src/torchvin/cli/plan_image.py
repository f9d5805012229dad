"""`torchvin plan --image`: a path on an overhead image, by weights that have learned what cannot be crossed."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from torchvin.errors import InputError, errors_about

if TYPE_CHECKING:
    from torchvin.cli.plan import Arguments
    from torchvin.data.own_terrain import Terrain
    from torchvin.maps.world import WorldFrame
    from torchvin.navigation.image_path import ImagePath, Pixel
    from torchvin.policies.policy import Policy

DEFAULT_WEIGHTS = "terrain-16"
_OF_MAPS = ("map", "scenario", "task", "resolution", "radius", "clearance_cost", "unknown", "grades", "corner_cutting")
_OF_PLANS = ("smooth", "csv", "iterations", "solve", "threshold")


@dataclass(frozen=True)
class _Seen:
    """An image as it was read.

    Attributes:
        levels: brightness, [P, Q].
        terrain: with its slopes, where --dem or --normals gives them.
        frame: pixels and metres; None if nothing says how large a pixel is.
    """

    levels: UInt8[np.ndarray, "P Q"]
    terrain: "Terrain | None"
    frame: "WorldFrame | None"


def run(arguments: "Arguments") -> int:
    """Read, plan, draw, print.

    Returns: the exit status, as `cli.plan.run`.
    """
    from torchvin.cli.output import print_json, print_table
    from torchvin.cli.plan import NOT_ARRIVED
    from torchvin.io.files import check_writable
    from torchvin.io.stopwatch import Stopwatch
    from torchvin.navigation.image_path import plan_on_image
    from torchvin.plotting.figure import check_picture
    from torchvin.plotting.images import plot_image_path

    assert arguments.image is not None
    _check_options(arguments)
    if arguments.out:
        check_picture(arguments.out)
        check_writable(arguments.out)
    watch = Stopwatch()
    with watch("image file"):
        seen = _read(arguments)
    with watch("weights"):
        policy, name = _policy(arguments)
    ends = [_pixel(flag, text, seen, arguments) for flag, text in _ends(arguments)]
    with errors_about(arguments.image):
        planned = plan_on_image(seen.levels, ends[0], ends[1], policy, blocked=_blocked(seen, policy, arguments))
    watch.add("plan", planned.seconds)
    if arguments.out:
        with watch("picture"):
            plot_image_path(seen.levels, planned, arguments.out, title=arguments.image.name)
    if arguments.json:
        print_json({**_json(planned, seen, policy, name), **({"profile": watch.seconds} if arguments.profile else {})})
    else:
        print(_text(planned, seen, name, arguments))
        if arguments.profile:
            print_table(("stage", "ms"), [(stage, f"{1e3 * spent:.2f}") for stage, spent in watch.seconds.items()])
        if arguments.out:
            print(f"picture: {arguments.out}")
    return 0 if planned.found else NOT_ARRIVED


def _check_options(arguments: "Arguments") -> None:
    """Raises: InputError for options of maps."""
    given = [
        f"--{field.name.replace('_', '-')}"
        for field in fields(arguments)
        if field.name in (*_OF_MAPS, *_OF_PLANS) and getattr(arguments, field.name) != field.default
    ]
    if given:
        raise InputError(f"{' and '.join(given)} cannot go with --image; leave them out.")


def _ends(arguments: "Arguments") -> list[tuple[str, str]]:
    if arguments.start is None or arguments.goal is None:
        raise InputError("expected --image FILE --start ROW,COL --goal ROW,COL, in pixels.")
    return [("--start", arguments.start), ("--goal", arguments.goal)]


def _read(arguments: "Arguments") -> _Seen:
    from torchvin.data.terrain_files import read_levels, read_terrain
    from torchvin.maps.world import WorldFrame

    assert arguments.image is not None
    terrain = None
    if arguments.dem or arguments.normals:
        terrain = read_terrain(
            arguments.image, dem=arguments.dem, normals=arguments.normals, pixel_size=arguments.pixel_size
        )
    levels, ground = read_levels(arguments.image)
    if arguments.pixel_size is not None:
        if not 0 < arguments.pixel_size < np.inf:
            raise InputError(f"--pixel-size must be a positive number of metres, got {arguments.pixel_size}.")
        return _Seen(levels, terrain, WorldFrame(levels.shape[0], arguments.pixel_size))
    frame = None
    if ground is not None and ground.metres is not None:
        left, bottom, *_ = ground.bounds
        frame = WorldFrame(levels.shape[0], ground.metres, (left, bottom, 0.0))
    return _Seen(levels, terrain, frame)


def _policy(arguments: "Arguments") -> "tuple[Policy, str]":
    """The weights, as cautious as asked."""
    from torchvin.cli.solver import choose_caution
    from torchvin.devices import choose_device
    from torchvin.pretrained.store import load_policy

    name = arguments.weights or DEFAULT_WEIGHTS
    policy = load_policy(name).to(choose_device(arguments.device))
    choose_caution(policy, arguments.caution)
    return policy, name


def _pixel(flag: str, text: str, seen: _Seen, arguments: "Arguments") -> "Pixel":
    from torchvin.cli.plan import parse_point, parse_state

    if not arguments.world:
        return parse_state(flag, text)
    if seen.frame is None:
        raise InputError(
            f"{flag} in metres: {arguments.image} does not say how large a pixel is; add --pixel-size METRES."
        )
    return seen.frame.to_cell(*parse_point(flag, text))


def _blocked(seen: _Seen, policy: "Policy", arguments: "Arguments") -> "np.ndarray | None":
    """The true obstacles, where elevation or normals give them."""
    from torchvin.data.own_terrain import check_mixed
    from torchvin.maps.slope import steep_cells

    if seen.terrain is None:
        return None
    slope = seen.terrain.slope
    check_mixed(slope.ravel(), arguments.max_slope)
    side = policy.config.cell_pixels if policy.config else 8
    rows, cols = slope.shape
    filled = np.pad(slope, ((0, -rows % side), (0, -cols % side)), mode="edge")
    return steep_cells(filled, side, arguments.max_slope)


def _json(planned: "ImagePath", seen: _Seen, policy: "Policy", name: str) -> dict[str, Any]:
    frame = seen.frame
    caution = None if policy.planner is None else policy.planner.solver.get("caution")
    return {
        "found": planned.found,
        "cost": planned.cost,
        "optimal_cost": planned.optimal_cost,
        "path": planned.cells.tolist(),
        "path_pixels": planned.pixels.tolist(),
        "path_world": None if frame is None else frame.to_world(planned.pixels).round(6).tolist(),
        "length_metres": None if frame is None else planned.cost * planned.cell_pixels * frame.resolution,
        "seconds": planned.seconds,
        "cell_pixels": planned.cell_pixels,
        "image": list(seen.levels.shape),
        "weights": name,
        "caution": caution,
    }


def _text(planned: "ImagePath", seen: _Seen, name: str, arguments: "Arguments") -> str:
    rows, cols = seen.levels.shape
    side = planned.cell_pixels
    assert arguments.image is not None
    lines = [f"{arguments.image.name}: {rows}x{cols} pixels, cells of {side}x{side} ({name})"]
    if planned.optimal_cost is None:
        lines.append("obstacles are what the network takes for them: without --dem or --normals nobody knows better")
    if planned.found:
        metres = "" if seen.frame is None else f", {planned.cost * side * seen.frame.resolution:.1f} m"
        truth = "" if planned.optimal_cost is None else f"; optimal on the true map {planned.optimal_cost:.3f}"
        lines.append(f"path of {len(planned.cells)} cells, cost {planned.cost:.3f} cells{metres}{truth}")
    elif planned.optimal_cost is None:
        lines.append("the policy does not lead to the goal")
    else:
        row, col = planned.cells[-1].tolist()
        lines.append(
            f"the path ends before an obstacle of the true map, in cell ({row}, {col}); one of cost "
            f"{planned.optimal_cost:.3f} exists"
        )
    lines.append(f"{1e3 * planned.seconds:.1f} ms from image to path")
    return "\n".join(lines)
