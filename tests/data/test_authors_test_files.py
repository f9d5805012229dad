"""The authors' test files: maps, goals and whole paths, cell by cell; other layouts are refused."""

import numpy as np
import pytest
import torch

from authors_files import (
    ROOM,
    ROOM_GOAL,
    ROOM_PATHS,
    SNAKE,
    SNAKE_GOAL,
    SNAKE_PATH,
    blocked_of,
    contents_of_a_test_file,
    read,
    refused,
    shown_pairs,
)


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
