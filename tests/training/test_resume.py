"""A training that was interrupted resumes exactly where it was, and ends with the same bits as one that was not.

Each test interrupts inside the process and looks at what the resumed training does first, so that it cannot pass
without a resume. One test at the end kills a real process.
"""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from torchvin import InputError, RunConfig, TrainingConfig, Validation, train
from torchvin.tasks.task import epoch_order
from torchvin.training.run import CHECKPOINT_FILE
from toy import ToyConfig, ToyTask

OPTIONS = TrainingConfig(epochs=4, batch_size=8, checkpoint_seconds=0.0, tensorboard=False)  # 5 batches per epoch
CONFIG = RunConfig(policy=ToyConfig(), training=OPTIONS)
EPOCH, BATCH = 2, 3  # where it is interrupted


class Interrupted(ToyTask):
    """Stops the training before a step; `validations` scripts the key of each epoch."""

    def __init__(self, *, before=None, keys=None, seed=0):
        super().__init__(seed)
        self.before, self.keys = before, keys
        self.weights = []

    def loss(self, model, chosen, device):
        if self.before is not None and len(self.seen) == self.before:
            raise KeyboardInterrupt
        return super().loss(model, chosen, device)

    def validate(self, policy):
        self.weights.append({name: value.clone() for name, value in policy.state_dict().items()})
        if self.keys is None:
            return super().validate(policy)
        key = self.keys[min(len(self.weights), len(self.keys)) - 1]
        return Validation(metrics={"key": key}, key=(key,))


def interrupt(folder, *, config=CONFIG, **options):
    with pytest.raises(KeyboardInterrupt):
        train(config, Interrupted(before=5 * EPOCH + BATCH, **options), folder)


def progress_of(folder):
    with safe_open(folder / CHECKPOINT_FILE, framework="pt") as stored:
        return json.loads(stored.metadata()["training"])["progress"]


def same(one, other):
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_it_resumes_at_the_batch_where_it_was(tmp_path):
    """Mutants: batch not restored; no checkpoint inside an epoch."""
    whole = train(CONFIG, ToyTask(), tmp_path / "whole")
    interrupt(tmp_path / "cut")
    assert (progress_of(tmp_path / "cut")["epoch"], progress_of(tmp_path / "cut")["batch"]) == (EPOCH, BATCH)
    task = ToyTask()
    resumed = train(CONFIG, task, tmp_path / "cut", resume=True)
    order = epoch_order(40, 0, EPOCH).tolist()
    assert task.seen[0] == order[8 * BATCH : 8 * BATCH + 8]
    assert len(task.seen) == 20 - (5 * EPOCH + BATCH)
    assert same(whole.policy.state_dict(), resumed.policy.state_dict())
    columns = [{name: value for name, value in row.items() if name != "seconds"} for row in resumed.history]
    assert columns == [{name: value for name, value in row.items() if name != "seconds"} for row in whole.history]


def test_the_best_epoch_outlives_an_interruption(tmp_path):
    """Mutants: best weights not restored; best score not restored."""
    keys = (0.2, 0.9, 0.4, 0.5, 0.0)
    first = Interrupted(before=5 * EPOCH + BATCH, keys=keys)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, first, tmp_path)
    rest = Interrupted(keys=(0.4, 0.5, 0.0))
    trained = train(CONFIG, rest, tmp_path, resume=True)
    assert same(first.weights[1], trained.policy.state_dict())  # those of the epoch with 0.9
    assert not same(first.weights[1], rest.weights[1])


@pytest.mark.parametrize("keys", [(0.1, 0.7, 0.3, 0.2), (0.9, 0.1, 0.2, 0.3)])
def test_the_best_epoch_is_the_one_with_the_largest_key(tmp_path, keys):
    """Mutants: best epoch by the wrong sign; the last epoch in place of the best."""
    task = Interrupted(keys=(*keys, 0.0))
    trained = train(CONFIG, task, tmp_path)
    assert same(task.weights[keys.index(max(keys))], trained.policy.state_dict())


def test_an_interrupted_checkpoint_leaves_the_one_before(tmp_path, monkeypatch):
    """Mutant: checkpoint not atomic."""
    whole = train(CONFIG, ToyTask(), tmp_path / "whole")
    write, written = safetensors.torch.save_file, []

    def cut_off(tensors, path, metadata=None):
        write(tensors, path, metadata=metadata)
        written.append(path)
        if len(written) == 5 * EPOCH + BATCH:
            with open(path, "r+b") as file:
                file.truncate(100)
            raise KeyboardInterrupt

    monkeypatch.setattr(safetensors.torch, "save_file", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, ToyTask(), tmp_path / "cut")
    monkeypatch.undo()
    before = progress_of(tmp_path / "cut")
    made = 5 * before["epoch"] + before["batch"]
    assert 0 < made < 20
    task = ToyTask()
    resumed = train(CONFIG, task, tmp_path / "cut", resume=True)
    assert len(task.seen) == 20 - made
    assert same(whole.policy.state_dict(), resumed.policy.state_dict())
    assert not list((tmp_path / "cut").glob(".torchvin-*"))


def test_a_run_of_other_data_is_not_resumed(tmp_path):
    """Mutant: `--resume` with other maps accepted."""
    interrupt(tmp_path)
    with pytest.raises(InputError, match="holds another run: rows_sha256"):
        train(CONFIG, ToyTask(seed=1), tmp_path, resume=True)
    with pytest.raises(InputError, match="already holds a run; pass --resume to go on"):
        train(CONFIG, ToyTask(), tmp_path)


def test_a_run_with_other_options_is_not_resumed_but_one_with_more_epochs_is(tmp_path):
    train(CONFIG, ToyTask(), tmp_path)
    for changes, message in (({"batch_size": 4}, "training.batch_size"), ({"epochs": 3}, r"epochs \(4 then, 3 now\)")):
        other = dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, **changes))
        with pytest.raises(InputError, match=message):
            train(other, ToyTask(), tmp_path, resume=True)
    longer = dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, epochs=6))
    task = ToyTask()
    trained = train(longer, task, tmp_path, resume=True)
    assert len(task.seen) == 10  # two epochs
    assert len(trained.history) == 6
    assert json.loads((tmp_path / "run.json").read_text())["training"]["epochs"] == 6


def test_a_longer_run_continues_on_the_schedule_of_the_longer_run(tmp_path):
    whole = train(
        dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, epochs=6)), ToyTask(), tmp_path / "a"
    )
    train(CONFIG, ToyTask(), tmp_path / "b")
    longer = dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, epochs=6))
    resumed = train(longer, ToyTask(), tmp_path / "b", resume=True)
    rates = [row["learning_rate"] for row in resumed.history]
    assert rates[4:] == [row["learning_rate"] for row in whole.history][4:]


def test_a_finished_run_is_resumed_without_a_step(tmp_path):
    first = train(CONFIG, ToyTask(), tmp_path)
    task = ToyTask()
    again = train(CONFIG, task, tmp_path, resume=True)
    assert task.seen == []
    assert same(first.policy.state_dict(), again.policy.state_dict())


def test_a_killed_process_resumes_to_the_same_bits(tmp_path):
    """The one real kill: after a checkpoint inside an epoch, before the end; where it resumed is asserted."""
    command = [sys.executable, "-m", "torchvin", "train", "--preset", "maze-15", "--data.maps", "200"]
    command += ["--training.epochs", "3", "--training.checkpoint-seconds", "0", "--training.no-tensorboard"]
    command += ["--training.cost-steps", "10", "--training.curriculum.steps", "30"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, "--out", str(tmp_path / "whole")], check=True, env=environment, capture_output=True, timeout=120
    )
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "cut")],
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    checkpoint, deadline = tmp_path / "cut" / CHECKPOINT_FILE, time.monotonic() + 60
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    progress = progress_of(tmp_path / "cut")
    assert 0 < 6 * progress["epoch"] + progress["batch"] < 18
    resumed = subprocess.run(
        [*command, "--out", str(tmp_path / "cut"), "--resume"],
        check=True,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    epochs = [line for line in resumed.stderr.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 3 - progress["epoch"]
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut"))
    assert one == other
