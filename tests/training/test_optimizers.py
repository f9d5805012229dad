import math
from copy import deepcopy

import pytest
import torch

from torchvin import PaperConfig, build_policy
from torchvin.errors import InputError
from torchvin.training.config import TrainingConfig
from torchvin.training.optimizers import RMSpropEpsilonInside, build_optimizer, build_schedule
from torchvin.training.presets import AUTHORS


def test_two_steps_by_hand():
    weights = [torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64)), torch.nn.Parameter(torch.zeros(1))]
    optimizer = RMSpropEpsilonInside(weights, lr=0.01, rho=0.9, epsilon=1e-6)
    expected, means = [1.0, -2.0], [0.0, 0.0]
    for gradient in ([3e-4, 2.0], [-1e-3, 0.5]):
        weights[0].grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        for index, g in enumerate(gradient):
            means[index] = 0.9 * means[index] + 0.1 * g * g
            expected[index] -= 0.01 * g / math.sqrt(means[index] + 1e-6)
    assert weights[0].tolist() == pytest.approx(expected, rel=1e-12)
    assert weights[1].item() == 0.0  # without a gradient nothing moves


def test_its_state_can_be_saved():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = RMSpropEpsilonInside([weight], lr=0.1)
    weight.grad = torch.ones(3)
    optimizer.step()
    copy = torch.nn.Parameter(weight.detach().clone())
    restored = RMSpropEpsilonInside([copy], lr=0.5)
    restored.load_state_dict(deepcopy(optimizer.state_dict()))
    copy.grad = torch.ones(3)
    optimizer.step()
    restored.step()
    assert copy.equal(weight)


def test_the_authors_stages():
    policy = build_policy(PaperConfig())
    optimizer = build_optimizer(AUTHORS, policy)
    assert isinstance(optimizer, RMSpropEpsilonInside)
    schedule = build_schedule(AUTHORS, optimizer, total_steps=120)
    rates = []
    for _ in range(120):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.01] * 30 + [0.005] * 30 + [0.002] * 30 + [0.001] * 30)


@pytest.mark.parametrize("stages", [(), (1.0, 0.0)])
def test_stages_that_are_none_are_refused(stages):
    with pytest.raises(InputError, match="stages must be one or more positive factors"):
        TrainingConfig(stages=stages)
