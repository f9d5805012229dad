"""A user's own image with its elevation or normals: regions, patches and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

from torchvin.data.own_terrain import Sectors, Terrain, dataset_from_terrain, regions
from torchvin.data.terrain_files import read_terrain
from torchvin.errors import InputError


def ground(rows=96, cols=160, seed=0):
    """Hills on a plain; the image holds a different number at every pixel of a neighbourhood."""
    random = np.random.default_rng(seed)
    elevation = np.zeros((rows, cols))
    row, col = np.mgrid[:rows, :cols]
    for _ in range(12):
        distance = np.hypot(row - random.integers(rows), col - random.integers(cols))
        elevation += 6 * np.exp(-((distance / 7) ** 2))
    image = ((37 * row + 11 * col) % 256).astype(np.uint8)
    return elevation, image


@pytest.fixture
def files(tmp_path):
    elevation, image = ground()
    np.save(tmp_path / "dem.npy", elevation.astype(np.float32))
    Image.fromarray(image).save(tmp_path / "image.png")
    down, right = np.gradient(elevation)
    normals = np.stack([-right, -down, np.ones_like(down)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    Image.fromarray(((normals + 1) * 127.5).round().astype(np.uint8)).save(tmp_path / "normals.png")
    return tmp_path


def test_elevation_and_normals_of_one_ground_give_the_same_slopes(files):
    by_dem = read_terrain(files / "image.png", dem=files / "dem.npy")
    by_normals = read_terrain(files / "image.png", normals=files / "normals.png")
    assert np.abs(by_dem.slope - by_normals.slope).max() < 1.5  # 8 bits
    assert by_dem.image.shape == (96, 160)


def test_patches_are_pixels_of_the_image_and_their_steep_cells_are_blocked(files):
    terrain = read_terrain(files / "image.png", dem=files / "dem.npy")
    maps = dataset_from_terrain(terrain, maps=5, size=(6, 8), cell_pixels=4, seed=1)
    assert maps.image.shape == (5, 24, 32)
    assert maps.source == "own"
    windows = np.lib.stride_tricks.sliding_window_view(terrain.image, (24, 32))
    slopes = np.lib.stride_tricks.sliding_window_view(terrain.slope, (24, 32))
    for patch, blocked in zip(maps.image.numpy(), maps.blocked.numpy(), strict=True):
        places = np.argwhere((windows == patch).all(axis=(2, 3)))
        steep = [slopes[row, col].reshape(6, 4, 8, 4).max(axis=(1, 3)) > 10 for row, col in places]
        assert any((cells == blocked).all() for cells in steep)
    again = dataset_from_terrain(terrain, maps=5, size=(6, 8), cell_pixels=4, seed=1)
    assert torch.equal(again.image, maps.image)


def test_no_pixel_of_a_test_map_is_in_a_training_map():
    elevation, _ = ground()
    own_column = np.broadcast_to(np.arange(160, dtype=np.uint8), (96, 160))  # the image says where a pixel comes from
    terrain = Terrain(own_column.copy(), np.degrees(np.arctan(np.hypot(*np.gradient(elevation)))))
    seen = {
        split: set(
            dataset_from_terrain(terrain, maps=40, size=(5, 5), cell_pixels=4, split=split).image.unique().tolist()
        )
        for split in ("train", "test")
    }
    assert max(seen["train"]) < min(seen["test"])
    widths = [part.image.shape[1] for split in ("train", "test") for part in regions(terrain, split, Sectors())]
    assert sum(widths) == 160


def terrain(slope, side=64):
    return Terrain(
        np.zeros((side, side), dtype=np.uint8), np.broadcast_to(np.array(slope, dtype=float), (side, side)).copy()
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dataset_from_terrain(terrain(3.0), maps=2, size=(4, 4)), "all is flat: no slope exceeds"),
        (lambda: dataset_from_terrain(terrain(30.0), maps=2, size=(4, 4)), "all is steep: every slope exceeds"),
        (lambda: dataset_from_terrain(terrain(30.0), maps=2), "takes 128x128 pixels, and the all region has 64x64"),
        (lambda: dataset_from_terrain(terrain(30.0), maps=0), "at least 1 map"),
        (lambda: dataset_from_terrain(terrain(30.0), maps=1, max_slope=90.0), "a slope between 0 and 90"),
        (lambda: dataset_from_terrain(terrain([3.0, 30.0] * 32), maps=1, size=(4, 4)), "have enough open ground"),
        (lambda: regions(terrain(3.0), "validation", Sectors()), "must be train, test or all, got validation"),
        (lambda: Terrain(np.zeros((4, 5), dtype=np.uint8), np.zeros((4, 4))), "image has 4x5 pixels, .* 4x4"),
    ],
)
def test_ground_that_cannot_be_learned_from_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_damaged_and_missing_files_are_named(files):
    with pytest.raises(InputError, match="give --dem or --normals"):
        read_terrain(files / "image.png")
    (files / "cut.npy").write_bytes((files / "dem.npy").read_bytes()[:300])
    np.save(files / "flat.npy", np.zeros(5))
    elevation, _ = ground()
    elevation[3, 4] = np.nan
    np.save(files / "hole.npy", elevation)
    np.save(files / "small.npy", np.zeros((10, 10)))
    for name, message in (
        ("cut.npy", "expected elevation in metres as .npy"),
        ("gone.npy", "expected elevation in metres as .npy"),
        ("flat.npy", "expected elevation in metres, rows by columns, got float64"),
        ("hole.npy", "1 pixels of the elevation hold no data"),
    ):
        with pytest.raises(InputError, match=f"{name}: .*{message}"):
            read_terrain(files / "image.png", dem=files / name)
    with pytest.raises(InputError, match=r"image\.png: the image has 96x160 pixels"):
        read_terrain(files / "image.png", dem=files / "small.npy")
    with pytest.raises(InputError, match="expected a normal map in three colours"):
        read_terrain(files / "image.png", normals=files / "image.png")
