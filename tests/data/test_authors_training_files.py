"""The authors' training files: maps, goals, pairs and splits, cell by cell; other layouts are refused."""

import numpy as np
import pytest
import torch

from authors_files import (
    NE,
    ROOM,
    ROOM_GOAL,
    ROOM_PATHS,
    SNAKE,
    SNAKE_GOAL,
    SNAKE_PATH,
    E,
    W,
    blocked_of,
    free_image,
    goal_image,
    identities,
    read,
    refused,
    shown_pairs,
    training_contents,
)
from torchvin.errors import InputError
from torchvin.experts.grid import shortest_paths


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
