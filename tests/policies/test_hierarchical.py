import pytest
import torch
from torchvin.policies.builders import PAPER, PolicyConfig, build_policy

from torchvin.errors import InputError
from torchvin.maps.observe import encode

HIERARCHICAL = PolicyConfig(design="hierarchical", num_q=10, iterations_per_side=0.3125)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 6), (7, 11)])
def test_any_size_of_map(random_maps, height, width):
    output = build_policy(HIERARCHICAL)(encode(*random_maps(0, 2, height, width)))
    assert output.logits.shape == (2, 8, height, width)
    assert output.plan.num_iterations == -(-5 * max(height, width) // 16)


def test_the_coarse_plan_reaches_further_than_the_fine_one(random_maps):
    """Far from the goal, out of reach of the fine iterations, the policy still knows of the goal's place."""
    torch.manual_seed(0)
    policy = build_policy(HIERARCHICAL)
    for parameter in policy.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    blocked = torch.zeros(1, 16, 16, dtype=torch.bool)

    def far(goal):
        return policy(encode(blocked, torch.tensor([goal])), num_iterations=2).logits[0, :, 0, 0]

    assert not torch.allclose(far((12, 12)), far((12, 5)))
    policy.coarse_planner.transition.weight.data.zero_()
    policy.coarse_reward.q_conv.weight.data.zero_()
    torch.testing.assert_close(far((12, 12)), far((12, 5)))


def test_every_parameter_learns(random_maps):
    torch.manual_seed(0)
    policy = build_policy(HIERARCHICAL)
    policy(encode(*random_maps(0, 3, 8, 8))).logits.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in policy.parameters())


def test_untied_kernels_are_one_an_iteration():
    policy = build_policy(PolicyConfig(design="paper", num_q=10, untied=4))
    assert policy.planner.transition().shape == (4, 10, 1, 3, 3)
    tied = build_policy(PAPER)
    untied = build_policy(PolicyConfig(design="paper", num_q=10, hidden_channels=150, untied=10))
    state = tied.state_dict()
    weight = state["planner.transition.weight"]
    untied.load_state_dict({**state, "planner.transition.weight": weight.expand(10, *weight.shape)})
    planes = torch.rand(2, 2, 7, 7)
    torch.testing.assert_close(untied(planes, num_iterations=9).logits, tied(planes, num_iterations=9).logits)
    with pytest.raises(InputError, match="kernel must have shape"):
        untied(planes, num_iterations=12)


def test_untied_kernels_need_the_design_that_has_them():
    with pytest.raises(InputError, match="untied kernels are an option of the design 'paper'"):
        PolicyConfig(untied=3)


@pytest.mark.parametrize(("design", "reward"), [("paper", "action"), ("normalized", "image")])
def test_either_reward_goes_with_either_transition(design, reward):
    config = PolicyConfig(design=design, num_q=9 if design == "normalized" else 10, reward=reward)
    assert build_policy(config)(torch.rand(2, 2, 7, 6)).logits.shape == (2, 8, 7, 6)
