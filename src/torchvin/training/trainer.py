"""Imitation learning: the policy copies the expert, on all cells of a map at once (Tamar et al. 2016, section 4)."""

import csv
import hashlib
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from torchvin.architectures.registry import build_policy, build_with
from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError, TrainingError
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.scorer import Evaluation, evaluate
from torchvin.io.files import replacing
from torchvin.io.progress import progress_bar
from torchvin.planning.planners.latent_graph import LatentGraphPlanner
from torchvin.policies.policy import Policy
from torchvin.pretrained.format_1 import upgrade_run
from torchvin.pretrained.store import WEIGHTS_FILE, save_policy
from torchvin.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from torchvin.training.config import RunConfig, TrainingConfig
from torchvin.training.imitation.examples import Examples, build_examples
from torchvin.training.initialize import initialize_from
from torchvin.training.maps import split_validation
from torchvin.training.optimizers import RMSpropEpsilonInside
from torchvin.training.phases.calibration import calibrate
from torchvin.training.phases.curriculum import learn_moves

CHECKPOINT_FILE = "checkpoint.safetensors"
RUN_FILE = "run.json"
HISTORY_FILE = "history.csv"
STARTS_FOLDER = "starts"
START_STRIDE = 1_000_003  # between the seeds of the starts of one training, so that no two trainings share one


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        policy: the best epoch's, in evaluation mode.
        validation: its scores on the validation maps.
        history: one row an epoch.
        seconds: of training, over all resumed parts.
        main_process: whether this is the one process of a distributed training that writes files.
    """

    policy: Policy
    validation: Evaluation
    history: list[dict[str, float]]
    seconds: float
    main_process: bool


def train(
    config: RunConfig,
    dataset: MapDataset,
    out: Path,
    *,
    resume: bool = False,
    record: dict[str, Any] | None = None,
    build: Callable[[Any], Policy] = build_policy,
) -> Trained:
    """Train a policy and leave weights, config, history and checkpoint in `out`.

    The loss is a mean over the cells of the whole batch, also when `accelerate launch` splits it over processes, so any
    number of processes gives the same model up to rounding. Killed at any moment, it goes on with `resume=True` and
    ends with the same bits (same machine, same number of threads).

    Args:
        config: of the run; `config.data` is only written down, the maps come in `dataset`.
        dataset: maps to learn from; some are held out to choose the best epoch.
        out: folder of the run. With `resume` it may hold an unfinished run of the same config and maps.
        resume: go on from the checkpoint in `out`, or begin if there is none yet.
        record: kept in the weights' config: command, data file.
        build: makes the policy of `config.policy`, after torch's seed is set; a network with a part of your own.

    Raises: InputError if `out` holds another run or cannot be written, and see `initialize_from`; TrainingError if the
        loss is not finite.
    """
    from accelerate import Accelerator

    check_fit(config.policy, dataset)

    options = config.training
    if config.init and options.starts > 1:
        raise InputError(f"--init gives the weights to begin with; leave out --training.starts {options.starts}.")
    tracking = options.tensorboard and importlib.util.find_spec("tensorboard") is not None
    accelerator = Accelerator(log_with="tensorboard" if tracking else None, project_dir=str(out))
    if accelerator.is_main_process:
        _claim(out, config, dataset, resume)
    accelerator.wait_for_everyone()
    start = config.seed if options.starts == 1 else best_start(config, dataset, out, build)
    if tracking:
        accelerator.init_trackers("tensorboard")

    if options.threads:
        torch.set_num_threads(options.threads)
    training, validation = split_validation(dataset, options.validation_maps, config.seed)
    torch.manual_seed(start)
    policy = build_with(build, config.policy)
    if config.init:
        initialize_from(policy, config.init, config.seed)
    checkpoint = out / CHECKPOINT_FILE
    going_on = resume and checkpoint.exists()
    if isinstance(policy.planner, LatentGraphPlanner):
        _first_phase(policy, training, options, config.seed, done=going_on)
    elif options.curriculum.steps:
        raise InputError(
            f"a curriculum settles the moves of the design 'shortest_path', which "
            f"{type(config.policy).__name__} does not learn; leave --training.curriculum.steps out."
        )
    examples = build_examples(training, options, config.seed)
    batches = -(-len(examples) // options.batch_size)
    model, prepared = accelerator.prepare(policy, build_optimizer(options, policy))
    optimizer: Optimizer = prepared.optimizer
    schedule = build_schedule(options, optimizer, options.epochs * batches)
    progress, best = Progress(), {name: value.clone() for name, value in policy.state_dict().items()}
    if going_on:
        progress, best = load_checkpoint(checkpoint, policy=policy, optimizer=optimizer, schedule=schedule)

    began = time.monotonic() - progress.seconds
    saved = time.monotonic()

    def save() -> None:
        progress.seconds = time.monotonic() - began
        if accelerator.is_main_process:
            save_checkpoint(
                checkpoint, policy=policy, best=best, optimizer=optimizer, schedule=schedule, progress=progress
            )

    shown = accelerator.is_main_process
    with _onednn(options.onednn), progress_bar("training", options.epochs * batches, shown=shown) as advance:
        advance(progress.epoch * batches + progress.batch)
        while progress.epoch < options.epochs:
            order = _order(len(examples), config.seed, progress.epoch)
            model.train()
            while progress.batch < batches:
                chosen = order[progress.batch * options.batch_size :][: options.batch_size]
                # Not accelerate's own: that is one setting for the whole process, and a table has trainings of both.
                with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=options.precision == "bfloat16"):
                    loss_sum, count = _loss(model, examples, chosen, accelerator)
                total = accelerator.reduce(torch.stack([loss_sum.detach().double().cpu(), count]), reduction="sum")
                prepared.zero_grad()
                # Processes average their gradients, so each scales its sum to a share of the mean over all cells.
                accelerator.backward(loss_sum * (accelerator.num_processes / total[1].item()))
                if options.largest_gradient:
                    accelerator.clip_grad_norm_(policy.parameters(), options.largest_gradient)
                prepared.step()
                schedule.step()
                progress.batch += 1
                progress.loss_sum += total[0].item()
                progress.cell_count += int(total[1].item())
                if not torch.isfinite(total[0]):
                    raise TrainingError(
                        f"the loss is {total[0].item()} in epoch {progress.epoch}: the network diverged; lower "
                        f"--training.learning-rate (it is {options.learning_rate}) or use the normalized design."
                    )
                advance(1)
                if time.monotonic() - saved > options.checkpoint_seconds:
                    save()
                    saved = time.monotonic()
            row = _finish_epoch(progress, policy, validation, schedule, time.monotonic() - began)
            if (row["success_rate"], -row["set_error"]) > progress.best:
                progress.best = (row["success_rate"], -row["set_error"])
                best = {name: value.clone() for name, value in policy.state_dict().items()}
            accelerator.log({name: value for name, value in row.items() if name != "epoch"}, step=progress.epoch)
            if accelerator.is_main_process:
                _write_history(out, progress.history)
            save()
            saved = time.monotonic()
    accelerator.end_training()

    policy.load_state_dict(best)
    policy.eval()
    if isinstance(policy.planner, LatentGraphPlanner):
        calibrate(policy, training, options, config.seed)
    scores = evaluate(policy, validation)
    if accelerator.is_main_process:
        save_policy(
            out,
            policy,
            task=dataset.description(),
            record={
                **(record or {}),
                "config": config.to_json(),
                **({"start_seed": start} if options.starts > 1 else {}),
                "maps": len(training),
                "seconds": round(progress.seconds, 1),
                "validation": asdict(scores.scores),
            },
        )
    return Trained(policy, scores, progress.history, progress.seconds, accelerator.is_main_process)


def best_start(config: RunConfig, dataset: MapDataset, out: Path, build: Callable[[Any], Policy] = build_policy) -> int:
    """Train from each of the starts for a few epochs, in folders of `out`; return the seed whose loss fell lowest.

    The first start is that of a training without trials. A trial that is there already is not run again; one that
    diverges has lost.

    Raises: TrainingError if all diverge.
    """
    trial = replace(config.training, starts=1, epochs=config.training.trial_epochs, schedule="constant")
    losses = {}
    for start in range(config.training.starts):
        seed, folder = config.seed + start * START_STRIDE, out / STARTS_FOLDER / str(start)
        try:
            if (folder / WEIGHTS_FILE).exists():  # written last
                with (folder / HISTORY_FILE).open(newline="") as stream:
                    history = [float(row["loss"]) for row in csv.DictReader(stream)]
            else:
                of_start = replace(config, training=trial, seed=seed)
                trained = train(of_start, dataset, folder, resume=True, build=build)
                history = [row["loss"] for row in trained.history]
            losses[seed] = min(history)
        except TrainingError:
            if start == config.training.starts - 1 and not losses:
                raise
    return min(losses, key=lambda seed: losses[seed])


@contextmanager
def _onednn(enabled: bool) -> Iterator[None]:
    """Whether convolutions go through oneDNN, for a while; torch's own `flags` sets more than this."""
    before = torch.backends.mkldnn.set_flags(_enabled=enabled)[0]  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        torch.backends.mkldnn.set_flags(_enabled=before)  # type: ignore[no-untyped-call]


def _first_phase(policy: Policy, training: MapDataset, options: TrainingConfig, seed: int, *, done: bool) -> None:
    """Learn where moves lead and make them deterministic, or only say so where a checkpoint will bring them."""
    assert isinstance(policy.planner, LatentGraphPlanner)
    if not options.curriculum.steps:
        policy.planner.solve = "iterate"  # moves stay uncertain
    elif done:
        policy.planner.transition.make_deterministic()
    else:
        learn_moves(policy, training, options, seed)


def build_optimizer(options: TrainingConfig, policy: Policy) -> Optimizer:
    """The optimizer of a config, of what is still to be learned."""
    learned = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    if options.optimizer == "rmsprop-authors":
        return RMSpropEpsilonInside(learned, lr=options.learning_rate)
    if options.optimizer == "rmsprop":
        return torch.optim.RMSprop(learned, lr=options.learning_rate, eps=options.epsilon)
    return torch.optim.Adam(learned, lr=options.learning_rate, eps=options.epsilon)


def build_schedule(options: TrainingConfig, optimizer: Optimizer, total_steps: int) -> LRScheduler:
    """The learning-rate schedule of a config, stepped once a batch."""
    if options.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if options.schedule == "stages":
        stages = options.stages

        def factor(step: int) -> float:
            return stages[min(step * len(stages) // total_steps, len(stages) - 1)]

        return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=total_steps)


def _order(num_maps: int, seed: int, epoch: int) -> Tensor:
    """A fresh order each epoch that depends on nothing but the seed, so that a resumed epoch goes on in it."""
    return torch.randperm(num_maps, generator=torch.Generator().manual_seed(seed * 100_003 + epoch))


def _loss(model: torch.nn.Module, examples: Examples, chosen: Tensor, accelerator: Any) -> tuple[Tensor, Tensor]:
    """This process's share of a batch: the sum of the loss over its states, and their number (float64, on the CPU)."""
    mine = chosen[accelerator.process_index :: accelerator.num_processes]
    idle = len(mine) == 0  # more processes than examples in the last batch: take part in the reduction with nothing
    loss, count = examples.loss(model, chosen[:1] if idle else mine, accelerator.device)
    return loss * (not idle), torch.tensor(0 if idle else count, dtype=torch.float64)


def _finish_epoch(
    progress: Progress, policy: Policy, validation: MapDataset, schedule: LRScheduler, seconds: float
) -> dict[str, float]:
    scores = evaluate(policy, validation).scores
    progress.epoch += 1
    row = {
        "epoch": progress.epoch,
        "loss": progress.loss_sum / max(progress.cell_count, 1),
        "success_rate": scores.all_states_success_rate,
        "optimal_rate": scores.all_states_optimal_rate,
        "set_error": scores.all_states_set_error,
        "learning_rate": float(schedule.get_last_lr()[0]),
        "seconds": round(seconds, 3),
    }
    progress.history.append(row)
    progress.batch, progress.loss_sum, progress.cell_count = 0, 0.0, 0
    return row


def _write_history(out: Path, history: list[dict[str, float]]) -> None:
    with replacing(out / HISTORY_FILE) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def _claim(out: Path, config: RunConfig, dataset: MapDataset, resume: bool) -> None:
    """Write down which run `out` holds, or check that it is this one."""
    maps = hashlib.sha256(dataset.blocked.numpy().tobytes() + dataset.goal.numpy().tobytes()).hexdigest()
    # Through JSON, as the file that it is compared with: a tuple there is a list.
    run = json.loads(json.dumps({**config.to_json(), "maps_sha256": maps}))
    path = out / RUN_FILE
    if not path.exists():
        if (out / WEIGHTS_FILE).exists() or (out / CHECKPOINT_FILE).exists():
            raise InputError(f"{out} holds weights but no {RUN_FILE}; choose another --out.")
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(run, indent=2) + "\n")
        return
    if not resume:
        raise InputError(f"{out} already holds a run; pass --resume to go on with it, or choose another --out.")
    try:
        before = upgrade_run(json.loads(path.read_text()))
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}); choose another --out.") from error
    if changed := _differences(_with_defaults(before), run):
        raise InputError(f"{out} holds another run: {changed} differ; give the same options, or choose another --out.")


def _with_defaults(run: dict[str, Any]) -> dict[str, Any]:
    """A run that an earlier version wrote down, with the options it did not have yet."""
    defaults = json.loads(json.dumps(RunConfig().to_json()))
    groups = {name: {**value, **run.get(name, {})} for name, value in defaults.items() if isinstance(value, dict)}
    return {**defaults, **run, **groups}


def _differences(before: Any, after: Any, name: str = "") -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after})
        found = (_differences(before.get(key), after.get(key), f"{name}.{key}".lstrip(".")) for key in keys)
        return ", ".join(part for part in found if part)
    return "" if before == after else f"{name} ({before} then, {after} now)"
