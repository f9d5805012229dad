import pytest
import torch

from torchvin import HierarchicalConfig, NormalizedConfig, PaperConfig, build_policy
from torchvin.errors import InputError
from torchvin.maps.observe import encode

HIERARCHICAL = HierarchicalConfig(hidden_channels=32)


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
    policy.planner.coarse.iteration.transition.weight.data.zero_()
    policy.planner.coarse.reward.q_conv.weight.data.zero_()
    torch.testing.assert_close(far((12, 12)), far((12, 5)))


def test_every_parameter_learns(random_maps):
    torch.manual_seed(0)
    policy = build_policy(HIERARCHICAL)
    policy(encode(*random_maps(0, 3, 8, 8))).logits.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in policy.parameters())


def test_untied_kernels_are_one_an_iteration():
    policy = build_policy(PaperConfig(untied=4))
    assert policy.planner.iteration.transition().shape == (4, 10, 1, 3, 3)
    tied = build_policy(PaperConfig())
    untied = build_policy(PaperConfig(untied=10))
    state = tied.state_dict()
    weight = state["planner.iteration.transition.weight"]
    untied.load_state_dict({**state, "planner.iteration.transition.weight": weight.expand(10, *weight.shape)})
    planes = torch.rand(2, 2, 7, 7)
    torch.testing.assert_close(untied(planes, num_iterations=9).logits, tied(planes, num_iterations=9).logits)
    with pytest.raises(InputError, match="kernel must have shape"):
        untied(planes, num_iterations=12)


@pytest.mark.parametrize(
    "config", [PaperConfig(reward="action"), NormalizedConfig(reward="image")], ids=["paper", "normalized"]
)
def test_either_reward_goes_with_either_transition(config):
    assert build_policy(config)(torch.rand(2, 2, 7, 6)).logits.shape == (2, 8, 7, 6)


def test_it_cannot_continue_from_a_value(random_maps):
    policy = build_policy(HIERARCHICAL)
    assert not policy.planner.resumable
    planes = encode(*random_maps(0, 1, 8, 8))
    with pytest.raises(InputError, match="cannot continue from a value: it plans on two maps; plan anew"):
        policy(planes, initial_value=policy(planes).plan.value)
