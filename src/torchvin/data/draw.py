"""Data sets drawn by name: a generator of maps, a motion model, terrain, and the expert's answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.errors import InputError, unknown_name
from torchvin.maps.generators.caves import generate_caves
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.maps.generators.mazes import PERFECT, generate_mazes
from torchvin.maps.generators.rooms import generate_rooms
from torchvin.maps.generators.scattered import generate_scattered
from torchvin.maps.generators.terrain import generate_terrain
from torchvin.mdp.motion import GridMotion, MotionModel

Seed = int | Sequence[int]
Maps = tuple[Tensor, Tensor]  # blocked [M, H, W], goal [M, 2]

_ORIENTATION_STREAM = 2  # numbers drawn beside the maps: adding them changes no map
_TERRAIN_STREAM = 3


@dataclass(frozen=True)
class Generator:
    """A kind of map.

    Attributes:
        summary: for `torchvin list`.
        draw: from number of maps, height, width, seed and motion model to maps and the cells of their goals.
    """

    summary: str
    draw: Callable[[int, int, int, Seed, MotionModel], Maps]


def _gridworld(num_maps: int, height: int, width: int, seed: Seed, moves: MotionModel) -> Maps:
    straight = (
        moves if isinstance(moves, GridMotion) else GridMotion(num_actions=4)
    )  # they lead to a goal from any heading
    return generate_gridworld(num_maps, height, width, seed=seed, moves=straight)


GENERATORS: dict[str, Generator] = {
    "gridworld": Generator("the authors' grid world: random circles and rectangles, a border, a goal", _gridworld),
    "maze": Generator(
        "GPPN's mazes: a tree of corridors, each wall opened with probability d ~ U(0, 1)",
        lambda maps, height, width, seed, _: generate_mazes(maps, height, width, seed=seed),
    ),
    "perfect-maze": Generator(
        "mazes with no wall opened: one way between any two cells",
        lambda maps, height, width, seed, _: generate_mazes(maps, height, width, seed=seed, opened=PERFECT),
    ),
    "rooms": Generator(
        "rectangular rooms joined by doors",
        lambda maps, height, width, seed, _: generate_rooms(maps, height, width, seed=seed),
    ),
    "caves": Generator(
        "one winding cave, by a cellular automaton",
        lambda maps, height, width, seed, _: generate_caves(maps, height, width, seed=seed),
    ),
    "scattered": Generator(
        "single cells at random, 0 to 40 %, no border",
        lambda maps, height, width, seed, _: generate_scattered(maps, height, width, seed=seed),
    ),
}


def draw_maps(
    kind: str,
    num_maps: int,
    height: int,
    width: int,
    *,
    seed: Seed = 0,
    moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    demonstration_seed: int = 0,
    terrain_costs: tuple[float, ...] = (1.0,),
) -> MapDataset:
    """Draw maps of a kind, goals (with an orientation if the motion model has several) and terrain, and solve them.

    Args:
        kind: one of `GENERATORS`.
        num_maps, height, width: how many, and their size.
        seed: of maps, orientations and terrain; the first maps of a longer run are those of a shorter one.
        moves: of the environment.
        num_demonstrations, demonstration_seed: demonstrated paths per map, and the seed of their starts.
        terrain_costs: cost of each class of terrain; one class only means no terrain.

    Raises: InputError for an unknown kind or whatever its generator refuses.

    >>> from torchvin.mdp.motion import DifferentialDrive
    >>> draw_maps("maze", 3, 9, 9, moves=DifferentialDrive()).goal.shape
    torch.Size([3, 3])
    """
    if kind not in GENERATORS:
        raise unknown_name("kind of data", kind, GENERATORS)
    moves = moves or GridMotion()
    seeds = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    blocked, goal = GENERATORS[kind].draw(num_maps, height, width, seed, moves)
    if moves.num_orientations > 1:
        goal = with_orientation(goal, moves, (*seeds, _ORIENTATION_STREAM))
    terrain = None
    if terrain_costs != (1.0,):
        terrain = generate_terrain(
            num_maps, height, width, num_terrains=len(terrain_costs), seed=(*seeds, _TERRAIN_STREAM)
        )
    solved = solve_maps(
        blocked,
        goal,
        moves=moves,
        num_demonstrations=num_demonstrations,
        seed=demonstration_seed,
        terrain=terrain,
        terrain_costs=terrain_costs,
    )
    return replace(solved, source=kind)


def with_orientation(goal: Int[Tensor, "M 2"], moves: MotionModel, seed: Seed) -> Int[Tensor, "M 3"]:
    """Goals (row, col) with a random orientation before them.

    Raises: InputError if the motion model has no orientations.
    """
    if moves.num_orientations == 1:
        raise InputError("this motion model has no orientations: its goals are (row, col).")
    drawn = np.random.default_rng(seed).integers(moves.num_orientations, size=(len(goal), 1))
    return torch.cat([torch.from_numpy(drawn), goal], dim=1)
