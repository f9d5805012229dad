import pytest
import torch

from torchvin import NormalizedConfig, PaperConfig, build_policy
from torchvin.architectures.registry import architectures
from torchvin.errors import InputError
from torchvin.planning.models.transition import FreeTransition, NormalizedTransition
from torchvin.policies.heads import LinearHead, ScaleHead


def count(policy):
    return sum(parameter.numel() for parameter in policy.parameters())


def test_the_papers_design_has_3260_parameters():
    policy = build_policy(PaperConfig())
    assert count(policy) == 3260
    sizes = {name: parameter.numel() for name, parameter in policy.named_parameters()}
    assert sizes == {
        "planner.reward.hidden.weight": 2700,
        "planner.reward.hidden.bias": 150,
        "planner.reward.reward.weight": 150,
        "planner.reward.q_conv.weight": 90,
        "planner.iteration.transition.weight": 90,
        "head.weight": 80,
    }


def test_the_papers_design_is_linear_up_to_the_planner_with_free_kernels():
    policy = build_policy(PaperConfig())
    assert isinstance(policy.planner.iteration.transition, FreeTransition)
    assert isinstance(policy.head, LinearHead)


def test_the_normalized_design_is_the_default():
    policy = build_policy(NormalizedConfig())
    assert isinstance(policy.planner.iteration.transition, NormalizedTransition)
    assert isinstance(policy.head, ScaleHead)
    assert policy.planner.iteration.transition.discount == 0.99


def test_the_numbers_of_the_config_reach_the_network():
    policy = build_policy(NormalizedConfig(num_actions=4, hidden_channels=14, kernel_size=5, discount=0.9))
    assert policy.planner.iteration.transition().shape == (5, 1, 5, 5)
    assert policy.planner.iteration.transition().sum().item() == pytest.approx(4 * 0.9)
    assert policy.planner.reward.goal[0].out_channels == 7
    assert policy(torch.zeros(1, 2, 6, 5)).logits.shape == (1, 4, 6, 5)
    assert build_policy(NormalizedConfig(gradient="checkpoint")).planner.iteration.gradient == "checkpoint"


def test_the_papers_design_may_have_more_q_channels_than_actions():
    policy = build_policy(PaperConfig(num_q=17, num_actions=4))
    assert policy(torch.zeros(1, 2, 6, 5)).plan.q_values.shape == (1, 17, 6, 5)
    assert policy(torch.zeros(1, 2, 6, 5)).logits.shape == (1, 4, 6, 5)


@pytest.mark.parametrize("name", list(architectures()))
def test_one_seed_builds_one_policy(name):
    config = architectures()[name].config()
    weights = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        weights.append(torch.cat([parameter.flatten() for parameter in build_policy(config).parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.usefixtures("_unchecked_shapes")
@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"kernel_size": 4}, "kernel_size must be odd, got 4"),
        ({"kernel_size": -1}, "kernel_size"),
        ({"iterations_per_side": 0.0}, r"iterations_per_side must lie between 0\.001 and 10000, got 0\.0"),
        ({"gradient": "chekpoint"}, "Did you mean 'checkpoint'"),
        ({"discount": 1.0}, "discount"),
        ({"hidden_channels": 0}, "hidden_channels"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_numbers_that_build_nothing_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        NormalizedConfig(**numbers)
