"""What a GPU must do: `make gpu`, which also runs the tests of the Triton kernels there instead of in the interpreter."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

import agreement
from torchvin import RunConfig, TrainingConfig, evaluate, load_policy, train
from torchvin.bench import gpu
from torchvin.data.draw import draw_maps
from torchvin.devices import captured
from torchvin.planning.kernels import registry
from torchvin.training import graphs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def test_a_gpu_takes_the_triton_kernel_and_its_numbers_are_the_references():
    tensors = agreement.problem(torch.Generator().manual_seed(0), 4, 1, 8, 33, 47, 3, 1, torch.float32)
    inputs, grads = [[tensor.cuda() for tensor in some] for some in tensors]
    assert registry.choose("auto", inputs[0]) == "triton"
    for gradient in ("unroll", "checkpoint"):
        agreement.assert_same(inputs, grads, 60, gradient, backend="triton")


@pytest.mark.parametrize("name", ["gridworld-8", "gridworld-28", "gridworld-16-paper", "gridworld-16-shortest-path"])
def test_a_policy_plans_on_a_gpu_as_on_a_cpu(name):
    policy = load_policy(name)
    dataset = draw_maps("gridworld", 64, 16, 16, seed=5, demonstration_seed=5)
    expected = evaluate(policy, dataset).scores
    assert evaluate(policy.cuda(), dataset).scores.success_rate == pytest.approx(expected.success_rate, abs=1 / 64)


def test_a_policy_learns_on_a_gpu():
    policy = load_policy("gridworld-8").cuda().train()
    observation = torch.zeros(2, 2, 8, 8, device="cuda")
    observation[:, 1, 4, 4] = 10
    policy(observation).logits.logsumexp(1).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in policy.parameters() if parameter.grad is not None)


def test_the_same_bits_in_every_run_on_a_gpu():
    leaves, grad = gpu.problem(28, 64, "cuda")
    runs = []
    for _ in range(2):
        q_values = registry_plan(leaves)
        runs.append([q_values.detach(), *torch.autograd.grad(q_values, leaves, grad)])
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_a_plan_and_its_gradients_in_a_cuda_graph_are_those_of_a_call():
    leaves, grad = gpu.problem(16, 8, "cuda")
    found = []

    def run():
        found[:] = torch.autograd.grad(registry_plan(leaves), leaves, grad)

    run()
    expected = [tensor.clone() for tensor in found]
    captured(run)[0]()
    torch.cuda.synchronize()
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def registry_plan(leaves):
    from torchvin.planning.kernels import autograd

    return autograd.value_iteration(leaves[0], leaves[1], leaves[2], 20, "unroll", "triton")[0]


TRAINING = ["--data.maps", "300", "--training.epochs", "4", "--training.no-tensorboard", "--device", "cuda"]


def training(out, *more, preset="gridworld-8"):
    return [sys.executable, "-m", "torchvin", "train", "--preset", preset, *TRAINING, *more, "--out", str(out)]


def weights_of(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("more", [[], ["--training.precision", "bfloat16"], ["--training.supervision", "states"]])
def test_a_training_in_graphs_has_the_same_bits_in_every_run(tmp_path, more):
    for run in ("one", "two"):
        subprocess.run(training(tmp_path / run, *more), check=True, capture_output=True, timeout=120)
    first, second = weights_of(tmp_path / "one"), weights_of(tmp_path / "two")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_training_in_graphs_is_that_without_up_to_rounding(tmp_path):
    """After 4 steps: later the two go their own ways, as any two sums in another order do."""
    few = ["--data.maps", "84", "--training.validation-maps", "4", "--training.epochs", "1"]
    few += ["--training.batch-size", "20", "--training.learning-rate", "0.001"]
    runs = {"graph": few, "loop": [*few, "--training.no-cuda-graph"]}
    for run, options in runs.items():
        subprocess.run(training(tmp_path / run, *options), check=True, capture_output=True, timeout=120)
    looped = weights_of(tmp_path / "loop")
    for name, weights in weights_of(tmp_path / "graph").items():
        torch.testing.assert_close(weights, looped[name], rtol=1e-3, atol=1e-5)


def test_steps_are_replayed_on_a_gpu(tmp_path, monkeypatch):
    captures, replays = [], []

    def counted(run):
        captures.append(run)
        replay, numbers = captured(run)
        return lambda: (replays.append(1), replay()), numbers

    monkeypatch.setattr(graphs, "captured", counted)
    options = TrainingConfig(epochs=2, batch_size=8, validation_maps=2, tensorboard=False)
    maps = draw_maps("gridworld", 22, 8, 8, seed=0, demonstration_seed=0)
    train(RunConfig(training=options), maps, tmp_path, device="cuda")
    assert (len(captures), len(replays)) == (2, 6)


@pytest.mark.parametrize("preset", ["gridworld-8", "gridworld-16-shortest-path"])
def test_a_killed_training_ends_with_the_same_bits_on_a_gpu(tmp_path, preset):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    often = ["--training.checkpoint-seconds", "0"]
    subprocess.run(training(whole, *often, preset=preset), check=True, capture_output=True, timeout=120)
    process = subprocess.Popen(training(killed, *often, preset=preset), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 100
    while not (killed / "history.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    resumed = training(killed, *often, "--resume", preset=preset)
    subprocess.run(resumed, check=True, capture_output=True, timeout=120)
    first, second = weights_of(whole), weights_of(killed)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_two_processes_are_told_that_they_need_two_gpus(tmp_path):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
    more = str(torch.cuda.device_count() + 1)
    done = subprocess.run([*launch, more, *training(tmp_path / "run")[1:]], capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "each needs one of its own" in done.stderr
