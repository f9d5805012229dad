"""Random arenas: the shapes of the authors' world file, and walls of mazes."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.arenas import NOWHERE, Arenas, cell_centres, cell_of
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.mazes import spanning_tree
from torchvin.maps.generators.seeds import generator
from torchvin.mdp.motion import GridMotion
from torchvin.mdp.point_mass import PointMass, clearance
from torchvin.mdp.steps import UNREACHABLE, steps_to_goal
from torchvin.mdp.transitions import transitions

_MOST_ROUNDS = 1000
_PATH_SIDE = 40  # cells per side of the grid on which a way must exist


def generate_arenas(
    number: int, config: ArenaConfig | None = None, *, seed: int | Sequence[int] = 0, body: PointMass | None = None
) -> Arenas:
    """Draw arenas in each of which a way leads from start to goal.

    The first arenas of a longer run are those of a shorter one with the same seed.

    Args:
        number: of arenas.
        config: what to draw.
        seed: one number or several.
        body: that must fit through.

    Raises: InputError for a number below 1, a negative seed, or where no such arena is found.

    >>> generate_arenas(2, seed=0).obstacles.shape
    torch.Size([2, 3, 5])
    """
    if number < 1:
        raise InputError(f"the number of arenas must be at least 1, got {number}.")
    numbers = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    randoms = [generator((*numbers, index)) for index in range(number)]
    return draw_arenas(randoms, config or ArenaConfig(), body or PointMass())


def draw_arenas(randoms: Sequence[np.random.Generator], config: ArenaConfig, body: PointMass) -> Arenas:
    """The same, each arena from a stream of random numbers of its own."""
    number = len(randoms)
    obstacles = torch.zeros(number, _num_obstacles(config), 5, dtype=torch.float64)
    start, goal = (torch.zeros(number, 2, dtype=torch.float64) for _ in range(2))
    left = torch.arange(number)
    for _ in range(_MOST_ROUNDS):
        drawn = torch.stack([_draw_obstacles(config, randoms[index]) for index in left.tolist()])
        places = torch.stack([_draw_places(config, randoms[index]) for index in left.tolist()])
        fits = _fits(drawn, places[:, 0], places[:, 1], config, body)
        done = left[fits]
        obstacles[done], start[done], goal[done] = drawn[fits], places[fits, 0], places[fits, 1]
        left = left[~fits]
        if len(left) == 0:
            return Arenas(obstacles, start, goal)
    raise InputError(
        f"drew {_MOST_ROUNDS} arenas of {config.obstacles} obstacles in which no way leads from start to goal; ask for "
        "fewer obstacles."
    )


def _num_obstacles(config: ArenaConfig) -> int:
    return config.obstacles if config.kind == "obstacles" else 2 * config.rooms * (config.rooms - 1)


def _draw_obstacles(config: ArenaConfig, random: np.random.Generator) -> Float[Tensor, "P 5"]:
    if config.kind == "maze":
        return torch.from_numpy(_maze_walls(config.rooms, random))
    number = config.obstacles
    spread = 0.5 if number <= 3 else 0.6
    centre = random.uniform(-spread, spread, (number, 2))
    angle = random.integers(4, size=number) * (np.pi / 4)  # two axes and two diagonals
    half = random.uniform(0.2, 0.3, number)
    radius = np.full(number, 0.1)
    half[::3], radius[::3] = 0.0, random.uniform(0.17, 0.25, number)[::3]
    along = half[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return torch.from_numpy(np.concatenate([centre - along, centre + along, radius[:, None]], axis=-1))


def _maze_walls(rooms: int, random: np.random.Generator) -> np.ndarray:
    """The inner walls of a perfect maze as capsules, [2 n (n - 1), 5]; those that are open lie far away."""
    first, second = spanning_tree(rooms, rooms, random)
    open_walls = {(min(pair), max(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    width, walls = 2.0 / rooms, []
    for row in range(rooms):
        for col in range(rooms):
            here = row * rooms + col
            right, below = (col + 1) * width - 1, 1 - (row + 1) * width
            if col + 1 < rooms:
                closed = (here, here + 1) not in open_walls
                walls.append((right, below, right, below + width, 0.04) if closed else NOWHERE)
            if row + 1 < rooms:
                closed = (here, here + rooms) not in open_walls
                walls.append((right - width, below, right, below, 0.04) if closed else NOWHERE)
    return np.array(walls)


def _draw_places(config: ArenaConfig, random: np.random.Generator) -> Float[Tensor, "2 2"]:
    """Start and goal."""
    if config.kind == "maze":
        rooms = random.permutation(config.rooms**2)[:2]
        width = 2.0 / config.rooms
        middle = np.stack([rooms % config.rooms, config.rooms - 1 - rooms // config.rooms], axis=-1) * width
        return torch.from_numpy(middle + width / 2 - 1)
    if config.places == "top-to-bottom":
        x = random.uniform(-0.75, 0.75, 2)
        return torch.tensor([[x[0], 0.75], [x[1], -0.75]], dtype=torch.float64)
    return torch.from_numpy(random.uniform(-0.85, 0.85, (2, 2)))


def _fits(obstacles: Tensor, start: Tensor, goal: Tensor, config: ArenaConfig, body: PointMass) -> Bool[Tensor, "B"]:
    """Whether start and goal are free and a way leads from one to the other."""
    least = body.radius + config.room_for_body
    fits = (clearance(start, obstacles) > least) & (clearance(goal, obstacles) > least)
    if config.places == "anywhere" and config.kind == "obstacles":
        fits &= (start - goal).norm(dim=1) > 0.8
    some = fits.nonzero()[:, 0]
    if len(some):
        fits[some] = _connected(obstacles[some], start[some], goal[some], least)
    return fits


def _connected(obstacles: Tensor, start: Tensor, goal: Tensor, least: float) -> Bool[Tensor, "B"]:
    """Whether a way with this clearance leads from start to goal, on a grid."""
    centres = cell_centres(_PATH_SIDE).view(1, -1, 2)
    blocked = (clearance(centres, obstacles[:, None]) < least).view(-1, _PATH_SIDE, _PATH_SIDE)
    first, last = cell_of(start, _PATH_SIDE), cell_of(goal, _PATH_SIDE)
    for row, col in (first.unbind(1), last.unbind(1)):
        blocked[torch.arange(len(blocked)), row, col] = False
    table = transitions(blocked, GridMotion(8, corner_cutting=False))
    return steps_to_goal(table, last).gather(1, table.space.flatten(first)[:, None])[:, 0] != UNREACHABLE
