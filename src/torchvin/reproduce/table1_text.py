"""Columns and page of Table 1: what of the scores becomes which text. The prose is in `templates/table1.md`."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from torchvin.bench.machine import peak_megabytes, processor
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.published import VIN_PAPER, PublishedScore
from torchvin.io.tables import Column, percent, table_of
from torchvin.reproduce.gridworld import Measured
from torchvin.reproduce.row import mean_score
from torchvin.reproduce.text import figure_list, filled
from torchvin.training.presets import preset

BASELINES = ("CNN", "FCN")


@dataclass(frozen=True)
class Cell:
    """A network at a size.

    Attributes:
        network: row of the table.
        side: rows and columns of the maps.
        measured: one per seed, on the same maps.
        published: the paper's numbers; None if it has none.
    """

    network: str
    side: int
    measured: tuple[Measured, ...]
    published: PublishedScore | None

    def mean(self, metric: str) -> float:
        """Mean over the seeds; NaN where nothing was counted."""
        return mean_score([row.scores for row in self.measured], metric)

    @property
    def maps(self) -> int:
        """Number of maps."""
        return self.measured[0].scores.maps

    def ours(self, metric: str, digits: int = 3) -> str:
        """Our number as text."""
        value = self.mean(metric)
        return f"{value:.{digits}f}" if value == value else "-"

    def paper(self, metric: str) -> str:
        """The paper's number as text."""
        return f"{getattr(self.published, metric):.3f}" if self.published else "-"


COLUMNS: tuple[Column[Cell], ...] = (
    Column("maps", lambda cell: f"{cell.side}x{cell.side}", "maps"),
    Column("network", lambda cell: cell.network, "network"),
    Column("success, paper", lambda cell: percent(cell.published.success_rate, 1) if cell.published else "-", "paper"),
    Column("success, ours", lambda cell: percent(cell.mean("success_rate")), "success"),
    Column("+-", lambda cell: f"{100 * margin(cell.mean('success_rate'), cell.maps):.2f}", "+-"),
    Column("optimal", lambda cell: percent(cell.mean("optimal_rate")), "optimal"),
    Column("traj. diff., paper", lambda cell: cell.paper("trajectory_difference"), "paper"),
    Column("ours", lambda cell: cell.ours("trajectory_difference"), "extra"),
    Column("pred. loss, paper", lambda cell: cell.paper("prediction_loss"), "paper"),
    Column("ours", lambda cell: cell.ours("prediction_loss"), "loss"),
    Column("set error", lambda cell: cell.ours("set_error", 4)),
    Column("n", lambda cell: str(cell.maps), "n"),
    Column("seeds", lambda cell: _seeds(cell)),
    Column("K", lambda cell: str(cell.measured[0].iterations or "-")),
)


def _seeds(cell: Cell) -> str:
    each = [f"{row.training.seed}: {100 * row.scores.success_rate:.2f}" for row in cell.measured]
    return " ".join(each) if len(each) > 1 else "1"


_TRAININGS: tuple[Column[Measured], ...] = (
    Column("run", lambda row: f"`{row.training.name}`"),
    Column("maps", lambda row: str(row.training.record["maps"])),
    Column("data", lambda row: str(row.training.record["data"])),
    Column("learns from", lambda row: _lessons(row.training.record["config"]["training"])),
    Column("epochs", lambda row: str(row.training.record["config"]["training"]["epochs"])),
    Column("threads", lambda row: str(row.training.record["config"]["training"]["threads"])),
    Column("seconds", lambda row: f"{row.training.record['seconds']:.0f}"),
)

_ABLATIONS: tuple[Column[Measured], ...] = (
    Column("changed", lambda row: row.network),
    Column("success", lambda row: percent(row.scores.success_rate)),
    Column("+-", lambda row: f"{100 * row.scores.interval():.2f}"),
    Column("optimal", lambda row: percent(row.scores.optimal_rate)),
    Column("traj. diff.", lambda row: f"{row.scores.trajectory_difference:.3f}"),
    Column("set error", lambda row: f"{row.scores.set_error:.4f}"),
    Column("K", lambda row: str(row.iterations)),
)

_ITERATIONS: tuple[Column[tuple[Measured, int, float]], ...] = (
    Column("network", lambda entry: entry[0].network),
    Column("maps", lambda entry: f"{entry[0].side}x{entry[0].side}"),
    Column("seed", lambda entry: str(entry[0].training.seed)),
    Column("K", lambda entry: str(entry[1])),
    Column("success", lambda entry: percent(entry[2])),
)


def table_text(cells: Sequence[Cell]) -> str:
    """The table alone, in Markdown."""
    return f"{table_of(COLUMNS, cells).markdown()}\n\nPaper: {VIN_PAPER}\n"


def page_text(
    command: str,
    cells: Sequence[Cell],
    rows: Sequence[Measured],
    ablated: Sequence[Measured],
    iterations: Sequence[tuple[Measured, int, float]],
    captions: Mapping[Path, str],
) -> str:
    """The page of results in Markdown.

    Args:
        command: that made it.
        cells: of the table.
        rows: what the cells were measured from.
        ablated: one row per ablation.
        iterations: planner, K and success rate.
        captions: picture -> caption.
    """
    trainings = list({row.training.name: row for row in [*rows, *ablated]}.values())
    best, every = (preset(f"gridworld-28-paper{end}").training for end in ("-best-start", "-all-cells"))
    return filled(
        "table1",
        {
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            "table": table_of(COLUMNS, cells).markdown(),
            "paper": VIN_PAPER,
            "trainings": table_of(_TRAININGS, trainings).markdown(),
            "hours": f"{sum(float(row.training.record['seconds']) for row in trainings) / 3600:.1f}",
            "megabytes": f"{peak_megabytes():.0f}",
            "ablations": table_of(_ABLATIONS, ablated).markdown(),
            "ablation_epochs": preset("gridworld-16-paper-all-cells").training.epochs,
            "normalized_epochs": preset("gridworld-16").training.epochs,
            "iterations": table_of(_ITERATIONS, iterations).markdown(),
            "figures": figure_list(captions),
            "vin_validation": _validation_maps([row for row in rows if row.network not in BASELINES]),
            "baseline_validation": _validation_maps([row for row in rows if row.network in BASELINES]),
            "cnn_precision": preset("gridworld-28-cnn").training.precision,
            "starts": best.starts,
            "trial_epochs": best.trial_epochs,
            "every_cell_maps": every.batch_size,
        },
    )


def _validation_maps(rows: Sequence[Measured]) -> str:
    """How many maps chose the best epoch of these trainings."""
    validations = [row.training.record.get("validation", {}) for row in rows]  # the oldest runs have none
    counts = sorted({scores["maps"] for scores in validations if "maps" in scores})
    return " or ".join(map(str, counts)) or "None"


def _lessons(options: Mapping[str, Any]) -> str:
    if options["supervision"] != "states":
        return "all cells" if options["supervision"] == "all-cells" else "shown states"
    return "shown states, as often as passed" if options.get("repeat_states") else "shown states, once"
