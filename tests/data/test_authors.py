import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from torchvin.data.authors import read_mat
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.shortest_path import action_set, shortest_paths

N, S, E, W, NE, NW, SE, SW = range(8)

# Two maps without any symmetry, so that each wrong way to read them shows. Paths are (row, col, action), 0-based.
SNAKE = (".....", "####.", ".....", ".####", ".....")
SNAKE_GOAL = (4, 4)
SNAKE_PATH = [
    (0, 0, E), (0, 1, E), (0, 2, E), (0, 3, SE), (1, 4, SW), (2, 3, W), (2, 2, W), (2, 1, SW), (3, 0, SE),
    (4, 1, E), (4, 2, E), (4, 3, E),
]  # fmt: skip
ROOM = ("..#..", "..#..", ".....", "###..", ".....")
ROOM_GOAL = (0, 4)
ROOM_PATHS = [
    [(4, 0, E), (4, 1, E), (4, 2, NE), (3, 3, N), (2, 3, N), (1, 3, NE)],
    [(0, 0, SE), (1, 1, SE), (2, 2, NE), (1, 3, NE)],
]


def free_image(rows):
    """1 = free, 0 = obstacle, as the authors have it."""
    return np.array([[cell != "#" for cell in line] for line in rows], dtype=np.uint8)


def goal_image(goal, dtype=np.uint8):
    image = np.zeros((5, 5), dtype=dtype)
    image[goal] = 10
    return image


def training_contents(order="C"):
    """A training file of five batches of four pairs: three of SNAKE, two of ROOM."""
    images = [free_image(SNAKE)] * 3 + [free_image(ROOM)] * 2
    goals = [goal_image(SNAKE_GOAL)] * 3 + [goal_image(ROOM_GOAL)] * 2
    room = [*ROOM_PATHS[0], ROOM_PATHS[1][0], ROOM_PATHS[1][1]]
    pairs = np.array([*SNAKE_PATH, *room], dtype=np.uint8).reshape(5, 4, 3)
    return {
        "batch_im_data": np.stack([image.ravel(order) for image in images]),
        "batch_value_data": np.stack([image.ravel(order) for image in goals]),
        "state_x_data": pairs[..., 0],
        "state_y_data": pairs[..., 1],
        "batch_label_data": pairs[..., 2],
    }


def contents_of_a_test_file(order="F", base=1):
    """A test file of the two maps, images column by column, one path each, 1-based, the goal last."""
    paths = np.empty((2, 1), dtype=object)
    for index, (path, goal) in enumerate([(SNAKE_PATH, SNAKE_GOAL), (ROOM_PATHS[1], ROOM_GOAL)]):
        states = [state[:2] for state in path] + [goal]
        paths[index, 0] = np.array(states, dtype=np.uint8) + base
    return {
        "all_im_data": np.stack([free_image(rows).ravel(order) for rows in (SNAKE, ROOM)]),
        "all_value_data": np.stack([goal_image(goal, np.int16).ravel(order) for goal in (SNAKE_GOAL, ROOM_GOAL)]),
        "all_states_xy": paths,
    }


def read(tmp_path, contents, split="all"):
    savemat(tmp_path / "file.mat", contents)
    return read_mat(tmp_path / "file.mat", split)


def refused(tmp_path, contents, message, split="all"):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, contents, split)
    assert "file.mat" in str(caught.value)


def shown_pairs(dataset, index):
    """(row, col, action) of every demonstrated cell."""
    shown = dataset.demonstrated[index]
    return {(row, col, int(shown[row, col])) for row, col in (shown != NOT_SHOWN).nonzero().tolist()}


def blocked_of(rows):
    return torch.tensor([[cell == "#" for cell in line] for line in rows])


# Training files


def test_a_training_file_holds_its_maps_goals_and_pairs_cell_by_cell(tmp_path):
    dataset = read(tmp_path, training_contents())
    assert len(dataset) == 2
    assert torch.equal(dataset.blocked, torch.stack([blocked_of(SNAKE), blocked_of(ROOM)]))
    assert dataset.goal.tolist() == [list(SNAKE_GOAL), list(ROOM_GOAL)]
    assert shown_pairs(dataset, 0) == set(SNAKE_PATH)
    assert shown_pairs(dataset, 1) == {*ROOM_PATHS[0], *ROOM_PATHS[1][:2]}
    assert torch.equal(dataset.optimal_actions, shortest_paths(dataset.blocked, dataset.goal).optimal_actions)


def test_demonstrations_begin_where_fewer_lead_in_than_pass(tmp_path):
    dataset = read(tmp_path, training_contents())
    starts = [{tuple(start) for start in starts if start[0] >= 0} for starts in dataset.starts.tolist()]
    assert starts == [{(0, 0)}, {(4, 0), (0, 0)}]
    assert dataset.starts.shape == (2, 2, 2)


def test_a_path_that_begins_on_another_and_the_filling_are_told_apart(tmp_path):
    longer, shorter = ROOM_PATHS[0], ROOM_PATHS[0][2:]
    pairs = [*longer, *shorter, longer[-1], longer[-1]]  # twelve: the last state of a path fills the last batch up
    order = np.random.default_rng(0).permutation(len(pairs))
    pairs = np.array(pairs, dtype=np.uint8)[order].reshape(3, 4, 3)
    contents = {
        "batch_im_data": np.stack([free_image(ROOM).ravel()] * 3),
        "batch_value_data": np.stack([goal_image(ROOM_GOAL).ravel()] * 3),
        "state_x_data": pairs[..., 0],
        "state_y_data": pairs[..., 1],
        "batch_label_data": pairs[..., 2],
    }
    assert read(tmp_path, contents).starts.tolist() == [[[4, 0], [4, 2]]]


def test_a_map_that_comes_again_later_is_one_map(tmp_path):
    contents = training_contents()
    order = [0, 3, 1, 4, 2]
    dataset = read(tmp_path, {key: value[order] for key, value in contents.items()})
    assert len(dataset) == 2
    assert shown_pairs(dataset, 0) == set(SNAKE_PATH)


def test_the_same_map_with_another_goal_is_another_map(tmp_path):
    contents = training_contents()
    contents["batch_im_data"][4] = contents["batch_im_data"][0]
    contents["batch_value_data"][4] = goal_image((0, 3)).ravel()
    contents["state_x_data"][4] = 0
    contents["state_y_data"][4] = [0, 1, 2, 2]
    contents["batch_label_data"][4] = E
    dataset = read(tmp_path, contents)
    assert dataset.goal.tolist() == [[4, 4], [0, 4], [0, 3]]
    assert shown_pairs(dataset, 2) == {(0, 0, E), (0, 1, E), (0, 2, E)}


def test_doubles_that_are_whole_numbers_are_read(tmp_path):
    contents = {key: value.astype(np.float64) for key, value in training_contents().items()}
    assert shown_pairs(read(tmp_path, contents), 0) == set(SNAKE_PATH)


def test_a_training_file_read_column_by_column_is_refused(tmp_path):
    refused(
        tmp_path, training_contents(order="F"), r"\d+ of 20 demonstrated actions do not begin a shortest path: .*layout"
    )


def test_rows_and_columns_exchanged_are_refused(tmp_path):
    contents = training_contents()
    contents["state_x_data"], contents["state_y_data"] = contents["state_y_data"], contents["state_x_data"]
    refused(tmp_path, contents, "demonstrated actions do not begin a shortest path")


def test_obstacles_and_free_cells_exchanged_are_refused(tmp_path):
    contents = training_contents()
    contents["batch_im_data"] = 1 - contents["batch_im_data"]
    refused(tmp_path, contents, r"the goal \(4, 4\) of map 0 lies on an obstacle")


def test_states_that_count_from_1_are_refused(tmp_path):
    contents = training_contents()
    for key in ("state_x_data", "state_y_data"):
        contents[key] = contents[key] + 1
    refused(tmp_path, contents, "a state lies off the 5x5 map or a label is not one of 0..7")


def test_another_order_of_the_actions_is_refused(tmp_path):
    contents = training_contents()
    clockwise = np.array([0, 4, 2, 6, 1, 7, 3, 5], dtype=np.uint8)  # N S E W NE NW SE SW as N NE E SE S SW W NW
    contents["batch_label_data"] = clockwise[contents["batch_label_data"]]
    refused(tmp_path, contents, "demonstrated actions do not begin a shortest path")


def splittable():
    """Seven batches: SNAKE, ROOM and five more goals; the last batch is the held-out seventh."""
    goals = [SNAKE_GOAL, ROOM_GOAL, (0, 1), (0, 2), (0, 3), (2, 1), (2, 2)]
    rows = [SNAKE, ROOM, *[SNAKE] * 5]
    starts = [(4, 3, E), (1, 3, NE), (0, 0, E), (0, 1, E), (0, 2, E), (2, 2, W), (2, 3, W)]
    pairs = np.array([[start] * 2 for start in starts], dtype=np.uint8)
    return {
        "batch_im_data": np.stack([free_image(image).ravel() for image in rows]),
        "batch_value_data": np.stack([goal_image(goal).ravel() for goal in goals]),
        "state_x_data": pairs[..., 0],
        "state_y_data": pairs[..., 1],
        "batch_label_data": pairs[..., 2],
    }


def identities(dataset):
    return {
        (tuple(blocked.flatten().tolist()), tuple(goal))
        for blocked, goal in zip(dataset.blocked, dataset.goal.tolist(), strict=True)
    }


def test_the_first_six_sevenths_train_and_the_rest_is_held_out(tmp_path):
    train, heldout, everything = (read(tmp_path, splittable(), split) for split in ("train", "heldout", "all"))
    assert (len(train), len(heldout), len(everything)) == (6, 1, 7)
    assert heldout.goal.tolist() == [[2, 2]]
    assert identities(train) | identities(heldout) == identities(everything)
    assert not identities(train) & identities(heldout)


def test_a_held_out_map_that_training_holds_is_left_out(tmp_path):
    double = {key: np.concatenate([value, value]) for key, value in splittable().items()}
    double["batch_value_data"][13] = goal_image((4, 1)).ravel()
    double["state_x_data"][13], double["state_y_data"][13], double["batch_label_data"][13] = 4, 2, W
    train, heldout = (read(tmp_path, double, split) for split in ("train", "heldout"))
    assert (len(train), len(heldout)) == (7, 1)
    assert heldout.goal.tolist() == [[4, 1]]
    assert not identities(train) & identities(heldout)


def test_a_split_without_maps_is_refused(tmp_path):
    leaking = {key: value[[0, 1, 2, 3, 4, 5, 0]] for key, value in splittable().items()}
    refused(tmp_path, leaking, "too few maps for a heldout split; use all", split="heldout")
    one = {key: value[:1] for key, value in splittable().items()}
    refused(tmp_path, one, "too few maps for a train split; use all", split="train")


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown split 'test'; a training file has train, heldout and all"):
        read(tmp_path, training_contents(), "test")


# Test files


def test_a_test_file_holds_its_maps_goals_and_paths_cell_by_cell(tmp_path):
    dataset = read(tmp_path, contents_of_a_test_file())
    assert torch.equal(dataset.blocked, torch.stack([blocked_of(SNAKE), blocked_of(ROOM)]))
    assert dataset.goal.tolist() == [list(SNAKE_GOAL), list(ROOM_GOAL)]
    assert dataset.starts.tolist() == [[[0, 0]], [[0, 0]]]
    assert shown_pairs(dataset, 0) == set(SNAKE_PATH)
    assert shown_pairs(dataset, 1) == set(ROOM_PATHS[1])


def test_paths_may_be_one_row_of_cells(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"] = contents["all_states_xy"].T
    assert len(read(tmp_path, contents)) == 2


def test_the_prior_of_minus_one_off_the_goal_is_read(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_value_data"] = np.where(contents["all_value_data"] == 10, 10, -1).astype(np.int16)
    assert read(tmp_path, contents).goal.tolist() == [list(SNAKE_GOAL), list(ROOM_GOAL)]


def test_an_empty_path_has_no_start(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][0, 0] = np.empty((0, 0))
    dataset = read(tmp_path, contents)
    assert dataset.starts.tolist() == [[[-1, -1]], [[0, 0]]]
    assert not shown_pairs(dataset, 0)


def test_a_test_file_with_images_row_by_row_is_refused(tmp_path):
    refused(
        tmp_path,
        contents_of_a_test_file(order="C"),
        r"path 1 ends at \(0, 4\), the goal is at \(4, 0\): images must be column",
    )


def test_row_by_row_images_are_refused_even_where_the_goal_lies_on_the_diagonal(tmp_path):
    contents = {key: value[:1] for key, value in contents_of_a_test_file(order="C").items()}
    refused(tmp_path, contents, "demonstrated actions do not begin a shortest path: the layout is not the authors'")


def test_paths_that_count_from_0_are_refused(tmp_path):
    refused(tmp_path, contents_of_a_test_file(base=0), r"path 0 must hold \(row, col\) from 1 on the 5x5 map")


def test_paths_that_count_from_0_are_refused_even_where_they_touch_no_edge(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][0, 0] = np.array([[4, 2], [4, 3], [4, 4]])
    refused(tmp_path, contents, r"path 0 ends at \(3, 3\), the goal is at \(4, 4\): .* paths 1-based")


def test_a_path_that_jumps_is_refused(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][1, 0] = np.array([[1, 1], [3, 3], [2, 4], [1, 5]])
    refused(tmp_path, contents, r"path 1 jumps from \[0, 0\] to \[2, 2\]")


def test_a_path_that_is_not_shortest_is_refused(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][1, 0] = np.array([[4, 5], [4, 4], [3, 4], [2, 4], [1, 5]])
    refused(tmp_path, contents, "1 of 16 demonstrated actions do not begin a shortest path")


@pytest.mark.parametrize("path", [[[1.0, 1.0, 1.0]], [[6, 1], [1, 5]], [[1, 6], [1, 5]]])
def test_states_of_a_path_off_the_map_are_refused(tmp_path, path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][1, 0] = np.array(path)
    refused(tmp_path, contents, r"path 1 must hold \(row, col\) from 1 on the 5x5 map")


def test_a_number_of_paths_that_is_not_that_of_the_maps_is_refused(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"] = contents["all_states_xy"][:1]
    refused(tmp_path, contents, "all_states_xy must hold one path for each of the 2 maps")


def test_a_test_file_has_no_splits(tmp_path):
    refused(tmp_path, contents_of_a_test_file(), "a test file has no heldout split; use all", split="heldout")


# Both


@pytest.mark.parametrize("contents", [training_contents(), contents_of_a_test_file()], ids=["training", "test"])
def test_a_missing_key_is_named(tmp_path, contents):
    for key in contents:
        rest = {other: value for other, value in contents.items() if other != key}
        refused(tmp_path, rest, f"lacks {key}; the authors' files hold {', '.join(contents)}")


def test_another_file_is_told_what_was_expected_and_what_came(tmp_path):
    refused(
        tmp_path,
        {"map": np.zeros((3, 3)), "pose": np.zeros(2)},
        r"expected batch_im_data, .* \(training\) or all_im_data, .* \(test\), got map, pose",
    )


@pytest.mark.parametrize("contents", [training_contents(), contents_of_a_test_file()], ids=["training", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_nan_and_fractions_are_refused(tmp_path, contents, value):
    for key in contents:
        if contents[key].dtype == object:
            continue
        spoilt = dict(contents)
        spoilt[key] = contents[key].astype(np.float64)
        spoilt[key][0, 1] = value
        refused(tmp_path, spoilt, f"{key} must hold whole numbers, got fractions or NaN")


def test_a_nan_in_a_path_is_refused(tmp_path):
    contents = contents_of_a_test_file()
    contents["all_states_xy"][1, 0] = np.array([[1.0, np.nan], [1.0, 5.0]])
    refused(tmp_path, contents, "path 1 must hold whole numbers, got fractions or NaN")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("batch_im_data", np.ones((5, 24), np.uint8), r"images and goal images must be \[maps, n\*n\], got \(\d, 24\)"),
        ("batch_im_data", np.full((5, 25), 2, np.uint8), r"images must hold 0 \(obstacle\) and 1 \(free\) only, got \[2\]"),
        ("batch_value_data", np.zeros((5, 25), np.uint8), "each goal image must hold 10 exactly once, at the goal"),
        ("batch_value_data", np.full((5, 25), 10, np.uint8), "each goal image must hold 10 exactly once, at the goal"),
        ("state_x_data", np.zeros((4, 4), np.uint8), "the batch arrays must have one row a batch"),
        ("state_y_data", np.zeros((5, 3), np.uint8), "the batch arrays must have one row a batch, and states and labels"),
        ("batch_label_data", np.full((5, 4), 8, np.uint8), "a label is not one of 0..7"),
        ("batch_label_data", np.full((5, 4), -1, np.int8), "a label is not one of 0..7"),
        ("state_x_data", "text", "state_x_data must be an array of numbers with 2 axes, got <U"),
        ("state_x_data", np.zeros((5, 4, 2)), r"state_x_data must be an array of numbers with 2 axes, got float64 \[5, 4, 2\]"),
        ("state_x_data", {"a": 1}, "state_x_data must be an array of numbers with 2 axes"),
    ],
)  # fmt: skip
def test_arrays_that_contradict_the_layout_are_refused(tmp_path, key, value, message):
    refused(tmp_path, training_contents() | {key: value}, message)


def test_batches_without_pairs_are_refused(tmp_path):
    contents = training_contents()
    for key in ("state_x_data", "state_y_data", "batch_label_data"):
        contents[key] = contents[key][:, :0]
    refused(tmp_path, contents, ".")


def test_a_file_without_batches_is_refused(tmp_path):
    refused(tmp_path, {key: value[:0] for key, value in training_contents().items()}, ".")


def test_maps_without_cells_are_refused(tmp_path):
    contents = training_contents()
    for key in ("batch_im_data", "batch_value_data"):
        contents[key] = contents[key][:, :0]
    refused(tmp_path, contents, ".")


def test_values_too_large_for_two_bytes_are_not_taken_for_others(tmp_path):
    contents = {key: value.astype(np.int64) for key, value in training_contents().items()}
    contents["batch_im_data"][1, 0] += 1 << 16  # 65,537: 1 in two bytes
    refused(tmp_path, contents, r"images must hold 0 \(obstacle\) and 1 \(free\) only")


@given(content=st.binary(max_size=300))
def test_random_bytes_are_bad_input(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.mat"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"random\.mat: "):
        read_mat(path)


@settings(max_examples=200)
@given(
    layout=st.sampled_from([training_contents, contents_of_a_test_file]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_a_damaged_file_is_bad_input_or_a_data_set(tmp_path_factory, layout, places):
    """Compressed, as MATLAB writes by default and the authors did."""
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    savemat(path, layout(), do_compression=True)
    content = bytearray(path.read_bytes())
    for place, byte in places:
        content[int(place * len(content))] = byte
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        read_mat(path)


READ_IN_TURN = """
import sys
from pathlib import Path
from torchvin.data.authors import read_mat
from torchvin.errors import InputError
from torchvin.training.maps import is_training_file
for name in sys.argv[1:]:
    is_training_file(Path(name))
    try:
        read_mat(Path(name))
    except InputError:
        print("refused", flush=True)
"""


def test_a_damaged_file_without_compression_does_not_crash_the_process(tmp_path):
    """scipy 1.17 follows some wrong bytes out of memory; in a process of its own, so that the tests survive it."""
    savemat(tmp_path / "file.mat", training_contents())
    whole = (tmp_path / "file.mat").read_bytes()
    names = []
    for place, byte in [(144, 5), (172, 255), (192, 0), (344, 5), (372, 18), (392, 0), (784, 0)]:
        content = bytearray(whole)
        content[place] = byte
        names.append(str(tmp_path / f"damaged_{place}.mat"))
        Path(names[-1]).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", READ_IN_TURN, *names], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"exit status {done.returncode} after {done.stdout.split()}: {done.stderr[-300:]}"
    assert done.stdout.split() == ["refused"] * len(names)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_off_is_bad_input(tmp_path, share):
    savemat(tmp_path / "file.mat", training_contents())
    content = (tmp_path / "file.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"cut\.mat: "):
        read_mat(tmp_path / "cut.mat")


# The authors' own files

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module", params=[8, 16])
def real(request):
    """(side, path) of an authors' training file."""
    path = DATA / f"gridworld_{request.param}.mat"
    if not path.is_file():
        pytest.skip(f"{path} is not there: the authors' data are not part of the repository")
    return request.param, path


@pytest.fixture(scope="module")
def real_splits(real):
    return {split: read_mat(real[1], split) for split in ("train", "heldout", "all")}


def test_the_authors_files_hold_the_known_numbers_of_maps(real, real_splits):
    expected = {8: {"train": 2808, "heldout": 453, "all": 3261}, 16: {"train": 3714, "heldout": 616, "all": 4330}}
    assert {split: len(dataset) for split, dataset in real_splits.items()} == expected[real[0]]


def test_every_label_of_the_authors_lies_in_the_optimal_set(real_splits):
    dataset = real_splits["all"]
    shown = dataset.demonstrated != NOT_SHOWN
    in_set = action_set(dataset.optimal_actions).gather(3, dataset.demonstrated.clamp(max=7).long()[..., None])[..., 0]
    assert shown.sum() > 10_000
    assert in_set[shown].all()


def test_the_authors_labels_are_kept_pair_by_pair(real, real_splits):
    """Straight from the file, without the reader's own bookkeeping."""
    dataset, contents = real_splits["all"], loadmat(real[1])
    side, index_of = real[0], {}
    for index in range(len(dataset)):
        free, value = (~dataset.blocked[index]).numpy().astype(np.uint8), np.zeros((side, side), np.uint8)
        value[tuple(dataset.goal[index].tolist())] = 10
        index_of[free.tobytes() + value.tobytes()] = index
    agree = total = 0
    for batch in range(0, len(contents["batch_im_data"]), 97):
        key = contents["batch_im_data"][batch].tobytes() + contents["batch_value_data"][batch].tobytes()
        shown = dataset.demonstrated[index_of[key]]
        rows, cols = contents["state_x_data"][batch].astype(int), contents["state_y_data"][batch].astype(int)
        labels = contents["batch_label_data"][batch]
        agree += sum(int(shown[row, col]) == label for row, col, label in zip(rows, cols, labels, strict=True))
        total += len(labels)
    assert agree / total > 0.999  # a map that was drawn twice may carry two labels in one cell


def test_the_authors_maps_have_a_border_and_their_density(real, real_splits):
    """At 8x8 distinct maps are denser than the published 10.8 %: those drawn more than once are the sparse ones."""
    interior = real_splits["all"].blocked[:, 1:-1, 1:-1].float().mean().item()
    assert interior == pytest.approx({8: 0.120, 16: 0.205}[real[0]], abs=0.002)
    assert real_splits["all"].blocked[:, [0, -1]].all()
    assert real_splits["all"].blocked[:, :, [0, -1]].all()


def test_the_splits_of_the_authors_files_do_not_leak(real_splits):
    assert not identities(real_splits["train"]) & identities(real_splits["heldout"])
