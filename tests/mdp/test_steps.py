"""Least number of steps to the goal: against the expert's exact distances, with every motion model."""

import pytest
import torch

from torchvin import DifferentialDrive, GridMotion, shortest_paths, transitions
from torchvin.mdp.steps import steps_to_goal

MOTIONS = [
    GridMotion(4),
    GridMotion(8, diagonal_cost=1.0),
    GridMotion(8, corner_cutting=False, diagonal_cost=1.0),
    DifferentialDrive(),
]


@pytest.mark.parametrize("moves", MOTIONS, ids=repr)
def test_steps_are_the_distances_of_the_expert_where_every_move_costs_one(random_maps, moves):
    blocked, goal = random_maps(0, 20, 7, 9, density=0.4)
    if moves.num_orientations > 1:
        goal = torch.cat([torch.arange(20)[:, None] % 4, goal], dim=1)
    distance = shortest_paths(blocked, goal, moves).distance.flatten(1)
    expected = torch.where(distance.isinf(), -1.0, distance)
    assert torch.equal(steps_to_goal(transitions(blocked, moves), goal).double(), expected)
    assert (expected == -1).any()
    assert expected.max() > 5
