"""`torchvin plan --image`: pixels and metres, the true map, a picture; what is wrong leaves no file."""

import json

import numpy as np
import pytest
from PIL import Image

from torchvin.cli.main import main
from torchvin.data.draw import draw_maps


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """Drawn terrain in files, with hills that no image shows as elevation."""
    monkeypatch.chdir(tmp_path)
    drawn = draw_maps("terrain", 1, 8, 10, seed=1)
    Image.fromarray(drawn.image[0].numpy()).save("image.png")
    row, col = np.mgrid[:64, :80]
    np.save("hill.npy", 8 * np.exp(-(((row - 32) / 6) ** 2) - ((col - 40) / 6) ** 2))
    np.save("small.npy", np.zeros((10, 10)))
    np.save("flat.npy", np.zeros((64, 80)))
    np.save("steep.npy", 2.0 * col)
    (tmp_path / "cut.png").write_bytes((tmp_path / "image.png").read_bytes()[:200])
    return tmp_path


def plan(*options):
    return main(["plan", "--image", "image.png", *options])


def test_pixels_and_metres_ask_for_the_same_path_and_a_picture_is_drawn(ground, capsys):
    assert plan("--start", "4,4", "--goal", "60,76", "--out", "path.png", "--json") == 0
    pixels = json.loads(capsys.readouterr().out)
    assert pixels["path"][0] == [0, 0]
    assert pixels["path"][-1] == [7, 9]
    assert pixels["optimal_cost"] is None
    assert pixels["path_world"] is None
    assert pixels["caution"] > 1
    assert (ground / "path.png").is_file()
    metres = ["--world", "--pixel-size", "2", "--start", "9,119", "--goal", "153,7", "--json"]
    assert plan(*metres) == 0
    world = json.loads(capsys.readouterr().out)
    assert world["path"] == pixels["path"]
    assert world["path_world"][0] == [8.0, 120.0]  # centre of the first cell of 16 m, from the lower left
    assert world["length_metres"] == pytest.approx(16 * world["cost"])


def test_the_true_map_is_followed_where_elevation_is_given(ground, capsys):
    assert plan("--start", "0,0", "--goal", "0,79", "--dem", "hill.npy", "--json", "--caution", "1") == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["optimal_cost"] == pytest.approx(9.0)
    assert planned["caution"] == 1
    assert plan("--start", "0,0", "--goal", "8,0", "--dem", "hill.npy", "--profile") == 0
    printed = capsys.readouterr().out
    assert "optimal on the true map" in printed
    assert "image file" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--goal", "1,1"], "expected --image FILE --start ROW,COL --goal ROW,COL"),
        (["--start", "0,0", "--goal", "64,1"], "the goal (64, 1) lies outside the 64x80 image"),
        (["--start", "0,0", "--goal", "1,1", "--radius", "1"], "--radius cannot go with --image"),
        (["--start", "0,0", "--goal", "1,1", "--weights", "gridworld-8"], "these weights see maps, not images"),
        (["--start", "0,0", "--goal", "1,1", "--caution", "0"], "caution must be a positive number"),
        (["--start", "0,0", "--goal", "1,1", "--world"], "add --pixel-size METRES"),
        (["--start", "0,0", "--goal", "1,1", "--pixel-size", "-1"], "--pixel-size must be a positive number"),
        (["--start", "0,0", "--goal", "32,34", "--dem", "hill.npy"], "goal (4, 4) lies on an obstacle"),
        (["--start", "0,0", "--goal", "1,1", "--dem", "small.npy"], "they must show the same ground"),
        (["--start", "0,0", "--goal", "1,1", "--dem", "flat.npy"], "all is flat"),
        (["--start", "0,0", "--goal", "1,1", "--dem", "steep.npy"], "all is steep"),
        (["--start", "0,0", "--goal", "1,1", "--image", "cut.png"], "cut.png"),
        (["--start", "0,0", "--goal", "1,1", "--image", "gone.png"], "gone.png"),
    ],
)
def test_wrong_questions_are_refused_in_one_line_and_nothing_is_drawn(ground, capsys, options, message):
    before = sorted(path.name for path in ground.iterdir())
    assert plan(*options, "--out", "path.png") == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert sorted(path.name for path in ground.iterdir()) == before


def test_options_of_images_need_one(capsys):
    assert main(["plan", "--map", "m.map", "--start", "0,0", "--goal", "1,1", "--caution", "3"]) == 2
    assert "--caution need an overhead image; add --image" in capsys.readouterr().err
