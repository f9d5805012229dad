"""Kept plans: the answers of the policy itself, and no planning while maps and weights stay the same."""

import pytest
import torch

from torchvin import NormalizedConfig, build_policy, encode
from torchvin.policies.kept_plan import KeptPlans


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 6, 7, 9))


def expected(policy, planes, states):
    with torch.no_grad():
        output = policy(planes, states[:, None])
    row, col = states[:, -2], states[:, -1]
    orientation = states[:, 0] if states.shape[1] == 3 else torch.zeros_like(row)
    return output.logits[:, 0], output.plan.value[torch.arange(len(states)), orientation, row, col]


def test_answers_are_those_of_the_policy(planes):
    policy = build_policy(NormalizedConfig(hidden_channels=8))
    plans = KeptPlans(policy)
    for states in (torch.ones(6, 2, dtype=torch.int64), torch.tensor([[6, 8]] * 6)):
        for got, right in zip(plans(planes, states), expected(policy, planes, states), strict=True):
            assert torch.allclose(got, right)


def test_answers_with_orientations(random_maps):
    blocked, goal = random_maps(0, 3, 5, 6)
    observation = encode(blocked, torch.cat([torch.ones(3, 1, dtype=torch.int64), goal], dim=1), num_orientations=4)
    policy = build_policy(NormalizedConfig(3, hidden_channels=8, num_orientations=4))
    states = torch.tensor([[0, 1, 2], [3, 4, 5], [2, 0, 0]])
    for got, right in zip(KeptPlans(policy)(observation, states), expected(policy, observation, states), strict=True):
        assert torch.allclose(got, right)


def test_only_changed_maps_are_planned_again(planes):
    policy = build_policy(NormalizedConfig(hidden_channels=8))
    plans, states = KeptPlans(policy), torch.ones(6, 2, dtype=torch.int64)
    plans(planes, states)
    assert plans.planned == 6
    plans(planes.clone(), states + 1)
    assert plans.planned == 0
    planes[[1, 4]] = planes[[4, 1]]
    logits, _ = plans(planes, states)
    assert plans.planned == 2
    assert torch.allclose(logits, expected(policy, planes, states)[0])
    plans(planes, states)
    assert plans.planned == 0


def test_new_weights_mean_new_plans(planes):
    policy = build_policy(NormalizedConfig(hidden_channels=8))
    plans, states = KeptPlans(policy), torch.ones(6, 2, dtype=torch.int64)
    plans(planes, states)
    optimizer = torch.optim.SGD(policy.parameters(), lr=0.5)
    policy(planes).logits.square().sum().backward()
    optimizer.step()
    logits, _ = plans(planes, states)
    assert plans.planned == 6
    assert torch.allclose(logits, expected(policy, planes, states)[0])
    plans.forget()
    plans(planes, states)
    assert plans.planned == 6
    plans(planes[:3], states[:3])
    assert plans.planned == 3
