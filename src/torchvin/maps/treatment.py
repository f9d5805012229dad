"""What a planner does with cells that are neither free nor occupied: blocked, free, or passable at a cost."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from jaxtyping import Bool, Float64

from torchvin.errors import InputError
from torchvin.maps.formats.contract import MapFile


@dataclass(frozen=True)
class Treatment:
    """How one class of cells is treated.

    Args:
        passable: whether a path may enter such a cell.
        cost: factor on the cost of a move that enters it, or for graded cells what is added at grade 1.
    """

    passable: bool
    cost: float = 1.0


BLOCKED = Treatment(passable=False)


def parse_treatment(flag: str, text: str, *, free: bool = True) -> Treatment:
    """The treatment that a text names: "blocked", "free" or "cost:X".

    Args:
        flag: for messages.
        text: of the option.
        free: whether "free" is a choice.

    Raises: InputError.

    >>> parse_treatment("--unknown", "cost:5")
    Treatment(passable=True, cost=5.0)
    """
    if text == "blocked":
        return BLOCKED
    if text == "free" and free:
        return Treatment(passable=True)
    name, _, number = text.partition(":")
    try:
        cost = float(number)
    except ValueError:
        cost = -1.0
    if name == "cost" and isfinite(cost) and cost > 0:
        return Treatment(passable=True, cost=cost)
    choices = "blocked, free or cost:X" if free else "blocked or cost:X"
    raise InputError(f"{flag} must be {choices}, X a number above 0 such as cost:5; got {text!r:.40}.")


def treat(
    map_file: MapFile, unknown: Treatment = BLOCKED, grades: Treatment = BLOCKED
) -> tuple[Bool[np.ndarray, "H W"], Float64[np.ndarray, "H W"] | None]:
    """The cells that are blocked, and the factor on the cost of entering a cell.

    Args:
        map_file: with its classes of cells.
        unknown: of cells that nobody has seen.
        grades: of cells with a grade g: entering one costs 1 + cost * g times as much.

    Returns: blocked [H, W]; the factor [H, W] float64, None where it is 1 everywhere.
    """
    blocked = map_file.blocked.cpu().numpy().copy()
    factor = np.ones(blocked.shape)
    if map_file.unknown is not None and unknown.passable:
        cells = map_file.unknown.cpu().numpy()
        blocked &= ~cells
        factor[cells] = unknown.cost
    if map_file.grade is not None and grades.passable:
        grade = map_file.grade.double().cpu().numpy()
        blocked &= ~(grade > 0)
        factor += grades.cost * grade
    return blocked, None if (factor == 1).all() else factor
