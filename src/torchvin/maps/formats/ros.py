"""ROS maps: `map.yaml` and its image, by the rule of map_server (http://wiki.ros.org/map_server, nav2_map_server).

The occupancy of a pixel is p = (255 - x) / 255, or x / 255 if `negate`, x being the mean of its colours. Occupied is
p > occupied_thresh; else free is p < free_thresh; anything else is unknown. **Unknown cells are blocked**: a robot must
not plan through what nobody has seen. The modes differ for us only in this:

- `trinary` (the default): a pixel that is not opaque is unknown. map_server averages alpha in with the colours, which
  makes unknown cells of an opaque picture free; here alpha that is opaque changes nothing.
- `scale`: a pixel that is not opaque is unknown. What lies between the thresholds gets a grade from 0 to 100 percent;
  a grade that rounds to 0 is free, as in nav2_map_server, any other is blocked.
- `raw` leaves alpha out and takes x itself for the occupancy in percent, p = x / 100, above 100 unknown. ROS applies no
  thresholds here, but a planner must: the same two are used.
"""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile, check_readable
from torchvin.maps.formats.pixels import read_pixels
from torchvin.maps.formats.ros_yaml import RosSettings, read_ros_yaml

ROS_SUFFIXES = (".yaml", ".yml")
OCCUPIED_THRESH, FREE_THRESH = 0.65, 0.196  # these four: what map_saver writes
OCCUPIED_PIXEL, FREE_PIXEL = 0, 254


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
    blocked = torch.from_numpy(_blocked(read_pixels(settings.image), settings))
    return MapFile(blocked, settings.resolution, settings.origin, source=str(path))


def write_ros(path: Path, map_file: MapFile) -> None:
    """Write `NAME.yaml` and, beside it, `NAME.pgm` as map_saver does, each whole or not at all.

    An existing `NAME.pgm` is replaced. No `origin` means (0, 0, 0).

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
    blocked = map_file.blocked.cpu().numpy()
    picture = Image.fromarray(np.where(blocked, np.uint8(OCCUPIED_PIXEL), np.uint8(FREE_PIXEL)))
    with replacing(path) as temporary, replacing(image) as temporary_image:  # the image takes its place first
        picture.save(temporary_image)
        temporary.write_text(yaml.safe_dump(entries, sort_keys=False), encoding="utf-8")


def _blocked(pixels: UInt8[np.ndarray, "H W C"], settings: RosSettings) -> Bool[np.ndarray, "H W"]:
    has_alpha = pixels.shape[2] == 4
    averaged = 3 if has_alpha else pixels.shape[2]
    free = _free_by_sum(averaged, settings)
    blocked = np.empty(pixels.shape[:2], dtype=bool)
    for row, line in enumerate(pixels):  # by rows: an index array takes 8 bytes per cell
        blocked[row] = ~free[line[:, :averaged].sum(axis=1, dtype=np.int64)]
        if has_alpha and settings.mode != "raw":
            blocked[row] |= line[:, 3] < 255
    return blocked


def _free_by_sum(channels: int, settings: RosSettings) -> Bool[np.ndarray, "S"]:
    """Whether a pixel is free, for each sum 0 .. 255 * channels of its channels."""
    mean = np.arange(255 * channels + 1) / channels
    shade = mean if settings.negate else 255 - mean
    occupancy = mean / 100 if settings.mode == "raw" else shade / 255
    free = occupancy < settings.free_thresh
    between = settings.occupied_thresh - settings.free_thresh
    if settings.mode == "scale" and between > 0:
        free |= np.rint((occupancy - settings.free_thresh) / between * 100) <= 0
    return free & ~(occupancy > settings.occupied_thresh)
