"""`torchvin data`: draw maps or take a user's own, let the expert solve them, write a data set."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from torchvin.data.generators import FROM_FILES
from torchvin.errors import InputError

if TYPE_CHECKING:
    from torchvin.data.dataset import MapDataset
    from torchvin.mdp.motion import MotionModel

_OF_DRAWN_MAPS = ("kind", "size", "maps", "terrain_costs")
_OF_OWN_MAPS = ("goals", "threshold", "split")
_OF_TERRAIN = ("dem", "normals", "max_slope", "cell_pixels", "pixel_size")


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin data`."""

    out: Path
    """File to write, .npz."""
    kind: str = "gridworld"
    """Generator; `torchvin list` names them. Or mars, moon, with --from: global mosaics (docs/plan-from-images.md)."""
    size: tuple[int, ...] = (16,)
    """Side of the maps, or rows and columns."""
    maps: int = 5000
    """Number of maps."""
    from_: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Your own maps: a folder of map files of one size, one file, an array (.npy, .npz), the authors' .mat, or the .npz
    of another project (GPPN, Neural A*, kentsommer's PyTorch VIN)."""
    split: str = "all"
    """For --from with another project's .npz: train, validation, test or all; with the authors' .mat: train, heldout or
    all."""
    goals: Path | None = None
    """For --from: .npy [M, 2], or .csv or .txt with a line ROW,COL per map (by file name); drawn if not given."""
    threshold: float | None = None
    """For images of --from: darker than this is an obstacle, from 0 (black) to 1 (white)."""
    seed: int = 0
    """Seed of drawn maps, drawn goals and the starts of the demonstrations."""
    demonstrations: int = 7
    """Demonstrated paths per map (the authors: 7)."""
    connectivity: int = 8
    """Moves of each cell: 8, whose diagonals cost sqrt 2, or 4 without diagonals."""
    corner_cutting: bool = True
    """Diagonal moves may pass the corner of an obstacle; not on ROS maps, unless --motion says so."""
    motion: Annotated[str | None, tyro.conf.arg(aliases=["--mechanism"])] = None
    """Motion model by name, in place of the two options above: octile (8 moves, a diagonal costs
    sqrt 2), moore (8, each costs 1: GPPN, Neural A*), news (4), differential-drive."""
    terrain_costs: tuple[float, ...] = (1.0,)
    """Cost of entering a cell of each class of terrain, drawn in patches; one class: no terrain."""
    image: Path | None = None
    """Your own terrain, with --kind terrain: an overhead image (PNG, JPEG), out of which --maps patches of --size cells
    are cut. --split train takes them from its left four fifths, test from the rest."""
    dem: Path | None = None
    """For --image: elevation in metres of the same pixels, .npy or GeoTIFF."""
    normals: Path | None = None
    """For --image, in place of --dem: surface normals of the same pixels as colours (red x, green y, blue up)."""
    max_slope: float = 10.0
    """For --image: a cell with a steeper slope, in degrees, is an obstacle (the paper: 10)."""
    cell_pixels: int = 8
    """For --image: pixels per side of a cell (the paper: 8)."""
    pixel_size: float | None = None
    """For --dem: side of a pixel in metres; a GeoTIFF's own, else 1, if not given."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Draw or read, solve, write."""
    from torchvin.cli.output import print_json
    from torchvin.data.write import write_dataset
    from torchvin.io.files import check_writable

    if arguments.out.suffix != ".npz":
        raise InputError(f"--out must end in .npz, got {arguments.out}.")
    _check_one_source(arguments)
    asked = _motion_model(arguments)
    check_writable(arguments.out)
    began = time.perf_counter()
    if arguments.image is not None:
        dataset: MapDataset = _terrain(arguments, arguments.image, asked)
    elif arguments.kind in FROM_FILES:
        dataset = _planet(arguments, asked)
    else:
        dataset = _drawn(arguments, asked) if arguments.from_ is None else _own(arguments, asked)
    write_dataset(arguments.out, dataset)
    seconds = time.perf_counter() - began
    size = arguments.out.stat().st_size
    height, width = dataset.size
    if arguments.json:
        print_json({"maps": len(dataset), "height": height, "width": width, "bytes": size, "seconds": seconds})
    else:
        print(
            f"{arguments.out}: {len(dataset)} maps of {height}x{width}, {dataset.moves.summary}, {size / 1e6:.1f} MB, "
            f"{seconds:.1f} s"
        )


def _check_one_source(arguments: Arguments) -> None:
    """Raises: InputError for options of drawn maps beside --from, of own maps without it, or of images without one."""
    if arguments.image is not None:
        _check_terrain(arguments)
        return
    if given := _given(arguments, _OF_TERRAIN):
        raise InputError(f"{' and '.join(given)} need an overhead image; add --image, or leave them out.")
    if arguments.kind in FROM_FILES:
        _check_planet(arguments)
        return
    wrong = _OF_OWN_MAPS if arguments.from_ is None else _OF_DRAWN_MAPS
    given = _given(arguments, wrong)
    if given and arguments.from_ is None:
        raise InputError(f"{' and '.join(given)} need your own maps; add --from, or leave them out.")
    if given:
        raise InputError(f"{' and '.join(given)} describe maps to be drawn, and --from reads maps; leave them out.")


def _given(arguments: Arguments, names: Sequence[str]) -> list[str]:
    """Which of the options were given another value than their default."""
    return [
        f"--{field.name.replace('_', '-')}"
        for field in fields(Arguments)
        if field.name in names and getattr(arguments, field.name) != field.default
    ]


def _check_terrain(arguments: Arguments) -> None:
    """Raises: InputError for --image with another kind, or with options of other maps."""
    if arguments.kind != "terrain":
        raise InputError(f"--image is for --kind terrain, got --kind {arguments.kind}.")
    if given := _given(arguments, ("from_", "goals", "threshold", "terrain_costs")):
        raise InputError(f"{' and '.join(given).replace('from-', 'from')} cannot go with --image; leave them out.")


def _check_planet(arguments: Arguments) -> None:
    """Raises: InputError for --kind mars or moon without its files, or with options of other maps."""
    if arguments.from_ is None:
        raise InputError(f"--kind {arguments.kind} needs the folder of its files; add --from.")
    if given := _given(arguments, ("goals", "threshold", "terrain_costs")):
        raise InputError(f"{' and '.join(given)} cannot go with --kind {arguments.kind}; leave them out.")


def _motion_model(arguments: Arguments) -> "MotionModel | None":
    """The motion model that was asked for; None if none was, so that own maps may say it."""
    from torchvin.mdp.motion import GridMotion, motion_model

    moves = GridMotion(arguments.connectivity, arguments.corner_cutting)
    if arguments.motion is None:
        return None if moves == GridMotion() else moves
    if moves != GridMotion():
        raise InputError("--motion says all of what the agent can do; leave out --connectivity and corners.")
    return motion_model(arguments.motion)


def _terrain(arguments: Arguments, image: Path, moves: "MotionModel | None") -> "MapDataset":
    from torchvin.data.own_terrain import dataset_from_terrain
    from torchvin.data.terrain_files import read_terrain

    terrain = read_terrain(image, dem=arguments.dem, normals=arguments.normals, pixel_size=arguments.pixel_size)
    return dataset_from_terrain(
        terrain,
        maps=arguments.maps,
        size=_two_sides(arguments),
        cell_pixels=arguments.cell_pixels,
        max_slope=arguments.max_slope,
        split=arguments.split,
        moves=moves,
        num_demonstrations=arguments.demonstrations,
        seed=arguments.seed,
    )


def _planet(arguments: Arguments, moves: "MotionModel | None") -> "MapDataset":
    from torchvin.data.planets import draw_planet

    assert arguments.from_ is not None
    return draw_planet(
        arguments.kind,
        arguments.from_,
        maps=arguments.maps,
        size=_two_sides(arguments),
        split=arguments.split,
        moves=moves,
        num_demonstrations=arguments.demonstrations,
        seed=arguments.seed,
    )


def _two_sides(arguments: Arguments) -> tuple[int, int]:
    """Raises: InputError for another number of sides than one or two."""
    if len(arguments.size) not in (1, 2):
        raise InputError(f"--size takes one side, or rows and columns, got {len(arguments.size)} numbers.")
    return arguments.size[0], arguments.size[-1]


def _drawn(arguments: Arguments, moves: "MotionModel | None") -> "MapDataset":
    from torchvin.data.draw import draw_maps
    from torchvin.io.progress import progress_bar

    height, width = _two_sides(arguments)
    with progress_bar("drawing and solving", 1) as advance:
        dataset = draw_maps(
            arguments.kind,
            arguments.maps,
            height,
            width,
            seed=arguments.seed,
            moves=moves,
            num_demonstrations=arguments.demonstrations,
            demonstration_seed=arguments.seed,
            terrain_costs=arguments.terrain_costs,
        )
        advance(1)
    return dataset


def _own(arguments: Arguments, moves: "MotionModel | None") -> "MapDataset":
    from torchvin.data.own import dataset_from

    assert arguments.from_ is not None
    return dataset_from(
        arguments.from_,
        arguments.goals,
        moves=moves,
        num_demonstrations=arguments.demonstrations,
        seed=arguments.seed,
        threshold=arguments.threshold,
        split=arguments.split,
        show_progress=True,
    )
