"""The grid world drawn many maps at a time: the same distribution as one map after the other."""

import numpy as np
import pytest
import torch

from torchvin import GridMotion, InputError, generate_gridworld
from torchvin.maps.generators.gridworld_batch import draw_gridworld_of_each, draw_gridworlds

MAPS = 1200


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (10, 17)])
def test_maps_are_distributed_as_those_of_the_authors_generator(size):
    batch, goals = draw_gridworlds(MAPS, *size, np.random.default_rng(0))
    single, other_goals = generate_gridworld(MAPS // 4, *size, seed=0)
    densities, expected = (maps.double().mean(dim=(1, 2)) for maps in (batch, single))
    noise = expected.std() * (1 / len(batch) + 1 / len(single)) ** 0.5
    assert (densities.mean() - expected.mean()).abs() < 4 * noise
    assert (densities.std() / expected.std() - 1).abs() < 0.2
    ends = other_goals.double()
    assert ((goals.double().mean(0) - ends.mean(0)).abs() < 5 * ends.std(0) / len(ends) ** 0.5).all()
    # How many moves lead to the goal depends on what lies around it.
    around, expected_around = (
        GridMotion().allowed(maps)[torch.arange(len(maps)), :, at[:, 0], at[:, 1]].sum(dim=1).double()
        for maps, at in ((batch, goals), (single, other_goals))
    )
    assert (around.mean() - expected_around.mean()).abs() < 4 * expected_around.std() / len(single) ** 0.5


def test_every_map_has_a_border_and_a_goal_that_a_move_leads_to():
    moves = GridMotion(4)
    blocked, goal = draw_gridworlds(MAPS, 8, 8, np.random.default_rng(1), moves)
    assert blocked[:, [0, -1]].all()
    assert blocked[:, :, [0, -1]].all()
    index = torch.arange(MAPS)
    assert not blocked[index, goal[:, 0], goal[:, 1]].any()
    assert moves.allowed(blocked)[index, :, goal[:, 0], goal[:, 1]].any(dim=1).all()


def test_one_map_per_generator_does_not_depend_on_the_others():
    seeds = range(7)
    together, goals = draw_gridworld_of_each([np.random.default_rng(seed) for seed in seeds], 16, 16)
    for index, seed in enumerate(seeds):
        alone, goal = draw_gridworld_of_each([np.random.default_rng(seed)], 16, 16)
        assert torch.equal(alone[0], together[index])
        assert torch.equal(goal[0], goals[index])
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize(
    ("arguments", "message"), [((0, 8, 8), "at least 1, got 0"), ((1, 3, 8), "at least 4x4 cells, got 3x8")]
)
def test_bad_sizes_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        draw_gridworlds(*arguments, np.random.default_rng(0))
