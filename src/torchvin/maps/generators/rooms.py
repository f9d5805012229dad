"""Rooms: a lattice of rectangular rooms joined by doors of one cell, seeded. Unlike mazes: open space, long walls."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.goals import draw_goal
from torchvin.maps.generators.mazes import spanning_tree
from torchvin.maps.generators.seeds import generator

ROOM_SIDES = (3, 8)  # smallest and largest side of a room, drawn for each map
_SECOND_DOOR = 0.3  # probability that two neighbouring rooms that need no door have one


def generate_rooms(
    num_maps: int, height: int, width: int | None = None, *, seed: int | Sequence[int] = 0
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw maps of square rooms, every room reachable from every other, and a goal in each.

    The doors between rooms make a random tree, and some more doors make cycles. The first maps of a longer run are
    those of a shorter one.

    Args:
        num_maps: how many maps, M.
        height, width: cells, at least 5 each; `width` defaults to `height`.
        seed: of NumPy's PCG64; one number or several.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col).
    Raises: InputError if `num_maps` < 1, a side < 5 or a negative seed.

    >>> generate_rooms(2, 15, seed=0)[0].shape
    torch.Size([2, 15, 15])
    """
    width = height if width is None else width
    if num_maps < 1 or min(height, width) < ROOM_SIDES[0] + 2:
        raise InputError(f"rooms need at least one map of 5x5 cells, got {num_maps} of {height}x{width}.")
    random = generator(seed)
    blocked = np.zeros((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    for index in range(num_maps):
        _build(blocked[index], random)
        goal[index] = draw_goal(blocked[index], random)
    return torch.from_numpy(blocked), torch.from_numpy(goal)


def _build(blocked: np.ndarray, random: np.random.Generator) -> None:
    side = int(random.integers(ROOM_SIDES[0], ROOM_SIDES[1] + 1))
    rows, cols = (_walls(length, side) for length in blocked.shape)
    blocked[rows, :] = True
    blocked[:, cols] = True
    across = len(cols) - 1
    rooms = np.arange((len(rows) - 1) * across).reshape(-1, across)
    first, second = spanning_tree(*rooms.shape, random)
    tree = set(zip(np.minimum(first, second).tolist(), np.maximum(first, second).tolist(), strict=True))

    def has_door(room: int, neighbour: int) -> bool:
        return (room, neighbour) in tree or random.random() < _SECOND_DOOR

    for row, line in enumerate(rooms.tolist()):
        for col, room in enumerate(line):
            if col + 1 < across and has_door(room, room + 1):
                blocked[random.integers(rows[row] + 1, rows[row + 1]), cols[col + 1]] = False
            if row + 1 < len(rooms) and has_door(room, room + across):
                blocked[rows[row + 1], random.integers(cols[col] + 1, cols[col + 1])] = False


def _walls(length: int, side: int) -> list[int]:
    """Lines of wall along one axis, the border included; a last strip too narrow for a room joins its neighbour."""
    lines = list(range(0, length - 1, side + 1))
    if len(lines) > 1 and length - 1 - lines[-1] < ROOM_SIDES[0]:
        lines.pop()
    return [*lines, length - 1]
