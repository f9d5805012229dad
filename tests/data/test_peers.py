"""`.npz` files of GPPN, Neural A* and kentsommer's PyTorch VIN, written here by hand after the code that writes them."""

import json
import warnings

import numpy as np
import pytest
import torch

from torchvin.cli.main import _warnings_in_one_line, main
from torchvin.data.own import dataset_from
from torchvin.data.peers import peer_splits, read_peer
from torchvin.data.read import default_split, read_dataset
from torchvin.errors import InputError
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.motion import HEADINGS, DifferentialDrive, GridMotion

FREE = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 0, 1]])  # 1 = free, as GPPN has it; 3 rows, 4 columns
GOALS = {"train": [(0, 0), (2, 3), (0, 1)], "validation": [(1, 0)], "test": [(2, 1), (0, 2)]}
ACTIONS = {(4, 1): GridMotion(4), (8, 1): GridMotion(8, diagonal_cost=1.0), (3, 4): DifferentialDrive()}


def policies(goals, num_actions=8, orientations=1, distances=False, free=FREE):
    """The arrays of a split of GPPN, or of Neural A*; goals are (row, col), the heading of each is E, their number 1."""
    maps = np.stack([free] * len(goals)).astype(float)
    goal_maps = np.zeros((len(goals), orientations, *free.shape))
    for index, (row, col) in enumerate(goals):
        goal_maps[index, min(1, orientations - 1), row, col] = 1
    policy = np.zeros((len(goals), num_actions, orientations, *free.shape))
    policy[:, 0] = 1
    return [maps, goal_maps, policy, *([np.zeros_like(goal_maps)] if distances else [])]


def states(goals, samples=3, free=FREE, elsewhere=0):
    """The arrays of a split of the PyTorch VIN, each map `samples` times."""
    images = np.zeros((len(goals) * samples, 2, *free.shape))
    images[:, 0] = 1 - free
    images[:, 1] = elsewhere
    for index, (row, col) in enumerate(goals):
        images[index * samples : (index + 1) * samples, 1, row, col] = 10
    column = np.zeros((len(images), 1), dtype=int)
    return [images, column, column, column]


def gppn(path, num_actions=8, orientations=1, distances=False, goals=GOALS):
    np.savez(
        path, *(array for split in goals.values() for array in policies(split, num_actions, orientations, distances))
    )
    return path


def kent(path, **options):
    np.savez_compressed(path, *states(GOALS["train"], **options), *states(GOALS["test"], **options))
    return path


@pytest.mark.parametrize("distances", [False, True], ids=["GPPN", "Neural A*"])
@pytest.mark.parametrize(("num_actions", "orientations"), ACTIONS)
def test_maps_goals_and_moves_of_gppn_and_neural_a_star(tmp_path, num_actions, orientations, distances):
    path = gppn(tmp_path / "mazes.npz", num_actions, orientations, distances)
    assert peer_splits(path) == ("train", "validation", "test")
    for split, goals in {**GOALS, "all": [goal for part in GOALS.values() for goal in part]}.items():
        dataset = dataset_from(path, split=split)
        assert dataset.moves == ACTIONS[num_actions, orientations]
        assert torch.equal(dataset.blocked, torch.from_numpy(FREE == 0).expand(len(goals), 3, 4))
        heading = [HEADINGS.index("E")] if orientations > 1 else []
        assert dataset.goal.tolist() == [[*heading, row, col] for row, col in goals]
        expected = shortest_paths(dataset.blocked, dataset.goal, dataset.moves)
        assert torch.equal(dataset.optimal_actions, expected.optimal_actions)


def test_their_headings_are_n_e_w_s(tmp_path):
    arrays = policies([(0, 0)] * 4, 3, 4)
    arrays[1][:] = 0
    for orientation in range(4):
        arrays[1][orientation, orientation, 0, 0] = 1
    np.savez(tmp_path / "drive.npz", *arrays * 3)
    found = dataset_from(tmp_path / "drive.npz", split="test").goal[:, 0]
    assert [HEADINGS[heading] for heading in found] == ["N", "E", "W", "S"]


def test_diagonals_cost_1(tmp_path):
    dataset = dataset_from(gppn(tmp_path / "mazes.npz"), split="train")
    paths = shortest_paths(dataset.blocked[1:2], dataset.goal[1:2], dataset.moves)
    assert paths.distance[0, 0, 2] == 2  # (0, 2) (1, 3) (2, 3): one diagonal and one straight move


@pytest.mark.parametrize("elsewhere", [0, -1])
@pytest.mark.parametrize("at_once", [1, 2, 4096])
def test_a_map_of_the_pytorch_vin_is_read_once(tmp_path, monkeypatch, at_once, elsewhere):
    monkeypatch.setattr("torchvin.data.peers._SAMPLES_AT_ONCE", at_once)
    path = kent(tmp_path / "gridworld_3x4.npz", elsewhere=elsewhere)
    assert peer_splits(path) == ("train", "test")
    for split, goals in (("train", GOALS["train"]), ("test", GOALS["test"]), ("all", GOALS["train"] + GOALS["test"])):
        dataset = dataset_from(path, split=split)
        assert dataset.moves == GridMotion()
        assert torch.equal(dataset.blocked, torch.from_numpy(FREE == 0).expand(len(goals), 3, 4))
        assert dataset.goal.tolist() == [list(goal) for goal in goals]


def test_states_may_be_rows_or_columns_of_numbers(tmp_path):
    flat = [array.reshape(-1) if array.ndim == 2 else array for array in states(GOALS["train"])]
    np.savez(tmp_path / "flat.npz", *flat, *flat)
    assert len(dataset_from(tmp_path / "flat.npz")) == 6


@pytest.mark.parametrize("write", [gppn, kent])
def test_maps_without_a_way_to_their_goal_are_left_out_and_counted(tmp_path, write, monkeypatch):
    free = np.array([[1, 1, 0, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    goals = {"train": [(0, 0), (0, 2), (0, 3)], "validation": [(1, 1)], "test": [(2, 1)]}
    if write is gppn:
        np.savez(tmp_path / "f.npz", *(array for split in goals.values() for array in policies(split, 4, free=free)))
    else:
        np.savez(tmp_path / "f.npz", *states(goals["train"], free=free), *states(goals["test"], free=free))
    with pytest.warns(UserWarning, match="left out 2 of 3 maps, whose goal lies on an obstacle or is reached from no"):
        dataset = dataset_from(tmp_path / "f.npz", split="train")
    assert dataset.goal.tolist() == [[0, 0]]
    with pytest.warns(UserWarning, match=f"left out 2 of {5 if write is gppn else 4} maps"):
        assert len(dataset_from(tmp_path / "f.npz")) == (3 if write is gppn else 2)


def test_where_all_are_left_out_it_is_an_error(tmp_path):
    np.savez(tmp_path / "f.npz", *policies([(1, 1)]) * 3)
    with pytest.raises(InputError, match=r"f\.npz: all 3 goals lie on an obstacle or are reached from no other cell"):
        dataset_from(tmp_path / "f.npz")


def test_commands_take_the_split_that_they_are_for(tmp_path, capsys):
    """12 mazes of 9x9 to train, 4 to validate, 5 to test."""
    from torchvin.data.draw import draw_maps

    mazes = draw_maps("maze", 21, 9, 9, moves=GridMotion(8, diagonal_cost=1.0))
    arrays = []
    for part in (slice(12), slice(12, 16), slice(16, 21)):
        goal_maps = np.zeros((len(mazes[part]), 1, 9, 9))
        for index, (row, col) in enumerate(mazes[part].goal.tolist()):
            goal_maps[index, 0, row, col] = 1
        arrays += [(~mazes[part].blocked.numpy()).astype(float), goal_maps, np.ones((len(goal_maps), 8, 1, 9, 9))]
    path = tmp_path / "mazes.npz"
    np.savez(path, *arrays)
    assert (default_split(path, training=True), default_split(path, training=False)) == ("train", "test")
    assert torch.equal(read_dataset(path).blocked, mazes.blocked)
    assert main(["eval", "--weights", "maze-15-moore", "--data", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["maps"], answer["split"], answer["motion"]["diagonal_cost"]) == (5, "test", 1.0)
    assert answer["open_states_optimal_rate"] == 1.0
    options = ["--training.epochs", "1", "--training.no-tensorboard", "--training.validation-maps", "2", "--json"]
    run = str(tmp_path / "run")
    assert main(["train", "--preset", "maze-15-moore-normalized", "--data", str(path), "--out", run, *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["maps"] == 12
    for split, count in (("validation", 4), ("all", 21)):
        out = str(tmp_path / f"{split}.npz")
        assert main(["data", "--from", str(path), "--split", split, "--out", out, "--json"]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["maps"] == count
        assert read_dataset(out).moves == mazes.moves


def test_in_the_command_line_a_warning_of_ours_is_one_line():
    before = warnings.formatwarning
    with _warnings_in_one_line():
        assert (
            warnings.formatwarning("left out 3.", UserWarning, "/x/torchvin/cli/data.py", 7)
            == "torchvin: left out 3.\n"
        )
        assert "py:7" in warnings.formatwarning("another", UserWarning, "/x/torch/data.py", 7)
        assert "py:7" in warnings.formatwarning("another", FutureWarning, "/x/torchvin/data.py", 7)
    assert warnings.formatwarning is before


def broken(arrays, index, change):
    arrays = [array.copy() for array in arrays]
    arrays[index] = change(arrays[index])
    return arrays


def put(value, *place):
    def change(array):
        array[place] = value
        return array

    return change


G = policies([(0, 0), (2, 3)]) * 3
A = policies([(0, 0), (2, 3)], distances=True) * 3
K = states([(0, 0), (2, 3)]) * 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            broken(G, 0, lambda maps: maps[0]),
            r"with 9 arrays a file of GPPN is expected, whose arr_0 \(train\) is \[N, H",
        ),
        (
            broken(G, 1, lambda goals: goals[:1]),
            r"arr_1 \(train\) is \[N, O, H, W\] of numbers, N = 2, .* got float64 \[1",
        ),
        (broken(G, 8, lambda policy: policy[..., :3]), r"arr_8 \(test\) is \[N, A, O, H, W\]"),
        (broken(G, 5, lambda policy: policy[:, :5]), "arr_5 has 5 actions and 1 orientations; expected 4 or 8 actions"),
        (broken(G, 5, lambda policy: policy[:, :4]), "the splits must have maps of one size and the same actions"),
        (broken(G, 3, put(0.5, 0, 0, 0)), r"arr_3 must hold 0 \(obstacle\) and 1 \(free\) only, got 0, 0.5, 1"),
        (broken(G, 3, put(np.nan, 0, 0, 0)), "arr_3 must hold 0"),
        (broken(G, 7, put(1, 1, 0, 0, 0)), "arr_7 must hold one 1 per map, at the goal"),
        (broken(G, 7, put(0, 0, 0, 0, 0)), "arr_7 must hold one 1 per map, at the goal"),
        (broken(G, 0, lambda maps: maps.astype("U1")), r"arr_0 \(train\) is .* got <U1"),
        (
            broken(A, 3, lambda distances: distances[:, 0]),
            r"with 12 arrays a file of Neural A\* is expected, whose arr_3",
        ),
        (
            broken(K, 0, lambda images: images[:, :1]),
            r"with 8 arrays a file of PyTorch VIN \(kentsommer\).* arr_0 \(train",
        ),
        (broken(K, 5, lambda rows: rows[:2]), r"arr_5 \(test\) is \[S\] of numbers, S = 6, .* got int64 \[2\]"),
        (
            broken(K, 0, put(2, 0, 0, 0, 0)),
            r"channel 0 of arr_0 must hold 1 \(obstacle\) and 0 \(free\) only, got 0, 1, 2",
        ),
        (broken(K, 4, put(0, 0, 1, 0, 0)), "channel 1 of arr_4 must hold 10 exactly once, at the goal"),
        (broken(K, 4, put(10, 0, 1, 1, 0)), "channel 1 of arr_4 must hold 10 exactly once, at the goal"),
        (G[:4], r"expected one array named blocked or maps, .* or arr_0, arr_1, ... as GPPN \(9 arrays\), Neural A\*"),
    ],
)
def test_what_is_no_layout_is_one_clear_error(tmp_path, arrays, message):
    np.savez(tmp_path / "f.npz", *arrays)
    with pytest.raises(InputError, match=message) as caught:
        dataset_from(tmp_path / "f.npz")
    assert "\n" not in str(caught.value)


def test_an_unknown_split_and_a_damaged_file_are_refused(tmp_path):
    path = kent(tmp_path / "k.npz")
    with pytest.raises(InputError, match=r"unknown split 'validation'; a file of PyTorch VIN .* has train, test, all"):
        read_peer(path, "validation")
    np.savez(tmp_path / "maps.npz", maps=FREE)
    with pytest.raises(InputError, match=r"maps\.npz: there is no train split in it"):
        dataset_from(tmp_path / "maps.npz", split="train")
    path.write_bytes(path.read_bytes()[:-60])
    assert peer_splits(path) == ()
    with pytest.raises(InputError, match=r"k\.npz: cannot be read as \.npz"):
        dataset_from(path)
