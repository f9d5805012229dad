import hashlib

import numpy as np
import pytest
import torch
from scipy.ndimage import label

from torchvin.errors import InputError
from torchvin.maps.generators.mazes import PERFECT, _maze, generate_mazes
from torchvin.mdp.motion import GridMotion


@pytest.mark.parametrize(("height", "width"), [(5, 5), (9, 9), (15, 11), (28, 28), (6, 9)])
def test_mazes_have_a_border_where_no_room_is_and_a_free_goal_that_a_move_leads_to(height, width):
    blocked, goal = generate_mazes(10, height, width, seed=3)  # of 5x5 there are no more
    assert (blocked.shape, blocked.dtype, goal.dtype) == ((10, height, width), torch.bool, torch.int64)
    assert blocked[:, 0, :].all()
    assert blocked[:, :, 0].all()
    assert blocked[:, -1, :].all() == (height % 2 == 1)
    assert blocked[:, :, -1].all() == (width % 2 == 1)
    assert ((goal > 0) & (goal < torch.tensor([height - 1, width - 1]))).all()
    maps = torch.arange(10)
    assert not blocked[maps, goal[:, 0], goal[:, 1]].any()
    assert GridMotion(num_actions=4).allowed(blocked)[maps, :, goal[:, 0], goal[:, 1]].any(dim=1).all()


@pytest.mark.parametrize(("height", "width"), [(9, 9), (21, 15), (28, 28)])
def test_a_perfect_maze_is_a_tree_over_all_rooms(height, width):
    blocked, _ = generate_mazes(20, height, width, seed=1, opened=PERFECT)
    rooms = (height // 2) * (width // 2)
    for maze in blocked.numpy():
        assert not maze[1::2, 1::2].any()
        assert label(~maze)[1] == 1
        assert (~maze).sum() == 2 * rooms - 1  # connected with as many passages as rooms less one: no cycle


def test_an_opened_maze_holds_a_tree_and_opens_the_share_that_was_asked_for():
    blocked, _ = generate_mazes(300, 21, seed=0, opened=(0.3, 0.3))
    walls_of_a_tree = 19 * 19 - 199
    opened = 1 - blocked[:, 1:-1, 1:-1].flatten(1).sum(dim=1) / walls_of_a_tree
    assert opened.mean().item() == pytest.approx(0.3, abs=0.01)


def test_an_even_side_is_open_as_much_as_in_the_code_of_the_paper():
    """1,000 mazes of 28x28 by that code: 87 % of the last row and 70.7 % of all cells are open."""
    blocked, _ = generate_mazes(1000, 28, seed=0)
    assert 1 - blocked[:, -1].float().mean().item() == pytest.approx(0.87, abs=0.01)
    assert 1 - blocked[:, :, -1].float().mean().item() == pytest.approx(0.87, abs=0.01)
    assert 1 - blocked.float().mean().item() == pytest.approx(0.707, abs=0.01)
    opened, _ = generate_mazes(20, 28, seed=0, opened=(1.0, 1.0))
    assert not opened[:, 1:-1, 1:-1].any()
    assert opened[:, -1, 2::2].any(dim=1).all()  # on the last line no wall is opened but for the tree


def test_an_odd_side_draws_the_mazes_that_it_always_drew():
    blocked, goal = generate_mazes(60, 15, seed=0)
    digest = hashlib.sha256(blocked.numpy().tobytes() + goal.numpy().tobytes()).hexdigest()
    assert digest[:12] == "c879209c852b"


def test_all_shares_of_opened_walls_come_equally_often():
    blocked, _ = generate_mazes(1000, 21, seed=0)
    opened = 1 - blocked[:, 1:-1, 1:-1].flatten(1).sum(dim=1) / (19 * 19 - 199)
    assert np.quantile(opened, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.05)


def test_every_tree_of_four_rooms_comes_equally_often():
    random = np.random.default_rng(0)
    counts = {}
    for _ in range(4000):
        key = _maze(5, 5, random, PERFECT).tobytes()
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 4
    assert all(900 < count < 1100 for count in counts.values())


def test_goals_cover_the_open_cells():
    goals = torch.cat([generate_mazes(4, 5, seed=seed, opened=PERFECT)[1] for seed in range(60)])
    cells = {(row, col) for row in (1, 2, 3) for col in (1, 2, 3)} - {(2, 2)}
    assert {tuple(goal) for goal in goals.tolist()} == cells


def test_no_maze_comes_twice_in_one_run_nor_again_when_it_is_excluded():
    first, _ = generate_mazes(500, 7, seed=0)
    second, _ = generate_mazes(300, 7, seed=1, exclude=first)
    assert len(first.flatten(1).unique(dim=0)) == 500
    assert len(torch.cat([first, second]).flatten(1).unique(dim=0)) == 800
    free, _ = generate_mazes(300, 7, seed=1)
    assert len(torch.cat([first, free]).flatten(1).unique(dim=0)) < 800  # without it some would


def test_the_first_mazes_of_a_longer_run_are_those_of_a_shorter_one_and_seeds_differ():
    short, long = generate_mazes(5, 9, 11, seed=4), generate_mazes(20, 9, 11, seed=[4])
    assert torch.equal(short[0], long[0][:5])
    assert torch.equal(short[1], long[1][:5])
    assert not torch.equal(short[0], generate_mazes(5, 9, 11, seed=5)[0])


def test_more_mazes_than_there_are_is_said():
    with pytest.raises(InputError, match="drew 4 different 5x5 mazes and then 1000 times one that was there"):
        generate_mazes(5, 5, seed=0, opened=PERFECT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_maps": 0, "height": 9}, "the number of maps must be at least 1, got 0"),
        ({"num_maps": 1, "height": 9, "width": 4}, "a maze is at least 5x5 cells, got 9x4"),
        ({"num_maps": 1, "height": 9, "seed": -1}, "a seed must not be negative"),
        ({"num_maps": 1, "height": 9, "opened": (0.5, 0.2)}, "0 <= low <= high <= 1"),
        ({"num_maps": 1, "height": 9, "opened": (0.0, 1.2)}, "0 <= low <= high <= 1"),
        ({"num_maps": 1, "height": 9, "exclude": torch.zeros(1, 8, 9, dtype=torch.bool)}, "exclude must have shape"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        generate_mazes(**arguments)
