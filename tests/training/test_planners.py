"""Trainings of the planners beside the VIN: presets run, gradients are cut, layers teach, the fixed point trains."""

import dataclasses
import json
import math

import pytest
import torch

from torchvin import InputError, NormalizedConfig, build_policy, train
from torchvin.cli.main import main
from torchvin.data.draw import draw_maps
from torchvin.experts.path_lengths import path_lengths
from torchvin.mdp.motion import GridMotion
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import MapExamples, StateExamples
from torchvin.training.optimizers import build_optimizer
from torchvin.training.presets import preset


@pytest.fixture(scope="module")
def mazes():
    return draw_maps("maze", 80, 9, 9, moves=GridMotion(4))


def small(name, *, epochs=3, **policy):
    """A preset with few epochs, for the small mazes of this file."""
    config = preset(name)
    training = dataclasses.replace(config.training, epochs=epochs, validation_maps=10, batch_size=8, tensorboard=False)
    return dataclasses.replace(config, policy=dataclasses.replace(config.policy, **policy), training=training)


SMALL = {
    "maze-15-gppn": {"hidden_channels": 16, "kernel_size": 5},
    "maze-15-vin": {"num_q": 40},
    "maze-15-dynamic": {"hidden_channels": 10},
}


@pytest.mark.parametrize("name", list(SMALL))
def test_every_preset_of_mazes_lowers_the_loss(tmp_path, mazes, name):
    history = train(small(name, **SMALL[name]), mazes, tmp_path / "run").history
    assert history[-1]["loss"] < 0.98 * history[0]["loss"]


@pytest.mark.parametrize("name", list(SMALL))
def test_the_command_draws_mazes_for_a_preset(tmp_path, name, capsys):
    options = ["--training.epochs", "1", "--training.no-tensorboard", "--data.maps", "4", "--training.batch-size", "2"]
    main(["train", "--preset", name, "--out", str(tmp_path / "run"), "--json", *options])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["maps"] == 4
    config = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (config["data"]["kind"], config["data"]["height"]) == ("maze", 15)
    assert config["data"]["motion"] == GridMotion(num_actions=4).to_json()


def test_gppns_recipe_is_the_papers():
    for name in ("maze-15-gppn", "maze-15-vin"):
        options = preset(name).training
        group = build_optimizer(options, build_policy(preset(name).policy)).param_groups[0]
        assert (group["lr"], group["eps"]) == (1e-3, 1e-6)
        assert (options.optimizer, options.batch_size, options.epochs) == ("rmsprop", 32, 30)
        assert (options.largest_gradient, options.schedule) == (40.0, "constant")
        assert preset(name).data.maps == 10_000


def test_training_at_the_fixed_point_by_the_command(tmp_path, capsys):
    options = ["--training.epochs", "2", "--training.no-tensorboard", "--data.maps", "60"]
    options += ["--policy.gradient", "implicit", "--policy.tolerance", "1e-4"]
    main(["train", "--preset", "gridworld-8", "--out", str(tmp_path / "run"), "--json", *options])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["epochs"] == 2
    config = json.loads((tmp_path / "run" / "config.json").read_text())["policy"]
    assert (config["gradient"], config["tolerance"]) == ("implicit", 1e-4)


def test_the_implicit_gradient_trains_as_well_as_the_unrolled_one(tmp_path, mazes):
    losses = []
    for gradient in ("implicit", "unroll"):
        policy = NormalizedConfig(num_actions=4, gradient=gradient, iterations_per_side=20.0)
        config = small("gridworld-8", epochs=4)
        run = dataclasses.replace(config, policy=policy)
        losses.append(train(run, mazes, tmp_path / gradient).history[-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


# Gradients are cut


def test_a_gradient_above_the_limit_is_cut_to_it_and_one_below_is_left(tmp_path, mazes, monkeypatch):
    norms = []
    step = torch.optim.SGD.step

    def record(self, closure=None):
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(torch.cat([grad.flatten() for grad in grads]).norm().item())
        return step(self, closure)

    monkeypatch.setattr(torch.optim.SGD, "step", record)
    monkeypatch.setattr(
        "torchvin.training.trainer.build_optimizer",
        lambda options, policy, in_graph: torch.optim.SGD(policy.parameters(), lr=1e-9),
    )
    config = small("maze-15-dynamic", epochs=1, hidden_channels=10)
    for limit in (0.0, 1e-3, 1e6):
        options = dataclasses.replace(config.training, largest_gradient=limit, schedule="constant")
        train(dataclasses.replace(config, training=options), mazes, tmp_path / str(limit))
    each = len(norms) // 3
    free, cut, loose = norms[:each], norms[each : 2 * each], norms[2 * each :]
    assert min(free) > 1e-3
    assert cut == pytest.approx([1e-3] * each, rel=1e-3)
    assert loose == pytest.approx(free, rel=1e-4)


def test_a_negative_limit_is_refused():
    with pytest.raises(InputError, match=r"--training.largest-gradient must not be negative, got -1\.0"):
        TrainingConfig(largest_gradient=-1.0)


# The highway


def test_the_loss_of_maps_is_the_outputs_plus_the_highways(mazes):
    torch.manual_seed(0)
    policy = build_policy(dataclasses.replace(preset("maze-15-dynamic").policy, hidden_channels=10))
    examples, chosen = MapExamples(mazes, TrainingConfig()), torch.arange(6)
    loss, terms = examples.loss(policy, chosen, torch.device("cpu"))
    batch = mazes[chosen]
    output = policy(batch.planes())
    cells, lengths = batch.optimal_actions != 0, path_lengths(batch.blocked, batch.optimal_actions, batch.moves)
    assert list(output.layers) == [10, 20, 30]
    expected = terms_expected = 0
    for made, logits in {**output.layers, math.inf: output.logits}.items():
        for map_, row, col in (cells & (lengths <= made)).nonzero().tolist():
            probabilities = logits[map_, :, row, col].softmax(dim=0)
            best = [action for action in range(4) if batch.optimal_actions[map_, row, col] >> action & 1]
            expected -= probabilities[best].sum().log().item()
            terms_expected += 1
    assert terms == terms_expected
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_states_have_the_same_highway(mazes):
    policy = build_policy(dataclasses.replace(preset("maze-15-dynamic").policy, hidden_channels=10))
    examples = StateExamples(mazes, TrainingConfig(supervision="states", states_per_example=3), seed=0)
    chosen = torch.arange(5)
    loss, terms = examples.loss(policy, chosen, torch.device("cpu"))
    lengths = path_lengths(mazes.blocked, mazes.optimal_actions, mazes.moves)
    states = examples.states[chosen]
    expected = 15  # the output itself
    for row, index in enumerate(examples.maps[chosen].tolist()):
        for down, right in states[row].tolist():
            expected += sum(int(lengths[index, down, right]) <= made for made in (10, 20, 30))
    assert terms == expected
    loss.backward()
    assert all(parameter.grad is not None for parameter in policy.parameters())


def test_without_layers_only_the_output_teaches(mazes):
    policy = build_policy(dataclasses.replace(preset("maze-15-dynamic").policy, hidden_channels=10, layer_every=0))
    _, terms = MapExamples(mazes, TrainingConfig()).loss(policy, torch.arange(4), torch.device("cpu"))
    assert terms == int((mazes[torch.arange(4)].optimal_actions != 0).sum())
