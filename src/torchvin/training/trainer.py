"""The trainer: optimizer steps on a task, the best epoch kept, killed and resumed at any moment. It knows no domain."""

import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from torchvin.architectures.registry import build_policy, build_with, config_to_json
from torchvin.devices import choose_device, deterministic, has_graphs
from torchvin.errors import InputError, TrainingError
from torchvin.io.progress import progress_bar
from torchvin.policies.policy import Policy
from torchvin.pretrained.format_1 import upgrade_names
from torchvin.pretrained.store import save_policy
from torchvin.tasks.registry import as_task
from torchvin.tasks.task import Task, Validation
from torchvin.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from torchvin.training.config import RunConfig
from torchvin.training.graphs import StepGraphs
from torchvin.training.initialize import initialize_from
from torchvin.training.optimizers import AdamInGraph, build_optimizer, build_schedule, fade_decay
from torchvin.training.run import CHECKPOINT_FILE, claim, write_history
from torchvin.training.starts import best_start

if TYPE_CHECKING:
    from accelerate import Accelerator

_READ_AT_ONCE = 64  # steps of a GPU
Build = Callable[[Any], Policy]


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        policy: with the weights of the best epoch, in evaluation mode, on the CPU, wherever it was trained.
        validation: what the task says of the policy: the `Evaluation` of the grid world.
        sentence: the same for a person.
        outcome: the same as numbers by name.
        history: one row per epoch.
        seconds: of training, over all resumed parts.
        main_process: whether this is the one process of a distributed training that writes files.
    """

    policy: Policy
    validation: Any
    sentence: str
    outcome: Mapping[str, Any]
    history: list[dict[str, float | int]]
    seconds: float
    main_process: bool


def train(
    config: RunConfig,
    data: Any,
    out: str | Path,
    *,
    resume: bool = False,
    record: Mapping[str, Any] | None = None,
    build: Build = build_policy,
    device: str = "auto",
) -> Trained:
    """Train a policy and leave weights, config, history and checkpoint in `out`.

    The loss is a mean over the terms of the whole batch, also when `accelerate launch` splits it over processes, so any
    number of processes gives the same model up to rounding. Killed at any moment, it goes on with `resume=True` and
    ends with the same bits (same machine, same number of threads).

    Args:
        config: of the run; `config.data` is only written down, the data come in `data`.
        data: a `Task`, or what one is made of: a `MapDataset`.
        out: folder of the run. With `resume` it may hold an unfinished run of the same config and data, or a run with
            fewer epochs: its schedule then continues as that of the longer run.
        resume: continue from the checkpoint in `out`, or start if there is none yet.
        record: kept with the weights: command, data file.
        build: makes the policy of `config.policy`, after torch's seed is set; a network with a part of your own.
        device: "cpu", "cuda", or "auto": the GPU if there is one and the task can use it. On a GPU torch's
            deterministic algorithms are on while it trains.

    Raises: InputError if there is no such device, if the task cannot use it (`Task.on_cpu`), if `out` holds another run
        or cannot be written, and see `initialize_from`; TrainingError if the loss is not finite.
    """
    task = as_task(data, config)
    task.check(config.policy)
    out = Path(out)
    starts = config.training.starts
    if config.init and starts > 1:
        raise InputError(f"--init gives the weights to begin with; leave out --training.starts {starts}.")
    accelerator = _accelerator(config, out, _device_for(task, device))
    if accelerator.is_main_process:
        claim(out, config, task.identity(), resume=resume)
    accelerator.wait_for_everyone()
    start = config.seed
    if starts > 1:

        def run_trial(trial: RunConfig, folder: Path) -> list[dict[str, float | int]]:
            return train(trial, data, folder, resume=True, build=build, device=device).history

        start = best_start(config, out, run_trial)
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    run = _Run(config, task, out, accelerator, build=build, start=start, resume=resume)
    with _onednn(config.training.onednn), deterministic(accelerator.device):
        run.epochs()
    return run.finish(record or {})


class _Run:
    """One training from its initial weights, or its checkpoint, to the weights of its best epoch."""

    def __init__(
        self,
        config: RunConfig,
        task: Task,
        out: Path,
        accelerator: "Accelerator",
        *,
        build: Build,
        start: int,
        resume: bool,
    ) -> None:
        self.config, self.options, self.task = config, config.training, task
        self.out, self.accelerator, self.start = out, accelerator, start
        torch.manual_seed(start)
        self.policy = build_with(build, config.policy)
        self.policy.task = task.description()
        if config.init:
            initialize_from(self.policy, config.init, config.seed)
        resumed = resume and (out / CHECKPOINT_FILE).exists()
        self.phases = task.phases(self.policy)
        for phase in self.phases:
            phase.before(self.policy, resumed=resumed)
        self.unread: list[Tensor] = []  # loss and terms of steps, [2] each, that the host has not looked at
        self.policy.to(accelerator.device)
        in_graph = self._can_capture()
        optimizer = build_optimizer(self.options, self.policy, in_graph=in_graph)
        self.model: nn.Module
        self.model, self.prepared = accelerator.prepare(self.policy, optimizer)
        self.graphs = StepGraphs(self._update, self._changed, accelerator.device) if in_graph else None
        self.batches = -(-len(task) // self.options.batch_size)
        self.progress, self.best = self._restored() if resumed else (Progress(), self._weights())
        self.schedule = build_schedule(
            self.options,
            self.prepared.optimizer,
            self.options.epochs * self.batches,
            steps_made=self.progress.epoch * self.batches + self.progress.batch,
        )
        self.began = time.monotonic() - self.progress.seconds
        self.saved = time.monotonic()

    def epochs(self) -> None:
        """Every epoch that is left."""
        progress, total = self.progress, self.options.epochs * self.batches
        on_terminal = sys.stderr.isatty()
        with progress_bar("training", total, shown=self.accelerator.is_main_process and on_terminal) as advance:
            advance(progress.epoch * self.batches + progress.batch)
            while progress.epoch < self.options.epochs:
                order = self.task.order(self.config.seed, progress.epoch)
                self.model.train()
                while progress.batch < self.batches:
                    self._step(order[progress.batch * self.options.batch_size :][: self.options.batch_size])
                    advance(1)
                    if time.monotonic() - self.saved > self.options.checkpoint_seconds:
                        self._save()
                row = self._end_epoch()
                if self.accelerator.is_main_process and not on_terminal:
                    print(epoch_line(row, self.options.epochs), file=sys.stderr, flush=True)
        self.accelerator.end_training()

    def finish(self, record: Mapping[str, Any]) -> Trained:
        """Take the best epoch's weights, run the last phases, evaluate, and write the weights."""
        self.policy.load_state_dict(self.best)
        self.policy.eval()
        if self.accelerator.num_processes == 1:
            self.policy.cpu()
        for phase in self.phases:
            phase.after(self.policy)
        validation = self.task.validate(self.policy)
        config = self.config.to_json()
        if record.get("data", "generated") != "generated":  # maps of a file, not those that `config.data` describes
            config["data"] = {"source": record["data"], **self.policy.task.get("data", {})}
        self.policy.record = {
            **record,
            "config": config,
            **({"start_seed": self.start} if self.options.starts > 1 else {}),
            "maps": len(self.task) if "data" not in self.policy.task else self.policy.task["data"]["maps"],
            "seconds": round(self.progress.seconds, 1),
            "validation": dict(validation.summary or validation.metrics),
        }
        if self.accelerator.is_main_process:
            save_policy(self.out, self.policy)
        report = validation if validation.report is None else validation.report
        main_process = self.accelerator.is_main_process
        return Trained(
            policy=self.policy.cpu(),
            validation=report,
            sentence=validation.sentence,
            outcome=validation.outcome,
            history=self.progress.history,
            seconds=self.progress.seconds,
            main_process=main_process,
        )

    def _can_capture(self) -> bool:
        """Whether steps are captured in CUDA graphs: where everything that a step does allows it."""
        return (
            self.options.cuda_graph
            and has_graphs(self.accelerator.device)
            and self.accelerator.num_processes == 1
            and self.options.optimizer == "adam"
            and self.task.capturable
            and self.policy.capturable
        )

    def _changed(self) -> list[Tensor]:
        """The tensors that a step changes in place."""
        moments = self.prepared.optimizer.state.values()
        return [*self.policy.state_dict().values(), *(moment for state in moments for moment in state.values())]

    def _step(self, chosen: Tensor) -> None:
        """One optimizer step on the examples `chosen`, and what follows it on the host."""
        progress, optimizer = self.progress, self.prepared.optimizer
        if self.graphs is None:
            numbers = self._update(chosen)
        else:
            assert isinstance(optimizer, AdamInGraph)
            optimizer.send_rates()
            numbers = self.graphs(chosen)
        self.unread.append(numbers)
        self.schedule.step()
        done = (progress.epoch * self.batches + progress.batch + 1) / (self.options.epochs * self.batches)
        fade_decay(self.options, optimizer, done)
        progress.batch += 1
        if self.accelerator.device.type == "cpu" or len(self.unread) >= _READ_AT_ONCE:
            self._read_losses()

    def _update(self, chosen: Tensor) -> Tensor:
        """Loss, gradients and a change of the weights; it asks the device for no number, and a graph can hold it.

        Returns: the sum of the loss and the number of its terms over all processes, [2] float64.
        """
        accelerator = self.accelerator
        # Not accelerate's own autocast: that is one setting for the whole process, and a table has trainings of both.
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"):
            loss_sum, count = self._share_of_loss(chosen)
        numbers = torch.stack([loss_sum.detach().double(), count])
        if accelerator.num_processes > 1:
            numbers = accelerator.reduce(numbers, reduction="sum")
        self.prepared.zero_grad()
        # Processes average their gradients, so each scales its sum to a share of the mean over all terms.
        share = accelerator.num_processes / numbers[1].clamp(min=1)
        accelerator.backward(loss_sum * share.to(loss_sum.dtype))
        if self.options.largest_gradient:
            accelerator.clip_grad_norm_(self.policy.parameters(), self.options.largest_gradient)
        self.prepared.step()
        return numbers

    def _read_losses(self) -> None:
        """Add the losses of the last steps, in their order; on a GPU the host waits here, and not at each step."""
        numbers = torch.stack(self.unread).tolist() if self.unread else []
        self.unread.clear()
        for loss, terms in numbers:
            self.progress.loss_sum += loss
            self.progress.term_count += int(terms)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} in epoch {self.progress.epoch}: the network diverged; lower "
                    f"--training.learning-rate (it is {self.options.learning_rate}) or use the normalized design."
                )

    def _share_of_loss(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """This process's share of a batch: the sum of the loss, and the number of its terms (float64)."""
        accelerator = self.accelerator
        mine = chosen[accelerator.process_index :: accelerator.num_processes]
        idle = len(mine) == 0  # more processes than examples in the last batch: take part in the reduction with nothing
        loss, count = self.task.loss(self.model, chosen[:1] if idle else mine, accelerator.device)
        number = count.double() if isinstance(count, Tensor) else loss.new_full((), count, dtype=torch.float64)
        return loss * (not idle), number * (not idle)

    def _end_epoch(self) -> dict[str, float | int]:
        """Validate, keep the weights if they are the best so far, write history and checkpoint."""
        self._read_losses()
        progress = self.progress
        validation: Validation = self.task.validate(self.policy)
        progress.epoch += 1
        row = {
            "epoch": progress.epoch,
            "loss": progress.loss_sum / max(progress.term_count, 1),
            **validation.metrics,
            "learning_rate": float(self.schedule.get_last_lr()[0]),
            "seconds": round(time.monotonic() - self.began, 3),
        }
        progress.history.append(row)
        progress.batch, progress.loss_sum, progress.term_count = 0, 0.0, 0
        if progress.best is None or validation.key > progress.best:
            progress.best, self.best = validation.key, self._weights()
        self.accelerator.log({name: value for name, value in row.items() if name != "epoch"}, step=progress.epoch)
        if self.accelerator.is_main_process:
            write_history(self.out, progress.history)
        self._save()
        return row

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.policy.state_dict().items()}

    def _save(self) -> None:
        self._read_losses()
        self.progress.seconds = time.monotonic() - self.began
        if self.accelerator.is_main_process:
            save_checkpoint(
                self.out / CHECKPOINT_FILE,
                policy=self.policy,
                best=self.best,
                optimizer=self.prepared.optimizer,
                progress=self.progress,
                task=self.task.state(),
            )
        self.saved = time.monotonic()

    def _restored(self) -> tuple[Progress, dict[str, Tensor]]:
        architecture = config_to_json(self.config.policy)["architecture"]
        progress, best, state = load_checkpoint(
            self.out / CHECKPOINT_FILE,
            policy=self.policy,
            optimizer=self.prepared.optimizer,
            upgrade_name=partial(upgrade_names, architecture_name=architecture),
        )
        self.task.set_state(state)
        return progress, best


def epoch_line(row: Mapping[str, float | int], epochs: int) -> str:
    """One line of a log.

    >>> epoch_line({"epoch": 3, "loss": 0.25, "success_rate": 0.5, "learning_rate": 0.01, "seconds": 2.0}, 25)
    'epoch 3/25  loss 0.25  success_rate 0.5  learning_rate 0.01  2 s'
    """
    numbers = [f"{name} {value:.4g}" for name, value in row.items() if name not in ("epoch", "seconds")]
    return "  ".join([f"epoch {row['epoch']:.0f}/{epochs}", *numbers, f"{row['seconds']:.0f} s"])


def _device_for(task: Task, name: str) -> torch.device:
    device = choose_device(name)
    if not task.on_cpu:
        return device
    if name == "cuda":
        raise InputError("this task trains on the CPU, where its data stay. Use device 'cpu' or 'auto'.")
    return torch.device("cpu")


def _accelerator(config: RunConfig, out: Path, device: torch.device) -> "Accelerator":
    from accelerate import Accelerator

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    forced = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes", "on")
    if device.type == "cuda" and not forced and processes > torch.cuda.device_count():
        raise InputError(
            f"{processes} processes on {torch.cuda.device_count()} GPU(s): each needs one of its own. Start fewer, or "
            "give --device cpu."
        )
    tracking = config.training.tensorboard and importlib.util.find_spec("tensorboard") is not None
    on_cpu = device.type == "cpu" and torch.cuda.is_available()
    accelerator = Accelerator(cpu=on_cpu, log_with="tensorboard" if tracking else None, project_dir=str(out))
    if tracking:
        accelerator.init_trackers("tensorboard")
    return accelerator


@contextmanager
def _onednn(enabled: bool) -> Iterator[None]:
    """Whether convolutions go through oneDNN, for a while; torch's own `flags` sets more than this."""
    before = torch.backends.mkldnn.set_flags(_enabled=enabled)[0]  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        torch.backends.mkldnn.set_flags(_enabled=before)  # type: ignore[no-untyped-call]
