"""Learning from reward: VIN and CNN by PPO, VIN by the paper's TRPO with a curriculum, and what is beyond it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from torchvin.errors import InputError
from torchvin.io.tables import Table, table_of, write_csv
from torchvin.reproduce import rl_beyond, rl_figures
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.page import Page, check_sizes
from torchvin.reproduce.rl_beyond import Beyond
from torchvin.reproduce.rl_scores import NETWORKS, SIDES, TRANSFER, Measured, measure, train_with_library
from torchvin.reproduce.rl_text import COLUMNS, cells, page_text
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.training.presets import PRESETS, preset

#: metric of a `Row`; rates by steps, and by the length of the path.
METRICS = ("success_rate", "optimal_rate", "trajectory_difference")
SEEDS = (0, 1, 2)
FULL_MAPS, QUICK_MAPS = 5_000, 1_000
#: Maps of the larger sizes, whose plans take longer.
TRANSFER_MAPS = {28: 5_000, 64: 500}
QUICK_EPOCHS = 15
COMMAND = "torchvin reproduce rl --budget full"


@dataclass(frozen=True)
class RLScores:
    """What was measured for the page.

    Attributes:
        table: every training on every size of maps.
        beyond: slips, reward fields, partial view.
    """

    table: tuple[Measured, ...]
    beyond: Beyond


@dataclass(frozen=True)
class RL(Page):
    """Reinforcement learning: VIN and CNN by PPO, VIN by TRPO with the paper's curriculum, larger maps, and beyond.

    Quick also trains one 8x8 network from reward alone. Full takes about 15 hours of one core, nearly all for the CNN.
    """

    name: ClassVar[str] = "rl"

    sizes: tuple[int, ...] = ()
    """Sides of the maps of the trainings: 8, 16; both if none is given."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        check_sizes(self.sizes, SIDES)

    def measure(self, book: ScoreBook) -> RLScores:
        """Score the shipped weights and one short training (quick), or every training (full)."""
        sides = self.sizes or SIDES
        if self.budget == "quick":
            table = [*shipped(sides, self.seed, book), *(quick_training(self.seed, self.folder, book) * (8 in sides))]
            return RLScores(tuple(table), rl_beyond.quick(sides, self.seed, book))
        table = full(sides, self.folder, book, self.train)
        if not table:
            raise InputError(f"{self.folder} holds no finished run; leave out --no-train.")
        return RLScores(tuple(table), rl_beyond.full(sides, self.folder, book, self.train))

    def rows(self, measured: RLScores) -> list[Row]:
        """Three metrics per network and size, by steps; of what is beyond the paper one metric each."""
        rows = []
        for cell in cells(measured.table):
            split = "test" if cell.on == cell.side else "transfer"
            scores = [row.scores for row in cell.measured]
            task = f"gridworld-{cell.side}-rl" if cell.on == cell.side else f"gridworld-{cell.side}-rl-on-{cell.on}"
            rows += [row_of(task, cell.policy, split, metric, scores) for metric in METRICS]
        return rows + measured.beyond.rows()

    def tables(self, measured: RLScores) -> list[Table]:
        """The tables for a terminal."""
        title = "From reward alone, on fresh maps (optimal: in the least number of steps)"
        return [table_of(COLUMNS, cells(measured.table), title=title, short=True), *measured.beyond.tables()]

    def write(self, measured: RLScores) -> list[Path]:
        """Write `rl.md`, `rl.csv` (one line per seed and size, every score) and the figures."""
        out = self.folder
        captions = rl_figures.draw(measured.table, out)
        files = [write_text(out / "rl.md", page_text(self.command, measured.table, measured.beyond, captions))]
        write_csv(out / "rl.csv", [_csv_entry(row) for row in measured.table])
        return [*files, out / "rl.csv", *captions]


def _csv_entry(row: Measured) -> dict[str, object]:
    return {
        "network": row.network,
        "side": row.side,
        "maps of side": row.on,
        "weights": row.training.name,
        "seed": row.training.seed,
        "environment_steps": row.steps,
        "training_seconds": row.training.record["seconds"],
        **asdict(row.scores),
    }


def shipped(sides: Sequence[int], seed: int, book: ScoreBook) -> list[Measured]:
    """The shipped weights on fresh maps of their size, and those of the largest size on larger ones."""
    rows = []
    for side in sides:
        training = shipped_training(f"gridworld-{side}-rl")
        rows.append(measure(book, "VIN", side, side, training, QUICK_MAPS, seed))
        if side == max(SIDES):
            rows += _on_larger_maps(book, "VIN", side, training, 10, seed)
    return rows


def quick_training(seed: int, out: Path, book: ScoreBook) -> list[Measured]:
    """One short training at 8x8."""
    config = replace(preset("gridworld-8-rl"), seed=seed)
    config = replace(config, training=replace(config.training, epochs=QUICK_EPOCHS))
    training = book.training(train_run(f"quick-gridworld-8-rl-s{seed}", config, out, command=COMMAND))
    assert training is not None  # it has just ended
    return [measure(book, "VIN, trained here", 8, 8, training, QUICK_MAPS, seed)]


def full(sides: Sequence[int], out: Path, book: ScoreBook, new: bool = True) -> list[Measured]:
    """Every network and size from nothing, three seeds each.

    Args:
        sides: of the maps of the trainings.
        out: folder of the runs.
        book: of trainings and scores; what it knows is not done again.
        new: train what is missing; otherwise only finished runs are taken.
    """
    rows = []
    for network, kind in NETWORKS.items():
        for side in sides:
            name = f"gridworld-{side}-rl{kind.suffix}"
            if name not in PRESETS and kind.library is None:
                continue
            for seed in SEEDS:
                train_it = partial(_train, name, seed, side, out, kind.library) if new else None
                training = book.training(out / f"{name}-s{seed}", train_it)
                if training is None:
                    continue
                rows.append(measure(book, network, side, side, training, FULL_MAPS))
                if side == max(SIDES) and kind.any_size:
                    rows += _on_larger_maps(book, network, side, training)
    return rows


def _train(name: str, seed: int, side: int, out: Path, library: str | None) -> Path:
    if library is not None:
        return train_with_library(library, name, side, seed, out, COMMAND)
    return train_run(f"{name}-s{seed}", replace(preset(name), seed=seed), out, command=COMMAND)


def _on_larger_maps(
    book: ScoreBook, network: str, side: int, training: Training, part: int = 1, seed: int = 0
) -> list[Measured]:
    """The scores on sizes that the training never saw, on a part of the maps."""
    return [measure(book, network, side, on, training, TRANSFER_MAPS[on] // part, seed) for on in TRANSFER]
