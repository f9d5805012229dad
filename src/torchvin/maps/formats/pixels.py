"""Pixels of an image file through Pillow, the one place that opens images: sizes checked first, no warning leaks."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from torchvin.errors import InputError
from torchvin.maps.formats.contract import check_readable, check_size, one_line

if TYPE_CHECKING:
    from PIL.Image import Image

#: Pillow's names. The content of a file decides; other decoders are never tried (that of EPS runs Ghostscript).
DECODERS = ("PNG", "JPEG", "PPM", "BMP")
#: Most pixels per byte of a file: PNG's deflate reaches 1032:1 on 8 pixels per byte; PGM is not compressed.
MAX_PIXELS_PER_BYTE = {"PPM": 8}
MAX_PIXELS_PER_BYTE_PACKED = 8 * 1032


def read_pixels(path: Path) -> UInt8[np.ndarray, "H W C"]:
    """Read a PNG, JPEG, PGM (or PPM, PBM) or BMP; row 0 is the top.

    Returns: uint8 [H, W, C]: C = 1 grey, 3 colours, or 4 colours and alpha (255 = opaque). 16 bits become 8.
    Raises: InputError if the file is no such image, is damaged, or claims too many pixels.
    """
    from PIL import Image

    size = check_readable(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; `check_size` decides
            with Image.open(path, formats=DECODERS) as image:
                width, height = image.size
                check_size(height, width, path)
                if height * width > size * MAX_PIXELS_PER_BYTE.get(image.format or "", MAX_PIXELS_PER_BYTE_PACKED):
                    raise InputError(
                        f"{path}: expected {height}x{width} pixels as its header says, got a file of {size} bytes;"
                        " it is truncated, or its header is wrong."
                    )
                return _channels(image, path)
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders promise no particular exception for damaged files
        raise InputError(
            f"{path}: expected a PNG, JPEG, PGM or BMP image, got what Pillow cannot read ({one_line(error)});"
            " save it again as PNG."
        ) from error


def _channels(image: "Image", path: Path) -> UInt8[np.ndarray, "H W C"]:
    if image.mode == "F":
        raise InputError(f"{path}: expected an image of 8 or 16 bits, got floating-point pixels; save it as PNG.")
    if image.mode.startswith("I"):  # 16 bits, grey; Pillow's own conversion would clip some of its modes at 255
        wide = np.asarray(image).clip(0, 65535).astype(np.uint32)
        return ((wide + 128) // 257).astype(np.uint8)[..., None]
    opaque_mode = "L" if image.mode in ("1", "L") else "RGB"
    mode = "RGBA" if image.has_transparency_data else opaque_mode
    pixels = np.array(image.convert(mode))
    return pixels.reshape(*pixels.shape[:2], -1)
