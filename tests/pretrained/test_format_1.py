"""Weights that version 0.1 wrote are read as they are: the same logits as those of the shipped weights, migrated once.

The folders are the shipped weights as version 0.1 had them.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch

from torchvin import InputError, NormalizedConfig, PaperConfig, ShortestPathConfig, load_policy, save_policy
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.maps.observe import encode
from torchvin.mdp.motion import DifferentialDrive
from torchvin.pretrained.store import load_config, load_record

FORMER = Path(__file__).parent / "format_1"
NAMES = ["gridworld-8", "gridworld-8-paper", "maze-15", "maze-15-drive-normalized"]


def observation(policy):
    blocked, goal = generate_mazes(3, 11, seed=0)
    orientations = policy.config.num_orientations
    planes = encode(blocked, goal)
    if orientations == 1:
        return planes
    return torch.cat([planes[:, :1], planes[:, 1:], planes.new_zeros(3, orientations - 1, 11, 11)], dim=1)


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_those_of_the_migrated_weights_bit_for_bit(name):
    former, migrated = load_policy(FORMER / name), load_policy(name)
    assert former.config == migrated.config
    assert {key: str(value.dtype) for key, value in former.state_dict().items()} == {
        key: str(value.dtype) for key, value in migrated.state_dict().items()
    }
    planes = observation(former)
    former_output, output = former(planes), migrated(planes)
    assert torch.equal(former_output.logits, output.logits)
    assert torch.equal(former_output.plan.value, output.plan.value)
    assert former_output.plan.num_iterations == output.plan.num_iterations


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_of_the_training_is_said_in_the_words_of_format_2(name):
    former, migrated = load_policy(FORMER / name), load_policy(name)
    assert former.motion == migrated.motion
    assert former.task["observation"] == migrated.task["observation"]
    assert former.record["validation"] == migrated.record["validation"]
    assert former.record["config"] == migrated.record["config"]
    assert load_record(FORMER / name) == former.record
    assert load_config(FORMER / name) == former.config


def test_each_design_has_become_an_architecture():
    classes = [type(load_config(FORMER / name)) for name in NAMES]
    assert classes == [NormalizedConfig, PaperConfig, ShortestPathConfig, NormalizedConfig]
    assert load_policy(FORMER / "maze-15-drive-normalized").motion == DifferentialDrive()
    assert load_policy(FORMER / "maze-15").planner.exact


@pytest.mark.parametrize("name", NAMES)
def test_saved_again_they_are_of_format_2(name, tmp_path):
    former = load_policy(FORMER / name)
    save_policy(tmp_path, former)
    assert json.loads((tmp_path / "config.json").read_text())["format"] == 2
    again = load_policy(tmp_path)
    assert (again.config, again.task, again.record) == (former.config, former.task, former.record)
    assert torch.equal(again(observation(again)).logits, former(observation(former)).logits)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("policy", {"design": "normalisd"}, "Did you mean 'normalized'"),
        ("policy", None, r"no readable config\.json"),
        ("record", None, r"no readable config\.json"),
        ("policy", {"design": "paper", "hidden_channels": 10**9}, "hidden_channels must lie between 2 and 4096"),
        ("policy", {"design": "paper", "iterations_per_side": 1e308}, "iterations_per_side must lie between"),
    ],
)
def test_a_damaged_config_is_refused(tmp_path, part, value, message):
    shutil.copytree(FORMER / "gridworld-8", tmp_path / "w")
    content = json.loads((tmp_path / "w" / "config.json").read_text())
    content[part] = value
    (tmp_path / "w" / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        load_policy(tmp_path / "w")
