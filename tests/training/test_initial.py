"""The authors' initial weights: the numbers of numpy's generator, in their order, turned as Theano turns them."""

import numpy as np
import pytest
import torch

from torchvin import FCNConfig, GPPNConfig, NormalizedConfig, PaperConfig, build_policy
from torchvin.errors import InputError
from torchvin.training.initialize import initialize_from
from torchvin.training.presets import preset

PAPER = preset("gridworld-8-paper").policy


def test_the_weights_are_the_authors_numbers():
    policy = build_policy(PAPER)
    initialize_from(policy, "authors", seed=3)
    numbers = (np.random.RandomState(3).randn(150 + 2_700 + 150 + 90 + 90 + 80) * 0.01).astype(np.float32)
    bias, hidden, outward, share, kernel, head = np.split(numbers, np.cumsum([150, 2_700, 150, 90, 90]))
    weights = {name: value.numpy() for name, value in policy.state_dict().items()}
    assert len(weights) == 6
    np.testing.assert_array_equal(weights["planner.reward.hidden.bias"], bias)
    np.testing.assert_array_equal(weights["planner.reward.hidden.weight"][:, :, ::-1, ::-1].ravel(), hidden)
    np.testing.assert_array_equal(weights["planner.reward.reward.weight"].ravel(), outward)
    np.testing.assert_array_equal(weights["planner.reward.q_conv.weight"][:, :, ::-1, ::-1].ravel(), share)
    np.testing.assert_array_equal(weights["planner.iteration.transition.weight"][:, :, ::-1, ::-1].ravel(), kernel)
    np.testing.assert_array_equal(weights["head.weight"].T.ravel(), head)


def test_another_seed_is_another_start_and_torch_s_draw_does_not_matter():
    starts = []
    for torchs, seed in ((0, 0), (1, 0), (0, 1)):
        torch.manual_seed(torchs)
        policy = build_policy(PAPER)
        initialize_from(policy, "authors", seed)
        starts.append(policy.planner.reward.hidden.weight)
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


@pytest.mark.parametrize(
    "config",
    [
        NormalizedConfig(),
        FCNConfig(height=8, width=8),
        PaperConfig(untied=11),
        GPPNConfig(),
    ],
)
def test_other_policies_have_no_such_start(config):
    with pytest.raises(InputError, match="--init authors: these are weights of the design 'paper'"):
        initialize_from(build_policy(config), "authors")
