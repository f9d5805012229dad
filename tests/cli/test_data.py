"""`torchvin data` and `list`: kinds of maps, motion models and terrain."""

import json

import pytest
import torch

from torchvin.cli.main import main
from torchvin.data.draw import GENERATORS, draw_maps
from torchvin.data.npz import read_npz
from torchvin.mdp.motion import MOTION_MODELS, DifferentialDrive, GridMotion


def drawn(tmp_path, *options):
    path = tmp_path / "maps.npz"
    assert main(["data", "--out", str(path), "--maps", "3", *options]) == 0
    return read_npz(path)


@pytest.mark.parametrize("kind", GENERATORS)
def test_every_kind_is_drawn_by_its_generator(tmp_path, kind):
    dataset = drawn(tmp_path, "--kind", kind, "--size", "11", "13", "--seed", "4")
    expected = draw_maps(kind, 3, 11, 13, seed=4, demonstration_seed=4)
    assert torch.equal(dataset.blocked, expected.blocked)
    assert torch.equal(dataset.starts, expected.starts)
    assert dataset.moves == GridMotion()


def test_mechanism_and_terrain_reach_the_file(tmp_path):
    dataset = drawn(tmp_path, "--kind", "maze", "--size", "9", "--motion", "differential-drive")
    assert dataset.moves == DifferentialDrive()
    assert dataset.optimal_actions.shape == (3, 4, 9, 9)
    dataset = drawn(tmp_path, "--size", "9", "--motion", "news", "--terrain-costs", "1", "2.5")
    assert dataset.moves == GridMotion(4)
    assert dataset.terrain_costs == (1.0, 2.5)


def test_connectivity_and_corners_still_work(tmp_path):
    assert drawn(tmp_path, "--size", "8", "--connectivity", "4").moves == GridMotion(4)
    assert drawn(tmp_path, "--size", "8", "--no-corner-cutting").moves == GridMotion(8, corner_cutting=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "labyrinth"], "unknown kind of data 'labyrinth'"),
        (["--motion", "hover"], "unknown motion model 'hover'"),
        (["--motion", "news", "--connectivity", "4"], "--motion says all of what the agent can do"),
        (["--terrain-costs", "1", "-2"], "every class of terrain needs a positive cost"),
        (["--kind", "maze", "--size", "4"], "a maze is at least 5x5 cells"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(capsys, tmp_path, options, message):
    assert main(["data", "--out", str(tmp_path / "maps.npz"), "--maps", "2", *options]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("torchvin: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(tmp_path.iterdir())


def test_list_names_generators_and_mechanisms(capsys):
    assert main(["list", "--json"]) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(content["generators"]) == set(GENERATORS)
    assert set(content["motion models"]) == set(MOTION_MODELS)
    assert "maze, differential-drive" in content["presets"]["maze-15-drive"]


def test_weights_for_other_maps_are_refused(capsys, tmp_path):
    drawn(tmp_path, "--kind", "maze", "--size", "9", "--motion", "differential-drive")
    assert main(["eval", "--weights", "gridworld-8", "--data", str(tmp_path / "maps.npz")]) == 2
    assert "the maps have 3 moves, the policy 8 actions" in capsys.readouterr().err


def test_the_former_name_of_motion_is_still_understood(tmp_path):
    dataset = drawn(tmp_path, "--kind", "maze", "--size", "9", "--mechanism", "news")
    assert dataset.moves == GridMotion(4)
