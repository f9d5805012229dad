"""The entries of a ROS `map.yaml`, checked (http://wiki.ros.org/map_server, section "Map format")."""

import math
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchvin.errors import InputError, unknown_name
from torchvin.maps.formats.contract import check_readable, one_line

MODES = ("trinary", "scale", "raw")
KEYS = ("image", "resolution", "origin", "negate", "occupied_thresh", "free_thresh")  # `mode` may be left out
MAX_YAML_BYTES = 2**16
MAX_YAML_DEPTH = 8  # a map.yaml needs 2


@dataclass(frozen=True)
class RosSettings:
    """What a `map.yaml` says.

    Attributes:
        image: path of the image: that of the yaml's folder joined with the entry.
        resolution: metres per cell, above 0.
        origin: (x metres, y metres, yaw radians) of the lower-left corner.
        negate: whether white, not black, is occupied.
        occupied_thresh, free_thresh: occupancies in 0..1.
        mode: one of `MODES`.
    """

    image: Path
    resolution: float
    origin: tuple[float, float, float]
    negate: bool
    occupied_thresh: float
    free_thresh: float
    mode: str


def read_ros_yaml(path: Path) -> RosSettings:
    """Read and check a `map.yaml`; entries that map_server does not know are ignored.

    Raises: InputError naming the entry, what was expected and what came.
    """
    entries = _parse(path)
    missing = [key for key in KEYS if not isinstance(entries, dict) or key not in entries]
    if missing:
        raise InputError(
            f"{path}: expected the entries {', '.join(KEYS)}, found no {', '.join(missing)}; add what lacks."
        )
    image, origin, negate = entries["image"], entries["origin"], entries["negate"]
    mode = entries.get("mode", MODES[0])
    if not isinstance(image, str) or not image:
        raise InputError(f"{path}: expected image: the name of a file, got {reprlib.repr(image)}.")
    if not isinstance(origin, list) or len(origin) != 3:
        raise InputError(f"{path}: expected origin: [x, y, yaw], got {reprlib.repr(origin)}.")
    x, y, yaw = (_number(value, "origin", path) for value in origin)
    if negate not in (0, 1):
        raise InputError(f"{path}: expected negate: 0 or 1, got {reprlib.repr(negate)}.")
    if mode not in MODES:
        shown = mode[:40] if isinstance(mode, str) else reprlib.repr(mode)
        raise InputError(f"{path}: {unknown_name('mode', shown, MODES)}")
    if mode == "raw" and negate:
        raise InputError(f"{path}: expected negate: 0 with mode: raw, got 1, which ROS 1 obeys and ROS 2 ignores.")
    resolution = _number(entries["resolution"], "resolution", path)
    if resolution <= 0:
        raise InputError(f"{path}: expected a resolution above 0 metres per cell, got {resolution}.")
    occupied, free = (_threshold(entries[key], key, path) for key in ("occupied_thresh", "free_thresh"))
    return RosSettings(path.parent / image, resolution, (x, y, yaw), bool(negate), occupied, free, mode)


def _parse(path: Path) -> Any:
    import yaml

    if check_readable(path) > MAX_YAML_BYTES:
        raise InputError(f"{path}: expected a map.yaml of a few lines, got more than {MAX_YAML_BYTES} bytes.")
    text = path.read_bytes()
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > MAX_YAML_DEPTH:  # either could take any time or memory
                break
        else:
            return yaml.safe_load(text)
    except Exception as error:  # besides YAMLError there are ValueErrors, of dates and numbers
        raise InputError(f"{path}: expected the YAML of a ROS map, it cannot be parsed: {one_line(error)}") from error
    raise InputError(f"{path}: expected plain values, got a YAML alias (*name) or deep nesting; write the values out.")


def _number(value: object, name: str, path: Path) -> float:
    """A finite number; also one that YAML 1.1 takes for text (5e-2) and ROS for a number."""
    number = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):  # no number, or an integer beyond all floats: refused below
            number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{path}: expected {name} as a finite number, got {reprlib.repr(value)}.")
    return number


def _threshold(value: object, name: str, path: Path) -> float:
    number = _number(value, name, path)
    if not 0 <= number <= 1:
        raise InputError(f"{path}: expected {name} in 0..1, got {number}.")
    return number
