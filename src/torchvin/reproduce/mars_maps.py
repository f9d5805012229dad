"""The sets of maps of the page `mars`: none is seen by a training."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.data.overhead import OverheadDataset, with_images
from torchvin.data.planets import PLANETS, draw_planet
from torchvin.data.symmetries import transformed
from torchvin.maps.generators.overhead import generate_overhead

#: split -> what it is, in the order of the page
SPLITS = {
    "test": "held-out regions, 16x16 cells",
    "32x32": "held-out regions, 32x32 cells; trained at 16x16",
    "not turned": "the first maps of `test`, to compare the next two with",
    "turned": "the same maps, turned by 90 degrees with their light",
    "wrong image": "the same maps, each with the image of another: what is left without sight",
    "low sun": "the same ground, the sun at 15 to 25 degrees; trained at 30 to 60",
}
#: Those of real ground, where the files are.
PLANET_SPLITS = {
    "mars": "Mars, held-out sectors, cells of {km:g} km, steep from {slope:g} degrees",
    "moon": "the Moon, held-out sectors, cells of {km:g} km, steep from {slope:g} degrees",
}
TEST_MAPS = 2_000
OTHER_MAPS = 500
STREAM = 3_000  # no training draws from it
DEVELOPMENT_STREAM = 4_000  # nor from this: what a number was chosen by
_LOW_SUN = (15.0, 25.0)


def headline(split: str) -> str:
    """What a set of maps is."""
    if split in SPLITS:
        return SPLITS[split]
    return PLANET_SPLITS[split].format(km=PLANETS[split].cell_km, slope=PLANETS[split].max_slope)


def held_out_maps(maps: int, seed: int) -> dict[str, Callable[[], MapDataset]]:
    """For each of `SPLITS` what draws its maps."""
    few = min(OTHER_MAPS, maps // 4)

    def held_out(number: int = maps, side: int = 16) -> MapDataset:
        return draw_maps("terrain", number, side, side, seed=(STREAM + side, seed))

    return {
        "test": held_out,
        "32x32": lambda: held_out(few, 32),
        "not turned": lambda: held_out(few),
        "turned": lambda: transformed(held_out(few), 1),
        "wrong image": lambda: wrong_images(held_out(few)),
        "low sun": lambda: _other_sun(held_out(few), few, seed),
    }


def planet_maps(folder: Path | None, maps: int, seed: int) -> dict[str, Callable[[], MapDataset]]:
    """For each of `PLANET_SPLITS` what draws its maps; nothing without the files."""
    if folder is None:
        return {}
    return {name: partial(draw_planet, name, folder, maps=maps, split="test", seed=seed) for name in PLANET_SPLITS}


def development_maps(maps: int, seed: int = 0) -> OverheadDataset:
    """Maps that no table uses."""
    drawn = draw_maps("terrain", maps, 16, 16, seed=(DEVELOPMENT_STREAM, seed))
    assert isinstance(drawn, OverheadDataset)
    return drawn


def _other_sun(maps: MapDataset, number: int, seed: int) -> MapDataset:
    """The same ground under a sun that no training saw."""
    *_, image = generate_overhead(number, 16, seed=(STREAM + 16, seed), sun_elevation=_LOW_SUN)
    return with_images(maps, image)


def wrong_images(maps: MapDataset) -> MapDataset:
    """Each map with the image of another."""
    assert isinstance(maps, OverheadDataset)
    return with_images(maps, maps.image.roll(1, dims=0))
