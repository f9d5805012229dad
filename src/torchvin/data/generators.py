"""Kinds of maps by name. Each generator is imported when it first draws: the names need no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from torchvin.mdp.motion import MotionModel

Seed = int | Sequence[int]
#: blocked [M, H, W], goal [M, 2]; of kinds that are seen from above, the image too [M, P, Q]
Maps = tuple["Tensor", "Tensor"] | tuple["Tensor", "Tensor", "Tensor"]


@dataclass(frozen=True)
class Generator:
    """A kind of map.

    Attributes:
        summary: for `torchvin list`.
        draw: from number of maps, height, width, seed and motion model to maps and the cells of their goals.
    """

    summary: str
    draw: "Callable[[int, int, int, Seed, MotionModel], Maps]"


def _gridworld(num_maps: int, height: int, width: int, seed: Seed, moves: "MotionModel") -> Maps:
    from torchvin.maps.generators.gridworld import generate_gridworld
    from torchvin.mdp.motion import GridMotion

    straight = GridMotion(num_actions=4)  # its moves lead to a goal from any heading
    return generate_gridworld(
        num_maps, height, width, seed=seed, moves=moves if isinstance(moves, GridMotion) else straight
    )


def _maze(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.mazes import generate_mazes

    return generate_mazes(num_maps, height, width, seed=seed)


def _perfect_maze(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.mazes import PERFECT, generate_mazes

    return generate_mazes(num_maps, height, width, seed=seed, opened=PERFECT)


def _rooms(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.rooms import generate_rooms

    return generate_rooms(num_maps, height, width, seed=seed)


def _caves(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.caves import generate_caves

    return generate_caves(num_maps, height, width, seed=seed)


def _scattered(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.scattered import generate_scattered

    return generate_scattered(num_maps, height, width, seed=seed)


def _terrain(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    from torchvin.maps.generators.overhead import generate_overhead

    return generate_overhead(num_maps, height, width, seed=seed)


def _arena(num_maps: int, height: int, width: int, seed: Seed, _: "MotionModel") -> Maps:
    import torch

    from torchvin.maps.arenas import cell_of, encode_arenas
    from torchvin.maps.generators.arenas import generate_arenas

    arenas, side = generate_arenas(num_maps, seed=seed), max(height, width)
    rows, cols = (torch.arange(number) * side // number for number in (height, width))
    blocked = encode_arenas(arenas.obstacles, arenas.goal, side)[:, 0, rows[:, None], cols] > 0.5
    sides = torch.tensor([height, width])
    goal = torch.minimum((cell_of(arenas.goal, side) * sides // side).clamp(min=1), sides - 2)
    for down in (-1, 0, 1):  # the arena's goal has room around it
        for right in (-1, 0, 1):
            row, col = (goal + torch.tensor([down, right])).unbind(1)
            blocked[range(num_maps), row, col] = False
    blocked[:, [0, -1]], blocked[:, :, [0, -1]] = True, True  # the walls
    return blocked, goal


GENERATORS: dict[str, Generator] = {
    "gridworld": Generator("the authors' grid world: random circles and rectangles, a border, a goal", _gridworld),
    "maze": Generator("GPPN's mazes: a tree of corridors, each wall opened with probability d ~ U(0, 1)", _maze),
    "perfect-maze": Generator("mazes with no wall opened: one way between any two cells", _perfect_maze),
    "rooms": Generator("rectangular rooms joined by doors", _rooms),
    "caves": Generator("one winding cave, by a cellular automaton", _caves),
    "scattered": Generator("single cells at random, 0 to 40 %, no border", _scattered),
    "arena": Generator("the arenas of continuous control: a sphere and two capsules, as a grid", _arena),
    "terrain": Generator("overhead images of rough ground, 8x8 pixels per cell; too steep is an obstacle", _terrain),
}

#: Kinds whose maps are cut out of files (`data.planets`), so that a training needs --data.
FROM_FILES = ("mars", "moon")
