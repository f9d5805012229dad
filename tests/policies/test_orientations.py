"""Policies of an agent with orientations, and on maps with terrain."""

import pytest
import torch

from torchvin import NormalizedConfig, PaperConfig, build_policy
from torchvin.architectures.registry import architecture, config_from_json
from torchvin.data.draw import draw_maps
from torchvin.errors import InputError, ShapeError
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.pretrained.store import available, load_policy
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import MapExamples, StateExamples

NORMALISED = NormalizedConfig(num_actions=3, num_orientations=4)
PAPER = PaperConfig(num_actions=3, num_q=5, num_orientations=4, hidden_channels=10)


@pytest.fixture(scope="module")
def mazes():
    return draw_maps("maze", 4, 9, 7, seed=0, moves=DifferentialDrive())


@pytest.mark.parametrize("config", [NORMALISED, PAPER], ids=["normalized", "paper"])
def test_the_logits_of_a_state_are_those_of_its_cell_and_orientation(mazes, config):
    torch.manual_seed(0)
    policy = build_policy(config)
    planes = mazes.planes()
    everywhere = policy(planes).logits
    assert everywhere.shape == (4, 12, 9, 7)
    assert policy(planes).plan.value.shape == (4, 4, 9, 7)
    states = mazes.starts
    logits = policy(planes, states).logits
    assert logits.shape == (4, 7, 3)
    for index in range(4):
        for number, (o, row, col) in enumerate(states[index].tolist()):
            torch.testing.assert_close(logits[index, number], everywhere[index, 3 * o : 3 * o + 3, row, col])


@pytest.mark.parametrize("config", [NORMALISED, PAPER], ids=["normalized", "paper"])
@pytest.mark.parametrize("supervision", ["all-cells", "demonstrations", "states"])
@pytest.mark.parametrize("loss", ["optimal-set", "single-label"])
def test_every_weight_learns_from_every_supervision(mazes, config, supervision, loss):
    torch.manual_seed(0)
    policy = build_policy(config)
    options = TrainingConfig(supervision=supervision, loss=loss, states_per_example=5)
    examples = StateExamples(mazes, options, 0) if supervision == "states" else MapExamples(mazes, options)
    total, count = examples.loss(policy, torch.arange(min(8, len(examples))), torch.device("cpu"))
    assert count > 0
    assert total.isfinite()
    total.backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())
    assert all(parameter.grad.abs().sum() > 0 for name, parameter in policy.named_parameters() if "terrain" not in name)


def test_the_loss_of_orientations_is_the_sum_of_each_alone(mazes):
    from torchvin.training.imitation.losses import optimal_set_loss, single_label_loss

    logits = torch.randn(4, 12, 9, 7, generator=torch.Generator().manual_seed(1))
    sets = mazes.optimal_actions
    whole = optimal_set_loss(logits, sets, sets != 0)
    alone = [optimal_set_loss(logits[:, 3 * o : 3 * o + 3], sets[:, o], sets[:, o] != 0) for o in range(4)]
    torch.testing.assert_close(whole, sum(alone))
    shown = mazes.demonstrated
    whole = single_label_loss(logits, shown, shown != 255)
    alone = [single_label_loss(logits[:, 3 * o : 3 * o + 3], shown[:, o], shown[:, o] != 255) for o in range(4)]
    torch.testing.assert_close(whole, sum(alone))


def test_giving_up_is_worth_nothing_in_every_orientation(mazes):
    policy = build_policy(NORMALISED)
    q_values = policy(mazes.planes()).plan.q_values.view(4, 4, 4, 9, 7)
    assert (q_values[:, :, 3] == 0).all()
    kernel = policy.planner.iteration.transition()
    assert kernel.shape == (16, 4, 3, 3)
    weights = kernel.view(4, 4, -1).sum(dim=2)
    torch.testing.assert_close(weights[:, :3], torch.full((4, 3), 0.99))
    assert (weights[:, 3] == 0).all()


def test_terrain_has_planes_of_its_own():
    dataset = draw_maps("gridworld", 2, 8, 8, moves=GridMotion(), terrain_costs=(1.0, 2.0, 4.0))
    for config in (NormalizedConfig(num_terrains=3), PaperConfig(num_terrains=3)):
        policy = build_policy(config)
        base = policy(dataset.planes()).logits
        assert base.shape == (2, 8, 8, 8)
        other = dataset.planes()
        other[:, 1:3] = other[:, 1:3].flip(1)
        assert not torch.allclose(policy(other).logits, base)


@pytest.mark.parametrize("name", ["hierarchical", "dynamic", "cnn", "fcn"])
@pytest.mark.parametrize("field", ["num_orientations", "num_terrains"])
def test_architectures_that_know_neither_orientations_nor_terrain_have_one_of_each(name, field):
    assert getattr(architecture(name).config(), field) == 1
    with pytest.raises(InputError, match=f"the architecture '{name}' has no field {field}"):
        config_from_json({"architecture": name, field: 2})


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("gridworld")])
def test_shipped_weights_load_as_before(name):
    config = load_policy(name).config
    assert (config.num_orientations, config.num_terrains) == (1, 1)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_states_without_an_orientation_are_refused(mazes):
    policy = build_policy(NORMALISED)
    with pytest.raises(ShapeError, match=r"states must have shape \[4, S, 3\], got \[4, 1, 2\]"):
        policy(mazes.planes(), torch.zeros(4, 1, 2, dtype=torch.int64))
    with pytest.raises(InputError, match="a state lies off the 9x7 map"):
        policy(mazes.planes(), torch.tensor([[[4, 0, 0]]] * 4))
