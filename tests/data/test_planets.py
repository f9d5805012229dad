"""Mars and the Moon: sectors that training never sees, slopes on the grid of cells, files that must be there."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torchvin.cli.main import main
from torchvin.data import planets
from torchvin.data.planets import PLANETS, SECTORS, draw_planet, read_planet
from torchvin.errors import InputError

MARS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mars"
ROWS = 48
PIXELS = 4


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small Mars: hills on a plain, and an image whose level is the column of the cell."""
    monkeypatch.setitem(planets.PLANETS, "mars", dataclasses.replace(PLANETS["mars"], rows=ROWS, max_slope=5.0))
    random = np.random.default_rng(0)
    elevation = np.zeros((2 * ROWS, 4 * ROWS))
    row, col = np.mgrid[: 2 * ROWS, : 4 * ROWS]
    for _ in range(40):
        distance = np.hypot(row - random.integers(2 * ROWS), col - random.integers(4 * ROWS))
        elevation += 1.5 * np.exp(-((distance / 4) ** 2))
    down, right = np.gradient(elevation)
    normals = np.stack([-right, -down, np.ones_like(down)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    Image.fromarray(((normals + 1) * 127.5).round().astype(np.uint8)).save(tmp_path / "normals.png")
    columns = np.arange(2 * ROWS, dtype=np.uint8).repeat(PIXELS)
    Image.fromarray(np.broadcast_to(columns, (PIXELS * ROWS, 2 * ROWS * PIXELS)).copy()).save(tmp_path / "image.png")
    monkeypatch.setitem(
        planets.PLANETS,
        "mars",
        dataclasses.replace(planets.PLANETS["mars"], image="image.png", heights="normals.png"),
    )
    return tmp_path


def test_no_pixel_of_a_test_sector_is_in_training_and_none_is_in_two_test_maps(folder):
    train = draw_planet("mars", folder, maps=60, size=(4, 4), split="train")
    test = draw_planet("mars", folder, maps=500, size=(4, 4), split="test")
    sector = 2 * ROWS // SECTORS.count
    seen = {column // sector for column in train.image.unique().tolist()}
    tested = {column // sector for column in test.image.unique().tolist()}
    assert tested == set(SECTORS.test)
    assert seen == set(range(SECTORS.count)) - tested
    assert len(test) <= len(SECTORS.test) * (sector // 4) * (ROWS // 4)
    assert (train.source, train.cell_pixels, train.size) == ("mars", PIXELS, (4, 4))


def test_a_cell_has_one_slope_and_the_polar_caps_are_left_out(folder):
    terrain = read_planet("mars", folder)
    first = ROWS * 30 // 180
    assert terrain.image.shape == (PIXELS * (ROWS - 2 * first), PIXELS * 2 * ROWS)
    cells = terrain.slope.reshape(ROWS - 2 * first, PIXELS, 2 * ROWS, PIXELS)
    assert (cells == cells[:, :1, :, :1]).all()
    assert 0.02 < (terrain.slope > 5.0).mean() < 0.5


def test_files_that_are_missing_or_of_another_size_are_named(folder, tmp_path, capsys):
    with pytest.raises(InputError, match="venus"):
        read_planet("venus", folder)
    (folder / "image.png").unlink()
    with pytest.raises(InputError, match=r"expected image\.png and normals\.png .* no image\.png"):
        read_planet("mars", folder)
    out = tmp_path / "mars.npz"
    assert main(["data", "--kind", "mars", "--from", str(folder), "--split", "train", "--out", str(out)]) == 2
    assert main(["data", "--kind", "mars", "--out", str(out)]) == 2
    assert "--kind mars needs the folder of its files; add --from" in capsys.readouterr().err
    assert not out.exists()
    Image.fromarray(np.full((10, 20, 3), 255, np.uint8)).save(folder / "normals.png")
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(folder / "image.png")
    with pytest.raises(InputError, match="expected 48x96 cells, got 5x10"):
        read_planet("mars", folder)


def test_the_command_writes_a_data_set_of_a_planet(folder, tmp_path, capsys):
    out = tmp_path / "mars.npz"
    options = ["--from", str(folder), "--size", "4", "--maps", "5", "--split", "train"]
    assert main(["data", "--kind", "mars", *options, "--out", str(out)]) == 0
    assert "5 maps of 4x4" in capsys.readouterr().out


@pytest.mark.skipif(not MARS.is_dir(), reason="the mosaic of Mars is not here: see shared/data/README.md")
def test_the_real_mars_has_three_obstacles_in_ten_cells():
    test = draw_planet("mars", MARS, maps=400, split="test")
    assert 200 <= len(test) <= 315
    assert 0.2 < test.blocked.float().mean() < 0.35
