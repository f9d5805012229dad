"""What a number in a configuration may be: types and ranges, checked before anything is built from it.

Configurations come from files as well (weights from the Hub), so no number is believed: a wrong type, a number that is
not finite and one outside its range are refused before memory is allocated or a loop begins.
"""

import math
import types
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from torchvin.errors import InputError, unknown_name

#: Field name -> smallest and largest value.
RANGES: dict[str, tuple[float, float]] = {
    "num_actions": (1, 1024),
    "num_q": (1, 4096),
    "num_orientations": (1, 64),
    "num_terrains": (1, 16),
    "hidden_channels": (2, 4096),
    "kernel_size": (1, 63),
    "discount": (1e-6, 1 - 1e-9),
    "iterations_per_side": (1e-3, 1e4),
    "max_iterations": (1, 10_000_000),
    "tolerance": (0, 1),
    "temperature": (0, 1e6),
    "untied": (0, 10_000),
    "layer_every": (0, 1_000_000),
    "height": (4, 512),
    "width": (4, 512),
}


def check_fields(config: Any) -> None:
    """Check every field of a configuration (a dataclass) against its annotation, and against `RANGES` by its name.

    Raises: InputError naming the field, what was expected and what came.

    >>> from torchvin.architectures.normalized import NormalizedConfig
    >>> check_fields(NormalizedConfig())
    """
    hints = get_type_hints(type(config))
    for entry in fields(config):
        value = getattr(config, entry.name)
        check_type(entry.name, value, hints[entry.name])
        if entry.name in RANGES:
            low, high = RANGES[entry.name]
            if not low <= value <= high:
                raise InputError(f"{entry.name} must lie between {low:g} and {high:g}, got {value}.")


def check_type(name: str, value: Any, hint: Any) -> None:
    """Check a value against int, float, bool, str, a Literal, an optional or a tuple of one of these.

    Raises: InputError.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return
        return check_type(name, value, next(part for part in get_args(hint) if part is not type(None)))
    if origin is Literal:
        if value not in get_args(hint):
            raise unknown_name(name.replace("_", " "), str(value), get_args(hint))
    elif origin is tuple:
        if not isinstance(value, tuple | list):
            raise InputError(f"{name} must be a list, got {value!r}.")
        for part in value:
            check_type(name, part, get_args(hint)[0])
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{name} must be a finite number, got {value!r}.")
    elif hint in (int, bool, str) and type(value) is not hint:
        raise InputError(f"{name} must be {_KINDS[hint]}, got {value!r}.")


_KINDS = {int: "a whole number", bool: "true or false", str: "a text"}
