"""Columns and page of learning from reward. The prose is in `templates/rl.md`."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from torchvin.bench.machine import processor
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.published import RL_RECALLED, RL_RECALLED_SUCCESS
from torchvin.io.tables import Column, percent, table_of
from torchvin.reproduce.rl_beyond import RETURN_COLUMNS, VIEW_COLUMNS, Beyond
from torchvin.reproduce.rl_scores import NETWORKS, POLICIES, SIDES, Measured
from torchvin.reproduce.row import mean_score
from torchvin.reproduce.text import figure_list, filled


@dataclass(frozen=True)
class Cell:
    """A network, trained at a size and scored at one.

    Attributes:
        network: row of the table.
        side, on: of the maps of the training, and of the scores.
        measured: one per seed, on the same maps.
    """

    network: str
    side: int
    on: int
    measured: tuple[Measured, ...]

    @property
    def policy(self) -> str:
        """Name in a `Row`."""
        return POLICIES[self.network]

    def mean(self, metric: str) -> float:
        """Mean over the seeds."""
        return mean_score([row.scores for row in self.measured], metric)

    def recalled(self) -> str:
        """The paper's success as it is recalled."""
        kind = self.network.partition(",")[0]
        known = RL_RECALLED_SUCCESS.get(kind, {}).get(self.side) if self.on == self.side else None
        return f"({percent(known, 1)})" if known else "-"


COLUMNS: tuple[Column[Cell], ...] = (
    Column("network", lambda cell: cell.network, "network"),
    Column("trained on", lambda cell: f"{cell.side}x{cell.side}", "trained"),
    Column("maps", lambda cell: f"{cell.on}x{cell.on}", "maps"),
    Column("success", lambda cell: percent(cell.mean("success_rate")), "success"),
    Column("+-", lambda cell: percent(margin(cell.mean("success_rate"), cell.measured[0].scores.maps)), "+-"),
    Column("each seed", lambda cell: ", ".join(percent(row.scores.success_rate) for row in cell.measured)),
    Column("paper (recalled)", lambda cell: cell.recalled()),
    Column("optimal in steps", lambda cell: percent(cell.mean("optimal_rate"), 1), "optimal"),
    Column(
        "optimal in length",
        lambda cell: percent(sum(row.by_length for row in cell.measured) / len(cell.measured), 1),
    ),
    Column("n", lambda cell: str(cell.measured[0].scores.maps), "n"),
    Column("environment steps", lambda cell: f"{cell.measured[0].steps:,}", "steps"),
    Column(
        "training [s]",
        lambda cell: ", ".join(f"{row.training.record['seconds']:.0f}" for row in cell.measured),
        "training [s]",
    ),
)


def cells(rows: Sequence[Measured]) -> list[Cell]:
    """One cell per network and sizes, in the order in which they come."""
    groups: dict[tuple[str, int, int], list[Measured]] = {}
    for row in rows:
        groups.setdefault((row.network, row.side, row.on), []).append(row)
    return [Cell(*key, tuple(group)) for key, group in groups.items()]


def page_text(command: str, rows: Sequence[Measured], beyond: Beyond, captions: Mapping[Path, str]) -> str:
    """The whole page in Markdown."""
    returns = table_of(RETURN_COLUMNS, beyond.returns).markdown() if beyond.returns else "Not run."
    views = table_of(VIEW_COLUMNS, beyond.views).markdown() if beyond.views else "Not run."
    return filled(
        "rl",
        {
            "command": command,
            "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            "table": table_of(COLUMNS, cells(rows)).markdown(),
            "recalled": RL_RECALLED,
            "missing": _missing(rows),
            "returns": returns,
            "views": views,
            "figures": figure_list(captions),
        },
    )


def _missing(rows: Sequence[Measured]) -> str:
    """What the page lacks of its trainings."""
    seeds = {(row.network, row.side): 0 for row in rows}
    for row in rows:
        seeds[row.network, row.side] += row.on == row.side
    names = [f"{network} at {side}x{side}" for network in NETWORKS for side in SIDES if not seeds.get((network, side))]
    return f"Not run: {'; '.join(names)}." if names else ""
