"""Slope: from an elevation model or surface normals to degrees, and from the slope of pixels to obstacle cells."""

import numpy as np
from jaxtyping import Bool, Float

from torchvin.errors import InputError

_UNITS = 1e-3  # a normal shorter than this points nowhere


def slope_of_elevation(
    elevation: Float[np.ndarray, "P Q"], pixel_size: float, pixel_width: Float[np.ndarray, "P"] | None = None
) -> Float[np.ndarray, "P Q"]:
    """Slope of each pixel in degrees, by central differences.

    Args:
        elevation: in metres, [P, Q].
        pixel_size: side of a pixel in metres.
        pixel_width: the side along a row, of each row, where degrees of longitude shrink towards the poles;
            `pixel_size` if not given.

    Raises: InputError for a pixel size that is not positive, elevation that is not finite (no data), or fewer than 2
        pixels per side.

    >>> slope_of_elevation(np.array([[0.0, 1.0], [0.0, 1.0]]), pixel_size=1.0).round().tolist()
    [[45.0, 45.0], [45.0, 45.0]]
    """
    if not (np.isfinite(pixel_size) and pixel_size > 0):
        raise InputError(f"the pixel size must be a positive number of metres, got {pixel_size}.")
    if min(elevation.shape) < 2:
        raise InputError(f"elevation needs at least 2 pixels per side, got {list(elevation.shape)}.")
    if missing := int((~np.isfinite(elevation)).sum()):
        raise InputError(f"{missing} pixels of the elevation hold no data (NaN or infinite); crop them or fill them.")
    down, right = np.gradient(elevation, pixel_size)
    if pixel_width is not None:
        right *= (pixel_size / pixel_width)[:, None]
    degrees: np.ndarray = np.degrees(np.arctan(np.hypot(down, right)))
    return degrees


def slope_of_normals(normals: Float[np.ndarray, "P Q 3"]) -> Float[np.ndarray, "P Q"]:
    """Slope of each pixel in degrees: the angle between the surface normal and the vertical, the last axis.

    Args:
        normals: of any length, [P, Q, 3].

    Raises: InputError for a normal without length, which marks a pixel without data.

    >>> slope_of_normals(np.array([[[0.0, 1.0, 1.0]]])).round().tolist()
    [[45.0]]
    """
    length = np.linalg.norm(normals, axis=-1)
    if missing := int((~(length > _UNITS)).sum()):
        raise InputError(f"{missing} pixels of the normal map have no direction (no data); crop them or fill them.")
    degrees: np.ndarray = np.degrees(np.arccos((normals[..., 2] / length).clip(-1, 1)))
    return degrees


def steep_cells(slope: Float[np.ndarray, "P Q"], cell_pixels: int, max_slope: float) -> Bool[np.ndarray, "H W"]:
    """Cells that hold a pixel whose slope exceeds `max_slope` (the paper's rule); True = obstacle.

    Args:
        slope: in degrees, [P, Q]; both sides are multiples of `cell_pixels`.
        cell_pixels: pixels per side of a cell.
        max_slope: in degrees.

    Raises: InputError if the sides are no such multiples.

    >>> steep_cells(np.array([[3.0, 4.0, 5.0, 11.0]] * 2), 2, 10.0).tolist()
    [[False, True]]
    """
    steep: np.ndarray = steepest_of_cells(slope, cell_pixels) > max_slope
    return steep


def steepest_of_cells(slope: Float[np.ndarray, "P Q"], cell_pixels: int) -> Float[np.ndarray, "H W"]:
    """The steepest slope in each cell.

    Args:
        slope: in degrees, [P, Q]; both sides are multiples of `cell_pixels`.
        cell_pixels: pixels per side of a cell.

    Raises: InputError if the sides are no such multiples.
    """
    rows, cols = slope.shape
    if cell_pixels < 1 or rows % cell_pixels or cols % cell_pixels:
        raise InputError(f"{rows}x{cols} pixels do not divide into cells of {cell_pixels}x{cell_pixels} pixels.")
    cells = slope.reshape(rows // cell_pixels, cell_pixels, cols // cell_pixels, cell_pixels)
    steepest: np.ndarray = cells.max(axis=(1, 3))
    return steepest
