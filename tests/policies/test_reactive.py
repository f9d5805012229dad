"""The reactive baselines: what they see, that cells and states agree, that the large filter is the convolution."""

import pytest
import torch
from torch.nn import functional

from torchvin import CNNConfig, FCNConfig, build_policy
from torchvin.errors import InputError
from torchvin.maps.observe import encode
from torchvin.policies.reactive.cnn import CNN
from torchvin.policies.reactive.fcn import FCN


@pytest.fixture(params=[CNNConfig, FCNConfig])
def policy(request):
    torch.manual_seed(0)
    return build_policy(request.param(height=8, width=6))


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 3, 8, 6))


def test_the_logits_of_states_are_those_of_their_cells(policy, planes):
    free = [(planes[index, 0] == 0).nonzero()[[0, 3, -1]] for index in range(3)]
    states = torch.stack(free)
    everywhere = policy(planes).logits
    assert everywhere.shape == (3, 8, 8, 6)
    gathered = torch.stack([everywhere[index, :, rows, cols].T for index, (rows, cols) in enumerate(states.mT)])
    torch.testing.assert_close(policy(planes, states).logits, gathered, atol=1e-5, rtol=1e-4)


def test_the_policy_depends_on_the_state_the_goal_and_the_obstacles(policy, planes):
    logits = policy(planes[:1]).logits
    free = planes[0, 0] == 0
    assert logits[0][:, free].std(dim=1).max() > 1e-4
    for plane in (0, 1):
        other = planes[:1].clone()
        other[:, plane] = other[:, plane].flip(1)
        both = free & (other[0, 0] == 0)
        assert (policy(other).logits - logits)[0][:, both].abs().max() > 1e-4


def test_every_parameter_learns(policy, planes):
    policy(planes, torch.tensor([[[0, 0], [7, 5]]] * 3)).logits.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in policy.parameters())


def test_a_reactive_policy_has_no_plan_and_no_iterations(policy, planes):
    assert policy(planes).plan is None
    assert policy.default_iterations(8, 6) == 0
    with pytest.raises(InputError, match="does not plan"):
        policy(planes, num_iterations=5)


def test_a_map_of_another_size_is_refused(policy):
    with pytest.raises(InputError, match="built for 8x6 maps and knows no other size, got 6x8"):
        policy(torch.zeros(1, 2, 6, 8))


def test_a_size_that_cannot_be_pooled_twice_is_refused():
    with pytest.raises(InputError, match="height must lie between 4 and 512, got 3"):
        CNNConfig(height=3, width=8)


def test_the_cnn_is_the_authors():
    sizes = [tuple(module.weight.shape) for module in CNN(height=16, width=16).features if hasattr(module, "weight")]
    assert sizes == [(50, 3, 3, 3), (50, 50, 3, 3), (100, 50, 3, 3), (100, 100, 3, 3), (100, 100, 3, 3)]
    assert CNN(height=16, width=16).head.weight.shape == (8, 100 * 4 * 4)


def test_pooling_before_the_relu_is_pooling_after_it(planes):
    """Function and gradient, against ReLU and then pooling."""
    policy = CNN(height=8, width=6)
    samples = torch.cat([planes, torch.rand(3, 1, 8, 6)], dim=1)
    convolutions = [module for module in policy.features if isinstance(module, torch.nn.Conv2d)]
    after = samples
    for index, convolution in enumerate(convolutions):
        after = torch.relu(convolution(after))
        after = functional.max_pool2d(after, 2) if index in (0, 2) else after
    ours = policy.features(samples)
    torch.testing.assert_close(ours, after)
    weights = [convolution.weight for convolution in convolutions]
    gradients = (torch.autograd.grad(features.square().sum(), weights) for features in (ours, after))
    torch.testing.assert_close(*gradients)


def test_the_cnn_answers_many_samples_in_parts(planes, monkeypatch):
    policy = CNN(height=8, width=6)
    whole = policy(planes).logits
    monkeypatch.setattr("torchvin.policies.reactive.cnn._SAMPLES_AT_ONCE", 7)
    torch.testing.assert_close(policy(planes).logits, whole, atol=1e-6, rtol=1e-5)


def test_the_cnn_sees_where_the_agent_stands(planes):
    """Against its layers called on the three planes by hand."""
    policy = CNN(height=8, width=6)
    here = torch.zeros(1, 1, 8, 6)
    here[..., 5, 2] = 1.0
    by_hand = policy.head(policy.features(torch.cat([planes[1:2], here], dim=1)).flatten(1))
    torch.testing.assert_close(policy(planes[1:2], torch.tensor([[[5, 2]]])).logits[:, 0], by_hand)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (8, 5), (5, 9), (16, 16)])
def test_the_large_filter_is_the_convolution(random_maps, height, width):
    torch.manual_seed(1)
    policy = FCN(height=height, width=width).double()
    planes = encode(*random_maps(2, 2, height, width), dtype=torch.float64)
    direct = functional.conv2d(planes, policy.view.weight, policy.view.bias, padding=(height - 1, width - 1))
    torch.testing.assert_close(policy._view_everywhere(planes), direct, atol=1e-10, rtol=1e-10)
    states = torch.tensor([[[0, 0], [height - 1, 1]], [[1, width - 1], [2, 2]]])
    rows, cols = states.unbind(-1)
    gathered = direct[torch.arange(2)[:, None], :, rows, cols]
    torch.testing.assert_close(policy._view_at(planes, states), gathered, atol=1e-10, rtol=1e-10)


def test_the_large_filter_has_the_gradient_of_the_convolution(random_maps):
    policy = FCN(height=5, width=6).double()
    planes = encode(*random_maps(2, 2, 5, 6), dtype=torch.float64)
    ours = torch.autograd.grad(policy._view_everywhere(planes).square().sum(), policy.view.weight)[0]
    direct = functional.conv2d(planes, policy.view.weight, policy.view.bias, padding=(4, 5))
    torch.testing.assert_close(ours, torch.autograd.grad(direct.square().sum(), policy.view.weight)[0])
