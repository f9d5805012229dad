"""The data set: maps with their goals and the expert's answer for every cell, never copies of states."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.experts.demonstrations import demonstrate
from torchvin.experts.shortest_path import preferred_action, shortest_paths
from torchvin.maps.encode import encode
from torchvin.maps.moves import Moves


@dataclass(frozen=True)
class MapDataset:
    """M maps of one size.

    Attributes:
        blocked: True = obstacle, [M, H, W] bool.
        goal: (row, col), [M, 2] int64.
        optimal_actions: bit a set where action a begins a cheapest path, [M, H, W] uint8; 0 where there is none.
        demonstrated: the action that the demonstrations show in a cell, [M, H, W] uint8; 255 where they show none. One
            map holds them all, because the paths to one goal come from one tree: a cell has one label.
        starts: (row, col) where each demonstration begins, [M, S, 2] int64; -1 fills up maps with fewer than S.
        moves: of the environment.
    """

    blocked: Bool[Tensor, "M H W"]
    goal: Int[Tensor, "M 2"]
    optimal_actions: UInt8[Tensor, "M H W"]
    demonstrated: UInt8[Tensor, "M H W"]
    starts: Int[Tensor, "M S 2"]
    moves: Moves

    def __len__(self) -> int:
        return self.blocked.shape[0]

    def __getitem__(self, maps: slice | Tensor) -> "MapDataset":
        """The data set of these maps only (a slice, or indices [N])."""
        tensors = {field.name: getattr(self, field.name)[maps] for field in fields(self) if field.name != "moves"}
        return MapDataset(**tensors, moves=self.moves)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.blocked.shape[1:]
        return height, width

    def planes(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "M 2 H W"]:
        """Network input."""
        return encode(self.blocked, self.goal, dtype=dtype)


def solve_maps(
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M 2"],
    *,
    moves: Moves | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
) -> MapDataset:
    """Let the expert solve maps and demonstrate `num_demonstrations` paths on each (the authors: 7).

    Raises: ShapeError; InputError if a goal lies off its map or on an obstacle, or nothing can reach it.

    >>> from torchvin.maps.generate import generate_gridworld
    >>> len(solve_maps(*generate_gridworld(3, 8)))
    3
    """
    moves = moves or Moves()
    check_goals(blocked, goal)
    optimal = shortest_paths(blocked, goal, moves).optimal_actions
    unreachable = (optimal == 0).flatten(1).all(dim=1).nonzero()[:, 0]
    if len(unreachable):
        raise InputError(f"no cell can reach the goal of map {unreachable[0].item()}; leave such maps out.")
    labels = preferred_action(optimal, moves)
    starts, demonstrated = demonstrate(
        blocked, goal, labels, num_demonstrations=num_demonstrations, seed=seed, moves=moves
    )
    return MapDataset(blocked, goal, optimal, demonstrated, starts, moves)


def check_goals(blocked: Bool[Tensor, "M H W"], goal: Int[Tensor, "M 2"]) -> None:
    """Every goal must be a free cell of its map.

    Raises: ShapeError; InputError naming the first that is not.
    """
    check_shape("blocked", blocked, "M H W")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    check_shape("goal", goal, f"{blocked.shape[0]} 2")
    size = torch.tensor(blocked.shape[1:])
    outside = ((goal < 0) | (goal >= size)).any(dim=1)
    row, col = goal.clamp(min=0).minimum(size - 1).unbind(1)
    wrong = (outside | blocked[torch.arange(len(goal)), row, col]).nonzero()[:, 0]
    if len(wrong):
        index = int(wrong[0])
        place = "off the map" if outside[index] else "on an obstacle"
        raise InputError(f"the goal {tuple(goal[index].tolist())} of map {index} lies {place}; it must be a free cell.")
