"""What random arenas are drawn from, in numbers: no torch is needed to say it."""

from dataclasses import dataclass
from typing import Literal, get_args

from torchvin.errors import InputError, unknown_name

#: Kind of data whose maps are arenas (`data.generators`).
ARENA = "arena"
Kind = Literal["obstacles", "maze"]
Places = Literal["top-to-bottom", "anywhere"]


@dataclass(frozen=True)
class ArenaConfig:
    """What arenas are drawn from."""

    kind: Kind = "obstacles"
    """obstacles: a sphere and two capsules, as in the authors' file. maze: the walls of a maze."""
    obstacles: int = 3
    """Number of obstacles; every third one is a sphere. Not used by mazes."""
    places: Places = "anywhere"
    """anywhere: any two free places at least 0.8 apart. top-to-bottom: starts at y = 0.75 and goals at y = -0.75, as in
    the authors' file. Mazes have the middles of two rooms."""
    rooms: int = 4
    """Rooms per side of a maze."""
    room_for_body: float = 0.04
    """Least distance between the body and obstacles at start and goal, and on some way between them."""

    def __post_init__(self) -> None:
        for name, choices in (("kind", Kind), ("places", Places)):
            if getattr(self, name) not in get_args(choices):
                raise unknown_name(name, getattr(self, name), get_args(choices))
        if not 0 <= self.obstacles <= 30:
            raise InputError(f"the number of obstacles must lie between 0 and 30, got {self.obstacles}.")
        if not 2 <= self.rooms <= 6:
            raise InputError(f"the number of rooms per side must lie between 2 and 6, got {self.rooms}.")
        if not 0 <= self.room_for_body <= 0.2:
            raise InputError(f"room_for_body must lie between 0 and 0.2, got {self.room_for_body}.")
