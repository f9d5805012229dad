import pytest
import torch

from torchvin import GridMotion, shortest_paths
from torchvin.experts.path_lengths import path_lengths
from torchvin.maps.generators.mazes import generate_mazes


@pytest.mark.parametrize("seed", [0, 1])
def test_with_straight_moves_the_length_is_the_distance(seed):
    blocked, goal = generate_mazes(5, 15, 21, seed=seed)
    paths = shortest_paths(blocked, goal, GridMotion(4))
    lengths = path_lengths(blocked, paths.optimal_actions, GridMotion(4))
    reached = paths.distance.isfinite()
    assert torch.equal(lengths[reached].double(), paths.distance[reached])
    assert not lengths[~reached].any()


def test_a_diagonal_is_one_move():
    blocked = torch.zeros(1, 3, 5, dtype=torch.bool)
    paths = shortest_paths(blocked, torch.tensor([[0, 0]]))
    assert path_lengths(blocked, paths.optimal_actions, GridMotion())[0].tolist() == [
        [0, 1, 2, 3, 4],
        [1, 1, 2, 3, 4],
        [2, 2, 2, 3, 4],
    ]
