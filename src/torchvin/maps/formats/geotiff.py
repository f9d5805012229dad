"""GeoTIFF through rasterio, the extra `geo`: values, pixels without data, and the size of a pixel in metres."""

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from torchvin.errors import InputError
from torchvin.maps.formats.contract import check_readable, check_size, one_line

SUFFIXES = (".tif", ".tiff")
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Ground:
    """Where a raster lies.

    Attributes:
        bounds: left, bottom, right, top in its own coordinates.
        metres: side of a pixel, if the coordinates are metres and pixels are square; else None.
    """

    bounds: Bounds
    metres: float | None


@dataclass(frozen=True)
class Raster:
    """The content of a GeoTIFF, north up.

    Attributes:
        values: as stored, with the file's scale and offset if it has them, [P, Q, C].
        missing: pixels without data in any band, [P, Q].
        pixel_height: side of a pixel along the rows' axis in metres; None if the file does not say.
        pixel_width: the other side, of each row: degrees of longitude shrink towards the poles, [P].
        ground: where it lies; None if the file does not say.
    """

    values: Shaped[np.ndarray, "P Q C"]
    missing: Bool[np.ndarray, "P Q"]
    pixel_height: float | None = None
    pixel_width: Float[np.ndarray, "P"] | None = None
    ground: Ground | None = None


def is_geotiff(path: Path) -> bool:
    """Whether a file's name is that of a TIFF."""
    return path.suffix.lower() in SUFFIXES


def read_geotiff(path: Path) -> Raster:
    """Read a GeoTIFF.

    Raises: InputError without rasterio, if the file is damaged or claims too many pixels, or is not north up.
    """
    try:
        import rasterio
    except ImportError as error:
        raise InputError(f"{path}: GeoTIFF needs the package rasterio: pip install 'torchvin[geo]'.") from error
    check_readable(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rasterio warns of files without coordinates
            with rasterio.open(path, driver="GTiff") as source:
                check_size(source.height, source.width, path)
                return _content(source, path)
    except rasterio.errors.RasterioError as error:
        raise InputError(f"{path}: expected a GeoTIFF, got what rasterio cannot read ({one_line(error)}).") from error


def _content(source: Any, path: Path) -> Raster:
    transform = source.transform
    if transform.b or transform.d or transform.a < 0 or (transform.e > 0 and not transform.is_identity):
        raise InputError(f"{path}: the image is turned or mirrored; warp it to north up (gdalwarp) first.")
    stored = source.read()
    missing = (source.read_masks() == 0).any(axis=0)
    if stored.dtype.kind == "f":
        missing |= ~np.isfinite(stored).all(axis=0)
    if set(source.scales) != {1.0} or set(source.offsets) != {0.0}:
        stored = stored * np.array(source.scales)[:, None, None] + np.array(source.offsets)[:, None, None]
    values = np.moveaxis(stored, 0, -1)
    if source.crs is None or transform.is_identity:
        return Raster(values, missing)
    height, width = _metres(source, path)
    square = source.crs.is_projected and math.isclose(height, float(width[0]), rel_tol=1e-6)
    in_metres = square and source.crs.linear_units_factor[1] == 1.0
    ground = Ground(tuple(source.bounds), height if in_metres else None)
    return Raster(values, missing, height, width, ground)


def _metres(source: Any, path: Path) -> tuple[float, Float[np.ndarray, "P"]]:
    """Height of a pixel, and its width in each row."""
    rows = np.ones(source.height)
    down, right = -source.transform.e, source.transform.a
    if not source.crs.is_geographic:
        factor = source.crs.linear_units_factor[1] if source.crs.is_projected else 1.0
        return factor * down, factor * right * rows
    found = re.search(r'(?:SPHEROID|ELLIPSOID)\["[^"]*",\s*([0-9.]+)', source.crs.to_wkt())
    if found is None:
        raise InputError(f"{path}: its degrees say nothing of metres, for no radius is given; warp it to metres first.")
    degree = math.radians(float(found[1]))
    latitude = source.bounds.top - down * (np.arange(source.height) + 0.5)
    return degree * down, degree * right * np.cos(np.radians(latitude)).clip(min=1e-6)
