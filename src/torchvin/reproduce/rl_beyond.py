"""Beyond the paper: moves that slip, fields of rewards instead of one goal, and a view of the near cells only."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from torchvin.evaluation.expected_return import ReturnScores, evaluate_return
from torchvin.evaluation.partial_view import PartialViewScores, evaluate_partial_view
from torchvin.io.tables import Column, Table, percent, table_of
from torchvin.mdp.motion import GridMotion
from torchvin.pretrained.store import available, load_policy
from torchvin.reproduce.book import ScoreBook, Training
from torchvin.reproduce.rl_scores import fresh_maps
from torchvin.reproduce.row import Row
from torchvin.reproduce.trainings import train_run
from torchvin.tasks.reinforcement import map_source
from torchvin.training.config import RunConfig
from torchvin.training.presets import preset

#: preset -> what it is about; the training is scored by its exact expected return.
RETURNS = {
    "gridworld-8-rl-slip": "a move slips with probability 0.2",
    "gridworld-8-rl-fields": "three goals worth 1, 1/2 and 1/4; terrain that costs 1 or 5 times as much",
}
RETURN_MAPS = 1_000
RADIUS = 3
#: side of the maps -> number of maps
VIEWS = {8: 1_000, 16: 1_000, 28: 500, 48: 100}
COMMAND = "torchvin reproduce rl --budget full"
_STREAM = 11  # of the maps here, which no training sees


@dataclass(frozen=True)
class ReturnRow:
    """Expected return of a training on worlds of its kind."""

    preset: str
    seeds: int
    scores: ReturnScores


@dataclass(frozen=True)
class ViewRow:
    """A network with a view of the near cells, on maps of a size."""

    network: str
    weights: str
    side: int
    scores: PartialViewScores


@dataclass(frozen=True)
class Beyond:
    """What was measured beyond the paper."""

    returns: tuple[ReturnRow, ...] = ()
    views: tuple[ViewRow, ...] = ()

    def rows(self) -> list[Row]:
        """One number per training and per size of maps."""
        rows = [
            Row(row.preset, "vin", "test", "return_share", row.scores.share, row.scores.maps, row.seeds,
                row.scores.spread, None)
            for row in self.returns
        ]  # fmt: skip
        return rows + [
            Row(f"gridworld-{row.side}-view-{RADIUS}", row.network.lower(), "partial view", "success_rate",
                row.scores.success_rate, row.scores.maps, 1, row.scores.interval, None)
            for row in self.views
        ]  # fmt: skip

    def tables(self) -> list[Table]:
        """The tables for a terminal, and for the page."""
        tables = []
        if self.returns:
            tables.append(table_of(RETURN_COLUMNS, self.returns, title="Expected return, as a share of the optimum"))
        if self.views:
            tables.append(table_of(VIEW_COLUMNS, self.views, title=f"Partial view, {RADIUS} cells"))
        return tables


RETURN_COLUMNS: tuple[Column[ReturnRow], ...] = (
    Column("task", lambda row: f"{row.preset}: {RETURNS[row.preset]}", "task"),
    Column("expected return", lambda row: f"{row.scores.expected_return:.4f}", "return"),
    Column("optimum", lambda row: f"{row.scores.optimal_return:.4f}", "optimum"),
    Column("share", lambda row: percent(row.scores.share), "share"),
    Column("+-", lambda row: percent(row.scores.spread), "+-"),
    Column("maps", lambda row: str(row.scores.maps), "n"),
    Column("seeds", lambda row: str(row.seeds), "seeds"),
)
VIEW_COLUMNS: tuple[Column[ViewRow], ...] = (
    Column("maps", lambda row: f"{row.side}x{row.side}", "maps"),
    Column("network", lambda row: f"{row.network} ({row.weights})", "network"),
    Column("success", lambda row: percent(row.scores.success_rate), "success"),
    Column("+-", lambda row: percent(row.scores.interval), "+-"),
    Column("extra steps", lambda row: f"{row.scores.extra_steps:.2f}", "extra steps"),
    Column("n", lambda row: str(row.scores.maps), "n"),
)


def quick(sides: Sequence[int], seed: int, book: ScoreBook) -> Beyond:
    """Partial view with the shipped weights, on a tenth of the maps."""
    return Beyond(views=tuple(views(book, seed, part=10)) if max(sides) == 16 else ())


def full(sides: Sequence[int], out: Path, book: ScoreBook, new: bool) -> Beyond:
    """The trainings with slip and of reward fields, and partial view.

    Args:
        sides: of the maps of the trainings.
        out: folder of the runs.
        book: of trainings and scores.
        new: train what is missing.
    """
    found = []
    for name in RETURNS:
        config = preset(name)
        if config.data.height not in sides:
            continue
        train_it = partial(train_run, f"{name}-s0", config, out, command=COMMAND) if new else None
        if training := book.training(out / f"{name}-s0", train_it):
            found.append(ReturnRow(name, 1, expected_return(book, training, config)))
    return Beyond(tuple(found), tuple(views(book, 0)))


def expected_return(book: ScoreBook, training: Training, config: RunConfig) -> ReturnScores:
    """The exact expected return of a training on fresh worlds of its kind."""
    options = config.reinforcement

    def measure() -> dict[str, float | int]:
        worlds = map_source(config).worlds(RETURN_MAPS, np.random.default_rng((0, _STREAM)), options.rewards)
        scores = evaluate_return(training.policy(), worlds, discount=options.discount, slip=options.slip)
        return asdict(scores)

    return ReturnScores(**book.keep(f"{training.name}, expected return on {RETURN_MAPS} maps", measure))


def views(book: ScoreBook, seed: int, part: int = 1) -> list[ViewRow]:
    """VIN of the shipped weights at every size, and the shipped CNN at its own, where installed."""
    rows = []
    for side, number in VIEWS.items():
        for network, weights in (("VIN", "gridworld-16-rl"), ("CNN", f"gridworld-{side}-cnn")):
            if weights not in available():
                continue
            key = f"{weights}, view of {RADIUS} cells, seed {seed}, {number // part} maps of {side}x{side}"
            scores = book.keep(key, partial(_view, weights, side, number // part, seed))
            rows.append(ViewRow(network, weights, side, PartialViewScores(**scores)))
    return rows


def _view(weights: str, side: int, number: int, seed: int) -> dict[str, float | int]:
    maps = fresh_maps(side, number, seed, GridMotion(8, diagonal_cost=1.0))
    return asdict(evaluate_partial_view(load_policy(weights), maps, radius=RADIUS))
