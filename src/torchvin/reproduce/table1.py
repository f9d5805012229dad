"""Table 1 of the VIN paper: VIN, CNN and FCN at three sizes, and our own design beside them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from torchvin.errors import InputError
from torchvin.evaluation.published import VIN_TABLE_1
from torchvin.io.tables import Table, table_of, write_csv
from torchvin.reproduce import ablations, table1_figures
from torchvin.reproduce.book import ScoreBook, shipped_training
from torchvin.reproduce.gridworld import Measured, fresh_maps, measure
from torchvin.reproduce.page import Page, check_sizes
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.table1_text import COLUMNS, Cell, page_text, table_text
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.training.presets import PRESETS, preset

SIDES = (8, 16, 28)
#: row of the table -> suffix of its presets and weights
NETWORKS = {"VIN": "-paper", "CNN": "-cnn", "FCN": "-fcn"}
#: The paper's network trained otherwise: from other initial weights, and under a better recipe.
BETTER = "VIN, every cell"
VARIANTS = {
    "VIN, the authors' start": "-paper-authors-start",
    "VIN, best of 8 starts": "-paper-best-start",
    BETTER: "-paper-all-cells",
}
#: All rows whose networks are trained at the size they are scored at.
OF_A_SIDE = {**NETWORKS, **VARIANTS}
OURS = "normalized, 16x16 only"
#: row of the table -> policy of a `Row`
POLICIES = {
    **{network: network.lower() for network in NETWORKS},
    **{network: suffix.replace("-paper", "vin") for network, suffix in VARIANTS.items()},
    OURS: "normalized",
}
METRICS = ("success_rate", "optimal_rate", "trajectory_difference", "prediction_loss", "set_error")
SEEDS = (0, 1, 2)
QUICK_MAPS = 1_000
FULL_MAPS = 5_000
#: Quick: each state of a CNN is a forward pass of its own, so its larger maps are fewer.
QUICK_CNN_MAPS = {8: 1_000, 16: 500, 28: 200}
#: Quick, trainings at 8x8: a part of the maps and of the epochs of the presets.
QUICK_TRAINING_MAPS = 2_000
QUICK_EPOCHS = {"gridworld-8-paper": 60, "gridworld-8-cnn": 15, "gridworld-8-fcn": 30, "gridworld-8": 25}
COMMAND = "torchvin reproduce table1 --budget full"


@dataclass(frozen=True)
class Table1Scores:
    """What was measured for the page.

    Attributes:
        table: of the shipped weights or of the runs.
        trained: quick trainings.
        ablated: full: one row per ablation.
        iterations: full: planner, K and success rate.
    """

    table: tuple[Measured, ...]
    trained: tuple[Measured, ...] = ()
    ablated: tuple[Measured, ...] = ()
    iterations: tuple[tuple[Measured, int, float], ...] = ()


@dataclass(frozen=True)
class Table1(Page):
    """Table 1 of the VIN paper: VIN, CNN and FCN at 8x8, 16x16 and 28x28, and our design.

    Quick also trains one 8x8 network of each kind. Full takes about 20 hours of one core.
    """

    name: ClassVar[str] = "table1"

    sizes: tuple[int, ...] = ()
    """Sides of the maps: 8, 16, 28; all of them if none is given."""
    authors_data: Path | None = None
    """Full: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on; generated maps if not given."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        check_sizes(self.sizes, SIDES)
        if self.authors_data and not self.authors_data.is_dir():
            raise InputError(f"--authors-data {self.authors_data}: no such folder; it should hold gridworld_8.mat.")

    def measure(self, book: ScoreBook) -> Table1Scores:
        """Score the shipped weights and short trainings (quick), or every training and ablation (full)."""
        sides = self.sizes or SIDES
        if self.budget == "quick":
            trained = quick_trainings(self.seed, self.folder, book) if 8 in sides else []
            return Table1Scores(tuple(shipped(sides, self.seed, book)), tuple(trained))
        table = full(sides, self.folder, book, self.authors_data, self.train)
        if not table:
            raise InputError(f"{self.folder} holds no finished run; leave out --no-train.")
        ablated = ablations.run(self.folder, book, self.train, COMMAND)
        return Table1Scores(tuple(table), (), tuple(ablated), tuple(ablations.iterations(table, book)))

    def rows(self, measured: Table1Scores) -> list[Row]:
        """Five metrics per network and size; policies of the quick trainings end in `-quick`."""
        rows = [row for cell in cells(measured.table) for row in _rows(cell, POLICIES[cell.network])]
        for cell in cells(measured.trained):
            rows += _rows(replace(cell, published=None), f"{cell.network.lower()}-quick")
        return rows

    def tables(self, measured: Table1Scores) -> list[Table]:
        """The table for a terminal."""
        title = "Table 1 of the paper and ours, on fresh maps"
        shown = [table_of(COLUMNS, cells(measured.table), title=title, short=True)]
        if measured.trained:
            title = f"Trained here, on {QUICK_TRAINING_MAPS} maps of 8x8 and with fewer epochs"
            shown.append(table_of(COLUMNS, cells(measured.trained), title=title, short=True))
        return shown

    def write(self, measured: Table1Scores) -> list[Path]:
        """Write `table1.md`, `table1.csv` (one line per seed, every score), the figures, and `gridworld.md` (full)."""
        out = self.folder
        every = [*measured.table, *measured.trained]
        files = [write_text(out / "table1.md", table_text(cells(every))), out / "table1.csv"]
        write_csv(files[-1], [_csv_entry(row) for row in every])
        captions = table1_figures.draw(measured.table, out)
        if self.budget == "full":
            text = page_text(
                self.command, cells(measured.table), measured.table, measured.ablated, measured.iterations, captions
            )
            files.append(write_text(out / "gridworld.md", text))
        return [*files, *captions]


def cells(rows: Sequence[Measured]) -> list[Cell]:
    """One cell per network and size, in the order in which they come."""
    groups: dict[tuple[str, int], list[Measured]] = {}
    for row in rows:
        groups.setdefault((row.network, row.side), []).append(row)
    return [
        Cell(network, side, tuple(group), VIN_TABLE_1.get(network, {}).get(side))
        for (network, side), group in groups.items()
    ]


def _rows(cell: Cell, policy: str) -> list[Row]:
    scores = [row.scores for row in cell.measured]
    task = f"gridworld-{cell.side}"
    return [row_of(task, policy, "test", metric, scores, getattr(cell.published, metric, None)) for metric in METRICS]


def _csv_entry(row: Measured) -> dict[str, object]:
    return {
        "network": row.network,
        "side": row.side,
        "weights": row.training.name,
        "seed": row.training.seed,
        "iterations": row.iterations,
        "training_seconds": row.training.record["seconds"],
        "training_data": row.training.record["data"],
        **asdict(row.scores),
    }


def shipped(sides: Sequence[int], seed: int, book: ScoreBook) -> list[Measured]:
    """The shipped weights of every network and size, on fresh maps."""
    rows = []
    for side in sides:
        maps = fresh_maps(side, QUICK_MAPS, seed)
        for network, name in weights_of(side).items():
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
        training = book.training(train_run(f"quick-{name}-s{seed}", config, out, command=COMMAND))
        assert training is not None  # it has just ended
        network = next((row for row, suffix in NETWORKS.items() if name.endswith(suffix)), "normalized")
        rows.append(measure(book, network, training, maps, f"fresh maps {seed}"))
    return rows


def full(sides: Sequence[int], out: Path, book: ScoreBook, authors: Path | None, new: bool = True) -> list[Measured]:
    """Every network and size from nothing, three seeds each.

    Args:
        sides: sizes of the table.
        out: folder of the runs.
        book: of trainings and scores; what it knows is not done again.
        authors: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on; None: generated maps.
        new: train what is missing; otherwise only finished runs are taken.
    """
    rows = []
    for side in sides:
        maps = fresh_maps(side, FULL_MAPS)
        for network, name in weights_of(side).items():
            of_file = None if network == BETTER else authors
            for seed in SEEDS:
                train_it = partial(_train, name, seed, out, of_file) if new else None
                if training := book.training(out / f"{name}-s{seed}", train_it):
                    rows.append(measure(book, network, training, maps, "fresh maps 0"))
    return rows


def _train(name: str, seed: int, out: Path, authors: Path | None) -> Path:
    """A run of a preset from nothing; where it begins with the weights of a preset, those are a run too."""
    config = replace(preset(name), seed=seed)
    if config.init in PRESETS:
        config = replace(config, init=str(_train(config.init, seed, out, None)))
    return train_run(f"{name}-s{seed}", config, out, command=COMMAND, authors=authors)


def weights_of(side: int) -> dict[str, str]:
    """Row of the table -> its preset, which is also the name of its weights."""
    return {
        **{network: f"gridworld-{side}{suffix}" for network, suffix in OF_A_SIDE.items()},
        OURS: "gridworld-16",
    }
