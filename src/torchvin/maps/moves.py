"""THE action table: the order, offsets and costs of the moves, and which of them a map allows.

The order is the authors' (Gridworld_Graph8 of avivt/VIN): N, S, E, W, NE, NW, SE, SW. The four-connected moves are its
first four. A move into an obstacle or off the map stays put. Only the destination is checked, so cutting a corner and
squeezing between two diagonal obstacles are legal: that is the paper's MDP. `corner_cutting=False` bans both.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError, check_shape

NAMES = ("N", "S", "E", "W", "NE", "NW", "SE", "SW")
OFFSETS = ((-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1))  # (row, col)
COSTS = (1.0,) * 4 + (math.sqrt(2.0),) * 4
DIAGONALS_FIRST = (4, 5, 6, 7, 0, 1, 2, 3)  # the tie-break that agrees best with the authors' expert


@dataclass(frozen=True)
class Moves:
    """Which moves exist: 4 or 8 of them, with or without cutting corners.

    >>> Moves(num_actions=4).names
    ('N', 'S', 'E', 'W')
    """

    num_actions: int = 8
    corner_cutting: bool = True

    def __post_init__(self) -> None:
        if self.num_actions not in (4, 8):
            raise InputError(f"num_actions must be 4 or 8, got {self.num_actions}.")

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[: self.num_actions]

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """(row, col) step of each action."""
        return OFFSETS[: self.num_actions]

    @property
    def costs(self) -> tuple[float, ...]:
        """Cost of each action: 1 straight, sqrt(2) diagonal."""
        return COSTS[: self.num_actions]

    @property
    def preference(self) -> tuple[int, ...]:
        """Order in which the expert breaks ties: diagonals first."""
        return tuple(action for action in DIAGONALS_FIRST if action < self.num_actions)

    def allowed(self, blocked: Bool[Tensor, "B H W"]) -> Bool[Tensor, "B A H W"]:
        """Whether each move from each cell changes the state (moves out of a blocked cell never do)."""
        check_shape("blocked", blocked, "B H W")
        height, width = blocked.shape[1:]
        free = torch.nn.functional.pad(~blocked, (1, 1, 1, 1), value=False)  # off the map is not free

        def free_at(row: int, col: int) -> Tensor:
            return free[:, 1 + row : 1 + row + height, 1 + col : 1 + col + width]

        planes = []
        for row, col in self.offsets:
            plane = free_at(0, 0) & free_at(row, col)
            if not self.corner_cutting and row and col:
                plane &= free_at(row, 0) & free_at(0, col)
            planes.append(plane)
        return torch.stack(planes, dim=1)

    def destinations(self, blocked: Bool[Tensor, "B H W"]) -> Int[Tensor, "B A N"]:
        """Flat index (row * W + col) of the cell that each move leads to; a refused move leads to where it began."""
        _, height, width = blocked.shape
        here = torch.arange(height * width, device=blocked.device)
        steps = torch.tensor([row * width + col for row, col in self.offsets], device=blocked.device)
        return here + steps[None, :, None] * self.allowed(blocked).flatten(2)
