"""Several initial weights: each is trained for a few epochs, and the training begins with the best of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torchvin.errors import TrainingError
from torchvin.pretrained.store import WEIGHTS_FILE
from torchvin.training.config import RunConfig
from torchvin.training.run import read_history

STARTS_FOLDER = "starts"
START_STRIDE = 1_000_003  # between the seeds of the starts of one training, so that no two trainings share one


def best_start(config: RunConfig, out: Path, train: Callable[[RunConfig, Path], list[dict[str, float | int]]]) -> int:
    """The seed of the start whose loss fell lowest, or whose reward rose highest, after a trial of each.

    Trials lie in folders of `out`.

    The first start is that of a training without trials. A trial that is there already is not run again; one that
    diverges has lost.

    Args:
        config: of the training.
        out: its folder.
        train: runs a trial and returns its history.

    Raises: TrainingError if all diverge.
    """
    options = config.training
    trial = replace(options, starts=1, epochs=options.trial_epochs, schedule="constant")
    column = "loss" if options.method == "imitation" else "reward"
    losses = {}
    for start in range(options.starts):
        seed, folder = config.seed + start * START_STRIDE, out / STARTS_FOLDER / str(start)
        try:
            if (folder / WEIGHTS_FILE).exists():  # written last
                history = read_history(folder, column)
            else:
                history = [row[column] for row in train(replace(config, training=trial, seed=seed), folder)]
            losses[seed] = min(history) if column == "loss" else -max(history)
        except TrainingError:
            if start == options.starts - 1 and not losses:
                raise
    return min(losses, key=lambda seed: losses[seed])
