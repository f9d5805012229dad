"""Policies that push: what they see, where it holds, and what they refuse."""

import pytest
import torch

from torchvin import build_policy, load_policy, save_policy
from torchvin.architectures.control import ControlConfig
from torchvin.architectures.control_cnn import ControlCNNConfig
from torchvin.architectures.control_mlp import ControlMLPConfig
from torchvin.errors import InputError
from torchvin.policies.attention import PatchAttention

CONFIGS = [
    ControlConfig(),
    ControlConfig(planner="normalized"),
    ControlConfig(planner="paper"),
    ControlCNNConfig(),
    ControlMLPConfig(),
]


def scene(batch=2, number=5, side=16):
    random = torch.Generator().manual_seed(0)
    planes = torch.rand(batch, 2, side, side, generator=random)
    planes[:, 1] = 0.0
    planes[:, 1, 3, 4] = 10.0
    return planes, torch.rand(batch, number, 6, generator=random) - 0.5


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forces_of_states_and_of_all_cells(config, tmp_path):
    torch.manual_seed(0)
    policy = build_policy(config).eval()
    planes, states = scene()
    assert policy(planes, states).logits.shape == (2, 5, 2)
    assert policy(planes).logits.shape == (2, 2, 16, 16)
    save_policy(tmp_path, policy)
    assert torch.equal(load_policy(tmp_path)(planes, states).logits, policy(planes, states).logits)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_a_map_and_a_body_do_not_depend_on_others(config):
    torch.manual_seed(0)
    policy = build_policy(config).eval()
    planes, states = scene()
    together = policy(planes, states).logits
    alone = policy(planes[1:], states[1:, 2:3]).logits
    torch.testing.assert_close(alone[0, 0], together[1, 2])


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_looking_once_serves_every_step(config):
    torch.manual_seed(0)
    policy = build_policy(config).eval()
    planes, states = scene()
    seen, _ = policy.look(planes)
    assert torch.equal(policy.force(seen, states), policy(planes, states).logits)


@pytest.mark.parametrize("config", CONFIGS[:3], ids=str)
def test_what_a_vin_does_depends_on_the_plan_and_not_on_the_place(config):
    """The same plan around another place: only velocity and the near goal are told beside the patch."""
    torch.manual_seed(0)
    policy = build_policy(config).eval()
    value = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    state = torch.tensor([[[-0.3, 0.3, 0.2, 0.1, 0.7, 0.0]]])
    moved = state.clone()
    moved[..., :2] += torch.tensor([0.25, -0.125])  # two cells to the right, one down
    shifted = value.roll((1, 2), dims=(2, 3))
    torch.testing.assert_close(policy.force(value, state), policy.force(shifted, moved), atol=1e-5, rtol=0)
    assert not torch.equal(policy.force(value, state), policy.force(value, moved))


@pytest.mark.parametrize("config", CONFIGS[:3], ids=str)
def test_every_part_of_a_vin_learns_from_forces(config):
    torch.manual_seed(0)
    policy = build_policy(config)
    planes, states = scene()
    policy(planes, states).logits.square().sum().backward()
    parts = dict(policy.named_parameters())
    learning = {name for name, part in parts.items() if part.grad is not None and bool((part.grad != 0).any())}
    assert {name for name in parts if name.startswith("planner")} & learning
    assert "eyes.log_scale" in learning


def test_the_papers_planner_begins_with_the_moves_of_the_grid():
    planner = build_policy(ControlConfig(planner="paper")).planner
    weight = planner.iteration.transition.weight
    assert weight.sum(dim=(1, 2, 3)).tolist() == pytest.approx([0.95] * 10)
    assert weight[2, 0, 1, 2] == 0.95  # the move east
    assert planner.reward.q_conv.weight[2, 0, 1, 2] == 1.0


def test_a_patch_is_interpolated_between_cells():
    """On a value that rises evenly to the right and up, differences are those of the places."""
    size, attention = 16, PatchAttention(size=3, scale=1e-3)
    middles = (torch.arange(size) + 0.5) * 2 / size - 1
    value = (2 * middles[None, :] - middles[:, None])[None, None]  # rows go down: 2 x + y
    patch = attention(value, torch.tensor([[[0.03, -0.21]]]))[0, 0].view(3, 3) / 1e-3
    cell = 2 / size
    expected = [[2 * right * cell + up * cell for right in (-1, 0, 1)] for up in (1, 0, -1)]
    torch.testing.assert_close(patch, torch.tensor(expected), atol=2e-4, rtol=0)
    with pytest.raises(InputError, match="the side of a patch must be odd, got 4"):
        PatchAttention(size=4)


def test_a_cnn_knows_one_size_and_a_vin_any():
    planes, states = scene(side=32)
    with pytest.raises(InputError, match="built for maps of 16x16 cells and knows no other size, got 32x32"):
        build_policy(ControlCNNConfig())(planes, states)
    assert build_policy(ControlConfig())(planes, states).logits.shape == (2, 5, 2)
    with pytest.raises(InputError, match="does not plan"):
        build_policy(ControlMLPConfig())(planes, states, num_iterations=3)
