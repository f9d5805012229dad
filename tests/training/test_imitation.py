"""Training learns, resumes bit for bit after kill -9, and is the same on two processes."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from torchvin import InputError, evaluate, generate_gridworld, solve_maps, train
from torchvin.policies.builders import PAPER, PolicyConfig, build_policy
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
    config = preset(name).policy
    planes = torch.zeros(1, config.num_terrains + config.num_orientations, 6, 7)
    logits = build_policy(config)(planes).logits
    assert logits.shape == (1, config.num_orientations * config.num_actions, 6, 7)


@pytest.mark.parametrize("supervision", ["all-cells", "demonstrations", "states"])
@pytest.mark.parametrize("loss", ["optimal-set", "single-label"])
@pytest.mark.parametrize("policy", [PolicyConfig(), PAPER], ids=["normalised", "paper"])
def test_every_kind_of_imitation_lowers_the_loss(tmp_path, supervision, loss, policy):
    options = dataclasses.replace(SMALL.training, supervision=supervision, loss=loss)
    history = train(dataclasses.replace(SMALL, policy=policy, training=options), maps(), tmp_path / "run").history
    assert history[-1]["loss"] < history[0]["loss"]


def test_a_killed_training_resumes_and_ends_with_the_same_bits(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*COMMAND, "--out", str(whole)], check=True, env=environment, capture_output=True, timeout=120)
    kills = 0
    for delay in (0.3, 0.7, 1.1, 1.6):  # after the run has claimed its folder
        process = subprocess.Popen(
            [*COMMAND, "--out", str(killed), "--resume"], env=environment, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 60
        while not (killed / "run.json").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(delay)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    last = [*COMMAND, "--out", str(killed), "--resume"]
    subprocess.run(last, check=True, env=environment, capture_output=True, timeout=120)
    assert kills > 0
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


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
