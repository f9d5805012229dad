"""Bad input: exit status 2, one clear line on standard error, nothing half-written."""

import json

import numpy as np
import pytest
import torch

from torchvin import NormalizedConfig, PaperConfig, build_policy
from torchvin.cli.main import main
from torchvin.pretrained.store import save_policy

GOOD = ["--start", "1,1", "--goal", "6,8"]


@pytest.fixture
def room(tmp_path):
    """A 8x10 map with a sealed cell at 4,4 and an obstacle at 2,2."""
    blocked = np.zeros((8, 10), dtype=bool)
    blocked[2, 2] = True
    blocked[3:6, 3:6] = True
    blocked[4, 4] = False
    np.save(tmp_path / "room.npy", blocked)
    return tmp_path / "room.npy"


def fails(capsys, arguments, *parts):
    assert main([str(argument) for argument in arguments]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    line = error[-1]
    assert line.startswith("torchvin: ")
    assert sum(entry.startswith("torchvin: ") for entry in error) == 1
    for part in parts:
        assert part in line, line


@pytest.mark.parametrize(
    ("start", "goal", "part"),
    [
        ("2,2", "6,8", "the start (2, 2) lies on an obstacle"),
        ("1,1", "2,2", "the goal (2, 2) lies on an obstacle"),
        ("1,1", "8,0", "the goal (8, 0) lies outside the 8x10 map"),
        ("-1,0", "6,8", "the start (-1, 0) lies outside"),
        ("1,1", "4,4", "unreachable"),
        ("1", "6,8", "--start must be ROW,COL"),
        ("a,b", "6,8", "--start must be ROW,COL"),
    ],
)
def test_a_task_that_cannot_be_planned(capsys, room, start, goal, part):
    out = room.parent / "path.png"
    fails(capsys, ["plan", "--map", room, f"--start={start}", f"--goal={goal}", "--out", out], part)
    assert not out.exists()


@pytest.mark.parametrize(
    ("array", "part"),
    [
        (np.full((4, 4), 3), "only 0 (free) and 1 (blocked), got 3"),
        (np.full((4, 4), np.nan), ""),
        (np.zeros((0, 4)), ""),
        (np.zeros((1, 1)), ""),
        (np.ones((4, 4)), ""),
        (np.zeros((4, 4, 2)), ""),
    ],
    ids=["three", "nan", "empty", "single", "full", "solid"],
)
def test_a_map_that_is_none(capsys, tmp_path, array, part):
    np.save(tmp_path / "odd.npy", array)
    fails(capsys, ["plan", "--map", tmp_path / "odd.npy", *GOOD], "odd.npy", part)


def test_a_map_cut_off_in_the_middle(capsys, room):
    room.write_bytes(room.read_bytes()[:-30])
    fails(capsys, ["plan", "--map", room, *GOOD], "room.npy")


def test_an_npz_with_pickled_objects(capsys, tmp_path):
    np.savez(tmp_path / "evil.npz", blocked=np.array([{"a": 1}], dtype=object))
    fails(capsys, ["eval", "--weights", "gridworld-8", "--data", tmp_path / "evil.npz"], "evil.npz", "pickled")


def test_a_mat_with_missing_keys(capsys, tmp_path):
    from scipy.io import savemat

    savemat(tmp_path / "half.mat", {"batch_im_data": np.zeros((3, 64))})
    fails(capsys, ["eval", "--weights", "gridworld-8", "--data", tmp_path / "half.mat"], "lacks", "batch_value_data")


def test_weights_of_another_architecture(capsys, tmp_path, room):
    policy = build_policy(PaperConfig())
    policy.config = NormalizedConfig()
    save_policy(tmp_path / "w", policy)
    fails(capsys, ["plan", "--map", room, *GOOD, "--weights", tmp_path / "w"], "another architecture")


def test_weights_that_are_not_numbers(capsys, tmp_path, room):
    policy = build_policy(NormalizedConfig())
    with torch.no_grad():
        policy.head.log_scale.fill_(torch.nan)
    save_policy(tmp_path / "w", policy)
    fails(capsys, ["plan", "--map", room, *GOOD, "--weights", tmp_path / "w"], "NaN")


def test_unknown_names_are_answered_with_the_nearest(capsys, tmp_path, room):
    fails(capsys, ["train", "--preset", "gridworld-61", "--out", tmp_path / "run"], "Did you mean 'gridworld-16'?")
    fails(capsys, ["plan", "--map", room, *GOOD, "--weights", "gridwrld-16"], "Did you mean 'gridworld-16'?")
    fails(capsys, ["data", "--kind", "gridwrld", "--out", tmp_path / "a.npz"], "Did you mean 'gridworld'?")
    fails(capsys, ["evla"], "unknown verb 'evla'", "Did you mean 'eval'")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "a.npz").exists()


def test_output_that_cannot_be_written(capsys, tmp_path, room):
    (tmp_path / "file").write_text("")
    fails(capsys, ["data", "--maps", 2, "--size", 8, "--out", tmp_path / "file" / "a.npz"], "cannot write")
    fails(capsys, ["plan", "--map", room, *GOOD, "--out", tmp_path / "file" / "a.png"], "cannot write")
    fails(capsys, ["plan", "--map", room, *GOOD, "--out", tmp_path / "a.jpg"], "unknown kind of picture")
    fails(capsys, ["train", "--out", tmp_path / "file" / "run"], "cannot write")


def test_numbers_out_of_range(capsys, tmp_path, room):
    fails(capsys, ["data", "--size", 2, "--out", tmp_path / "a.npz"], "at least 4x4")
    fails(capsys, ["data", "--maps", 0, "--out", tmp_path / "a.npz"], "at least 1")
    fails(capsys, ["plan", "--map", room, *GOOD, "--iterations", 0], "--iterations must be at least 1")


def test_plan_prints_one_json_object_and_draws(capsys, room):
    out = room.parent / "path.png"
    assert main(["plan", "--map", str(room), *GOOD, "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert answer["found"]
    assert answer["cost"] == pytest.approx(answer["optimal_cost"])
    assert answer["path"][0] == [1, 1]
    assert answer["path"][-1] == [6, 8]
    assert out.read_bytes().startswith(b"\x89PNG")


def test_data_and_eval_agree_on_what_they_hold(capsys, tmp_path):
    out = tmp_path / "maps.npz"
    assert main(["data", "--size", "9", "12", "--maps", "20", "--seed", "5", "--out", str(out)]) == 0
    assert main(["eval", "--weights", "gridworld-8", "--data", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert answer["maps"] == 20
    assert answer["iterations"] == 24
    assert {"success_rate", "optimal_rate", "trajectory_difference", "prediction_loss", "set_error"} <= set(answer)


@pytest.mark.parametrize("verb", ["list", "info"])
def test_the_verbs_that_tell_run(capsys, verb):
    assert main([verb]) == 0
    assert main([verb, "--json"]) == 0
    json.loads(capsys.readouterr().out.strip().splitlines()[-1])
