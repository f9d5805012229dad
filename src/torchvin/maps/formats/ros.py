"""ROS maps: `map.yaml` and its image, by the rule of map_server (http://wiki.ros.org/map_server, nav2_map_server).

The occupancy of a pixel is p = (255 - x) / 255, or x / 255 if `negate`, x being the mean of its colours. Occupied is
p > occupied_thresh; else free is p < free_thresh; anything else is unknown. **Unknown cells are a class of their own,
and blocked**: a robot must not plan through what nobody has seen. The modes differ in this:

- `trinary` (the default): a pixel that is not opaque is unknown. map_server averages alpha in with the colours, which
  makes unknown cells of an opaque picture free; here alpha that is opaque changes nothing. The grey 205, which
  map_saver writes for unknown cells, is unknown whatever `free_thresh` says: at 0.25, the value that nav2's map_saver
  writes, the rule would make it free.
- `scale`: a pixel that is not opaque is unknown. What lies between the thresholds gets a grade from 0 to 100 percent;
  a grade that rounds to 0 is free, as in nav2_map_server. Any other is blocked, or a cost if the caller says so.
- `raw` leaves alpha out and takes x itself for the occupancy in percent, p = x / 100, above 100 unknown. ROS applies no
  thresholds here, but a planner must: the same two are used, and what lies between them gets a grade.
"""

import math
import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile, check_readable
from torchvin.maps.formats.pixels import read_pixels
from torchvin.maps.formats.ros_yaml import RosSettings, read_ros_yaml

ROS_SUFFIXES = (".yaml", ".yml")
OCCUPIED_THRESH, FREE_THRESH = 0.65, 0.196  # these four: what map_saver writes
OCCUPIED_PIXEL, FREE_PIXEL, UNKNOWN_PIXEL = 0, 254, 205
_FREE, _OCCUPIED, _UNKNOWN, _GRADED = range(4)


def read_ros(path: Path) -> MapFile:
    """Read `map.yaml` and the image it names (relative to the folder of the yaml, or absolute).

    Palette images count by their colours, as in ROS 2 (ROS 1 took the index in the palette).

    Returns: `MapFile` with `resolution` and `origin`; the image's top line is row 0.
    Raises: InputError if either file cannot be read, or an entry is missing or makes no sense.
    """
    settings = read_ros_yaml(path)
    try:
        check_readable(settings.image)
    except InputError as error:
        raise InputError(f"{path}: expected the image that it names, but {error}") from error
    kind, grade = _classes(read_pixels(settings.image), settings)
    notes: tuple[str, ...] = ()
    if settings.mode == "trinary" and _saved_unknown_is_free(settings) and (kind == _UNKNOWN).any():
        notes = (
            f"free_thresh {settings.free_thresh:g} would make the grey {UNKNOWN_PIXEL} free, which map_saver writes "
            "for unknown cells; they are unknown here.",
        )
    return MapFile(
        torch.from_numpy(kind != _FREE),
        settings.resolution,
        settings.origin,
        source=str(path),
        unknown=torch.from_numpy(kind == _UNKNOWN),
        grade=None if grade is None else torch.from_numpy(grade),
        notes=notes,
    )


def write_ros(path: Path, map_file: MapFile) -> None:
    """Write `NAME.yaml` and, beside it, `NAME.pgm` as map_saver does, each whole or not at all.

    Cells with a grade are written as occupied. An existing `NAME.pgm` is replaced. No `origin` means (0, 0, 0).

    Raises: InputError if `map_file` has no resolution above 0 or a file cannot be written.
    """
    import yaml
    from PIL import Image

    resolution, origin = map_file.resolution, map_file.origin or (0.0, 0.0, 0.0)
    if resolution is None or not 0 < resolution < math.inf or not all(math.isfinite(value) for value in origin):
        raise InputError(
            f"{path}: expected a resolution above 0 in metres per cell and a finite origin, got {resolution} and"
            f" {origin}; give MapFile a resolution."
        )
    image = path.with_suffix(".pgm")
    entries = {
        "image": image.name,
        "resolution": float(resolution),
        "origin": [float(value) for value in origin],
        "negate": 0,
        "occupied_thresh": OCCUPIED_THRESH,
        "free_thresh": FREE_THRESH,
    }
    pixels = np.where(map_file.blocked.cpu().numpy(), np.uint8(OCCUPIED_PIXEL), np.uint8(FREE_PIXEL))
    if map_file.unknown is not None:
        pixels[map_file.unknown.cpu().numpy()] = UNKNOWN_PIXEL
    picture = Image.fromarray(pixels)
    with replacing(path) as temporary, replacing(image) as temporary_image:  # the image takes its place first
        picture.save(temporary_image)
        temporary.write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")


def _classes(
    pixels: UInt8[np.ndarray, "H W C"], settings: RosSettings
) -> tuple[UInt8[np.ndarray, "H W"], Float32[np.ndarray, "H W"] | None]:
    """The class of each cell, and the grade of each if there are cells with one."""
    has_alpha = pixels.shape[2] == 4
    averaged = 3 if has_alpha else pixels.shape[2]
    kinds, grades = _by_sum(averaged, settings)
    kind = np.empty(pixels.shape[:2], dtype=np.uint8)
    grade = np.zeros(pixels.shape[:2], dtype=np.float32) if grades.any() else None
    for row, line in enumerate(pixels):  # by rows: an index array takes 8 bytes per cell
        sums = line[:, :averaged].sum(axis=1, dtype=np.int64)
        kind[row] = kinds[sums]
        if has_alpha and settings.mode != "raw":
            kind[row][line[:, 3] < 255] = _UNKNOWN
        if grade is not None:
            grade[row] = np.where(kind[row] == _GRADED, grades[sums], 0)
    return kind, grade if grade is not None and grade.any() else None


def _by_sum(channels: int, settings: RosSettings) -> tuple[UInt8[np.ndarray, "S"], Float32[np.ndarray, "S"]]:
    """The class and the grade of a pixel for each sum 0 .. 255 * channels of its channels."""
    mean = np.arange(255 * channels + 1) / channels
    shade = mean if settings.negate else 255 - mean
    occupancy = mean / 100 if settings.mode == "raw" else shade / 255
    between = settings.occupied_thresh - settings.free_thresh
    grade = np.zeros_like(mean)
    kind = np.full(len(mean), _UNKNOWN, dtype=np.uint8)
    if settings.mode != "trinary" and between > 0:
        grade = np.rint((occupancy - settings.free_thresh) / between * 100).clip(0, 100) / 100
        kind[:] = _GRADED
        if settings.mode == "scale":
            kind[grade == 0] = _FREE
    kind[occupancy < settings.free_thresh] = _FREE
    kind[occupancy > settings.occupied_thresh] = _OCCUPIED
    if settings.mode == "raw":
        kind[occupancy > 1] = _UNKNOWN
    if settings.mode == "trinary" and _saved_unknown_is_free(settings):
        kind[UNKNOWN_PIXEL * channels] = _UNKNOWN
    # A grade of 1 leaves a cell passable where grades are costs: it is not occupied by the thresholds.
    return kind, np.where(kind == _GRADED, grade.clip(0.01, 0.99), 0).astype(np.float32)


def _saved_unknown_is_free(settings: RosSettings) -> bool:
    return not settings.negate and settings.free_thresh > (255 - UNKNOWN_PIXEL) / 255


def is_ros_map(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a ROS map, by its suffix.

    >>> is_ros_map("office.yaml"), is_ros_map("arena.map")
    (True, False)
    """
    return Path(path).suffix.lower() in ROS_SUFFIXES
