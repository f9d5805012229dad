"""Rollouts by doubling are walks move by move: any actions, limits, mechanism and costs."""

import pytest
import torch

from torchvin.data.draw import draw_maps
from torchvin.experts.grid import preferred_action
from torchvin.maps.generators.mazes import PERFECT, generate_mazes
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.mdp.rollout import rollout
from torchvin.mdp.transitions import transitions


@pytest.mark.parametrize("moves", [GridMotion(), GridMotion(4), DifferentialDrive()], ids=str)
def test_a_walk_by_doubling_is_a_walk_move_by_move(moves):
    dataset = draw_maps("maze", 3, 7, 9, seed=2, moves=moves, terrain_costs=(1.0, 3.0))
    generator = torch.Generator().manual_seed(0)
    random = torch.randint(moves.num_actions, dataset.optimal_actions.shape, generator=generator)
    expert = preferred_action(dataset.optimal_actions, moves).long()
    actions = torch.where(torch.rand(random.shape, generator=generator) < 0.2, random, expert)  # 255 stays
    starts = torch.randint(-1, dataset.space.num_states, (3, 40), generator=generator)
    limit = torch.randint(0, 70, (3, 40), generator=generator)
    rollouts = rollout(
        actions, dataset.blocked, dataset.goal, starts, limit=limit, moves=moves, entry_cost=dataset.entry_cost
    )
    destinations = transitions(dataset.blocked, moves).successor
    goal = dataset.space.flatten(dataset.goal)
    cost_of = dataset.entry_cost.flatten(1)
    for index in range(3):
        for number in range(40):
            here, made, cost = int(starts[index, number]), 0, 0.0
            while here >= 0 and here != goal[index] and made < limit[index, number]:
                action = int(actions[index].flatten()[here])
                there = here if action == 255 else int(destinations[index, action, here])
                if there != here:
                    cost += moves.costs[action] * float(cost_of[index, there % (7 * 9)])
                here, made = there, made + 1
            assert rollouts.reached[index, number] == (here == goal[index])
            assert rollouts.num_steps[index, number] == made
            assert rollouts.cost[index, number] == pytest.approx(cost, abs=1e-9)


def test_thousands_of_moves_through_a_perfect_maze_are_counted_exactly():
    blocked, goal = generate_mazes(1, 101, seed=0, opened=PERFECT)
    from torchvin.experts.grid import shortest_paths

    moves = GridMotion(num_actions=4)
    paths = shortest_paths(blocked, goal, moves)
    starts = torch.where((paths.optimal_actions != 0).flatten(1), torch.arange(101 * 101), -1)
    actions = preferred_action(paths.optimal_actions, moves)
    rollouts = rollout(actions, blocked, goal, starts, limit=torch.full_like(starts, 101 * 101), moves=moves)
    distance = paths.distance.flatten(1)
    assert distance[starts >= 0].max() > 1000
    assert torch.equal(rollouts.reached, starts >= 0)
    assert torch.equal(rollouts.cost[rollouts.reached], distance[rollouts.reached])
    too_few = rollout(
        actions, blocked, goal, starts, limit=(distance - 1).nan_to_num(posinf=0).long().clamp(min=0), moves=moves
    )
    assert not too_few.reached.any()
