"""Exact returns: by hand on a corridor, against simulation with slip, and the best policy is the best."""

import pytest
import torch

from torchvin import GridMotion, load_policy
from torchvin.evaluation.expected_return import evaluate_return, optimal_values, q_values, values_of
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.worlds import make_worlds
from torchvin.training.reinforcement import slipped

EAST = 2


def test_a_corridor_by_hand(draw):
    worlds = make_worlds(draw("...")[None], torch.tensor([[0, 2]]), moves=GridMotion(4))
    # From the middle: east reaches the goal; a slip (1/4 each) collides north and south, or goes west.
    east = torch.full((1, 3), EAST)
    value = values_of(east, worlds, discount=0.9, slip=0.4)[0]
    middle = 0.6 * 1.0 + 0.1 * (1.0 - 1.0 - 1.0 + (-0.01 + 0.9 * value[0]))
    left = 0.6 * (-0.01 + 0.9 * value[1]) + 0.1 * (-0.01 + 0.9 * value[1] - 3.0)
    assert value[1] == pytest.approx(middle.item(), abs=1e-4)
    assert value[0] == pytest.approx(left.item(), abs=1e-4)


def test_a_policy_gets_what_it_can_expect():
    torch.manual_seed(0)
    worlds = make_worlds(*generate_gridworld(1, 8, seed=3))
    best = optimal_values(worlds, slip=0.3)
    actions = q_values(worlds, best, discount=0.99, slip=0.3).argmax(dim=1)
    assert torch.allclose(values_of(actions, worlds, slip=0.3), best, atol=1e-4)
    start = int(worlds.steps[0].argmax())
    many = worlds[torch.zeros(4000, dtype=torch.int64)]
    state, random = torch.full((4000,), start), torch.Generator().manual_seed(0)
    total, running, factor = torch.zeros(4000), torch.ones(4000, dtype=torch.bool), 1.0
    for _ in range(60):
        state, reward, end = many.step(state, slipped(actions[0][state], 8, 0.3, random))
        total += factor * reward * running
        running &= ~end
        factor *= 0.99
    assert total.mean() == pytest.approx(best[0, start].item(), abs=4 * total.std().item() / 4000**0.5)


def test_a_perfect_planner_expects_nearly_the_optimum_without_slip_and_a_bad_one_less():
    worlds = make_worlds(*generate_gridworld(50, 8, seed=1))
    good = evaluate_return(load_policy("gridworld-8"), worlds)
    assert 0.99 < good.share <= 1.0 + 1e-6
    assert good.spread < 0.01
    bad = evaluate_return(torch_random_policy(), worlds)
    assert bad.share < 0.2


def torch_random_policy():
    from torchvin import NormalizedConfig, build_policy

    torch.manual_seed(0)
    return build_policy(NormalizedConfig())
