"""Reading and writing a map by the suffix of its file: one table, one check."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torchvin.errors import InputError, unknown_name
from torchvin.maps.formats.contract import MapFile, check_map, check_readable
from torchvin.maps.formats.image import read_image, write_image
from torchvin.maps.formats.movingai import read_movingai, write_movingai
from torchvin.maps.formats.numpy_array import read_numpy, write_numpy
from torchvin.maps.formats.ros import ROS_SUFFIXES, read_ros, write_ros


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Attributes:
        summary: for people, a noun.
        read: path -> `MapFile`; takes the keyword `threshold` too if `takes_threshold`.
        write: (path, `MapFile`) -> nothing; whole or not at all.
        takes_threshold: whether its cells are grey, so that a threshold says which are blocked.
        takes_grades: whether `read` takes the keyword `grades`. A format without it may have grades all the same.
    """

    summary: str
    read: Callable[..., MapFile]
    write: Callable[[Path, MapFile], None]
    takes_threshold: bool = False
    takes_grades: bool = False


_MOVINGAI = Format("MovingAI map", read_movingai, write_movingai)
_ROS = Format("ROS map_server map", read_ros, write_ros)
_IMAGE = Format("image", read_image, write_image, takes_threshold=True, takes_grades=True)
_NUMPY = Format("NumPy array", read_numpy, write_numpy, takes_grades=True)

#: suffix in lower case -> format
FORMATS: dict[str, Format] = {
    ".map": _MOVINGAI,
    **dict.fromkeys(ROS_SUFFIXES, _ROS),
    ".png": _IMAGE,
    ".jpg": _IMAGE,
    ".jpeg": _IMAGE,
    ".pgm": _IMAGE,
    ".bmp": _IMAGE,
    ".npy": _NUMPY,
}


def read_map(path: str | os.PathLike[str], *, threshold: float | None = None, grades: bool = False) -> MapFile:
    """Read a map; the suffix says the format (`FORMATS`).

    Args:
        path: of the file; for a ROS map the `.yaml`, which names its image.
        threshold: images only: grey (0 black .. 1 white) below it is blocked. None: only images in black and white
            are taken, split at 0.5.
        grades: images and arrays: read what lies between free and blocked as `MapFile.grade`. Not with a threshold.

    Returns: `MapFile` with `blocked` [H, W], row 0 the top line of the file or picture.
    Raises: InputError if the file cannot be read, is not what its suffix says, or holds no usable map.
    """
    path = Path(path)
    form = _format_of(path)
    check_readable(path)
    options: dict[str, object] = {"grades": True} if grades and form.takes_grades else {}
    if threshold is not None:
        if not form.takes_threshold:
            raise InputError(
                f"{path}: a threshold is for images only, this is a {form.summary}; leave the threshold out."
            )
        if not 0 < threshold <= 1:  # also refuses NaN
            raise InputError(f"the threshold must be above 0 (black) and at most 1 (white), got {threshold}.")
        if grades:
            raise InputError(f"{path}: a threshold leaves no grades; give one of the two.")
        options["threshold"] = threshold
    map_file = form.read(path, **options)
    check_map(map_file)
    return map_file


def write_map(path: str | os.PathLike[str], map_file: MapFile) -> None:
    """Write a map, whole or not at all; the suffix says the format (`FORMATS`).

    Only ROS maps keep `resolution` and `origin`; they write `NAME.yaml` and, beside it, `NAME.pgm`.

    Raises: InputError if the suffix is unknown, the map is no usable map, or `path` cannot be written.
    """
    path = Path(path)
    form = _format_of(path)
    check_map(map_file)
    form.write(path, map_file)


def _format_of(path: Path) -> Format:
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    if os.path.isdir(path):  # unlike Path.is_dir it never raises
        raise InputError(f"{path} is a folder; give the name of a map file ({', '.join(FORMATS)}).")
    raise InputError(f"{path}: {unknown_name('map format', suffix, FORMATS)}")
