import math

import pytest
import torch

from torchvin.data.dataset import solve_maps
from torchvin.errors import InputError, ShapeError
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.maps.generators.terrain import generate_terrain
from torchvin.maps.observe import encode
from torchvin.maps.terrain import check_terrain, entry_cost
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.mdp.rollout import rollout
from torchvin.mdp.transitions import transitions

COSTS = (1.0, 2.0, 5.0)


def test_every_class_covers_its_share_of_every_map():
    terrain = generate_terrain(5, 9, 12, num_terrains=3, seed=1)
    assert (terrain.shape, terrain.dtype) == ((5, 9, 12), torch.uint8)
    for kind in range(3):
        assert (terrain == kind).flatten(1).sum(dim=1).tolist() == [36] * 5


def test_classes_lie_in_patches():
    terrain = generate_terrain(50, 16, seed=0)
    alike = (terrain[:, 1:] == terrain[:, :-1]).float().mean()
    assert alike > 0.7  # 0.33 if every cell were drawn on its own


def test_the_first_maps_of_a_longer_run_are_those_of_a_shorter_one():
    assert torch.equal(generate_terrain(2, 8, seed=3), generate_terrain(6, 8, seed=3)[:2])
    assert not torch.equal(generate_terrain(2, 8, seed=3), generate_terrain(2, 8, seed=4))


def relaxed(blocked, goal, moves, cost):
    """Distances by sweeping over all moves until nothing changes."""
    distance = torch.full((moves.num_orientations * blocked.numel(),), math.inf, dtype=torch.float64)
    orientation, row, col = goal if len(goal) == 3 else (0, *goal)
    distance[orientation * blocked.numel() + row * blocked.shape[1] + col] = 0.0
    destination = transitions(blocked[None], moves).successor[0]
    cells = destination % blocked.numel()
    for _ in range(len(distance)):
        for action, price in enumerate(moves.costs):
            there = destination[action]
            changes = there != torch.arange(len(distance))
            through = distance[there] + price * cost.flatten()[cells[action]]
            distance = torch.where(changes, distance.minimum(through), distance)
    return distance


@pytest.mark.parametrize("moves", [GridMotion(), GridMotion(4), DifferentialDrive()], ids=str)
def test_entering_a_cell_costs_by_its_class(random_maps, moves):
    blocked, goal = random_maps(3, 4, 5, 6, density=0.2)
    goal = goal if moves.num_orientations == 1 else torch.cat([torch.full((4, 1), 2), goal], dim=1)
    cost = entry_cost(generate_terrain(4, 5, 6, seed=2), COSTS)
    paths = shortest_paths(blocked, goal, moves, cost)
    actions = preferred_action(paths.optimal_actions, moves)
    can = (paths.optimal_actions != 0).flatten(1)
    starts = torch.where(can, torch.arange(can.shape[1]), -1)
    rollouts = rollout(actions, blocked, goal, starts, limit=torch.full_like(starts, 500), moves=moves, entry_cost=cost)
    assert torch.equal(rollouts.reached, can)
    for index in range(4):
        expected = relaxed(blocked[index], goal[index].tolist(), moves, cost[index])
        torch.testing.assert_close(paths.distance[index].flatten(), expected, rtol=0, atol=1e-9)
        torch.testing.assert_close(rollouts.cost[index][can[index]], expected[can[index]], rtol=0, atol=1e-9)


def test_a_detour_over_cheap_ground_beats_the_straight_way(draw):
    terrain = torch.tensor([[[0, 0, 0], [0, 2, 0]]], dtype=torch.uint8)
    dataset = solve_maps(
        draw("...", "...")[None], torch.tensor([[1, 2]]), moves=GridMotion(4), terrain=terrain, terrain_costs=COSTS
    )
    north, south, east = 1, 2, 4
    assert dataset.optimal_actions[0].tolist() == [[east, east, south], [north, east, 0]]


def test_the_planes_lie_between_obstacles_and_goal():
    blocked, goal = generate_gridworld(3, 6, seed=0)
    terrain = generate_terrain(3, 6, seed=0)
    planes = solve_maps(blocked, goal, terrain=terrain, terrain_costs=COSTS).planes()
    assert planes.shape == (3, 4, 6, 6)
    assert torch.equal(planes[:, [0, 3]], encode(blocked, goal))
    assert torch.equal(planes[:, 1], (terrain == 1).float())
    assert torch.equal(planes[:, 2], (terrain == 2).float())


@pytest.mark.parametrize("number", [0, 17])
def test_too_few_or_too_many_classes_are_refused(number):
    with pytest.raises(InputError, match="1 to 16 classes"):
        generate_terrain(1, 5, num_terrains=number)


@pytest.mark.parametrize("costs", [(), (1.0, 0.0), (1.0, -2.0), (1.0, math.inf), (1.0, math.nan)])
def test_a_class_without_a_positive_cost_is_refused(costs):
    terrain = torch.zeros(1, 2, 2, dtype=torch.uint8)
    with pytest.raises(InputError, match="every class of terrain needs a positive cost"):
        check_terrain(torch.zeros(1, 2, 2, dtype=torch.bool), terrain, costs)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_terrain_that_does_not_fit_is_refused():
    blocked = torch.zeros(1, 2, 3, dtype=torch.bool)
    with pytest.raises(InputError, match="costs of 2 classes of terrain were given"):
        check_terrain(blocked, None, (1.0, 2.0))
    with pytest.raises(InputError, match="has a class 2, but there are costs for 2 classes"):
        check_terrain(blocked, torch.full((1, 2, 3), 2, dtype=torch.uint8), (1.0, 2.0))
    with pytest.raises(ShapeError, match=r"terrain must have shape \[1, 2, 3\]"):
        check_terrain(blocked, torch.zeros(1, 3, 2, dtype=torch.uint8), (1.0, 2.0))
    with pytest.raises(InputError, match="terrain must give each cell one of 2 classes"):
        encode(blocked, torch.tensor([[0, 0]]), num_terrains=2)
