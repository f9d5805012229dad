"""The command on overhead images: drawn and one's own, trained and scored; what is wrong leaves no file."""

import json

import numpy as np
import pytest
from PIL import Image

from torchvin.cli.main import main


@pytest.fixture
def ground(tmp_path):
    row, col = np.mgrid[:80, :120]
    np.save(tmp_path / "dem.npy", 2.5 * np.sin(row / 9) * np.cos(col / 11))
    Image.fromarray(((row + col) % 200).astype(np.uint8)).save(tmp_path / "image.png")
    return tmp_path


def test_drawn_terrain_is_trained_on_and_scored(tmp_path, capsys):
    data, run = tmp_path / "t.npz", tmp_path / "run"
    assert main(["data", "--kind", "terrain", "--size", "6", "--maps", "10", "--out", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["maps"] == 10
    small = ["--policy.encoder-channels", "4", "--training.epochs", "1"]
    assert main(["train", "--preset", "terrain-16", "--data", str(data), "--out", str(run), *small]) == 0
    capsys.readouterr()
    assert main(["eval", "--weights", str(run), "--data", str(data), "--json"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["success_rate"] <= 1
    assert main(["eval", "--weights", str(run), "--data", str(data), "--caution", "500"]) == 0
    assert main(["eval", "--weights", str(run), "--data", str(data), "--caution", "0"]) == 2
    assert "the caution must be a positive number" in capsys.readouterr().err
    assert main(["eval", "--weights", "gridworld-8", "--data", str(data)]) == 2
    assert "the data are images of 8x8 pixels per cell, the policy sees maps" in capsys.readouterr().err


def test_ones_own_terrain_becomes_a_data_set(ground, capsys):
    out = ground / "own.npz"
    files = ["--image", str(ground / "image.png"), "--dem", str(ground / "dem.npy")]
    sizes = ["--size", "6", "8", "--cell-pixels", "4", "--maps", "3", "--max-slope", "12"]
    assert main(["data", "--kind", "terrain", *files, *sizes, "--split", "train", "--out", str(out), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert (written["height"], written["width"]) == (6, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "terrain"], "give --dem or --normals"),
        (["--dem", "dem.npy"], "--image is for --kind terrain, got --kind gridworld"),
        (["--kind", "terrain", "--dem", "dem.npy", "--goals", "g.npy"], "--goals cannot go with --image"),
        (["--kind", "terrain", "--dem", "dem.npy"], "takes 128x128 pixels"),
        (["--kind", "terrain", "--dem", "dem.npy", "--size", "4", "--max-slope", "80"], "all is flat"),
        (["--kind", "terrain", "--dem", "dem.npy", "--size", "4", "--pixel-size", "-1"], "pixel size must be"),
        (["--kind", "terrain", "--dem", "image.png", "--size", "4"], "image.png: expected elevation in metres"),
        (["--kind", "terrain", "--dem", "dem.npy", "--size", "4", "--split", "middle"], "train, test or all"),
    ],
)
def test_wrong_terrain_is_refused_in_one_line_and_nothing_is_written(ground, monkeypatch, capsys, options, message):
    monkeypatch.chdir(ground)
    assert main(["data", "--image", "image.png", *options, "--out", "own.npz"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert sorted(path.name for path in ground.iterdir()) == ["dem.npy", "image.png"]


def test_slopes_without_an_image_are_refused(tmp_path, capsys):
    assert main(["data", "--kind", "terrain", "--max-slope", "5", "--out", str(tmp_path / "t.npz")]) == 2
    assert "--max-slope need an overhead image; add --image" in capsys.readouterr().err
