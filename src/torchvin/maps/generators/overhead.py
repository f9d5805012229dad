"""Terrain seen from an orbiter: a random heightfield, its overhead image, and the cells that are too steep.

The image shows slope only through light, as a real one does. Elevation decides which cells are obstacles, and is then
thrown away: no caller gets it from `generate_overhead`.

The scale is that of the paper (Tamar et al. 2016, section 5.2): about 1 m per pixel, cells of 8x8 pixels, an obstacle
where a slope of 10 degrees occurs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError
from torchvin.maps.generators.seeds import generator
from torchvin.maps.slope import slope_of_elevation, steep_cells, steepest_of_cells

CELL_PIXELS = 8  # pixels per side of a cell, as in the paper
MAX_SLOPE = 10.0  # degrees, as in the paper
_MARGIN = 24  # pixels around the patch: slopes and shadows at its edge come from there
_SHADOW_PIXELS = 24  # how far a shadow is followed
_LEAST_OPEN = 0.3  # share of cells in the largest connected region; other terrain is drawn again
_MOST_DRAWS = 100
_STRAIGHT = ((0, 1, 0), (1, 1, 1), (0, 1, 0))  # neighbours that a straight move reaches

Field = Float[np.ndarray, "P Q"]


@dataclass(frozen=True)
class Sun:
    """Where the light comes from.

    Attributes:
        azimuth: direction of the sun, radians from the columns' axis towards growing rows.
        elevation: above the horizon, radians.
    """

    azimuth: float
    elevation: float

    @staticmethod
    def draw(random: np.random.Generator, lowest: float = 30.0, highest: float = 60.0) -> "Sun":
        """Any azimuth, and an elevation between two angles in degrees."""
        return Sun(random.uniform(0, 2 * math.pi), math.radians(random.uniform(lowest, highest)))


def generate_overhead(
    num_maps: int,
    height: int,
    width: int | None = None,
    *,
    seed: int | Sequence[int] = 0,
    sun_elevation: tuple[float, float] = (30.0, 60.0),
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"], UInt8[Tensor, "M P Q"]]:
    """Draw terrain: fractal relief, craters, dunes and boulders, each map a region of its own.

    Args:
        num_maps: number of maps, M. The first maps of a longer run are those of a shorter one.
        height, width: in cells of 8x8 pixels; `width` defaults to `height`.
        seed: of NumPy's PCG64; each map has a stream of its own.
        sun_elevation: range of the sun's elevation in degrees.

    Returns: blocked [M, H, W]; goal (row, col), in the largest connected region, [M, 2]; image, [M, 8 H, 8 W].
    Raises: InputError if a number is too small, or the sun is not above the horizon.

    >>> blocked, goal, image = generate_overhead(2, 6)
    >>> image.shape, bool(blocked[0, goal[0, 0], goal[0, 1]])
    (torch.Size([2, 48, 48]), False)
    """
    width = height if width is None else width
    if num_maps < 1 or min(height, width) < 4:
        raise InputError(
            f"terrain needs at least one map and 4 cells per side, got {num_maps} maps of {height}x{width}."
        )
    if not 0 < sun_elevation[0] <= sun_elevation[1] <= 90:
        raise InputError(f"the sun's elevation must lie in (0, 90] degrees, lowest first, got {sun_elevation}.")
    seeds = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    blocked = np.empty((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    image = np.empty((num_maps, CELL_PIXELS * height, CELL_PIXELS * width), dtype=np.uint8)
    for index in range(num_maps):
        random = generator((*seeds, index))
        elevation, blocked[index], goal[index] = _draw_open(random, height, width)
        image[index] = render(elevation, Sun.draw(random, *sun_elevation), random)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return torch.from_numpy(blocked), torch.from_numpy(goal), torch.from_numpy(image)


def hidden_slope(
    num_maps: int, height: int, width: int | None = None, *, seed: int | Sequence[int] = 0
) -> Float[np.ndarray, "M H W"]:
    """The steepest slope of each cell of the terrain that `generate_overhead` draws, in degrees; for figures only.

    >>> slope, blocked = hidden_slope(2, 6), generate_overhead(2, 6)[0].numpy()
    >>> bool(((slope > MAX_SLOPE) == blocked).all())
    True
    """
    seeds = tuple(seed) if isinstance(seed, Sequence) else (seed,)
    width = height if width is None else width
    steepest = np.empty((num_maps, height, width))
    for index in range(num_maps):
        elevation, *_ = _draw_open(generator((*seeds, index)), height, width)
        slope = slope_of_elevation(elevation, pixel_size=1.0)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        steepest[index] = steepest_of_cells(slope, CELL_PIXELS)
    return steepest


def _draw_open(random: np.random.Generator, height: int, width: int) -> tuple[Field, np.ndarray, np.ndarray]:
    """Elevation (with its margin), blocked and a goal, of the first terrain whose free cells hang together enough."""
    for _ in range(_MOST_DRAWS):
        elevation = draw_elevation(random, CELL_PIXELS * height + 2 * _MARGIN, CELL_PIXELS * width + 2 * _MARGIN)
        slope = slope_of_elevation(elevation, pixel_size=1.0)[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        blocked = steep_cells(slope, CELL_PIXELS, MAX_SLOPE)
        cells = largest_region(blocked)
        if len(cells):
            return elevation, blocked, cells[random.integers(len(cells))]
    raise InputError(f"no terrain of {height}x{width} cells with enough open ground in {_MOST_DRAWS} draws.")


def largest_region(blocked: Bool[np.ndarray, "H W"]) -> Int[np.ndarray, "N 2"]:
    """The free cells (row, col) that hang together, if they are 30 % of the map and at least two; else none.

    >>> len(largest_region(np.eye(4, dtype=bool)))
    6
    """
    from scipy.ndimage import label

    regions, count = label(~blocked, _STRAIGHT)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    if not count or sizes.max() < max(2, _LEAST_OPEN * blocked.size):
        return np.empty((0, 2), dtype=np.int64)
    cells: np.ndarray = np.argwhere(regions == sizes.argmax() + 1)
    return cells


def draw_elevation(random: np.random.Generator, rows: int, cols: int) -> Field:
    """Elevation in pixels (metres at 1 m per pixel) of one region, [rows, cols]."""
    elevation = _relief(random, rows, cols, slope=math.tan(math.radians(random.uniform(1.5, 3.5))))
    area = rows * cols / 176**2  # numbers of features are those of a 16x16 map with its margin
    for _ in range(random.poisson(random.uniform(5, 18) * area)):
        _add_crater(elevation, random)
    if random.random() < 0.4:
        elevation += _dunes(random, rows, cols)
    for _ in range(random.poisson(random.choice([0.0, 6.0, 18.0]) * area)):
        _add_boulder(elevation, random)
    return elevation


def _relief(random: np.random.Generator, rows: int, cols: int, slope: float) -> Field:
    """Fractal relief whose root mean square slope is `slope`."""
    relief = _noise(random, rows, cols, power=random.uniform(2.0, 2.6))
    down, right = np.gradient(relief)
    scaled: Field = relief * (slope / math.sqrt(float((down**2 + right**2).mean())))
    return scaled


def _noise(random: np.random.Generator, rows: int, cols: int, power: float = 2.3) -> Field:
    """Noise with the spectrum of a power law and little finer than six pixels; mean 0, standard deviation 1."""
    log_frequency, damping = _frequencies(rows, cols)
    low, wide = log_frequency.shape
    drawn = random.standard_normal((low, wide, 2)).view(np.complex128)[..., 0]
    drawn *= np.exp(damping - power * log_frequency)
    spectrum = np.zeros((rows, cols // 2 + 1), dtype=np.complex128)
    spectrum[: low // 2, :wide], spectrum[-(low // 2) :, :wide] = drawn[: low // 2], drawn[-(low // 2) :]
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(rows, cols))
    scaled: Field = noise / noise.std()
    return scaled


@lru_cache(maxsize=8)
def _frequencies(rows: int, cols: int) -> tuple[Field, Field]:
    """Logarithm of the spatial frequency of the lower half of a spectrum, and the exponent that damps the rest."""
    low, wide = 2 * (rows // 4), cols // 4 + 1
    down, right = np.fft.fftfreq(low) * low / rows, np.arange(wide) / cols
    frequency = np.hypot(down[:, None], right[None])
    frequency[0, 0] = 1.0
    return np.log(frequency), -((frequency / 0.15) ** 2)


def _add_crater(elevation: Field, random: np.random.Generator) -> None:
    """A bowl with a raised rim and ejecta that thin out; depth about 0.15 of the diameter, less for an old one."""
    radius = min(4.0 * random.random() ** -0.7, 40.0)  # many small ones, few large ones
    freshness = random.uniform(0.35, 1.0)
    window, distance = _around(elevation, random, radius, reach=2.5)
    inside = np.minimum(distance, 1.0) ** 2
    ejecta = 1 / np.maximum(distance, 1.0) ** 2
    elevation[window] += freshness * radius * (0.30 * (inside - 1) + 0.07 * inside * inside * ejecta * ejecta)


def _add_boulder(elevation: Field, random: np.random.Generator) -> None:
    """Half an ellipsoid with a soft foot."""
    radius = random.uniform(1.5, 3.5)
    window, distance = _around(elevation, random, radius, reach=2.0)
    elevation[window] += radius * random.uniform(0.6, 0.9) * np.exp(-2 * (distance**2) ** 2)


def _around(
    elevation: Field, random: np.random.Generator, radius: float, reach: float
) -> tuple[tuple[slice, slice], Float[np.ndarray, "R S"]]:
    """A window round a random place, and the distance from that place in radii."""
    rows, cols = elevation.shape
    row, col = random.uniform(0, rows), random.uniform(0, cols)
    far = reach * radius
    top, bottom = max(0, int(row - far)), min(rows, int(row + far) + 2)
    left, right = max(0, int(col - far)), min(cols, int(col + far) + 2)
    distance = np.hypot(np.arange(top, bottom)[:, None] - row, np.arange(left, right)[None] - col) / radius
    return (slice(top, bottom), slice(left, right)), distance


def _dunes(random: np.random.Generator, rows: int, cols: int) -> Field:
    """A field of dunes: waves with a long windward and a short, steep lee side, in a part of the map."""
    length, heading = random.uniform(14, 28), random.uniform(0, 2 * math.pi)
    warp, cover = (_noise(random, rows, cols) for _ in range(2))
    row, col = np.arange(rows)[:, None], np.arange(cols)[None]
    along = row * math.sin(heading) + col * math.cos(heading) + 0.25 * length * warp
    phase = along / length % 1.0
    wave = np.where(phase < 0.7, phase / 0.7, (1 - phase) / 0.3)
    share = 1 / (1 + np.exp(-4 * (cover - random.uniform(0.3, 1.2))))
    dunes: Field = length * random.uniform(0.08, 0.13) * share * (0.5 - 0.5 * np.cos(math.pi * wave))
    return dunes


def render(elevation: Field, sun: Sun, random: np.random.Generator) -> UInt8[np.ndarray, "P Q"]:
    """The overhead image of an elevation: Lunar-Lambert light, cast shadows, albedo, blur, noise, 8 bits.

    Args:
        elevation: in pixels, [P, Q].
        sun: where the light comes from.
        random: of albedo, exposure and noise; they do not depend on the elevation.
    """
    from scipy.ndimage import gaussian_filter

    light = lunar_lambert(elevation, sun)
    sky = random.uniform(0.03, 0.10)
    lit = np.where(shadowed(elevation, sun), 0.0, light) + sky
    lit = lit * np.exp(random.uniform(0.02, 0.12) * _noise(random, *elevation.shape))
    seen = gaussian_filter(lit, random.uniform(0.5, 0.9))
    seen = seen * (random.uniform(0.35, 0.55) / seen.mean()) + random.normal(0, 0.01, seen.shape)
    levels: np.ndarray = (255 * seen).round().clip(0, 255).astype(np.uint8)
    return levels


def lunar_lambert(elevation: Field, sun: Sun, limb: float = 0.5) -> Field:
    """Brightness under vertical view: a mean of Lommel-Seeliger's law, as dust, and Lambert's, as rock.

    Source: McEwen 1991, "Photometric functions for photoclinometry and other applications".

    Args:
        elevation: in pixels, [P, Q].
        sun: where the light comes from.
        limb: share of the Lommel-Seeliger law.
    """
    down, right = np.gradient(elevation)
    upright = 1 / np.sqrt(1 + down**2 + right**2)  # cosine of the slope, which is also that of the emission angle
    facing = math.sin(sun.elevation) - math.cos(sun.elevation) * (
        right * math.cos(sun.azimuth) + down * math.sin(sun.azimuth)
    )
    incidence = (facing * upright).clip(min=0)
    brightness: Field = limb * 2 * incidence / (incidence + upright) + (1 - limb) * incidence
    return brightness


def shadowed(elevation: Field, sun: Sun) -> Bool[np.ndarray, "P Q"]:
    """Which pixels lie in the shadow of what stands between them and the sun, up to 24 pixels away."""
    rows, cols = elevation.shape
    padded = np.pad(elevation, _SHADOW_PIXELS, mode="edge")
    dark = np.zeros(elevation.shape, dtype=bool)
    for distance in range(1, _SHADOW_PIXELS + 1):
        row = _SHADOW_PIXELS + round(distance * math.sin(sun.azimuth))
        col = _SHADOW_PIXELS + round(distance * math.cos(sun.azimuth))
        towards = padded[row : row + rows, col : col + cols]
        dark |= towards > elevation + distance * math.tan(sun.elevation)
    return dark
