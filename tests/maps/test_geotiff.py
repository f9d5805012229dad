"""GeoTIFF: pixel sizes in metres, missing data, and what is refused."""

import json
import sys
import warnings

import numpy as np
import pytest

from torchvin.cli.main import main
from torchvin.data.terrain_files import read_levels, read_terrain
from torchvin.errors import InputError
from torchvin.maps.formats.geotiff import read_geotiff

rasterio = pytest.importorskip("rasterio", reason="GeoTIFF is an extra: pip install 'torchvin[geo]'")
MOON = 'GEOGCS["Moon",DATUM["Moon",SPHEROID["Moon",1737400,0]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'


def write(path, values, *, crs="EPSG:32633", transform=(2.0, 0.0, 500_000.0, 0.0, -2.0, 4_000_000.0), **options):
    """Bands [C, P, Q], or one band [P, Q]."""
    bands = values if values.ndim == 3 else values[None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=bands.shape[1],
            width=bands.shape[2],
            count=len(bands),
            dtype=bands.dtype,
            crs=crs,
            transform=None if transform is None else rasterio.Affine(*transform),
            **options,
        ) as target:
            target.write(bands)
    return path


def test_the_pixel_size_of_the_file_decides_the_slope(tmp_path):
    image = write(tmp_path / "image.tif", np.arange(48, dtype=np.uint8).reshape(6, 8))
    dem = write(tmp_path / "dem.tif", np.broadcast_to(np.arange(8, dtype=np.float32), (6, 8)).copy())
    slope = read_terrain(image, dem=dem).slope
    assert np.allclose(slope, np.degrees(np.arctan(0.5)))  # 1 m per pixel of 2 m
    assert np.allclose(read_terrain(image, dem=dem, pixel_size=1.0).slope, 45.0)
    levels, ground = read_levels(image)
    assert levels.tolist() == np.arange(48).reshape(6, 8).tolist()
    assert ground is not None
    assert ground.metres == 2.0
    assert ground.bounds == (500_000.0, 3_999_988.0, 500_016.0, 4_000_000.0)


def test_degrees_become_metres_and_shrink_towards_the_poles(tmp_path):
    degrees = write(
        tmp_path / "moon.tif", np.zeros((4, 8), np.int16), crs=MOON, transform=(45.0, 0.0, -180.0, 0.0, -45.0, 90.0)
    )
    raster = read_geotiff(degrees)
    degree = np.radians(1737400.0)
    assert raster.pixel_height == pytest.approx(45 * degree, rel=1e-6)
    assert raster.pixel_width == pytest.approx(45 * degree * np.cos(np.radians([67.5, 22.5, -22.5, -67.5])), rel=1e-6)
    assert raster.ground is not None
    assert raster.ground.metres is None


def test_slopes_grow_where_degrees_are_narrow(tmp_path):
    """The same rise per pixel along a row is steeper near a pole."""
    rise = np.broadcast_to(np.arange(8) * 100_000, (4, 8)).astype(np.int32)
    where = {"crs": MOON, "transform": (45.0, 0.0, -180.0, 0.0, -45.0, 90.0)}
    dem = write(tmp_path / "dem.tif", rise, **where)
    slope = read_terrain(write(tmp_path / "image.tif", rise.astype(np.uint8), **where), dem=dem).slope
    width = np.radians(45.0) * 1737400.0 * np.cos(np.radians([67.5, 22.5, -22.5, -67.5]))
    assert np.allclose(np.tan(np.radians(slope)), (100_000 / width)[:, None])


def test_more_bits_are_stretched_and_colours_become_grey(tmp_path):
    wide = write(tmp_path / "wide.tif", (1000 + 3 * np.arange(4096).reshape(64, 64)).astype(np.uint16))
    levels, _ = read_levels(wide)
    assert (levels.min(), levels.max()) == (0, 255)
    assert (np.diff(levels.ravel().astype(int)) >= 0).all()
    colours = np.zeros((3, 2, 2), np.uint8)
    colours[1] = 100
    assert (read_levels(write(tmp_path / "colours.tif", colours))[0] == 59).all()
    assert read_geotiff(write(tmp_path / "nowhere.tif", colours, crs=None, transform=None)).ground is None


def test_missing_data_other_ground_and_damage_are_refused(tmp_path):
    values = np.arange(48, dtype=np.float32).reshape(6, 8)
    image = write(tmp_path / "image.tif", values.astype(np.uint8) + 1)
    holes = write(tmp_path / "holes.tif", np.where(values == 5, -9999, values).astype(np.float32), nodata=-9999)
    elsewhere = write(tmp_path / "elsewhere.tif", values, transform=(2.0, 0.0, 500_040.0, 0.0, -2.0, 4_000_000.0))
    turned = write(tmp_path / "turned.tif", values, transform=(2.0, 0.5, 500_000.0, 0.5, -2.0, 4_000_000.0))
    (tmp_path / "cut.tif").write_bytes(image.read_bytes()[:100])
    (tmp_path / "text.tif").write_text("no image")
    for dem, message in (
        (holes, "1 pixels of the elevation hold no data"),
        (elsewhere, "they must show the same ground"),
        (turned, "warp it to north up"),
        (tmp_path / "cut.tif", "expected a GeoTIFF, got what rasterio cannot read"),
        (tmp_path / "text.tif", "expected a GeoTIFF, got what rasterio cannot read"),
    ):
        with pytest.raises(InputError, match=message):
            read_terrain(image, dem=dem)
    with pytest.raises(InputError, match="1 pixels of the image hold no data"):
        read_levels(holes)


def test_without_rasterio_the_extra_is_named(tmp_path, monkeypatch):
    image = write(tmp_path / "image.tif", np.zeros((2, 2), np.uint8))
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(InputError, match=r"pip install 'torchvin\[geo\]'"):
        read_geotiff(image)


def test_a_path_is_asked_for_in_the_coordinates_of_the_file(tmp_path, capsys):
    pixels = np.random.default_rng(0).integers(90, 110, (64, 80)).astype(np.uint8)
    image = write(tmp_path / "image.tif", pixels)  # 2 m per pixel, the upper left corner at (500000, 4000000)
    ends = ["--start", "500001,3999999", "--goal", "500159,3999873"]
    assert main(["plan", "--image", str(image), "--world", *ends, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["path"][0], planned["path"][-1]) == ([0, 0], [7, 9])
    assert planned["path_world"][0] == [500_008.0, 3_999_992.0]
    assert planned["length_metres"] == pytest.approx(16 * planned["cost"])
    degrees = write(tmp_path / "moon.tif", pixels, crs=MOON, transform=(0.1, 0.0, 0.0, 0.0, -0.1, 5.0))
    assert main(["plan", "--image", str(degrees), "--world", *ends]) == 2
    assert "does not say how large a pixel is" in capsys.readouterr().err
