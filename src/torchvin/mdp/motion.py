"""THE action table: what an agent can do, where each action leads, what it costs, and what a map allows.

`Moves` are the authors' grid moves (Gridworld_Graph8 of avivt/VIN): N, S, E, W, NE, NW, SE, SW; the four-connected ones
are the first four. `DifferentialDrive` is the third mechanism of the GPPN paper: turn left, turn right, forward. An
action into an obstacle or off the map stays put. Only the destination is checked, so cutting a corner and squeezing
between two diagonal obstacles are legal: that is the paper's MDP. `corner_cutting=False` bans both.

A state is (row, col), or (orientation, row, col) of an agent that has O of them: `maps.states` numbers them. What
differs by action and orientation lies in channels o * A + a, as the planner has them.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from torchvin.errors import InputError, check_shape, unknown_name

NAMES = ("N", "S", "E", "W", "NE", "NW", "SE", "SW")
OFFSETS = ((-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1))  # (row, col)
COSTS = (1.0,) * 4 + (math.sqrt(2.0),) * 4
DIAGONALS_FIRST = (4, 5, 6, 7, 0, 1, 2, 3)  # the tie-break that agrees best with the authors' expert
HEADINGS = ("N", "E", "S", "W")  # clockwise: turning right is one further

#: For each orientation and action: the orientation after it, and the (row, col) step.
Effects = tuple[tuple[tuple[int, int, int], ...], ...]


class MotionModel(ABC):
    """Actions of an agent: all that experts, walks and scores know of it."""

    @property
    @abstractmethod
    def num_actions(self) -> int:
        """A, the same in every orientation."""

    @property
    @abstractmethod
    def num_orientations(self) -> int:
        """O, 1 for an agent that has none."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Name of each action."""

    @property
    @abstractmethod
    def costs(self) -> tuple[float, ...]:
        """Cost of each action."""

    @property
    @abstractmethod
    def tie_break_order(self) -> tuple[int, ...]:
        """Order in which the expert breaks ties."""

    @property
    @abstractmethod
    def effects(self) -> Effects:
        """Where each action leads from each orientation, if nothing is in the way."""

    @property
    @abstractmethod
    def corner_cutting(self) -> bool:
        """Whether a diagonal step may pass the corner of an obstacle."""

    @property
    @abstractmethod
    def reversible(self) -> bool:
        """Whether each move has a reverse at the same cost, so that distances from a goal are distances to it."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The motion model as JSON, for `motion_from_json`."""

    @property
    def state_length(self) -> int:
        """Numbers of a state: 2, (row, col), or 3, (orientation, row, col)."""
        return 2 if self.num_orientations == 1 else 3

    def allowed(self, blocked: Bool[Tensor, "B H W"]) -> Bool[Tensor, "B OA H W"]:
        """Whether each action in each cell changes the state (in a blocked cell none does)."""
        check_shape("blocked", blocked, "B H W")
        height, width = blocked.shape[1:]
        free = torch.nn.functional.pad(~blocked, (1, 1, 1, 1), value=False)  # off the map is not free

        def free_at(row: int, col: int) -> Tensor:
            return free[:, 1 + row : 1 + row + height, 1 + col : 1 + col + width]

        planes = []
        for actions in self.effects:
            for _, row, col in actions:
                plane = free_at(0, 0) & free_at(row, col)
                if not self.corner_cutting and row and col:
                    plane &= free_at(row, 0) & free_at(0, col)
                planes.append(plane)
        return torch.stack(planes, dim=1)

    def steps(self, height: int, width: int) -> Int[Tensor, "A S"]:
        """What each action adds to the flat index of each state (of S = O * H * W) where it is allowed."""
        cells = height * width
        change = [
            [(after - before) * cells + row * width + col for after, row, col in actions]
            for before, actions in enumerate(self.effects)
        ]
        return torch.tensor(change).T.repeat_interleave(cells, dim=1)

    def destinations(self, blocked: Bool[Tensor, "B H W"]) -> Int[Tensor, "B A S"]:
        """Flat index of the state that each action leads to; a refused one leads to where it began."""
        steps = self.steps(*blocked.shape[1:]).to(blocked.device)
        here = torch.arange(steps.shape[1], device=blocked.device)
        return here + steps * by_state(self.allowed(blocked), self.num_orientations)


def by_state(channels: Shaped[Tensor, "B OA H W"], num_orientations: int) -> Shaped[Tensor, "B A S"]:
    """Channels o * A + a of cells to actions of the flat states.

    >>> by_state(torch.arange(4).view(1, 4, 1, 1), num_orientations=2).tolist()
    [[[0, 2], [1, 3]]]
    """
    batch, _, height, width = channels.shape
    return channels.reshape(batch, num_orientations, -1, height * width).transpose(1, 2).flatten(2)


@dataclass(frozen=True)
class Moves(MotionModel):
    """Which grid moves exist: 4 or 8 of them, with or without cutting corners.

    >>> Moves(num_actions=4).names
    ('N', 'S', 'E', 'W')
    """

    num_actions: int = 8
    corner_cutting: bool = True

    def __post_init__(self) -> None:
        if self.num_actions not in (4, 8):
            raise InputError(f"num_actions must be 4 or 8, got {self.num_actions}.")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "grid",
            "num_actions": self.num_actions,
            "diagonal_cost": math.sqrt(2),
            "corner_cutting": self.corner_cutting,
        }

    @property
    def num_orientations(self) -> int:
        return 1

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[: self.num_actions]

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """(row, col) step of each action."""
        return OFFSETS[: self.num_actions]

    @property
    def effects(self) -> Effects:
        return (tuple((0, row, col) for row, col in self.offsets),)

    @property
    def costs(self) -> tuple[float, ...]:
        """Cost of each action: 1 straight, sqrt(2) diagonal."""
        return COSTS[: self.num_actions]

    @property
    def tie_break_order(self) -> tuple[int, ...]:
        """Order in which the expert breaks ties: diagonals first."""
        return tuple(action for action in DIAGONALS_FIRST if action < self.num_actions)

    @property
    def reversible(self) -> bool:
        return True


@dataclass(frozen=True)
class DifferentialDrive(MotionModel):
    """Turn left, turn right or go forward, 1 each; headings N, E, S, W (Lee et al., GPPN, ICML 2018, section 4.1).

    >>> drive = DifferentialDrive()
    >>> drive.names, drive.effects[HEADINGS.index("E")]
    (('left', 'right', 'forward'), ((0, 0, 0), (2, 0, 0), (1, 0, 1)))
    """

    def to_json(self) -> dict[str, Any]:
        return {"kind": "differential-drive"}

    @property
    def num_actions(self) -> int:
        return 3

    @property
    def num_orientations(self) -> int:
        return len(HEADINGS)

    @property
    def names(self) -> tuple[str, ...]:
        return ("left", "right", "forward")

    @property
    def effects(self) -> Effects:
        ahead = [OFFSETS[NAMES.index(heading)] for heading in HEADINGS]
        turns = len(HEADINGS)
        return tuple(
            (((heading - 1) % turns, 0, 0), ((heading + 1) % turns, 0, 0), (heading, *ahead[heading]))
            for heading in range(turns)
        )

    @property
    def costs(self) -> tuple[float, ...]:
        return (1.0, 1.0, 1.0)

    @property
    def tie_break_order(self) -> tuple[int, ...]:
        """Forward first."""
        return (2, 0, 1)

    @property
    def corner_cutting(self) -> bool:
        return True

    @property
    def reversible(self) -> bool:
        return False


#: The mechanisms of the GPPN paper by name.
MOTION_MODELS: dict[str, MotionModel] = {
    "news": Moves(num_actions=4),
    "moore": Moves(num_actions=8),
    "differential-drive": DifferentialDrive(),
}


def motion_model(name: str) -> MotionModel:
    """The mechanism of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in MOTION_MODELS:
        raise unknown_name("motion model", name, MOTION_MODELS)
    return MOTION_MODELS[name]


def motion_from_json(described: Mapping[str, Any]) -> MotionModel:
    """The motion model that `to_json` wrote down.

    Raises: InputError for an unknown kind.
    """
    if described.get("kind") == "grid":
        return Moves(described["num_actions"], described["corner_cutting"])
    if described.get("kind") == "differential-drive":
        return DifferentialDrive()
    raise InputError(f"unknown motion model {dict(described)!r:.80}; expected kind grid or differential-drive.")
