"""Data sets drawn by name: a generator of maps, a motion model, terrain, and the expert's answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.data.generators import FROM_FILES, Seed
from torchvin.data.generators import GENERATORS as GENERATORS
from torchvin.data.overhead import with_images
from torchvin.errors import InputError, unknown_name
from torchvin.maps.generators.terrain import generate_terrain
from torchvin.mdp.motion import GridMotion, MotionModel

_ORIENTATION_STREAM = 2  # numbers drawn beside the maps: adding them changes no map
_TERRAIN_STREAM = 3


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
    if kind in FROM_FILES:
        raise InputError(
            f"maps of {kind} come from files: make them with `torchvin data --kind {kind} --from FOLDER --split train` "
            "and give them as --data."
        )
    if kind not in GENERATORS:
        raise unknown_name("kind of data", kind, GENERATORS)
    moves = moves or GridMotion()
    seeds = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    blocked, goal, *image = GENERATORS[kind].draw(num_maps, height, width, seed, moves)
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
    solved = replace(solved, source=kind)
    return with_images(solved, image[0]) if image else solved


def with_orientation(goal: Int[Tensor, "M 2"], moves: MotionModel, seed: Seed) -> Int[Tensor, "M 3"]:
    """Goals (row, col) with a random orientation before them.

    Raises: InputError if the motion model has no orientations.
    """
    if moves.num_orientations == 1:
        raise InputError("this motion model has no orientations: its goals are (row, col).")
    drawn = np.random.default_rng(seed).integers(moves.num_orientations, size=(len(goal), 1))
    return torch.cat([torch.from_numpy(drawn), goal], dim=1)
