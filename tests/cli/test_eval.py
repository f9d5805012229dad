"""`torchvin eval`: one or several weights on the same maps, and the paper's row for the paper's task only."""

import json

import numpy as np
import pytest

from torchvin.cli.main import main
from torchvin.data.draw import draw_maps
from torchvin.data.write import write_dataset
from torchvin.evaluation.metrics import margin
from torchvin.mdp.motion import GridMotion


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    path = tmp_path_factory.mktemp("eval") / "maps.npz"
    write_dataset(path, draw_maps("gridworld", 40, 8, 8, seed=4))
    return path


def printed(capsys, maps, *options):
    assert main(["eval", "--data", str(maps), *options]) == 0
    return capsys.readouterr().out


def test_the_interval_counts_maps_and_not_rollouts(maps, capsys):
    answer = json.loads(printed(capsys, maps, "--weights", "gridworld-8", "--json").splitlines()[-1])
    assert (answer["maps"], answer["rollouts"]) == (40, 280)
    assert answer["interval"] == pytest.approx(margin(answer["success_rate"], 40))
    text = printed(capsys, maps, "--weights", "gridworld-8")
    assert f"+- {100 * margin(answer['success_rate'], 40):.2f} %" in text


def test_several_weights_are_scored_on_the_same_maps(maps, capsys):
    names = ["gridworld-8", "gridworld-8-paper", "gridworld-16"]
    rows = json.loads(printed(capsys, maps, "--weights", *names, "--json").splitlines()[-1])["rows"]
    assert [row["weights"] for row in rows] == names
    for row in rows:
        single = json.loads(printed(capsys, maps, "--weights", row["weights"], "--json").splitlines()[-1])
        assert {**single, "seconds": 0} == {**row, "seconds": 0}
    heading = next(line for line in printed(capsys, maps, "--weights", *names).splitlines() if names[0] in line)
    assert heading.split() == [*names, "VIN", "in", "the", "paper"]


@pytest.mark.parametrize(
    ("dataset", "has_paper"),
    [
        (lambda: draw_maps("gridworld", 4, 8, 8), True),
        (lambda: draw_maps("maze", 4, 9, 9), False),
        (lambda: draw_maps("scattered", 4, 8, 8), False),
        (lambda: draw_maps("gridworld", 4, 8, 8, moves=GridMotion(corner_cutting=False)), False),
    ],
    ids=["the paper's", "mazes", "scattered", "corners"],
)
def test_the_papers_number_stands_beside_the_papers_task_only(tmp_path, capsys, dataset, has_paper):
    write_dataset(tmp_path / "maps.npz", dataset())
    text = printed(capsys, tmp_path / "maps.npz", "--weights", "gridworld-8")
    assert ("VIN in the paper" in text) == ("1602.02867" in text) == has_paper
    assert ("99.60 %" in text) == has_paper


def test_maps_of_a_file_that_does_not_say_where_they_come_from_have_no_number_of_the_paper(maps, tmp_path, capsys):
    with np.load(maps) as arrays:
        np.savez(tmp_path / "older.npz", **{name: arrays[name] for name in arrays.files if name != "source"})
    assert "in the paper" not in printed(capsys, tmp_path / "older.npz", "--weights", "gridworld-8")


def test_bad_input_says_which_weights(tmp_path, maps, capsys):
    assert main(["eval", "--data", str(maps), "--weights"]) == 2
    assert "--weights needs at least one name or folder" in capsys.readouterr().err
    assert main(["eval", "--data", str(maps), "--weights", "gridworld-8", "maze-15-drive"]) == 2
    assert "torchvin: maze-15-drive: the maps have 8 moves" in capsys.readouterr().err
    assert main(["eval", "--data", str(maps), "--weights", "gridworld-8", "--solve", "exact"]) == 2
    assert "torchvin: gridworld-8: --solve exact: these weights have one way to plan" in capsys.readouterr().err


@pytest.fixture(scope="module")
def corner_maps(tmp_path_factory):
    path = tmp_path_factory.mktemp("eval") / "corners.npz"
    write_dataset(path, draw_maps("gridworld", 6, 8, 8, seed=4, moves=GridMotion(corner_cutting=False)))
    return path


def test_weights_that_learned_another_rule_are_measured_by_that_of_the_data_and_it_is_said(maps, corner_maps, capsys):
    learned, names = GridMotion().to_json(), ["--weights", "gridworld-8"]
    assert main(["eval", "--data", str(maps), *names, "--json"]) == 0
    same = capsys.readouterr()
    answer = json.loads(same.out.splitlines()[-1])
    assert (answer["motion"], answer["learned_motion"]) == (learned, learned)
    assert "learned" not in same.err
    assert main(["eval", "--data", str(corner_maps), *names, "--json"]) == 0
    other = capsys.readouterr()
    answer = json.loads(other.out.splitlines()[-1])
    assert (answer["motion"], answer["learned_motion"]) == (GridMotion(corner_cutting=False).to_json(), learned)
    assert (
        "torchvin: gridworld-8 learned 8 moves, a diagonal costs 1.414, corners may be cut; the data have 8 moves, a "
        "diagonal costs 1.414, corners may not be cut, and by these its paths are followed"
    ) in other.err
    text = printed(capsys, corner_maps, *names)
    assert "Measured by the moves of the data: 8 moves, a diagonal costs 1.414, corners may not be cut." in text


@pytest.mark.parametrize(
    ("names", "corner_cutting"),
    [
        (["gridworld-16-shortest-path-no-corners"], False),
        (["gridworld-16-shortest-path"], True),
        (["gridworld-16-shortest-path-no-corners", "gridworld-16-shortest-path"], True),
    ],
)
def test_maps_of_a_folder_that_do_not_say_their_moves_take_those_of_the_weights(
    tmp_path, capsys, names, corner_cutting
):
    for index, blocked in enumerate(draw_maps("gridworld", 3, 8, 8, seed=1).blocked):
        np.save(tmp_path / f"{index}.npy", blocked.numpy())
    answer = json.loads(printed(capsys, tmp_path, "--weights", *names, "--json").splitlines()[-1])
    for row in answer.get("rows", [answer]):
        assert row["motion"]["corner_cutting"] is corner_cutting


def test_iterations_are_found_where_maps_need_more_than_their_size_says(tmp_path, capsys):
    path = tmp_path / "corridors.npz"
    write_dataset(path, draw_maps("perfect-maze", 20, 17, 17, seed=3))
    scores = {}
    for iterations in ((), ("--iterations", "auto"), ("--iterations", "289")):
        answer = json.loads(printed(capsys, path, "--weights", "gridworld-16", "--json", *iterations).splitlines()[-1])
        scores[iterations[-1:]] = answer["all_states_success_rate"], answer["iterations"]
    assert scores[()][0] < 0.95
    assert scores[()][1] == 34
    assert scores[("auto",)][0] == 1.0
    assert 34 < scores[("auto",)][1] <= 289
