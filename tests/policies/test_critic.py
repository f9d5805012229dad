"""State values beside the logits: from the plan, or from the features of the CNN."""

import pytest
import torch

from torchvin import CNN, FCN, InputError, NormalizedConfig, build_policy, encode
from torchvin.policies.critic import critic_for


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 4, 8, 8))


STATES = torch.tensor([[0, 9, 63], [1, 1, 1], [5, 40, 8], [62, 3, 20]])


@pytest.mark.parametrize("policy", [lambda: build_policy(NormalizedConfig()), lambda: CNN(height=8, width=8)])
def test_step_by_step_and_all_at_once_are_the_same(planes, policy):
    policy = policy()
    critic = critic_for(policy)
    logits, values = critic(policy, planes, STATES)
    at = torch.stack([STATES // 8, STATES % 8], dim=-1)
    assert torch.allclose(logits, policy(planes, at).logits, atol=1e-6)
    answer = critic.answer(policy, planes)
    for step in range(3):
        some_logits, some_values = answer(STATES[:, step : step + 1])
        assert torch.allclose(some_logits[:, 0], logits[:, step], atol=1e-6)
        assert torch.allclose(some_values[:, 0], values[:, step], atol=1e-6)


def test_values_are_an_affine_function_of_the_plan(planes):
    policy = build_policy(NormalizedConfig())
    critic = critic_for(policy)
    with torch.no_grad():
        critic.scale.fill_(2.0)
        critic.offset.fill_(-1.0)
    _, values = critic(policy, planes, STATES)
    assert torch.allclose(values, 2 * policy(planes).plan.value.flatten(1).gather(1, STATES) - 1)


def test_a_policy_without_values_is_refused():
    with pytest.raises(InputError, match="needs state values, which a FCN does not give"):
        critic_for(FCN(height=8, width=8))
