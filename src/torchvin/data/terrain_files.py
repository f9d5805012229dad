"""Files of a user's own terrain: an image, with elevation or normals of the same ground."""

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from torchvin.data.own_terrain import Terrain
from torchvin.errors import InputError, errors_about
from torchvin.io.npy import read_npy
from torchvin.maps.formats.geotiff import Bounds, Ground, Raster, is_geotiff, read_geotiff
from torchvin.maps.formats.image import luminance
from torchvin.maps.formats.pixels import read_pixels
from torchvin.maps.slope import slope_of_elevation, slope_of_normals

_STRETCH = (0.1, 99.9)  # percentiles of an image of more than 8 bits that become black and white


def read_terrain(
    image: Path, *, dem: Path | None = None, normals: Path | None = None, pixel_size: float | None = None
) -> Terrain:
    """Read an image, and what slopes follow from.

    Args:
        image: PNG, JPEG, PGM, BMP or GeoTIFF; colours become grey, more than 8 bits become 8.
        dem: elevation in metres, `.npy` [P, Q] or GeoTIFF.
        normals: surface normals as colours (PNG, JPEG): red, green and blue are x, y and z (up), 0 to 255 for -1 to 1.
        pixel_size: side of a pixel of `dem` in metres; a GeoTIFF's own, else 1, if not given.

    Raises: InputError unless exactly one of `dem` and `normals` is given; for a damaged file, other sizes or bounds, or
        pixels without data.
    """
    if (dem is None) == (normals is None):
        raise InputError("slopes come from an elevation model or from a normal map: give --dem or --normals.")
    levels, ground = read_levels(image)
    other: Ground | None = None
    if dem is not None:
        with errors_about(dem):
            slope, other = _slope_of_dem(dem, pixel_size)
    else:
        assert normals is not None
        with errors_about(normals):
            slope = slope_of_normals(_read_normals(normals))
    with errors_about(image):
        terrain = Terrain(levels, slope)
        _check_same_ground(ground, other, levels.shape)
    return terrain


def read_levels(path: Path) -> tuple[UInt8[np.ndarray, "P Q"], Ground | None]:
    """The grey levels of an image, and where it lies if it is a GeoTIFF that says so.

    Raises: InputError for a damaged file, or pixels without data.
    """
    if not is_geotiff(path):
        return luminance(read_pixels(path)), None
    raster = read_geotiff(path)
    with errors_about(path):
        return levels_of(raster), raster.ground


def levels_of(raster: Raster) -> UInt8[np.ndarray, "P Q"]:
    """8 bits of grey. More bits are stretched, all bands alike, from their 0.1 to their 99.9 % percentile.

    Raises: InputError for pixels without data.
    """
    if missing := int(raster.missing.sum()):
        raise InputError(f"{missing} pixels of the image hold no data; crop them or fill them.")
    values = raster.values
    bands = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if bands.dtype != np.uint8:
        low, high = np.percentile(bands, _STRETCH)
        bands = (255 * ((bands - low) / max(high - low, 1e-12)).clip(0, 1)).round().astype(np.uint8)
    return luminance(bands)


def _slope_of_dem(path: Path, pixel_size: float | None) -> tuple[Float[np.ndarray, "P Q"], Ground | None]:
    if not is_geotiff(path):
        return slope_of_elevation(_read_elevation(path), 1.0 if pixel_size is None else pixel_size), None
    raster = read_geotiff(path)
    elevation = np.where(raster.missing, np.nan, raster.values[..., 0].astype(np.float64))
    if pixel_size is None and raster.pixel_height is not None:
        return slope_of_elevation(elevation, raster.pixel_height, raster.pixel_width), raster.ground
    return slope_of_elevation(elevation, 1.0 if pixel_size is None else pixel_size), raster.ground


def _check_same_ground(seen: Ground | None, known: Ground | None, size: tuple[int, ...]) -> None:
    """Raises: InputError if two files say that they show other ground, by more than half a pixel."""
    if seen is None or known is None:
        return
    one, other = seen.bounds, known.bounds
    pixel = (one[2] - one[0]) / size[1]
    if max(abs(a - b) for a, b in zip(one, other, strict=True)) > pixel / 2:
        raise InputError(
            f"the image covers {_shown(one)} (left, bottom, right, top), the elevation {_shown(other)}; they must show "
            "the same ground: crop or warp one to the other."
        )


def _shown(bounds: Bounds) -> str:
    return ", ".join(f"{number:g}" for number in bounds)


def _read_elevation(path: Path) -> Float[np.ndarray, "P Q"]:
    try:
        with path.open("rb") as stream:
            array = read_npy(stream, path.stat().st_size)
    except (OSError, ValueError) as error:
        raise InputError(f"expected elevation in metres as .npy, rows by columns ({error}).") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(f"expected elevation in metres, rows by columns, got {array.dtype} {list(array.shape)}.")
    return array.astype(np.float64)


def _read_normals(path: Path) -> Float[np.ndarray, "P Q 3"]:
    pixels = read_pixels(path)
    if pixels.shape[2] < 3:
        raise InputError("expected a normal map in three colours, got a grey image.")
    return pixels[..., :3] / 127.5 - 1.0
