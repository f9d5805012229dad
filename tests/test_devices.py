"""The device of a command, and what a training does on one; the GPU is imagined, or the meta device."""

import os

import pytest
import torch

from torchvin import InputError, RunConfig, TrainingConfig
from torchvin.devices import choose_device, deterministic
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.training import trainer
from torchvin.training.imitation import losses
from torchvin.training.imitation.examples import Resident
from toy import ToyConfig, ToyTask


def test_a_gpu_is_taken_where_there_is_one(monkeypatch):
    for available, kinds in ((False, ["cpu", "cpu"]), (True, ["cuda", "cpu"])):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert [choose_device(name).type for name in ("auto", "cpu")] == kinds
    assert choose_device("cuda").type == "cuda"


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"there is no CUDA device: .*Use device 'cpu' or 'auto'"):
        choose_device("cuda")
    with pytest.raises(InputError, match="cudas"):
        choose_device("cudas")


def test_more_processes_than_gpus_are_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match=r"2 processes on 1 GPU\(s\)"):
        trainer._accelerator(RunConfig(), tmp_path, torch.device("cuda"))


def test_only_a_gpu_needs_deterministic_algorithms(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with deterministic(torch.device("cpu")):
        assert not torch.are_deterministic_algorithms_enabled()
        assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    with pytest.raises(KeyboardInterrupt), deterministic(torch.device("cuda")):
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        raise KeyboardInterrupt
    assert not torch.are_deterministic_algorithms_enabled()


def test_tensors_are_copied_to_a_device_once():
    resident, meta = Resident(torch.zeros(3), torch.zeros(2)), torch.device("meta")
    first = resident.on(meta)
    assert [tensor.device for tensor in first] == [meta, meta]
    assert resident.on(meta) is first


@pytest.mark.parametrize("kind", ["optimal_set_loss", "uniform_set_loss", "single_label_loss", "tied_label_loss"])
def test_the_losses_of_a_device_are_those_of_a_cpu(monkeypatch, kind):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 8, 5, 6, generator=generator, dtype=torch.float64)
    answers = torch.randint(1, 8, (2, 5, 6), generator=generator).to(torch.uint8)
    cells = torch.rand(2, 5, 6, generator=generator) < 0.5
    if "label" in kind:
        answers[~cells] = NOT_SHOWN
    results = []
    for on_cpu in (True, False):
        monkeypatch.setattr(torch.Tensor, "is_cpu", on_cpu)
        leaf = logits.clone().requires_grad_()
        more = {"values": logits / 10, "label_noise": 0.1} if kind == "tied_label_loss" else {}
        loss = getattr(losses, kind)(leaf, answers, cells, **more)
        results.append((loss.detach(), torch.autograd.grad(loss, leaf)[0]))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_a_training_on_a_gpu_has_deterministic_algorithms(monkeypatch, tmp_path):
    asked, noted = [], []

    class Noting(ToyTask):
        def loss(self, model, chosen, device):
            noted.append(torch.are_deterministic_algorithms_enabled())
            return super().loss(model, chosen, device)

    def as_on_a_gpu(device):
        asked.append(device.type)
        return deterministic(torch.device("cuda"))

    monkeypatch.setattr(trainer, "deterministic", as_on_a_gpu)
    options = TrainingConfig(epochs=1, batch_size=20, tensorboard=False)
    trainer.train(RunConfig(policy=ToyConfig(), training=options), Noting(), tmp_path, device="cpu")
    assert asked == ["cpu"]
    assert noted == [True, True]
    assert not torch.are_deterministic_algorithms_enabled()
