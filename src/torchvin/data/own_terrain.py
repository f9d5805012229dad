"""A user's own terrain: one overhead image with its elevation model or normal map, cut into patches by region."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from torchvin.data.dataset import OWN, solve_maps
from torchvin.data.overhead import MOST_CELL_PIXELS, OverheadDataset, with_images
from torchvin.errors import InputError
from torchvin.maps.generators.overhead import CELL_PIXELS, MAX_SLOPE, largest_region
from torchvin.maps.generators.seeds import generator
from torchvin.maps.slope import steep_cells
from torchvin.mdp.motion import GridMotion, MotionModel

_DRAWS_PER_MAP = 100


@dataclass(frozen=True)
class Sectors:
    """How an image is divided into a training and a test region: sectors of columns, side by side.

    Attributes:
        count: number of sectors, of equal width.
        test: those of the test region, from 0 on the left; the others are for training.

    Raises: InputError if either region has none.
    """

    count: int = 5
    test: tuple[int, ...] = (4,)

    def __post_init__(self) -> None:
        if not set(self.test) or not set(self.test) < set(range(self.count)):
            raise InputError(
                f"the test sectors must be some of the {self.count}, from 0 to {self.count - 1}, got {self.test}."
            )

    def strips(self, columns: int, split: str) -> list[slice]:
        """The columns of a split: one slice for each run of neighbouring sectors.

        Raises: InputError for an unknown split.

        >>> Sectors(12, (3, 7, 11)).strips(1200, "test")
        [slice(300, 400, None), slice(700, 800, None), slice(1100, 1200, None)]
        >>> Sectors().strips(10, "train")
        [slice(0, 8, None)]
        """
        chosen = {
            "train": [sector for sector in range(self.count) if sector not in self.test],
            "test": sorted(self.test),
            "all": list(range(self.count)),
        }
        if split not in chosen:
            raise InputError(f"--split of an image must be train, test or all, got {split}.")
        borders = [round(columns * sector / self.count) for sector in range(self.count + 1)]
        strips: list[slice] = []
        for sector in chosen[split]:
            if strips and strips[-1].stop == borders[sector]:
                strips[-1] = slice(strips[-1].start, borders[sector + 1])
            else:
                strips.append(slice(borders[sector], borders[sector + 1]))
        return strips


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


def dataset_from_terrain(
    terrain: Terrain,
    *,
    maps: int,
    size: tuple[int, int] = (16, 16),
    cell_pixels: int = CELL_PIXELS,
    max_slope: float = MAX_SLOPE,
    split: str = "all",
    sectors: Sectors | None = None,
    align: int = 1,
    apart: bool = False,
    moves: MotionModel | None = None,
    num_demonstrations: int = 7,
    seed: int = 0,
) -> OverheadDataset:
    """Cut patches out of an image at random places, and let the expert solve them.

    A patch lies in the training region or in the test region (by default the left four fifths of the image, and the
    rest), never across, so no pixel of a test map is one of a training map.

    Args:
        terrain: image and slope.
        maps: number of patches, M.
        size: height and width of a patch, in cells.
        cell_pixels: pixels per side of a cell.
        max_slope: steeper than this, in degrees, is an obstacle.
        split: region that patches come from; "all" is the whole image.
        sectors: which columns make the two regions.
        align: patches begin at rows and columns of their region that are multiples of it.
        apart: patches side by side, without a common pixel, as many as there are but at most `maps`.
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
    parts = regions(terrain, split, sectors or Sectors())
    shape = size[0] * cell_pixels, size[1] * cell_pixels
    largest = max((part.image for part in parts), key=lambda image: image.shape[1])
    if shape[0] > largest.shape[0] or shape[1] > largest.shape[1]:
        raise InputError(
            f"a map of {size[0]}x{size[1]} cells takes {shape[0]}x{shape[1]} pixels, and the {split} region has "
            f"{_size(largest)}; choose a smaller --size or --cell-pixels, or a larger image."
        )
    check_mixed(np.concatenate([part.slope.ravel() for part in parts]), max_slope)
    random = generator(seed)
    windows = _side_by_side(parts, shape) if apart else _anywhere(parts, shape, align, random, maps * _DRAWS_PER_MAP)
    images, blocked, goals = _patches(windows, maps, cell_pixels, max_slope, random, fewer=apart)
    solved = solve_maps(
        torch.from_numpy(blocked),
        torch.from_numpy(goals),
        moves=moves,
        num_demonstrations=num_demonstrations,
        seed=seed,
    )
    return with_images(replace(solved, source=OWN), torch.from_numpy(images))


def regions(terrain: Terrain, split: str, sectors: Sectors) -> list[Terrain]:
    """The parts of an image that patches of a split come from.

    Raises: InputError for an unknown split.

    >>> terrain = Terrain(np.zeros((8, 10), dtype=np.uint8), np.zeros((8, 10)))
    >>> [[part.image.shape for part in regions(terrain, split, Sectors())] for split in ("train", "test")]
    [[(8, 8)], [(8, 2)]]
    """
    strips = sectors.strips(terrain.image.shape[1], split)
    return [Terrain(terrain.image[:, strip], terrain.slope[:, strip]) for strip in strips]


def check_mixed(slope: Float[np.ndarray, "N"], max_slope: float) -> None:
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


def _anywhere(
    parts: Sequence[Terrain], shape: tuple[int, int], align: int, random: np.random.Generator, number: int
) -> Iterator[Terrain]:
    """Windows at random places, each place as likely as any other."""
    rooms = [[(all_ - own) // align + 1 for all_, own in zip(part.image.shape, shape, strict=True)] for part in parts]
    places = np.array([max(0, rows) * max(0, cols) for rows, cols in rooms])
    for _ in range(number):
        index = int(random.choice(len(parts), p=places / places.sum()))
        row, col = (align * int(random.integers(room)) for room in rooms[index])
        yield _window(parts[index], row, col, shape)


def _side_by_side(parts: Sequence[Terrain], shape: tuple[int, int]) -> Iterator[Terrain]:
    """All windows of a lattice."""
    for part in parts:
        for row in range(0, part.image.shape[0] - shape[0] + 1, shape[0]):
            for col in range(0, part.image.shape[1] - shape[1] + 1, shape[1]):
                yield _window(part, row, col, shape)


def _window(part: Terrain, row: int, col: int, shape: tuple[int, int]) -> Terrain:
    rows, cols = slice(row, row + shape[0]), slice(col, col + shape[1])
    return Terrain(part.image[rows, cols], part.slope[rows, cols])


def _patches(
    windows: Iterator[Terrain],
    maps: int,
    cell_pixels: int,
    max_slope: float,
    random: np.random.Generator,
    *,
    fewer: bool,
) -> tuple[UInt8[np.ndarray, "M P Q"], Bool[np.ndarray, "M H W"], np.ndarray]:
    """Images, obstacles and goals of the windows whose free cells hang together enough; `fewer` than `maps` may do."""
    images, blocked, goals, steep_share, seen = [], [], [], 0.0, 0
    for window in windows:
        steep = steep_cells(window.slope, cell_pixels, max_slope)
        steep_share, seen = steep_share + float(steep.mean()), seen + 1
        cells = largest_region(steep)
        if len(cells):
            images.append(window.image)
            blocked.append(steep)
            goals.append(cells[random.integers(len(cells))])
        if len(goals) == maps:
            break
    if not goals or (len(goals) < maps and not fewer):
        raise InputError(
            f"only {len(goals)} of {seen} patches have enough open ground that hangs together: "
            f"{steep_share / max(seen, 1):.0%} of their cells exceed --max-slope {max_slope:g} degrees; raise it, or "
            "choose smaller cells."
        )
    return np.stack(images), np.stack(blocked), np.stack(goals)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[0]}x{array.shape[1]}"
