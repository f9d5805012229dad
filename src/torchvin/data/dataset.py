"""The data set: maps with their goals and the expert's answer for every state, never copies of maps."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, Integer, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.experts.demonstrations import demonstrate
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.observe import encode
from torchvin.maps.terrain import check_terrain, entry_cost
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.spaces import StateSpace

#: `MapDataset.source` of the authors' files and of a user's own maps.
AUTHORS, OWN = "authors", "own"


@dataclass(frozen=True)
class MapDataset:
    """M maps of one size, and what an agent can do on them.

    With O > 1 orientations goal and starts are (orientation, row, col), [M, 3] and [M, S, 3], and the expert's answers
    [M, O, H, W].

    Attributes:
        blocked: True = obstacle, [M, H, W] bool.
        goal: (row, col), [M, 2] int64.
        optimal_actions: bit a set where action a begins a cheapest path, [M, H, W] uint8, or int64 for more than
            8 actions; 0 where there is none.
        demonstrated: the action that the demonstrations show in a state, [M, H, W] uint8; 255 where they show none. One
            map holds them all, because the paths to one goal come from one tree: a state has one label.
        starts: (row, col) where each demonstration begins, [M, S, 2] int64; -1 fills up maps with fewer than S.
        moves: of the environment.
        terrain: class of each cell, [M, H, W] uint8; None if there is one class only.
        terrain_costs: of each class: a move costs its length times the cost of the terrain on which it ends.
        source: where the maps come from: a generator of `torchvin data --kind`, "authors", "own", or "" if unknown.
    """

    blocked: Bool[Tensor, "M H W"]
    goal: Int[Tensor, "M D"]
    optimal_actions: Integer[Tensor, "M *O H W"]
    demonstrated: UInt8[Tensor, "M *O H W"]
    starts: Int[Tensor, "M S D"]
    moves: MotionModel
    terrain: UInt8[Tensor, "M H W"] | None = None
    terrain_costs: tuple[float, ...] = (1.0,)
    source: str = ""

    def __len__(self) -> int:
        return self.blocked.shape[0]

    def __getitem__(self, maps: slice | Tensor) -> "MapDataset":
        """The data set of these maps only (a slice, or indices [N])."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: dict[str, Any] = {name: part[maps] for name, part in content.items() if isinstance(part, Tensor)}
        return replace(self, **chosen)

    def to(self, device: torch.device | str) -> "MapDataset":
        """The data set with its tensors on a device; tensors that are there already are not copied."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {name: part.to(device) for name, part in content.items() if isinstance(part, Tensor)}
        return replace(self, **moved)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.blocked.shape[1:]
        return height, width

    @property
    def cell_pixels(self) -> int:
        """Pixels per side of a cell where networks see images (`data.overhead`); 0 where they see the maps."""
        return 0

    @property
    def space(self) -> StateSpace:
        """The states of each map."""
        return self.moves.states(*self.size)

    @property
    def entry_cost(self) -> Float[Tensor, "M H W"] | None:
        """Factor on the cost of a move that ends in a cell, float64; None where every cell costs 1."""
        return entry_cost(self.terrain, self.terrain_costs)

    def description(self) -> dict[str, Any]:
        """What weights that learn from these maps are for, as JSON: motion model, observation, and the maps."""
        planes = ["blocked", "terrain", "goal"] if len(self.terrain_costs) > 1 else ["blocked", "goal"]
        height, width = self.size
        return {
            "name": "gridworld",
            "motion": self.moves.to_json(),
            "observation": {
                "planes": planes,
                "num_orientations": self.moves.num_orientations,
                "terrain_costs": list(self.terrain_costs),
            },
            "data": {"maps": len(self), "height": height, "width": width},
        }

    def planes(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "M C H W"]:
        """Network input: obstacles, terrain classes from the second on, goal (`maps.encode`)."""
        return encode(
            self.blocked,
            self.goal,
            dtype=dtype,
            num_orientations=self.moves.num_orientations,
            terrain=self.terrain,
            num_terrains=len(self.terrain_costs),
        )


def solve_maps(
    blocked: Bool[Tensor, "M H W"],
    goal: Int[Tensor, "M D"],
    *,
    moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
    terrain: UInt8[Tensor, "M H W"] | None = None,
    terrain_costs: tuple[float, ...] = (1.0,),
) -> MapDataset:
    """Let the expert solve maps and demonstrate `num_demonstrations` paths per map (the authors: 7).

    Raises: ShapeError; InputError if a goal lies off its map or on an obstacle, nothing can reach it, or a class of
        terrain has no positive cost.

    >>> from torchvin.maps.generators.gridworld import generate_gridworld
    >>> len(solve_maps(*generate_gridworld(3, 8)))
    3
    """
    moves = moves or GridMotion()
    check_goals(blocked, goal, moves.num_orientations)
    check_terrain(blocked, terrain, terrain_costs)
    cost = entry_cost(terrain, terrain_costs)
    optimal = shortest_paths(blocked, goal, moves, cost).optimal_actions
    unreachable = (optimal == 0).flatten(1).all(dim=1).nonzero()[:, 0]
    if len(unreachable):
        raise InputError(f"no cell can reach the goal of map {unreachable[0].item()}; leave such maps out.")
    labels = preferred_action(optimal, moves)
    starts, demonstrated = demonstrate(
        blocked, goal, labels, num_demonstrations=num_demonstrations, seed=seed, moves=moves, entry_cost=cost
    )
    return MapDataset(blocked, goal, optimal, demonstrated, starts, moves, terrain, terrain_costs)


def check_goals(blocked: Bool[Tensor, "M H W"], goal: Int[Tensor, "M D"], num_orientations: int = 1) -> None:
    """Every goal must be a free cell of its map.

    Raises: ShapeError; InputError naming the first that is not.
    """
    check_shape("blocked", blocked, "M H W")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    height, width = blocked.shape[1:]
    space = StateSpace(height, width, num_orientations)
    check_shape("goal", goal, f"{blocked.shape[0]} {space.state_length}")
    outside = ~space.contains(goal)
    row, col = goal[:, -2].clamp(0, height - 1), goal[:, -1].clamp(0, width - 1)
    wrong = (outside | blocked[torch.arange(len(goal)), row, col]).nonzero()[:, 0]
    if len(wrong):
        index = int(wrong[0])
        place = "off the map" if outside[index] else "on an obstacle"
        raise InputError(f"the goal {tuple(goal[index].tolist())} of map {index} lies {place}; it must be a free cell.")
