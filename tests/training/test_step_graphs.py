"""Optimizer steps in CUDA graphs. No GPU is needed: here a graph is imagined, or the step runs on the meta device.

The imagined graph calls the step again in each replay, on the tensors that it was captured with. What a real graph
needs beside that is shown on the meta device: that the step asks for no number and takes nothing from the host.
"""

import dataclasses
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from torchvin import RunConfig, TrainingConfig, build_policy, train
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.registry import MODULES, architecture
from torchvin.data.draw import draw_maps
from torchvin.tasks.gridworld import GridWorldTask
from torchvin.training import graphs, trainer
from torchvin.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from torchvin.training.optimizers import AdamInGraph, build_optimizer, build_schedule, fade_decay
from torchvin.training.presets import preset
from toy import ToyConfig
from watch import Watch

OPTIONS = TrainingConfig(epochs=2, batch_size=8, validation_maps=2, checkpoint_seconds=0.0, tensorboard=False)
CONFIG = RunConfig(training=OPTIONS)  # 20 maps to learn from: batches of 8, 8 and 4
STEPS, SIZES = 6, [8, 4]


@pytest.fixture(scope="module")
def maps():
    return draw_maps("gridworld", 22, 8, 8, seed=0, demonstration_seed=0)


def options(**changes):
    return dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, **changes))


class ImaginedGraphs:
    """Stands in for `devices.captured`; `stop` is the replay before which the training is interrupted."""

    def __init__(self, stop=None):
        self.captures, self.replays, self.stop = 0, 0, stop

    def captured(self, run):
        self.captures += 1
        for _ in range(4):  # the last one would only be written down
            numbers = run()

        def replay():
            if self.replays == self.stop:
                raise KeyboardInterrupt
            self.replays += 1
            numbers.copy_(run())

        return replay, numbers


@pytest.fixture
def imagine(monkeypatch):
    def with_graphs(stop=None):
        imagined = ImaginedGraphs(stop)
        monkeypatch.setattr(trainer, "has_graphs", lambda device: True)
        monkeypatch.setattr(graphs, "captured", imagined.captured)
        return imagined

    return with_graphs


class CalledDirectly:
    """Stands in for `StepGraphs`: the same step, and no graph."""

    def __init__(self, step, changed, device):
        self.step = step

    def __call__(self, chosen):
        return self.step(chosen)


def same_training(one, other):
    columns = ([{**row, "seconds": 0} for row in trained.history] for trained in (one, other))
    weights, others = one.policy.state_dict(), other.policy.state_dict()
    return all(torch.equal(weights[name], others[name]) for name in weights) and next(columns) == next(columns)


def test_a_step_is_captured_once_per_batch_size_and_replayed_for_every_batch(imagine, maps, tmp_path):
    """Mutant: the graph is captured twice."""
    imagined = imagine()
    train(CONFIG, maps, tmp_path, device="cpu")
    assert (imagined.captures, imagined.replays) == (len(SIZES), STEPS)


@pytest.mark.parametrize("changes", [{}, {"weight_decay": 0.05, "largest_gradient": 0.5}, {"supervision": "states"}])
def test_replayed_steps_are_those_of_a_loop(imagine, maps, tmp_path, monkeypatch, changes):
    """Mutants: the indices of the batch are not copied; what the calls before a capture changed is not put back."""
    imagine()
    replayed = train(options(**changes), maps, tmp_path / "graph", device="cpu")
    monkeypatch.setattr(trainer, "StepGraphs", CalledDirectly)
    looped = train(options(**changes), maps, tmp_path / "loop", device="cpu")
    assert same_training(replayed, looped)


def test_a_resumed_training_captures_again_and_ends_with_the_same_bits(imagine, maps, tmp_path):
    imagine()
    whole = train(CONFIG, maps, tmp_path / "whole", device="cpu")
    for stop in (1, 4):
        folder = tmp_path / str(stop)
        imagine(stop)
        with pytest.raises(KeyboardInterrupt):
            train(CONFIG, maps, folder, device="cpu")
        imagined = imagine()
        assert same_training(whole, train(CONFIG, maps, folder, resume=True, device="cpu"))
        assert imagined.replays == STEPS - stop


def test_a_training_in_graphs_is_that_without_up_to_rounding(imagine, maps, tmp_path):
    plain = train(CONFIG, maps, tmp_path / "plain", device="cpu")
    imagine()
    replayed = train(CONFIG, maps, tmp_path / "graph", device="cpu")
    for name, weights in plain.policy.state_dict().items():
        torch.testing.assert_close(replayed.policy.state_dict()[name], weights, rtol=1e-4, atol=1e-5)


def test_random_numbers_do_not_depend_on_a_capture():
    def step(chosen):
        return torch.rand(2)

    imagined = ImaginedGraphs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs, "captured", imagined.captured)
        torch.manual_seed(0)
        found = graphs.StepGraphs(step, list, torch.device("cpu"))(torch.arange(3))
    torch.manual_seed(0)
    assert torch.equal(found, torch.rand(2))


def test_a_step_that_cannot_be_captured_is_made_step_by_step(imagine, maps, tmp_path, monkeypatch, capsys):
    imagine()
    replayed = train(CONFIG, maps, tmp_path / "replayed", device="cpu")
    tried = []

    def refuse(run):
        run()  # what the warm-up changed is put back
        tried.append(1)
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    monkeypatch.setattr(graphs, "captured", refuse)
    one_by_one = train(CONFIG, maps, tmp_path / "one_by_one", device="cpu")
    error = capsys.readouterr().err
    assert tried == [1]
    assert error.count("cannot be captured in a CUDA graph (CUDA error: operation not permitted") == 1
    assert "--training.no-cuda-graph" in error
    for ours, theirs in zip(one_by_one.policy.parameters(), replayed.policy.parameters(), strict=True):
        assert torch.equal(ours, theirs)


# What a graph can hold


def run_on_meta(config, task, folder, monkeypatch):
    """A training whose device is the meta device, before its first step."""
    monkeypatch.setattr(trainer, "has_graphs", lambda device: True)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # there is none for meta
    accelerator = SimpleNamespace(
        device=torch.device("meta"),
        num_processes=1,
        process_index=0,
        prepare=lambda policy, optimizer: (
            policy,
            SimpleNamespace(optimizer=optimizer, step=optimizer.step, zero_grad=optimizer.zero_grad),
        ),
        backward=lambda loss: loss.backward(),
        clip_grad_norm_=torch.nn.utils.clip_grad_norm_,
    )
    run = trainer._Run(config, task, folder, accelerator, build=build_policy, start=0, resume=False)
    run.model.train()
    return run


def watched_step(run):
    chosen = torch.arange(8, device="meta")
    run._update(chosen)  # brings the maps to the device
    with Watch() as watch:
        numbers = run._update(chosen)
    assert numbers.device.type == "meta"
    assert watch.calls > 20
    return watch.found


@pytest.mark.parametrize("name", MODULES)
def test_a_step_of_a_design_asks_the_device_for_nothing(name, maps, tmp_path, monkeypatch):
    size = {"height": 8, "width": 8} if name in ("cnn", "fcn") else {}
    config = RunConfig(policy=architecture(name).config(**size), training=OPTIONS)
    run = run_on_meta(config, GridWorldTask(maps, OPTIONS), tmp_path, monkeypatch)
    assert (run.graphs is not None) == (name != "cnn")
    if run.graphs is not None:
        assert watched_step(run) == []


@pytest.mark.parametrize("supervision", ["all-cells", "demonstrations", "states"])
@pytest.mark.parametrize("loss", ["optimal-set", "uniform-set", "single-label"])
def test_a_step_with_a_loss_asks_the_device_for_nothing(supervision, loss, maps, tmp_path, monkeypatch):
    """Mutant: the number of terms is read in each step."""
    config = options(supervision=supervision, loss=loss, weight_decay=0.1, largest_gradient=1.0)
    run = run_on_meta(config, GridWorldTask(maps, config.training), tmp_path, monkeypatch)
    assert watched_step(run) == []


@pytest.mark.parametrize(
    ("config", "captured"),
    [
        (CONFIG, True),
        (options(cuda_graph=False), False),
        (options(optimizer="rmsprop-authors", schedule="constant"), False),
        (dataclasses.replace(CONFIG, policy=dataclasses.replace(CONFIG.policy, gradient="implicit")), False),
        (dataclasses.replace(preset("gridworld-16-shortest-path"), training=OPTIONS), True),
    ],
)
def test_only_what_a_graph_can_hold_is_captured(config, captured, maps, tmp_path, monkeypatch):
    run = run_on_meta(config, GridWorldTask(maps, config.training), tmp_path, monkeypatch)
    assert (run.graphs is not None) == captured
    assert isinstance(run.prepared.optimizer, AdamInGraph) == captured


# Adam


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_in_a_graph_is_torchs(decay):
    """Mutants: rates stay those of the first step; beta1 is not that of the schedule."""
    config = TrainingConfig(learning_rate=0.05, weight_decay=decay)
    policies = [build_policy(NormalizedConfig()), build_policy(NormalizedConfig())]
    policies[1].load_state_dict(policies[0].state_dict())
    before = {name: value.clone() for name, value in policies[0].state_dict().items()}
    built = [build_optimizer(config, policy, in_graph=policy is policies[1]) for policy in policies]
    assert [type(optimizer).__name__ for optimizer in built] == ["AdamW" if decay else "Adam", "AdamInGraph"]
    schedules = [build_schedule(config, optimizer, 30) for optimizer in built]
    for step in range(30):
        for policy, optimizer, schedule in zip(policies, built, schedules, strict=True):
            generator = torch.Generator().manual_seed(step)
            for parameter in policy.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            if isinstance(optimizer, AdamInGraph):
                optimizer.send_rates()
            optimizer.step()
            schedule.step()
            fade_decay(config, optimizer, step / 30)
    for name, value in policies[0].named_parameters():
        assert not torch.equal(value, before[name])
        torch.testing.assert_close(policies[1].get_parameter(name), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("saved_in_graph", [True, False])
def test_a_checkpoint_of_one_adam_is_one_of_the_other(saved_in_graph, tmp_path):
    def training(in_graph):
        policy = build_policy(ToyConfig())
        return policy, build_optimizer(TrainingConfig(), policy, in_graph=in_graph)

    def step(policy, optimizer):
        optimizer.zero_grad()
        policy(torch.ones(3, 4)).logits.square().sum().backward()
        if isinstance(optimizer, AdamInGraph):
            optimizer.send_rates()
        optimizer.step()

    policy, optimizer = training(saved_in_graph)
    step(policy, optimizer)
    path = tmp_path / "checkpoint"
    save_checkpoint(path, policy=policy, best={}, optimizer=optimizer, progress=Progress())
    step(policy, optimizer)
    for in_graph in (True, False):
        other, other_optimizer = training(in_graph)
        load_checkpoint(path, policy=other, optimizer=other_optimizer)
        step(other, other_optimizer)
        for one, two in zip(policy.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(one, two)
