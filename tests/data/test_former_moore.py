"""Earlier versions wrote `moore` and meant diagonals at sqrt(2); today the name means diagonals at 1, as in GPPN.

`moore_of_version_0_1.npz` was written before the change: `torchvin data --kind maze --size 7 --maps 4 --mechanism moore`.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from torchvin import load_policy, save_policy
from torchvin.cli.main import main
from torchvin.data.npz import read_npz, write_npz
from torchvin.data.own import dataset_from
from torchvin.errors import InputError
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.motion import MOTION_MODELS, DifferentialDrive, GridMotion
from torchvin.pretrained.store import load_record
from torchvin.training.config import DataConfig, RunConfig
from torchvin.training.run import claim

FORMER = Path(__file__).parent / "moore_of_version_0_1.npz"
UNIT = GridMotion(diagonal_cost=1.0)


def test_a_data_set_of_before_keeps_its_diagonals():
    dataset = read_npz(FORMER)
    assert dataset.moves == GridMotion() != UNIT
    assert dataset_from(FORMER).moves == GridMotion()
    expected = shortest_paths(dataset.blocked, dataset.goal, GridMotion()).optimal_actions
    assert np.array_equal(dataset.optimal_actions, expected)
    assert not np.array_equal(expected, shortest_paths(dataset.blocked, dataset.goal, UNIT).optimal_actions)


@pytest.mark.parametrize(
    ("name", "moves", "num_actions"),
    [("moore", GridMotion(), 8), ("news", GridMotion(4), 4), ("differential-drive", DifferentialDrive(), 3)],
)
def test_a_name_in_a_file_means_what_it_meant_when_it_was_written(tmp_path, name, moves, num_actions):
    with np.load(FORMER) as arrays:
        content = {**arrays, "version": np.array(2), "mechanism": np.array(name), "num_actions": np.array(num_actions)}
    content["optimal_actions"] = content["optimal_actions"] & (2**num_actions - 1)
    content["demonstrated"] = np.full_like(content["demonstrated"], 255)
    if moves.num_orientations > 1:
        for field in ("optimal_actions", "demonstrated"):
            content[field] = np.repeat(content[field][:, None], moves.num_orientations, axis=1)
        for field in ("goal", "starts"):
            content[field] = np.pad(content[field], [(0, 0)] * (content[field].ndim - 1) + [(1, 0)])
    np.savez(tmp_path / "maps.npz", **content)
    assert read_npz(tmp_path / "maps.npz").moves == moves


@pytest.mark.parametrize("name", MOTION_MODELS)
def test_today_a_data_set_of_every_name_comes_back_and_none_is_stored_as_moore(tmp_path, name):
    path = tmp_path / "maps.npz"
    assert main(["data", "--out", str(path), "--kind", "maze", "--size", "7", "--maps", "3", "--motion", name]) == 0
    assert read_npz(path).moves == MOTION_MODELS[name]
    with np.load(path) as arrays:
        assert ("mechanism" in arrays) == (name == "differential-drive")
        assert ("motion" in arrays) == (name == "moore")  # an earlier version refuses what it does not know
    write_npz(tmp_path / "again.npz", read_npz(path))
    assert read_npz(tmp_path / "again.npz").moves == MOTION_MODELS[name]


def test_the_record_of_weights_of_before_says_what_they_learned(tmp_path):
    save_policy(tmp_path, load_policy("gridworld-8"))
    file = tmp_path / "config.json"
    content = json.loads(file.read_text())
    content["record"]["config"]["data"]["motion"] = "moore"
    file.write_text(json.dumps(content))
    assert load_record(tmp_path)["config"]["data"]["motion"] == GridMotion().to_json()
    assert load_policy(tmp_path).motion == GridMotion()


def test_a_run_of_before_goes_on_with_its_diagonals_only(tmp_path):
    run = json.loads(json.dumps(RunConfig().to_json()))
    run["data"]["motion"] = "moore"
    (tmp_path / "run.json").write_text(json.dumps(run))
    claim(tmp_path, RunConfig(data=DataConfig(motion="octile")), {}, resume=True)
    (tmp_path / "run.json").write_text(json.dumps(run))
    with pytest.raises(InputError, match=r"data\.motion\.diagonal_cost \(1\.414.* then, 1\.0 now\)"):
        claim(tmp_path, RunConfig(data=DataConfig(motion="moore")), {}, resume=True)
