"""Motion models: what an agent can do, where each action leads, what it costs, and what a map allows.

`GridMotion` has the authors' moves (Gridworld_Graph8 of avivt/VIN): N, S, E, W, NE, NW, SE, SW. The four-connected
moves are the first four. `DifferentialDrive` is the third motion model of the GPPN paper: turn left, turn right,
forward. An action into an obstacle or off the map leaves the agent where it is. Only the destination is checked, so
cutting a corner and squeezing between two diagonal obstacles are legal: that is the MDP of the paper.
`corner_cutting=False` forbids both.

A state is (row, col), or (orientation, row, col) of an agent with O orientations (`spaces.StateSpace`). Values that
differ by action and orientation lie in channels o * A + a, as in the planners.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from torchvin.errors import InputError, check_shape, unknown_name

if TYPE_CHECKING:  # a motion model is its numbers: `torchvin list` names them without torch
    from jaxtyping import Bool, Int
    from torch import Tensor

    from torchvin.spaces import StateSpace

NAMES = ("N", "S", "E", "W", "NE", "NW", "SE", "SW")
OFFSETS = ((-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1))  # (row, col)
DIAGONALS_FIRST = (4, 5, 6, 7, 0, 1, 2, 3)  # the tie-break that agrees best with the authors' expert
HEADINGS = ("N", "E", "S", "W")  # clockwise: turning right is one further

#: For each orientation and action: the orientation after it, and the (row, col) step.
Effects = tuple[tuple[tuple[int, int, int], ...], ...]

_KINDS: dict[str, "type[MotionModel]"] = {}  # classes by the kind in their JSON


class MotionModel(ABC):
    """Actions of an agent: all that experts, rollouts and scores know of it.

    Weights and data sets store a motion model as its `kind` and its dataclass fields. A subclass of your own therefore
    is a frozen dataclass with its own `kind`, and its module is imported before what names it is loaded.
    """

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" in vars(cls):
            _KINDS[cls.kind] = cls

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

    @property
    def summary(self) -> str:
        """The rule in a few words, for people."""
        turns = f", {self.num_orientations} orientations" if self.num_orientations > 1 else ""
        return f"{self.num_actions} actions ({', '.join(self.names)}){turns}"

    def to_json(self) -> dict[str, Any]:
        """The motion model as JSON, for `motion_from_json`.

        Raises: InputError if the class is no dataclass with a `kind` of its own.
        """
        if not dataclasses.is_dataclass(self) or _KINDS.get(getattr(self, "kind", "")) is not type(self):
            raise InputError(
                f"a {type(self).__name__} cannot be stored; make it a frozen dataclass with a class variable `kind`."
            )
        return {"kind": self.kind, **dataclasses.asdict(self)}

    def states(self, height: int, width: int) -> "StateSpace":
        """The states of the agent on maps of this size."""
        from torchvin.spaces import StateSpace

        return StateSpace(height, width, self.num_orientations)

    @property
    def state_length(self) -> int:
        """Numbers of a state: 2, (row, col), or 3, (orientation, row, col)."""
        return self.states(1, 1).state_length

    def allowed(self, blocked: "Bool[Tensor, 'B H W']") -> "Bool[Tensor, 'B OA H W']":
        """Whether each action in each cell changes the state. In a blocked cell none does."""
        import torch

        check_shape("blocked", blocked, "B H W")
        height, width = blocked.shape[1:]
        reach = max((max(abs(row), abs(col)) for actions in self.effects for _, row, col in actions), default=0)
        free = torch.nn.functional.pad(~blocked, (reach,) * 4, value=False)  # off the map is not free

        def free_at(row: int, col: int) -> "Tensor":
            return free[:, reach + row : reach + row + height, reach + col : reach + col + width]

        planes = []
        for actions in self.effects:
            for _, row, col in actions:
                plane = free_at(0, 0) & free_at(row, col)
                if not self.corner_cutting and row and col:
                    plane &= free_at(row, 0) & free_at(0, col)
                planes.append(plane)
        return torch.stack(planes, dim=1)

    def steps(self, space: "StateSpace") -> "Int[Tensor, 'A S']":
        """What each action adds to the flat number of each state where it is allowed."""
        import torch

        change = [
            [(after - before) * space.num_cells + row * space.width + col for after, row, col in actions]
            for before, actions in enumerate(self.effects)
        ]
        return torch.tensor(change).T.repeat_interleave(space.num_cells, dim=1)


@dataclass(frozen=True)
class GridMotion(MotionModel):
    """Moves to 4 or 8 neighbouring cells, at cost 1 along an axis and `diagonal_cost` along a diagonal.

    Args:
        num_actions: 4 or 8.
        corner_cutting: a diagonal move may pass the corner of an obstacle.
        diagonal_cost: of a diagonal move, more than 0; sqrt(2) in the VIN paper, 1 in GPPN and Neural A*.

    Raises: InputError for another number of actions or a cost that is not finite and positive.

    >>> GridMotion(num_actions=4).names
    ('N', 'S', 'E', 'W')
    """

    kind: ClassVar[str] = "grid"

    num_actions: int = 8
    corner_cutting: bool = True
    diagonal_cost: float = math.sqrt(2)

    def __post_init__(self) -> None:
        if self.num_actions not in (4, 8) or isinstance(self.num_actions, bool):
            raise InputError(f"num_actions must be 4 or 8, got {self.num_actions}.")
        if not isinstance(self.corner_cutting, bool):
            raise InputError(f"corner_cutting must be True or False, got {self.corner_cutting!r:.40}.")
        cost = self.diagonal_cost
        if isinstance(cost, bool) or not isinstance(cost, (int, float)) or not 0 < cost < math.inf:
            raise InputError(f"diagonal_cost must be a finite number above 0, got {cost!r:.40}.")

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
        """Cost of each action: 1 along an axis, `diagonal_cost` along a diagonal."""
        return ((1.0,) * 4 + (float(self.diagonal_cost),) * 4)[: self.num_actions]

    @property
    def tie_break_order(self) -> tuple[int, ...]:
        """Order in which the expert breaks ties: diagonals first."""
        return tuple(action for action in DIAGONALS_FIRST if action < self.num_actions)

    @property
    def reversible(self) -> bool:
        return True

    @property
    def summary(self) -> str:
        """Number of moves, cost of a diagonal, corner rule.

        >>> GridMotion().summary
        '8 moves, a diagonal costs 1.414, corners may be cut'
        """
        if self.num_actions == 4:
            return "4 moves"
        corners = "may" if self.corner_cutting else "may not"
        return f"8 moves, a diagonal costs {self.diagonal_cost:.4g}, corners {corners} be cut"


@dataclass(frozen=True)
class DifferentialDrive(MotionModel):
    """Turn left, turn right or go forward, 1 each; headings N, E, S, W (Lee et al., GPPN, ICML 2018, section 4.1).

    >>> drive = DifferentialDrive()
    >>> drive.names, drive.effects[HEADINGS.index("E")]
    (('left', 'right', 'forward'), ((0, 0, 0), (2, 0, 0), (1, 0, 1)))
    """

    kind: ClassVar[str] = "differential-drive"

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


#: Motion models by name: those of the GPPN paper as its code has them (every move costs 1, a diagonal too; Neural A*
#: has its `moore`), and the 8 moves of the VIN paper, whose diagonals cost sqrt(2): their distances on a free map are
#: the octile distances.
MOTION_MODELS: dict[str, MotionModel] = {
    "news": GridMotion(num_actions=4),
    "moore": GridMotion(num_actions=8, diagonal_cost=1.0),
    "differential-drive": DifferentialDrive(),
    "octile": GridMotion(num_actions=8),
}

#: What a name means in a file. Only earlier versions wrote names, and their `moore` had diagonals at sqrt(2); today's
#: files hold the motion model itself.
NAMES_IN_FILES: dict[str, MotionModel] = {
    "news": GridMotion(num_actions=4),
    "moore": GridMotion(num_actions=8),
    "differential-drive": DifferentialDrive(),
}


def motion_model(name: str) -> MotionModel:
    """The motion model of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in MOTION_MODELS:
        raise unknown_name("motion model", name, MOTION_MODELS)
    return MOTION_MODELS[name]


def motion_from_json(described: Mapping[str, Any]) -> MotionModel:
    """The motion model that `to_json` described.

    Raises: InputError for an unknown kind, fields that it does not have, or values that it refuses.

    >>> motion_from_json({"kind": "grid", "num_actions": 4})
    GridMotion(num_actions=4, corner_cutting=True, diagonal_cost=1.4142135623730951)
    """
    kind = described.get("kind") if isinstance(described, Mapping) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputError(
            f"unknown motion model {described!r:.80}; expected kind {' or '.join(_KINDS)}. Import the module of a "
            "motion model of your own first."
        )
    given = {name: value for name, value in described.items() if name != "kind"}
    if unknown := given.keys() - {field.name for field in dataclasses.fields(_KINDS[kind])}:  # type: ignore[arg-type]
        raise InputError(f"motion model {kind}: there is no field {', '.join(sorted(map(str, unknown)))}.")
    return _KINDS[kind](**given)
