"""Types and ranges of the fields of a configuration, checked before anything is built from it.

A configuration may come from a stranger's file. A value of a wrong type, one that is not finite and one outside its
range are refused before memory is allocated or a loop begins.
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
    "cell_pixels": (0, 64),
    "num_features": (1, 16),
    "patch_size": (1, 63),
    "hidden_units": (1, 4096),
    "encoder_channels": (1, 1024),
    "encoder_blocks": (0, 64),
    "caution": (1e-3, 1e6),
    "cost_gain": (1e-3, 1e6),
    "num_iterations": (0, 10_000),
    "retrieval_weight": (0, 1e3),
    "link_cost": (0, 1e3),
    "height": (4, 512),
    "width": (4, 512),
}
_KINDS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text"}


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
        if entry.name in RANGES and value is not None:
            low, high = RANGES[entry.name]
            if not low <= value <= high:
                raise InputError(f"{entry.name} must lie between {low:g} and {high:g}, got {_shown(value)}.")


def check_type(name: str, value: Any, hint: Any) -> None:
    """Check a value against int, float, bool, str, a Literal, a tuple of these, or one of these or None.

    Raises: InputError.

    >>> check_type("stages", (1.0, 0.5), tuple[float, ...])
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if value is not None:
            check_type(name, value, next(part for part in get_args(hint) if part is not type(None)))
    elif origin is Literal:
        if value not in get_args(hint):
            raise unknown_name(name.replace("_", " "), str(value)[:80], [str(choice) for choice in get_args(hint)])
    elif origin is tuple:
        if not isinstance(value, tuple | list):
            raise InputError(f"{name} must be a list, got {_shown(value)}.")
        kinds = get_args(hint)
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        if len(kinds) != len(value):
            raise InputError(f"{name} must have {len(kinds)} entries, got {len(value)}.")
        for part, kind in zip(value, kinds, strict=True):
            check_type(name, part, kind)
    elif hint is float:
        whole = type(value) is int  # of any size: the range decides
        if not (whole or (isinstance(value, float) and math.isfinite(value))):
            raise InputError(f"{name} must be {_KINDS[float]}, got {_shown(value)}.")
    elif type(value) is not hint:
        raise InputError(f"{name} must be {_KINDS[hint]}, got {_shown(value)}.")


def check_hints(config: type) -> None:
    """Check that the fields of a configuration have types that `check_type` knows, so that they survive in JSON.

    Raises: InputError naming the first field that has another type.
    """
    hints = get_type_hints(config)
    for entry in fields(config):
        if not _is_known(hints[entry.name]):
            raise InputError(
                f"{config.__name__}.{entry.name}: a field of a configuration is an int, a float, a bool, a str, a "
                f"Literal, a tuple of these, or one of these or None; got {hints[entry.name]}."
            )


def _is_known(hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return len(parts) == 2 and type(None) in parts and all(part is type(None) or _is_known(part) for part in parts)
    if origin is tuple:
        return all(part is Ellipsis or (_is_known(part) and get_origin(part) is not tuple) for part in parts)
    return origin is Literal or hint in _KINDS


def _shown(value: Any) -> str:
    """A value in an error message, cut where it is long."""
    return f"{value!r:.80}"
