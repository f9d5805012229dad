"""One training of a reproduction: from nothing, or on from where it was killed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torchvin.pretrained.store import WEIGHTS_FILE
from torchvin.tasks.registry import training_data
from torchvin.training.config import RunConfig
from torchvin.training.trainer import train


def train_run(
    name: str, config: RunConfig, out: Path, *, command: str, authors: Path | None = None, data: Any = None
) -> Path:
    """Train, or continue, or do nothing if the run is finished.

    Args:
        name: of the run's folder.
        config: of the training; its seed is that of the run.
        out: folder of the runs.
        command: that asked for it, for the record.
        authors: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on where there is one of the
            size; generated maps otherwise.
        data: to learn from in place of generated maps: a file of maps, or a web.

    Returns: the folder of the run.
    """
    run = out / name
    if is_finished(run):
        return run
    config = replace(config, training=replace(config.training, tensorboard=False))
    if authors is not None:
        data = authors / f"gridworld_{config.data.height}.mat"
    if data is None or isinstance(data, Path):
        file = data if data is not None and data.is_file() else None
        described, data = file.name if file else "generated", training_data(config, file)
    else:
        described = data.source
    train(config, data, run, resume=True, record={"command": f"{command} ({name})", "data": described})
    return run


def is_finished(run: Path) -> bool:
    """Whether the training in a folder has ended: its weights are written last."""
    return (run / WEIGHTS_FILE).is_file()


def find_run(folder: Path) -> Path | None:
    """Where a finished run is: in its folder, or in that of its name in version 0.1; None if it is nowhere."""
    former = folder.with_name(folder.name.replace("normalized", "normalised"))
    return next((place for place in (folder, former) if is_finished(place)), None)


def run_name(name: str) -> str:
    """A name of version 0.1 as it is spelled today.

    >>> run_name("maze-15-normalised-s0")
    'maze-15-normalized-s0'
    """
    return name.replace("normalised", "normalized")
