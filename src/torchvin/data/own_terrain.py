"""A user's own terrain: one overhead image with its elevation model or normal map, cut into patches by region."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from torchvin.data.dataset import OWN, solve_maps
from torchvin.data.overhead import MOST_CELL_PIXELS, OverheadDataset, with_images
from torchvin.errors import InputError, errors_about
from torchvin.io.npy import read_npy
from torchvin.maps.formats.image import luminance
from torchvin.maps.formats.pixels import read_pixels
from torchvin.maps.generators.overhead import CELL_PIXELS, MAX_SLOPE, largest_region
from torchvin.maps.generators.seeds import generator
from torchvin.maps.slope import slope_of_elevation, slope_of_normals, steep_cells
from torchvin.mdp.motion import GridMotion, MotionModel

_TEST_SHARE = 0.2  # of the columns of an image, on the right
_DRAWS_PER_MAP = 100


@dataclass(frozen=True)
class Terrain:
    """One overhead image with the slope of every pixel.

    Attributes:
        image: brightness, [P, Q].
        slope: in degrees, of the same size; known to the demonstrator only.

    Raises: InputError if their sizes differ.
    """

    image: UInt8[np.ndarray, "P Q"]
    slope: Float[np.ndarray, "R S"]

    def __post_init__(self) -> None:
        if self.image.shape != self.slope.shape:
            raise InputError(
                f"the image has {_size(self.image)} pixels, the elevation or normal map {_size(self.slope)}; they must "
                "show the same ground at the same resolution."
            )


def read_terrain(
    image: Path, *, dem: Path | None = None, normals: Path | None = None, pixel_size: float = 1.0
) -> Terrain:
    """Read an image, and what slopes follow from.

    Args:
        image: PNG, JPEG, PGM or BMP; colours become grey.
        dem: elevation in metres, `.npy` [P, Q].
        normals: surface normals as colours (PNG, JPEG): red, green and blue are x, y and z (up), 0 to 255 for -1 to 1.
        pixel_size: side of a pixel in metres; needed for `dem` only.

    Raises: InputError unless exactly one of `dem` and `normals` is given; for a damaged file, other sizes, or pixels
        without data.
    """
    if (dem is None) == (normals is None):
        raise InputError("slopes come from an elevation model or from a normal map: give --dem or --normals.")
    levels = luminance(read_pixels(image))
    if dem is not None:
        with errors_about(dem):
            slope = slope_of_elevation(_read_elevation(dem), pixel_size)
    else:
        assert normals is not None
        with errors_about(normals):
            slope = slope_of_normals(_read_normals(normals))
    with errors_about(image):
        return Terrain(levels, slope)


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


def dataset_from_terrain(
    terrain: Terrain,
    *,
    maps: int,
    size: tuple[int, int] = (16, 16),
    cell_pixels: int = CELL_PIXELS,
    max_slope: float = MAX_SLOPE,
    split: str = "all",
    moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
) -> OverheadDataset:
    """Cut patches out of an image at random places, and let the expert solve them.

    A patch lies in the training region (the left four fifths of the image) or in the test region (the rest), never
    across, so no pixel of a test map is one of a training map.

    Args:
        terrain: image and slope.
        maps: number of patches, M.
        size: height and width of a patch, in cells.
        cell_pixels: pixels per side of a cell.
        max_slope: steeper than this, in degrees, is an obstacle.
        split: region that patches come from; "all" is the whole image.
        moves: of the agent; grid moves.
        num_demonstrations: demonstrated paths per patch.
        seed: of the patches, goals and starts.

    Raises: InputError if a number is out of range, a patch does not fit, or all is flat or too steep.
    """
    moves = moves or GridMotion()
    if not isinstance(moves, GridMotion):
        raise InputError("overhead images need grid moves: octile, moore or news.")
    if maps < 1 or min(size) < 2 or not 1 <= cell_pixels <= MOST_CELL_PIXELS or not 0 < max_slope < 90:
        raise InputError(
            f"expected at least 1 map of 2x2 cells, cells of 1 to {MOST_CELL_PIXELS} pixels and a slope between 0 and "
            f"90 degrees, got {maps} maps of {size[0]}x{size[1]}, {cell_pixels} pixels and {max_slope:g} degrees."
        )
    part = region(terrain, split)
    rows, cols = size[0] * cell_pixels, size[1] * cell_pixels
    if rows > part.image.shape[0] or cols > part.image.shape[1]:
        raise InputError(
            f"a map of {size[0]}x{size[1]} cells takes {rows}x{cols} pixels, and the {split} region has "
            f"{_size(part.image)}; choose a smaller --size or --cell-pixels, or a larger image."
        )
    _check_mixed(part.slope, max_slope)
    images, blocked, goals = _patches(part, maps, (rows, cols), cell_pixels, max_slope, generator(seed))
    solved = solve_maps(
        torch.from_numpy(blocked),
        torch.from_numpy(goals),
        moves=moves,
        num_demonstrations=num_demonstrations,
        seed=seed,
    )
    return with_images(replace(solved, source=OWN), torch.from_numpy(images))


def region(terrain: Terrain, split: str) -> Terrain:
    """The part of an image that patches of a split come from.

    Raises: InputError for an unknown split.

    >>> terrain = Terrain(np.zeros((8, 10), dtype=np.uint8), np.zeros((8, 10)))
    >>> region(terrain, "train").image.shape, region(terrain, "test").image.shape
    ((8, 8), (8, 2))
    """
    columns = terrain.image.shape[1]
    border = columns - round(_TEST_SHARE * columns)
    parts = {"train": slice(0, border), "test": slice(border, columns), "all": slice(0, columns)}
    if split not in parts:
        raise InputError(f"--split of an image must be train, test or all, got {split}.")
    return Terrain(terrain.image[:, parts[split]], terrain.slope[:, parts[split]])


def _check_mixed(slope: Float[np.ndarray, "P Q"], max_slope: float) -> None:
    """Raises: InputError where there is nothing to avoid, or nowhere to go."""
    low, middle, high = np.percentile(slope, [0, 50, 100])
    if high <= max_slope:
        raise InputError(
            f"all is flat: no slope exceeds --max-slope {max_slope:g} degrees (the steepest is {high:.2f}, the median "
            f"{middle:.2f}); lower it, or check --pixel-size."
        )
    if low > max_slope:
        raise InputError(
            f"all is steep: every slope exceeds --max-slope {max_slope:g} degrees (the least is {low:.2f}); raise it, "
            "or check --pixel-size."
        )


def _patches(
    part: Terrain,
    maps: int,
    shape: tuple[int, int],
    cell_pixels: int,
    max_slope: float,
    random: np.random.Generator,
) -> tuple[UInt8[np.ndarray, "M P Q"], Bool[np.ndarray, "M H W"], np.ndarray]:
    """Images, obstacles and goals of patches whose free cells hang together enough."""
    images, blocked, goals = [], [], []
    for _ in range(maps * _DRAWS_PER_MAP):
        row, col = (random.integers(all_ - own + 1) for all_, own in zip(part.image.shape, shape, strict=True))
        window = slice(row, row + shape[0]), slice(col, col + shape[1])
        steep = steep_cells(part.slope[window], cell_pixels, max_slope)
        cells = largest_region(steep)
        if len(cells):
            images.append(part.image[window])
            blocked.append(steep)
            goals.append(cells[random.integers(len(cells))])
        if len(goals) == maps:
            return np.stack(images), np.stack(blocked), np.stack(goals)
    raise InputError(
        f"only {len(goals)} of {maps * _DRAWS_PER_MAP} patches have enough open ground that hangs together: "
        f"{(part.slope > max_slope).mean():.0%} of the pixels exceed --max-slope {max_slope:g} degrees; raise it, or "
        "choose smaller cells."
    )


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
