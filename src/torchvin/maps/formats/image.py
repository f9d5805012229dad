"""Pictures as maps: dark is blocked, bright is free (PNG, JPEG, PGM, BMP through Pillow)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile
from torchvin.maps.formats.pixels import read_pixels

THRESHOLD = 0.5
TOLERANCE = 0.1  # grey this near to black or white is noise (JPEG)
LUMINANCE = (299, 587, 114)  # thousandths of red, green, blue: ITU-R BT.601, as Pillow's mode "L"


def read_image(path: Path, *, threshold: float | None = None, grades: bool = False) -> MapFile:
    """Read a picture: grey (luminance, 0 black .. 1 white) below the threshold is blocked.

    Transparent pixels are seen on white paper.

    Args:
        path: of the picture.
        threshold: above 0, at most 1. None: 0.5, and pictures that are not in black and white are refused.
        grades: whether grey between black and white is a grade, 1 - grey; no threshold is used then.

    Returns: `MapFile`; the picture's top line is row 0.
    Raises: InputError if the picture cannot be read, or holds other greys and no threshold was given.
    """
    levels = luminance(read_pixels(path))
    grey = np.arange(256) / 255
    if grades:
        is_between = (grey > TOLERANCE) & (grey < 1 - TOLERANCE)
        by_level = np.where(is_between, 1 - grey, 0).astype(np.float32)
        grade = np.stack([by_level[row] for row in levels])
        blocked = levels < int((grey < 1 - TOLERANCE).sum())
        return MapFile(
            torch.from_numpy(blocked), source=str(path), grade=torch.from_numpy(grade) if grade.any() else None
        )
    if threshold is None:
        threshold = THRESHOLD
        present = np.zeros(256, dtype=bool)
        for row in levels:  # by rows: an index array takes 8 bytes per cell
            present[row] = True
        between = grey[present & (grey > TOLERANCE) & (grey < 1 - TOLERANCE)]
        if between.size:
            raise InputError(
                f"{path}: non-binary map: expected two grey levels, black and white (within {TOLERANCE}), got"
                f" {present.sum()}, {between.size} of them between ({between[0]:.2f} .. {between[-1]:.2f});"
                " pass --threshold T: grey below T (0 black .. 1 white) is blocked; or --grades cost:X: grey is a cost."
            )
    blocked = levels < int((grey < threshold).sum())  # the number of levels that are darker
    return MapFile(torch.from_numpy(blocked), source=str(path))


def write_image(path: Path, map_file: MapFile) -> None:
    """Write a picture, blocked black and free white, whole or not at all; the suffix chooses the format.

    Raises: InputError if `path` cannot be written or the format cannot hold so large a map.
    """
    from PIL import Image

    blocked = map_file.blocked.cpu().numpy()
    picture = Image.fromarray(np.where(blocked, np.uint8(0), np.uint8(255)))
    largest = 65500 if path.suffix.lower() in (".jpg", ".jpeg") else 2**31 - 1
    if max(blocked.shape) > largest:
        raise InputError(f"{path}: a JPEG has at most {largest} pixels per side, got {list(blocked.shape)}; use PNG.")
    with replacing(path) as temporary:
        picture.save(temporary, quality=100)  # of JPEG; other formats have no such setting and ignore it


def luminance(pixels: UInt8[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W"]:
    """Grey levels 0..255 of grey, colours, or colours with alpha; in whole numbers, so white stays exactly 255."""
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    levels = np.empty(pixels.shape[:2], dtype=np.uint8)
    weights = np.array(LUMINANCE, dtype=np.uint32)
    for row, line in enumerate(pixels):  # by rows: to keep the wide numbers few
        grey = (line[:, :3] @ weights + 500) // 1000
        if pixels.shape[2] == 4:
            alpha = line[:, 3].astype(np.uint32)
            grey = (grey * alpha + 255 * (255 - alpha) + 127) // 255
        levels[row] = grey
    return levels
