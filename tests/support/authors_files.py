"""Files in the layout of the VIN authors: two small maps, written as they wrote theirs."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from torchvin.data.authors import read_mat
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN

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


def identities(dataset):
    return {
        (tuple(blocked.flatten().tolist()), tuple(goal))
        for blocked, goal in zip(dataset.blocked, dataset.goal.tolist(), strict=True)
    }
