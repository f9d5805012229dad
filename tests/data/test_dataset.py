import pytest
import torch

from torchvin.data.dataset import check_goals, solve_maps
from torchvin.errors import InputError, ShapeError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion


@pytest.fixture(scope="module")
def dataset():
    return solve_maps(*generate_gridworld(6, 8, 11, seed=2), seed=5)


def test_the_expert_answers_for_every_cell(dataset):
    expert = shortest_paths(dataset.blocked, dataset.goal)
    assert torch.equal(dataset.optimal_actions, expert.optimal_actions)
    shown = dataset.demonstrated != NOT_SHOWN
    assert torch.equal(dataset.demonstrated[shown], preferred_action(expert.optimal_actions)[shown])
    assert dataset.starts.shape == (6, 7, 2)
    assert dataset.size == (8, 11)
    assert len(dataset) == 6


def test_the_planes_are_those_of_encode(dataset):
    assert torch.equal(dataset.planes(), encode(dataset.blocked, dataset.goal))
    assert dataset.planes(torch.float64).dtype == torch.float64


@pytest.mark.parametrize("maps", [slice(1, 4), torch.tensor([4, 0, 4])], ids=["slice", "indices"])
def test_part_of_a_data_set_keeps_every_field_together(dataset, maps):
    part = dataset[maps]
    assert len(part) == 3
    for name in ("blocked", "goal", "optimal_actions", "demonstrated", "starts"):
        assert torch.equal(getattr(part, name), getattr(dataset, name)[maps])
    assert part.moves == dataset.moves


def test_the_moves_of_the_environment_reach_the_expert_and_the_demonstrations():
    maps = generate_gridworld(4, 8, seed=0)
    moves = GridMotion(num_actions=4)
    dataset = solve_maps(*maps, moves=moves, num_demonstrations=3)
    assert dataset.moves == moves
    assert dataset.optimal_actions.max() < 16
    assert dataset.demonstrated[dataset.demonstrated != NOT_SHOWN].max() < 4
    assert dataset.starts.shape == (4, 3, 2)


def test_one_seed_gives_one_data_set_and_another_seed_other_starts():
    maps = generate_gridworld(4, 8, seed=0)
    first, again, other = (solve_maps(*maps, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.starts, again.starts)
    assert not torch.equal(first.starts, other.starts)


def test_a_map_without_a_way_to_its_goal_is_refused_by_number(draw):
    blocked = torch.stack([draw("..", ".."), draw(".#", "##")])
    with pytest.raises(InputError, match="no cell can reach the goal of map 1; leave such maps out"):
        solve_maps(blocked, torch.tensor([[0, 0], [0, 0]]))


def test_a_goal_on_an_obstacle_is_refused_by_number(draw):
    blocked = torch.stack([draw("...", "..."), draw("...", "..#")])
    with pytest.raises(InputError, match=r"the goal \(1, 2\) of map 1 lies on an obstacle; it must be a free cell"):
        solve_maps(blocked, torch.tensor([[0, 0], [1, 2]]))


@pytest.mark.parametrize("goal", [(2, 0), (0, 3), (-1, 0), (0, -1)])
def test_a_goal_off_the_map_is_refused_by_number(draw, goal):
    blocked = torch.stack([draw("...", "...")] * 2)
    row, col = goal
    with pytest.raises(InputError, match=rf"the goal \({row}, {col}\) of map 1 lies off the map"):
        check_goals(blocked, torch.tensor([[0, 0], list(goal)]))


@pytest.mark.usefixtures("_unchecked_shapes")
def test_wrong_shapes_are_refused(draw):
    with pytest.raises(ShapeError, match=r"blocked must have shape \[M, H, W\], got \[2, 3\]"):
        solve_maps(draw("...", "..."), torch.tensor([[0, 0]]))
    with pytest.raises(ShapeError, match=r"goal must have shape \[1, 2\], got \[1, 3\]"):
        solve_maps(draw("...", "...")[None], torch.tensor([[0, 0, 0]]))


@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_map_that_is_not_bool_is_refused():
    with pytest.raises(InputError, match="blocked must be a bool tensor"):
        solve_maps(torch.tensor([[[0, 1, 0]]], dtype=torch.uint8), torch.tensor([[0, 0]]))
