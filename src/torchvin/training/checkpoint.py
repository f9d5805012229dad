"""Everything a training needs to go on bit for bit, in one safetensors file that is whole or not there."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from torchvin.errors import InputError
from torchvin.io.files import replacing

_MOMENT = "optimizer/"  # prefixes of the tensors in the file
_POLICY = "policy/"
_BEST = "best/"
_RANDOM = "random"


@dataclass
class Progress:
    """How far a training has come. Sums are kept as Python floats: JSON holds them exactly.

    Attributes:
        epoch, batch: the next batch to train on.
        loss_sum, cell_count: of the epoch so far.
        seconds: of training before this process.
        best: highest (success rate, -set error) on the validation maps so far.
        history: one row an epoch, as the CSV has them.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    cell_count: int = 0
    seconds: float = 0.0
    best: tuple[float, float] = (-1.0, -1.0)
    history: list[dict[str, float]] = field(default_factory=list)


def save_checkpoint(
    path: Path,
    *,
    policy: nn.Module,
    best: dict[str, Tensor],
    optimizer: Optimizer,
    schedule: LRScheduler,
    progress: Progress,
) -> None:
    """Write the state of a training; a kill at any moment leaves the last whole checkpoint.

    Raises: InputError if `path` cannot be written.
    """
    from safetensors.torch import save_file

    state = optimizer.state_dict()
    moments = {
        f"{_MOMENT}{index}/{name}": value for index, entry in state["state"].items() for name, value in entry.items()
    }
    tensors = {_RANDOM: torch.get_rng_state(), **moments}
    tensors |= {_POLICY + name: value for name, value in policy.state_dict().items()}
    tensors |= {_BEST + name: value for name, value in best.items()}
    description = {
        "param_groups": state["param_groups"],
        "schedule": {name: value for name, value in schedule.state_dict().items() if not callable(value)},
        "progress": asdict(progress),
    }
    with replacing(path) as temporary:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={"training": json.dumps(description)},
        )


def load_checkpoint(
    path: Path, *, policy: nn.Module, optimizer: Optimizer, schedule: LRScheduler
) -> tuple[Progress, dict[str, Tensor]]:
    """Put policy, optimizer, schedule and torch's random state back; return the progress and the best weights.

    Raises: InputError if the file is not a checkpoint of this training.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            description = json.loads(stored.metadata()["training"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
        moments: dict[int, dict[str, Any]] = {}
        for name in sorted(tensors):
            if name.startswith(_MOMENT):
                index, key = name.removeprefix(_MOMENT).split("/")
                moments.setdefault(int(index), {})[key] = tensors[name]
        policy.load_state_dict(_without(tensors, _POLICY))
        optimizer.load_state_dict({"state": moments, "param_groups": description["param_groups"]})
        schedule.load_state_dict(description["schedule"])
        torch.set_rng_state(tensors[_RANDOM])
        progress = Progress(**description["progress"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: not a checkpoint of this training ({error}); train into a new folder.") from error
    progress.best = (progress.best[0], progress.best[1])
    return progress, _without(tensors, _BEST)


def _without(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
