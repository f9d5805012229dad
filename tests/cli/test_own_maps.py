"""`torchvin data --from` and `torchvin train --data FOLDER`: a user's own maps on the command line."""

import json

import numpy as np
import pytest
import torch

from torchvin.cli.main import main
from torchvin.data.own import dataset_from
from torchvin.data.read import read_dataset
from torchvin.maps.formats import MapFile, write_map
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.pretrained.store import load_policy


@pytest.fixture
def folder(tmp_path):
    """Ten 8x8 maps, MovingAI files and images."""
    (tmp_path / "maps").mkdir()
    for index, blocked in enumerate(generate_gridworld(10, 8, seed=3)[0]):
        write_map(tmp_path / "maps" / f"{index}.{'map' if index % 2 else 'png'}", MapFile(blocked))
    return tmp_path / "maps"


def own(folder, *options):
    out = folder.parent / "own.npz"
    assert main(["data", "--from", str(folder), "--out", str(out), *map(str, options)]) == 0
    return read_dataset(out)


def test_the_file_holds_the_maps_with_the_experts_answers(folder, capsys):
    dataset = own(folder, "--seed", 2, "--demonstrations", 3, "--json")
    expected = dataset_from(folder, seed=2, num_demonstrations=3)
    for name in ("blocked", "goal", "optimal_actions", "demonstrated", "starts"):
        assert torch.equal(getattr(dataset, name), getattr(expected, name)), name
    assert dataset.source == "own"
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (content["maps"], content["height"], content["width"]) == (10, 8, 8)


def test_goals_and_the_motion_model_reach_the_file(folder):
    goals = dataset_from(folder).goal
    np.savetxt(folder.parent / "goals.csv", goals.numpy(), fmt="%d", delimiter=",")
    dataset = own(folder, "--goals", folder.parent / "goals.csv", "--seed", 9, "--connectivity", 4)
    assert torch.equal(dataset.goal, goals)
    assert dataset.moves == GridMotion(4)
    assert own(folder, "--motion", "differential-drive").moves == DifferentialDrive()


def test_on_a_robots_map_corners_are_cut_only_if_asked(folder, capsys):
    blocked = torch.zeros(8, 8, dtype=torch.bool)
    write_map(folder / "robot.yaml", MapFile(blocked, resolution=0.05))
    assert own(folder).moves == GridMotion(corner_cutting=False)
    assert "corners may not be cut" in capsys.readouterr().out
    assert own(folder, "--motion", "octile").moves == GridMotion()


def test_a_network_learns_from_a_folder(folder, tmp_path):
    options = ["--training.epochs", "1", "--training.no-tensorboard"]
    run = str(tmp_path / "run")
    assert main(["train", "--preset", "gridworld-8", "--data", str(folder), "--out", run, *options]) == 0
    policy = load_policy(run)
    assert policy.task["data"] == {"maps": 8, "height": 8, "width": 8}
    assert main(["eval", "--weights", run, "--data", str(folder), "--json"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "maze"], "--kind describe maps to be drawn, and --from reads maps; leave them out"),
        (["--maps", "3", "--terrain-costs", "1", "2"], "--maps and --terrain-costs describe maps to be drawn"),
        (["--threshold", "0"], "the threshold must be above 0"),
        (["--goals", "nowhere.csv"], "cannot read 'nowhere.csv'"),
        (["--seed", "-1"], "a seed must not be negative"),
        (["--demonstrations", "0"], "the number of demonstrations must be at least 1"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(folder, capsys, options, message):
    out = folder.parent / "own.npz"
    assert main(["data", "--from", str(folder), "--out", str(out), *options]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("torchvin: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert [path.name for path in folder.parent.iterdir()] == ["maps"]


def test_options_of_own_maps_need_own_maps(tmp_path, capsys):
    assert main(["data", "--goals", "goals.csv", "--threshold", "0.5", "--out", str(tmp_path / "maps.npz")]) == 2
    assert "--goals and --threshold need your own maps; add --from" in capsys.readouterr().err
