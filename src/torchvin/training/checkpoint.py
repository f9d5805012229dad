"""Everything a training needs to go on bit for bit, in one safetensors file that is whole or not there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from torchvin.errors import InputError
from torchvin.io.files import replacing

_MOMENT = "optimizer/"  # prefixes of the tensors in the file
_POLICY = "policy/"
_BEST = "best/"
_TASK = "task/"
_RANDOM = "random"
_RANDOM_ON_GPU = "random_on_gpu"
_FORMAT = 2


@dataclass
class Progress:
    """How far a training has come. Sums are kept as Python floats: JSON holds them exactly.

    Attributes:
        epoch, batch: the next batch to train on.
        loss_sum, term_count: of the epoch so far.
        seconds: of training before this process.
        best: key of the best epoch so far (`Validation.key`); None before the first.
        history: one row per epoch, as the CSV has them.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    term_count: int = 0
    seconds: float = 0.0
    best: tuple[float, ...] | None = None
    history: list[dict[str, float | int]] = field(default_factory=list)


def save_checkpoint(
    path: Path,
    *,
    policy: nn.Module,
    best: dict[str, Tensor],
    optimizer: Optimizer,
    progress: Progress,
    task: Mapping[str, Tensor] | None = None,
) -> None:
    """Write the state of a training; a kill at any moment leaves the last whole checkpoint.

    The learning-rate schedule is not written: it follows from the number of steps made.

    Args:
        path: of the file.
        policy, best, optimizer, progress: of the training.
        task: what the task needs beside them (`Task.state`).

    Raises: InputError if `path` cannot be written.
    """
    from safetensors.torch import save_file

    state = optimizer.state_dict()
    moments = {
        f"{_MOMENT}{index}/{name}": value for index, entry in state["state"].items() for name, value in entry.items()
    }
    tensors = {_RANDOM: torch.get_rng_state(), **moments}
    if (device := next(policy.parameters()).device).type == "cuda":
        tensors[_RANDOM_ON_GPU] = torch.cuda.get_rng_state(device)
    tensors |= {_POLICY + name: value for name, value in policy.state_dict().items()}
    tensors |= {_BEST + name: value for name, value in best.items()}
    tensors |= {_TASK + name: value for name, value in (task or {}).items()}
    description = {"format": _FORMAT, "param_groups": state["param_groups"], "progress": asdict(progress)}
    with replacing(path) as temporary:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={"training": json.dumps(description)},
        )


def load_checkpoint(
    path: Path, *, policy: nn.Module, optimizer: Optimizer, upgrade_name: Callable[[str], str] = str
) -> tuple[Progress, dict[str, Tensor], dict[str, Tensor]]:
    """Put policy, optimizer and torch's random state back; return progress, best weights and the state of the task.

    Args:
        path: of the file.
        policy, optimizer: of the training.
        upgrade_name: from the name of a tensor in version 0.1 to that of today.

    Raises: InputError if the file is not a checkpoint of this training.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            description = json.loads(stored.metadata()["training"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
        if description.get("format") != _FORMAT:
            description, tensors = _upgrade(description, tensors, upgrade_name)
        moments: dict[int, dict[str, Any]] = {}
        for name in sorted(tensors):
            if name.startswith(_MOMENT):
                index, key = name.removeprefix(_MOMENT).split("/")
                moments.setdefault(int(index), {})[key] = tensors[name]
        policy.load_state_dict(_without(tensors, _POLICY))
        optimizer.load_state_dict({"state": moments, "param_groups": description["param_groups"]})
        torch.set_rng_state(tensors[_RANDOM])
        if _RANDOM_ON_GPU in tensors and (device := next(policy.parameters()).device).type == "cuda":
            torch.cuda.set_rng_state(tensors[_RANDOM_ON_GPU], device)
        best = description["progress"].pop("best", None)  # a list in JSON
        progress = Progress(**description["progress"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a checkpoint of this training ({error}); train into a new folder.") from error
    progress.best = None if best is None else tuple(best)
    return progress, _without(tensors, _BEST), _without(tensors, _TASK)


def _upgrade(
    description: dict[str, Any], tensors: dict[str, Tensor], upgrade_name: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A checkpoint of version 0.1 in today's words."""
    progress = dict(description["progress"])
    progress["term_count"] = progress.pop("cell_count")
    renamed = {}
    for name, tensor in tensors.items():
        for prefix in (_POLICY, _BEST):
            if name.startswith(prefix):
                name = prefix + upgrade_name(name.removeprefix(prefix))
        renamed[name.replace("optimiser/", _MOMENT)] = tensor
    return {**description, "progress": progress}, renamed


def _without(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
