import copy
import math

import pytest
import torch
from torch import nn

from torchvin import GridPlanner, NormalizedConfig, PaperConfig, Planner, build_policy
from torchvin.errors import InputError, ShapeError
from torchvin.maps.observe import encode
from torchvin.planning.models.transition import FreeTransition
from torchvin.planning.value_iteration import ValueIteration, value_iteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.heads import LinearHead, ScaleHead
from torchvin.policies.vin import VIN

CONFIGS = {"normalized": NormalizedConfig(), "paper": PaperConfig()}


@pytest.fixture(params=list(CONFIGS))
def policy(request):
    torch.manual_seed(0)
    return build_policy(CONFIGS[request.param])


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 3, 7, 10))


def test_the_logits_of_states_are_those_of_their_cells(policy, planes):
    states = torch.tensor([[[0, 0], [6, 9]], [[3, 8], [3, 8]], [[6, 0], [0, 9]]])
    everywhere = policy(planes).logits
    assert everywhere.shape == (3, 8, 7, 10)
    gathered = policy(planes, states).logits
    assert gathered.shape == (3, 2, 8)
    for index in range(3):
        for number, (row, col) in enumerate(states[index].tolist()):
            torch.testing.assert_close(gathered[index, number], everywhere[index, :, row, col])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 12), (12, 3), (20, 17)])
@pytest.mark.parametrize("num_iterations", [0, 1, 30])
def test_any_size_of_map_and_any_k_at_call_time(policy, random_maps, height, width, num_iterations):
    output = policy(encode(*random_maps(1, 2, height, width)), num_iterations=num_iterations)
    assert output.logits.shape == (2, 8, height, width)
    assert output.plan.num_iterations == num_iterations
    assert output.logits.isfinite().all()


@pytest.mark.parametrize(
    ("config", "height", "width", "expected"),
    [
        (PaperConfig(), 8, 8, 10),
        (PaperConfig(), 16, 16, 20),
        (NormalizedConfig(), 16, 16, 32),
        (NormalizedConfig(), 5, 9, 18),
        (NormalizedConfig(), 9, 5, 18),
        (NormalizedConfig(iterations_per_side=1.5), 7, 3, math.ceil(10.5)),
    ],
)
def test_k_grows_with_the_longer_side_of_the_map(config, height, width, expected):
    policy = build_policy(config)
    assert policy.default_iterations(height, width) == expected
    assert policy(torch.zeros(1, 2, height, width)).plan.num_iterations == expected


def test_planning_goes_on_from_an_earlier_plan(policy, planes):
    first = policy(planes, num_iterations=3)
    more = policy(planes, num_iterations=4, initial_value=first.plan.value)
    once = policy(planes, num_iterations=7)
    torch.testing.assert_close(more.logits, once.logits, rtol=1e-12, atol=1e-12)


def test_a_state_off_the_map_is_refused(policy, planes):
    for state in ([-1, 0], [0, -1], [7, 0], [0, 10]):
        with pytest.raises(InputError, match=r"a state lies off the 7x10 map; states are \(row, col\) from 0"):
            policy(planes, torch.tensor([[state]] * 3))


@pytest.mark.usefixtures("_unchecked_shapes")
def test_states_of_another_batch_are_refused(policy, planes):
    with pytest.raises(ShapeError, match=r"states must have shape \[3, S, 2\], got \[2, 4, 2\]"):
        policy(planes, torch.zeros(2, 4, 2, dtype=torch.int64))


class BlockedIsBad(nn.Module):
    """A reward without parameters, to take the place of a learned one."""

    def forward(self, planes):
        return (planes[:, 1:] - 10 * planes[:, :1]).expand(-1, 3, -1, -1)


def test_each_module_can_be_replaced(planes):
    torch.manual_seed(0)
    transition = FreeTransition(num_actions=3, scale=0.2)

    class TwiceThePlan(Planner):
        def __init__(self):
            super().__init__(iterations_per_side=1.0)
            self.reward = BlockedIsBad()
            self.transition = transition

        def forward(self, observation, *, num_iterations=None, initial_value=None):
            return value_iteration(
                self.reward(observation),
                self.transition(),
                num_iterations=2 * num_iterations,
                initial_value=initial_value,
            )

    class North(nn.Module):
        def forward(self, q_values, states=None):
            return q_values[:, :1]

    class Negative(nn.Module):
        def forward(self, features):
            return -features

    policy = VIN(planner=TwiceThePlan(), attention=North(), head=Negative())
    output = policy(planes, num_iterations=3)
    expected = value_iteration(BlockedIsBad()(planes), transition(), num_iterations=6)
    assert torch.equal(output.logits, -expected.q_values[:, :1])
    assert output.plan.num_iterations == 6


def test_a_custom_reward_trains_the_rest(planes):
    torch.manual_seed(0)
    policy = VIN(
        planner=GridPlanner(
            reward=BlockedIsBad(),
            iteration=ValueIteration(transition=FreeTransition(num_actions=3), num_iterations=4),
        ),
        attention=StateAttention(),
        head=LinearHead(num_q=3, num_actions=8),
    )
    policy(planes).logits.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in policy.parameters())


def test_every_parameter_learns(policy, planes):
    policy(planes).logits.log_softmax(dim=1)[:, 0].sum().backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_a_copy_is_the_same_policy_and_independent(policy, planes):
    other = copy.deepcopy(policy)
    before = policy(planes).logits
    assert torch.equal(other(planes).logits, before)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    assert torch.equal(policy(planes).logits, before)


def test_a_state_dict_carries_the_whole_policy(policy, planes, request):
    config = CONFIGS[request.node.callspec.params["policy"]]
    torch.manual_seed(99)
    other = build_policy(config)
    assert not torch.equal(other(planes).logits, policy(planes).logits)
    other.load_state_dict(policy.state_dict())
    assert torch.equal(other(planes).logits, policy(planes).logits)


def test_a_policy_plans_in_float64(policy, planes):
    assert policy.double()(planes.double()).logits.dtype == torch.float64


def test_the_maps_of_a_batch_do_not_meet(policy, planes):
    together = policy(planes).logits
    for index in range(3):
        torch.testing.assert_close(policy(planes[index : index + 1]).logits[0], together[index], rtol=1e-4, atol=1e-5)


def test_a_scale_head_keeps_the_order_of_the_plan():
    head, q_values = ScaleHead(num_actions=8), torch.randn(2, 8, 3, 4)
    with torch.no_grad():
        head.log_scale.fill_(-3.0)
    assert torch.equal(head(q_values).argmax(dim=1), q_values.argmax(dim=1))
    torch.testing.assert_close(head(q_values), q_values * math.exp(-3.0))


def test_a_linear_head_says_the_same_of_states_and_of_cells():
    torch.manual_seed(0)
    head, cells = LinearHead(num_q=10, num_actions=8, scale=1.0), torch.randn(2, 10, 3, 4)
    states = cells.flatten(2).transpose(1, 2)  # [B, S, A]
    torch.testing.assert_close(head(cells).flatten(2).transpose(1, 2), head(states))
    torch.testing.assert_close(head(states), states @ head.weight.T)


def test_a_linear_head_tells_three_axes_of_states_from_a_map_whatever_the_sizes():
    head = LinearHead(num_q=3, num_actions=2)
    assert head(torch.zeros(3, 3, 3)).shape == (3, 3, 2)
    assert head(torch.zeros(3, 3, 3, 3)).shape == (3, 2, 3, 3)


def test_attention_without_states_lets_everything_through():
    q_values = torch.randn(2, 3, 4, 5)
    assert StateAttention()(q_values) is q_values
