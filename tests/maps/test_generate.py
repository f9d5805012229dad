import pytest
import torch

from torchvin.errors import InputError
from torchvin.maps.generators.gridworld import PAPER_SETTINGS, generate_gridworld, obstacle_settings
from torchvin.mdp.motion import GridMotion


@pytest.mark.parametrize(("height", "width"), [(8, 8), (4, 4), (5, 12), (28, 28), (17, 6)])
def test_maps_have_a_blocked_border_and_a_free_goal_that_a_move_leads_to(height, width):
    blocked, goal = generate_gridworld(50, height, width, seed=3)
    assert blocked.shape == (50, height, width)
    assert (blocked.dtype, goal.dtype) == (torch.bool, torch.int64)
    assert blocked[:, [0, -1], :].all()
    assert blocked[:, :, [0, -1]].all()
    maps = torch.arange(50)
    assert not blocked[maps, goal[:, 0], goal[:, 1]].any()
    assert GridMotion().allowed(blocked)[maps, :, goal[:, 0], goal[:, 1]].any(dim=1).all()


@pytest.mark.parametrize("moves", [GridMotion(num_actions=4), GridMotion(corner_cutting=False)])
def test_a_move_of_the_given_environment_leads_to_the_goal(moves):
    blocked, goal = generate_gridworld(300, 16, seed=1, moves=moves)
    maps = torch.arange(300)
    assert moves.allowed(blocked)[maps, :, goal[:, 0], goal[:, 1]].any(dim=1).all()


def test_the_width_defaults_to_the_height():
    assert generate_gridworld(1, 9)[0].shape == (1, 9, 9)


def test_one_seed_gives_one_set_of_maps_and_another_seed_another():
    first, again, other = (generate_gridworld(20, 8, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_several_numbers_make_one_seed():
    assert not torch.equal(generate_gridworld(20, 8, seed=(5, 1))[0], generate_gridworld(20, 8, seed=(5, 2))[0])
    assert torch.equal(generate_gridworld(20, 8, seed=(5, 1))[0], generate_gridworld(20, 8, seed=[5, 1])[0])


def test_the_first_maps_of_a_longer_run_are_those_of_a_shorter_one():
    short, long = generate_gridworld(7, 16, 11, seed=9), generate_gridworld(30, 16, 11, seed=9)
    assert torch.equal(short[0], long[0][:7])
    assert torch.equal(short[1], long[1][:7])


def test_the_maps_of_a_run_differ():
    blocked, _ = generate_gridworld(100, 16, seed=0)
    assert len(blocked.flatten(1).unique(dim=0)) > 95


@pytest.mark.parametrize(
    ("side", "density", "tolerance"),
    [
        pytest.param(8, 0.107, 0.007, marks=pytest.mark.slow),
        (16, 0.203, 0.010),
        pytest.param(28, 0.207, 0.010, marks=pytest.mark.slow),
    ],
)
def test_the_interior_is_as_dense_as_the_authors_maps(side, density, tolerance):
    blocked, _ = generate_gridworld(2000, side, seed=0)
    assert blocked[:, 1:-1, 1:-1].float().mean().item() == pytest.approx(density, abs=tolerance)


def test_the_goals_of_many_maps_cover_the_interior():
    _, goal = generate_gridworld(2000, 8, seed=0)
    assert len(goal.unique(dim=0)) == 36
    assert (goal.min().item(), goal.max().item()) == (1, 6)


@pytest.mark.parametrize("side", list(PAPER_SETTINGS))
def test_at_the_papers_sizes_the_settings_are_the_papers(side):
    assert obstacle_settings(side, side) == {8: (30, 0.0), 16: (40, 1.0), 28: (50, 2.0)}[side]


def test_between_the_papers_sizes_the_settings_are_linear_in_the_side():
    assert obstacle_settings(12, 12) == (35, 0.5)
    assert obstacle_settings(22, 22) == (45, 1.5)


def test_above_the_papers_sizes_obstacles_grow_with_the_map_and_below_attempts_shrink_with_the_area():
    assert obstacle_settings(56, 56) == (50, 4.0)
    attempts, size = obstacle_settings(4, 4)
    assert (attempts, size) == (round(30 / 4), 0.0)


def test_the_side_of_a_map_that_is_not_square_is_that_of_the_square_of_its_area():
    assert obstacle_settings(8, 32) == obstacle_settings(32, 8) == obstacle_settings(16, 16)


@pytest.mark.parametrize("number", [0, -3])
def test_no_maps_at_all_are_refused(number):
    with pytest.raises(InputError, match=f"the number of maps must be at least 1, got {number}"):
        generate_gridworld(number, 8)


@pytest.mark.parametrize(("height", "width"), [(3, 8), (8, 3), (0, 0)])
def test_a_map_too_small_for_a_border_is_refused(height, width):
    with pytest.raises(InputError, match=f"a grid world is at least 4x4 cells, got {height}x{width}"):
        generate_gridworld(1, height, width)


def test_a_negative_seed_is_refused_as_bad_input():
    with pytest.raises(InputError, match="seed"):
        generate_gridworld(1, 8, seed=-1)
