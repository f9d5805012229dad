"""The seam: a domain with another observation and another score trains, resumes, saves and loads; src knows nothing."""

import dataclasses
from pathlib import Path

import pytest
import torch

import torchvin
from torchvin import InputError, RunConfig, TrainingConfig, load_policy, train
from toy import ToyConfig, ToyPolicy, ToyTask

CONFIG = RunConfig(
    policy=ToyConfig(hidden_channels=6), training=TrainingConfig(epochs=30, batch_size=8, tensorboard=False)
)


def test_it_trains_validates_saves_and_loads(tmp_path):
    task = ToyTask()
    trained = train(CONFIG, task, tmp_path / "run")
    assert trained.validation.metrics["accuracy"] > 0.9
    assert trained.history[-1]["loss"] < 0.5 * trained.history[0]["loss"]
    assert list(trained.history[0]) == ["epoch", "loss", "accuracy", "learning_rate", "seconds"]
    loaded = load_policy(tmp_path / "run")
    assert isinstance(loaded, ToyPolicy)
    assert (loaded.config, loaded.task) == (ToyConfig(hidden_channels=6), {"name": "sign of a sum"})
    assert loaded.record["validation"] == trained.validation.metrics
    assert torch.equal(loaded(task.rows).logits, trained.policy(task.rows).logits)


def test_it_resumes_to_the_same_bits(tmp_path):
    whole = train(CONFIG, ToyTask(), tmp_path / "whole").policy.state_dict()

    class Interrupted(ToyTask):
        def loss(self, *arguments):
            if len(self.seen) == 52:
                raise KeyboardInterrupt
            return super().loss(*arguments)

    frequent = dataclasses.replace(CONFIG, training=dataclasses.replace(CONFIG.training, checkpoint_seconds=0.0))
    with pytest.raises(KeyboardInterrupt):
        train(frequent, Interrupted(), tmp_path / "cut")
    task = ToyTask()
    resumed = train(frequent, task, tmp_path / "cut", resume=True).policy.state_dict()
    assert len(task.seen) == 30 * 5 - 52  # it began where it was
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_network_of_another_domain_is_refused_by_its_task_only(tmp_path):
    with pytest.raises(InputError, match="expected a data set or a Task to learn from, got list"):
        train(CONFIG, [1, 2], tmp_path / "run")


def test_the_package_does_not_know_it():
    source = Path(torchvin.__file__).parent
    assert not [path for path in source.rglob("*.py") if "toy" in path.read_text().lower().split()]
