"""The soft maximum: its definition, its limit, its gradient, and what it does to the plan."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from torchvin import InputError, NormalizedConfig, NormalizedTransition, ValueIteration, build_policy, value_iteration
from torchvin.maps.observe import encode


def problem(actions=3, height=4, width=6, batch=2):
    torch.manual_seed(0)
    transition = NormalizedTransition(num_actions=actions, discount=0.9).double()
    return torch.randn(batch, actions, height, width, dtype=torch.float64), transition().detach()


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_an_update_is_the_log_of_the_sum_of_exponentials(temperature):
    q_reward, kernel = problem()
    before = value_iteration(q_reward, kernel, num_iterations=4, temperature=temperature)
    after = value_iteration(q_reward, kernel, num_iterations=5, temperature=temperature)
    expected = temperature * (before.q_values / temperature).exp().sum(dim=1, keepdim=True).log()
    torch.testing.assert_close(after.value, expected)
    change = (after.value - before.value).abs().flatten(1).amax(dim=1)
    torch.testing.assert_close(before.residual, change)


def test_as_the_temperature_falls_the_plan_becomes_the_hard_one():
    q_reward, kernel = problem(actions=5)
    hard = value_iteration(q_reward, kernel, num_iterations=30).value
    gaps = []
    for temperature in (1.0, 0.1, 0.01, 0.001):
        soft = value_iteration(q_reward, kernel, num_iterations=30, temperature=temperature).value
        assert (soft >= hard - 1e-12).all()
        # Each of the 30 updates adds at most T log A, discounted by 0.9.
        assert (soft - hard).max() <= temperature * math.log(5) * (1 - 0.9**30) / (1 - 0.9)
        gaps.append((soft - hard).max().item())
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-3
    assert torch.equal(value_iteration(q_reward, kernel, num_iterations=30, temperature=0.0).value, hard)


def test_as_the_temperature_falls_the_gradient_becomes_the_hard_one():
    q_reward, kernel = problem()

    def gradient(temperature):
        leaf = q_reward.clone().requires_grad_()
        value_iteration(leaf, kernel, num_iterations=8, temperature=temperature).value.sum().backward()
        return leaf.grad

    assert not torch.allclose(gradient(1.0), gradient(0.0), atol=0.1)
    torch.testing.assert_close(gradient(1e-6), gradient(0.0))


def test_every_action_carries_gradient_in_proportion_to_its_probability():
    q_reward = torch.tensor([1.0, 2.0, 2.5], dtype=torch.float64).view(1, 3, 1, 1).requires_grad_()
    kernel = torch.zeros(3, 1, 1, 1, dtype=torch.float64)
    value_iteration(q_reward, kernel, num_iterations=1, temperature=0.5).value.sum().backward()
    torch.testing.assert_close(q_reward.grad, (q_reward.detach() / 0.5).softmax(dim=1))


def test_no_overflow_at_a_small_temperature_and_large_values():
    plan = value_iteration(torch.full((1, 2, 2, 2), 1e4), torch.zeros(2, 1, 3, 3), num_iterations=2, temperature=1e-3)
    assert plan.value.isfinite().all()


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
@pytest.mark.parametrize("num_iterations", [0, 1, 6])
def test_gradients_are_those_of_finite_differences(gradient, num_iterations):
    def run(q_reward, kernel, value):
        plan = value_iteration(
            q_reward, kernel, num_iterations=num_iterations, initial_value=value, gradient=gradient, temperature=0.3
        )
        return plan.q_values, plan.value

    q_reward, kernel = problem(height=2, width=3)
    assert gradcheck(
        run, tuple(each.requires_grad_() for each in (q_reward, kernel, torch.randn_like(q_reward[:, :1])))
    )


def test_each_orientation_has_its_own_soft_maximum():
    torch.manual_seed(0)
    q_reward = torch.randn(1, 2 * 3, 3, 4, dtype=torch.float64)
    kernel = torch.zeros(2 * 3, 2, 3, 3, dtype=torch.float64)
    value = value_iteration(q_reward, kernel, num_iterations=1, temperature=1.0).value
    torch.testing.assert_close(value[:, 1], q_reward[:, 3:].logsumexp(dim=1))


def test_the_layer_and_the_policy_have_a_temperature(random_maps):
    q_reward, _ = problem(actions=4)
    transition = NormalizedTransition(num_actions=4).double()
    layer = ValueIteration(transition=transition, num_iterations=5, temperature=0.7)
    expected = value_iteration(q_reward[:, :1].expand(-1, 4, -1, -1), transition(), num_iterations=5, temperature=0.7)
    assert torch.equal(layer(q_reward[:, :1].expand(-1, 4, -1, -1)).value, expected.value)
    planes = encode(*random_maps(0, 2, 6, 9))
    values = []
    for temperature in (0.0, 0.5):
        torch.manual_seed(0)
        policy = build_policy(NormalizedConfig(temperature=temperature))
        values.append(policy(planes).plan.value)
    assert (values[1] > values[0]).all()


def test_it_runs_in_plain_pytorch_and_says_so():
    q_reward, kernel = problem()
    with pytest.raises(InputError, match="the soft maximum runs in plain PyTorch: use backend='auto' or 'reference'"):
        value_iteration(q_reward, kernel, num_iterations=1, temperature=1.0, backend="cpu")


def test_a_negative_temperature_is_refused():
    q_reward, kernel = problem()
    with pytest.raises(InputError, match=r"temperature must not be negative, got -1\.0"):
        value_iteration(q_reward, kernel, num_iterations=1, temperature=-1.0)
    with pytest.raises(InputError, match=r"temperature must lie between 0 and 1e\+06, got -1\.0"):
        NormalizedConfig(temperature=-1.0)
