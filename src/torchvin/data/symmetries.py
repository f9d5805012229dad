"""The eight symmetries of the square: data sets turned and mirrored, with actions permuted to match."""

from dataclasses import fields, replace
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set
from torchvin.mdp.motion import GridMotion

NUM_SYMMETRIES = 8
_BY_CELL = ("blocked", "optimal_actions", "demonstrated", "image")  # an image turns by pixels, which is the same


def transformed(dataset: MapDataset, symmetry: int) -> MapDataset:
    """The data set turned by quarter turns, and mirrored: maps, images, goals, starts and actions alike.

    The light of an image turns with it. With an odd number of quarter turns height and width change places.

    Args:
        dataset: of an agent with grid moves and without orientations.
        symmetry: 0 to 7: number of counterclockwise quarter turns, plus 4 to mirror left and right first.

    Raises: InputError for another motion model or symmetry.

    >>> from torchvin.data.draw import draw_maps
    >>> maps = draw_maps("scattered", 2, 5, 7)
    >>> transformed(maps, 1).size, bool((transformed(transformed(maps, 1), 3).blocked == maps.blocked).all())
    ((7, 5), True)
    """
    if not isinstance(dataset.moves, GridMotion) or dataset.terrain is not None:
        raise InputError("only maps with grid moves and one class of terrain can be turned and mirrored.")
    if not 0 <= symmetry < NUM_SYMMETRIES:
        raise InputError(f"a symmetry of the square is a number from 0 to {NUM_SYMMETRIES - 1}, got {symmetry}.")
    present = {field.name for field in fields(dataset)}
    changed: dict[str, Any] = {name: _turned(getattr(dataset, name), symmetry) for name in _BY_CELL if name in present}
    permutation = _permutation(dataset.moves, symmetry)
    labels = torch.cat([permutation.to(torch.uint8), torch.full((256 - len(permutation),), NOT_SHOWN).byte()])
    changed["demonstrated"] = labels[changed["demonstrated"].long()]
    sets = action_set(torch.arange(256, dtype=torch.uint8), dataset.moves.num_actions)
    masks = (sets.long() << permutation).sum(dim=1).to(torch.uint8)
    changed["optimal_actions"] = masks[changed["optimal_actions"].long()]
    changed["goal"] = _moved(dataset.goal, symmetry, dataset.size)
    changed["starts"] = torch.where(dataset.starts < 0, -1, _moved(dataset.starts, symmetry, dataset.size))
    return replace(dataset, **changed)


def _turned(planes: Tensor, symmetry: int) -> Tensor:
    mirrored = planes.flip(-1) if symmetry >= 4 else planes
    return torch.rot90(mirrored, symmetry % 4, (-2, -1)).contiguous()


def _moved(states: Int[Tensor, "*shape 2"], symmetry: int, size: tuple[int, int]) -> Int[Tensor, "*shape 2"]:
    """Where cells (row, col) of a map of `size` come to lie."""
    (height, width), (row, col) = size, states.unbind(-1)
    if symmetry >= 4:
        col = width - 1 - col
    for _ in range(symmetry % 4):
        row, col = width - 1 - col, row
        height, width = width, height
    return torch.stack([row, col], dim=-1)


def _permutation(moves: GridMotion, symmetry: int) -> Int[Tensor, "A"]:
    """For each action the action that does the same on the transformed map."""
    offsets = torch.tensor(moves.offsets)
    # On a map of 1x1 cells a place is an offset: turning moves the origin to itself.
    turned = _moved(offsets, symmetry, (1, 1))
    return (turned[:, None] == offsets).all(dim=-1).int().argmax(dim=1)
