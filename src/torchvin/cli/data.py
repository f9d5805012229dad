"""`torchvin data`: draw maps, let the expert solve them, write a data set."""

import time
from dataclasses import dataclass
from pathlib import Path

from torchvin.errors import InputError


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin data`."""

    out: Path
    """File to write, .npz."""
    kind: str = "gridworld"
    """Generator; `torchvin list` names them."""
    size: tuple[int, ...] = (16,)
    """Side of the maps, or rows and columns."""
    maps: int = 5000
    """Number of maps."""
    seed: int = 0
    """Of the maps and the starts."""
    demonstrations: int = 7
    """Demonstrated paths a map (the authors: 7)."""
    connectivity: int = 8
    """Moves: 8, or 4 without diagonals."""
    corner_cutting: bool = True
    """Diagonal moves past the corner of an obstacle, legal in the paper's MDP."""
    mechanism: str | None = None
    """What the agent can do, in place of the two options above: moore (8 moves), news (4), differential-drive."""
    terrain_costs: tuple[float, ...] = (1.0,)
    """Cost of entering a cell of each class of terrain, drawn in patches; one class: no terrain."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Draw, solve, write."""
    from torchvin.cli.output import print_json
    from torchvin.data.draw import draw_maps
    from torchvin.data.npz import write_npz
    from torchvin.io.files import check_writable
    from torchvin.io.progress import progress_bar
    from torchvin.mdp.motion import MotionModel, Moves, motion_model

    if len(arguments.size) not in (1, 2):
        raise InputError(f"--size takes one side, or rows and columns, got {len(arguments.size)} numbers.")
    if arguments.out.suffix != ".npz":
        raise InputError(f"--out must end in .npz, got {arguments.out}.")
    moves: MotionModel = Moves(arguments.connectivity, arguments.corner_cutting)
    if arguments.mechanism is not None:
        if moves != Moves():
            raise InputError("--mechanism says all of what the agent can do; leave out --connectivity and corners.")
        moves = motion_model(arguments.mechanism)
    check_writable(arguments.out)
    began = time.perf_counter()
    height, width = arguments.size[0], arguments.size[-1]
    with progress_bar("drawing and solving", 2) as advance:
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
        write_npz(arguments.out, dataset)
        advance(1)
    seconds = time.perf_counter() - began
    size = arguments.out.stat().st_size
    if arguments.json:
        print_json({"maps": len(dataset), "height": height, "width": width, "bytes": size, "seconds": seconds})
    else:
        print(f"{arguments.out}: {len(dataset)} maps of {height}x{width}, {size / 1e6:.1f} MB, {seconds:.1f} s")
