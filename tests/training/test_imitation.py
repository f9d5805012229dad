"""Training learns, resumes bit for bit after kill -9, and is the same on two processes."""

import csv
import dataclasses
import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from torchvin.policies.builders import PAPER, REACTIVE, PolicyConfig, build_policy

from killing import ends_with_the_same_bits_when_killed
from torchvin import InputError, evaluate, generate_gridworld, solve_maps, train
from torchvin.errors import TrainingError
from torchvin.pretrained.store import load_policy
from torchvin.training import initialize as initial
from torchvin.training import trainer as imitation
from torchvin.training.config import PRESETS, DataConfig, RunConfig, TrainingConfig, preset

SMALL = RunConfig(
    data=DataConfig(height=8, width=8, maps=200),
    training=TrainingConfig(epochs=3, validation_maps=20, checkpoint_seconds=0.05, tensorboard=False),
)
COMMAND = [sys.executable, "-m", "torchvin", "train", "--preset", "gridworld-8", "--data.maps", "600"]
COMMAND += ["--training.epochs", "4", "--training.checkpoint-seconds", "0.05", "--training.no-tensorboard"]


def maps(number=200, side=8, seed=(0, 1)):
    return solve_maps(*generate_gridworld(number, side, seed=seed))


def test_a_network_learns_to_plan_on_8x8_maps_in_seconds(tmp_path):
    config = dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, epochs=12))
    trained = train(config, maps(1500), tmp_path / "run")
    scores = evaluate(trained.policy, maps(500, seed=99)).scores
    assert scores.all_states_success_rate > 0.98
    assert scores.all_states_optimal_rate > 0.97


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_builds(name):
    config = preset(name)
    policy = config.policy
    height, width = (config.data.height, config.data.width) if policy.design in REACTIVE else (6, 7)
    planes = torch.zeros(1, policy.num_terrains + policy.num_orientations, height, width)
    logits = build_policy(policy)(planes).logits
    assert logits.shape == (1, policy.num_orientations * policy.num_actions, height, width)


def test_a_training_begins_with_the_weights_it_is_given(tmp_path):
    begun = imitation.build_policy(PolicyConfig())
    initial.initialize_from(begun, "gridworld-8")
    expected = load_policy("gridworld-8").state_dict()
    assert all(value.equal(expected[name]) for name, value in begun.state_dict().items())
    one_small_step = dataclasses.replace(SMALL.training, epochs=1, learning_rate=1e-9, schedule="constant")
    config = dataclasses.replace(SMALL, training=one_small_step, init="gridworld-8")
    assert train(config, maps(40), tmp_path / "run").validation.scores.all_states_success_rate == 1.0


def test_a_training_goes_on_from_the_start_whose_loss_fell_lowest(tmp_path):
    options = dataclasses.replace(SMALL.training, starts=3, trial_epochs=1)
    config = dataclasses.replace(SMALL, training=options, seed=5)
    begun = []

    def build(policy):
        built = build_policy(policy)
        begun.append({name: value.clone() for name, value in built.state_dict().items()})
        return built

    train(config, maps(60), tmp_path / "run", build=build)
    histories = [(tmp_path / "run" / "starts" / str(start) / "history.csv").read_text() for start in range(3)]
    losses = [float(next(csv.DictReader(history.splitlines()))["loss"]) for history in histories]
    best = losses.index(min(losses))
    assert len(set(losses)) == 3
    assert all(torch.equal(value, begun[3][name]) for name, value in begun[best].items())
    record = json.loads((tmp_path / "run" / "config.json").read_text())["record"]
    assert record["start_seed"] == 5 + best * imitation.START_STRIDE


def test_a_start_that_diverges_has_lost_and_finished_trials_are_not_run_again(tmp_path):
    options = dataclasses.replace(SMALL.training, starts=2, trial_epochs=1, epochs=1)
    config = dataclasses.replace(SMALL, training=options)
    built = []

    def build(policy):
        built.append(build_policy(policy))
        if len(built) == 1:
            next(built[0].parameters()).data.fill_(torch.nan)
        return built[-1]

    train(config, maps(40), tmp_path / "run", build=build)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["record"]
    assert record["start_seed"] == imitation.START_STRIDE
    assert len(built) == 3
    imitation.best_start(config, maps(40), tmp_path / "run", build)
    assert len(built) == 4, "only the trial that diverged is tried again"


def test_a_training_fails_if_all_its_starts_diverge(tmp_path):
    def build(policy):
        built = build_policy(policy)
        next(built.parameters()).data.fill_(torch.nan)
        return built

    config = dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, starts=2, trial_epochs=1))
    with pytest.raises(TrainingError, match="diverged"):
        train(config, maps(40), tmp_path / "run", build=build)


def test_starts_and_given_weights_exclude_each_other(tmp_path):
    config = dataclasses.replace(SMALL, init="gridworld-8", training=dataclasses.replace(SMALL.training, starts=2))
    with pytest.raises(InputError, match=r"leave out --training\.starts 2"):
        train(config, maps(40), tmp_path / "run")


@pytest.mark.parametrize(
    ("init", "message"),
    [("gridworld-16-paper", "weights of another policy: .* should be"), ("gridwold-16", "gridworld-16")],
)
def test_weights_that_do_not_fit_are_refused(init, message):
    with pytest.raises(InputError, match=message):
        initial.initialize_from(build_policy(PolicyConfig()), init)


@pytest.mark.parametrize("onednn", [True, False])
def test_onednn_is_as_the_config_says_while_training_and_as_before_after(tmp_path, monkeypatch, onednn):
    seen = []
    monkeypatch.setattr(imitation, "_order", lambda *_: seen.append(torch.backends.mkldnn.enabled) or torch.arange(40))
    options = dataclasses.replace(SMALL.training, epochs=1, onednn=onednn)
    train(dataclasses.replace(SMALL, training=options), maps(50), tmp_path / "run")
    assert seen == [onednn]
    assert torch.backends.mkldnn.enabled


@pytest.mark.parametrize("supervision", ["all-cells", "demonstrations", "states"])
@pytest.mark.parametrize("loss", ["optimal-set", "single-label"])
@pytest.mark.parametrize("policy", [PolicyConfig(), PAPER], ids=["normalized", "paper"])
def test_every_kind_of_imitation_lowers_the_loss(tmp_path, supervision, loss, policy):
    options = dataclasses.replace(SMALL.training, supervision=supervision, loss=loss)
    history = train(dataclasses.replace(SMALL, policy=policy, training=options), maps(), tmp_path / "run").history
    assert history[-1]["loss"] < history[0]["loss"]


def test_a_killed_training_resumes_and_ends_with_the_same_bits(tmp_path):
    ends_with_the_same_bits_when_killed(COMMAND, tmp_path, (0.3, 0.7, 1.1, 1.6))


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    train(SMALL, maps(), tmp_path / "run")
    with pytest.raises(InputError, match="already holds a run; pass --resume"):
        train(SMALL, maps(), tmp_path / "run")
    other = dataclasses.replace(SMALL, seed=3)
    with pytest.raises(InputError, match=r"holds another run: seed \(0 then, 3 now\)"):
        train(other, maps(), tmp_path / "run", resume=True)
    before = load_file(tmp_path / "run" / "model.safetensors")
    again = train(SMALL, maps(), tmp_path / "run", resume=True).policy.state_dict()
    assert all(torch.equal(before[name], again[name]) for name in before)


@pytest.mark.parametrize("name", ["gridworld-8-paper", "gridworld-8-cnn"])
def test_a_run_of_the_table_resumes(tmp_path, name):
    """A field that JSON knows no type for (a tuple) must not look like another run."""
    whole = preset(name)
    short = dataclasses.replace(whole.training, epochs=1, validation_maps=10, tensorboard=False)
    config = dataclasses.replace(whole, data=dataclasses.replace(whole.data, maps=30), training=short)
    first = train(config, maps(30), tmp_path / "run").policy.state_dict()
    again = train(config, maps(30), tmp_path / "run", resume=True).policy.state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_maps_and_policy_must_have_the_same_moves(tmp_path):
    config = dataclasses.replace(SMALL, policy=PolicyConfig(num_actions=4, num_q=5))
    with pytest.raises(InputError, match="the maps have 8 moves, the policy 4 actions"):
        train(config, maps(), tmp_path / "run")


def test_two_processes_train_the_model_of_one(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    arguments = ["-m", "torchvin", "train", "--preset", "gridworld-8", "--data.maps", "151", "--training.epochs", "2"]
    arguments += ["--training.batch-size", "25", "--training.no-tensorboard", "--out"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    one, two = tmp_path / "one", tmp_path / "two"
    subprocess.run([sys.executable, *arguments, str(one)], check=True, env=environment, capture_output=True, timeout=90)
    subprocess.run([*launch, *arguments, str(two)], check=True, env=environment, capture_output=True, timeout=90)
    first, second = (load_file(folder / "model.safetensors") for folder in (one, two))
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-4, atol=1e-6)
    assert not all(torch.equal(first[name], second[name]) for name in first)  # so there really were two
