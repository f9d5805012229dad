"""Table 1 of the VIN paper: VIN, CNN and FCN at three sizes, and our own design beside them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.pretrained.store import WEIGHTS_FILE
from torchvin.reproduce.book import Measured, ScoreBook, Training, fresh_maps, shipped_training
from torchvin.tasks.gridworld import training_maps
from torchvin.training.config import PRESETS, RunConfig, preset
from torchvin.training.trainer import train

SIDES = (8, 16, 28)
#: row of the table -> suffix of its presets and weights
NETWORKS = {"VIN": "-paper", "CNN": "-cnn", "FCN": "-fcn"}
#: The same of the paper's network trained otherwise: from the best of a few initial weights, and under a better recipe.
BETTER = "VIN, every cell"
VARIANTS = {
    "VIN, the authors' start": "-paper-authors-start",
    "VIN, best of 8 starts": "-paper-best-start",
    BETTER: "-paper-all-cells",
}
#: All rows whose networks are trained at the size they are scored at.
OF_A_SIDE = {**NETWORKS, **VARIANTS}
OURS = "normalized, 16x16 only"
SEEDS = (0, 1, 2)
QUICK_MAPS = 1_000
FULL_MAPS = 5_000
#: Of the quick budget: each state of a CNN is a forward pass of its own, so its larger maps are fewer.
QUICK_CNN_MAPS = {8: 1_000, 16: 500, 28: 200}
#: The 8x8 trainings of the quick budget: a part of the maps and of the epochs of the presets.
QUICK_TRAINING_MAPS = 2_000
QUICK_EPOCHS = {"gridworld-8-paper": 60, "gridworld-8-cnn": 15, "gridworld-8-fcn": 30, "gridworld-8": 25}


def check_sides(sides: Sequence[int]) -> None:
    """Raises: InputError for a size that the table does not have."""
    if unknown := [side for side in sides if side not in SIDES]:
        raise InputError(f"the table has the sizes {', '.join(map(str, SIDES))}, got {', '.join(map(str, unknown))}.")


def shipped(sides: Sequence[int], seed: int, book: ScoreBook) -> list[Measured]:
    """The shipped weights of every cell of the table, on fresh maps."""
    rows = []
    for side in sides:
        maps = fresh_maps(side, QUICK_MAPS, seed)
        for network, name in _names(side).items():
            few = QUICK_CNN_MAPS[side] if network == "CNN" else QUICK_MAPS
            rows.append(measure(book, network, shipped_training(name), maps[:few], f"fresh maps {seed}"))
    return rows


def quick_trainings(seed: int, out: Path, book: ScoreBook) -> list[Measured]:
    """One short 8x8 training of each kind, on generated maps."""
    rows = []
    maps = fresh_maps(8, QUICK_MAPS, seed)
    for name, epochs in QUICK_EPOCHS.items():
        config = preset(name)
        config = replace(
            config,
            seed=seed,
            data=replace(config.data, maps=QUICK_TRAINING_MAPS),
            training=replace(config.training, epochs=epochs),
        )
        training = book.training(train_run(f"quick-{name}-s{seed}", config, out))
        assert training is not None  # it has just ended
        network = next((row for row, suffix in NETWORKS.items() if name.endswith(suffix)), "normalized")
        rows.append(measure(book, network, training, maps, f"fresh maps {seed}"))
    return rows


def full(sides: Sequence[int], out: Path, book: ScoreBook, authors: Path | None, new: bool = True) -> list[Measured]:
    """Every cell from nothing, three seeds each; what is there already is kept, so it can be killed and called again.

    Args:
        sides: sizes of the table.
        out: one folder a run.
        book: of trainings and scores; what it knows is not done again.
        authors: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on; None: generated maps.
        new: train what is missing; else take only the runs that are finished.
    """
    rows = []
    for side in sides:
        maps = fresh_maps(side, FULL_MAPS)
        for network, name in _names(side).items():
            of_file = None if network == BETTER else authors
            for seed in SEEDS:
                train_it = partial(_train, name, seed, out, of_file) if new else None
                if training := book.training(out / f"{name}-s{seed}", train_it):
                    rows.append(measure(book, network, training, maps, "fresh maps 0"))
    return rows


def _train(name: str, seed: int, out: Path, authors: Path | None) -> Path:
    """A run of a preset, from nothing: weights that it begins with are those of a run too, not the shipped ones."""
    config = replace(preset(name), seed=seed)
    if config.init in PRESETS:
        config = replace(config, init=str(_train(config.init, seed, out, None)))
    return train_run(f"{name}-s{seed}", config, out, authors)


def train_run(
    name: str,
    config: RunConfig,
    out: Path,
    authors: Path | None = None,
    command: str = "torchvin reproduce table1 --budget full",
) -> Path:
    """Train, or go on where it was, or nothing if it is finished; the folder of the run."""
    run = out / name
    if (run / WEIGHTS_FILE).exists():  # written last
        return run
    config = replace(config, training=replace(config.training, tensorboard=False))
    file = authors / f"gridworld_{config.data.height}.mat" if authors else None
    file = file if file and file.is_file() else None
    record = {
        "command": f"{command} ({name})",
        "data": file.name if file else "generated",
    }
    train(config, training_maps(config, file), run, resume=True, record=record)
    return run


def _names(side: int) -> dict[str, str]:
    """Row -> its preset and weights."""
    return {
        **{network: f"gridworld-{side}{suffix}" for network, suffix in OF_A_SIDE.items()},
        OURS: "gridworld-16",
    }


def measure(book: ScoreBook, network: str, training: Training, maps: MapDataset, which: str) -> Measured:
    """Score a training on `maps`, which the book knows as `which`."""
    iterations = training.default_iterations(*maps.size)
    scores = book.score(training, maps, which, iterations)
    return Measured(network, maps.size[0], training, iterations, scores)
