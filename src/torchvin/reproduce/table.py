"""The paper's table and ours side by side: for a terminal, as Markdown, as CSV."""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean

from torchvin.evaluation.metrics import margin
from torchvin.evaluation.published import VIN_PAPER, VIN_TABLE_1
from torchvin.io.files import replacing
from torchvin.reproduce.book import Measured

COLUMNS = (
    "maps",
    "network",
    "success, paper",
    "success, ours",
    "+-",
    "optimal",
    "traj. diff., paper",
    "ours",
    "pred. loss, paper",
    "ours",
    "set error",
    "n",
    "seeds",
    "K",
)

_SHORT = (0, 1, 3, 2, 4, 5, 7, 6, 9, 8, 11)
#: For a terminal: the headings, and what of a line stands under them.
SHORT_COLUMNS = ("maps", "network", "success", "paper", "+-", "optimal", "extra", "paper", "loss", "paper", "n")


def short(lines: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The columns of `SHORT_COLUMNS`: extra is the trajectory difference, loss the prediction loss."""
    return [tuple(line[index] for index in _SHORT) for line in lines]


def table(rows: Sequence[Measured]) -> list[tuple[str, ...]]:
    """One line a network and size, in the order in which they come; seeds are averaged.

    The margin is the 95 % Wilson interval of the mean over n maps: the rollouts of one map are not independent, so they
    do not count on their own.
    """
    groups: dict[tuple[str, int], list[Measured]] = {}
    for row in rows:
        groups.setdefault((row.network, row.side), []).append(row)
    return [_line(network, side, group) for (network, side), group in groups.items()]


def _line(network: str, side: int, group: Sequence[Measured]) -> tuple[str, ...]:
    paper = VIN_TABLE_1.get(network, {}).get(side)
    scores = [row.scores for row in group]
    success = mean(score.success_rate for score in scores)
    arrived = [score.trajectory_difference for score in scores if not math.isnan(score.trajectory_difference)]
    return (
        f"{side}x{side}",
        network,
        f"{100 * paper.success_rate:.1f} %" if paper else "-",
        f"{100 * success:.2f} %",
        f"{100 * margin(success, scores[0].maps):.2f}",
        f"{100 * mean(score.optimal_rate for score in scores):.2f} %",
        f"{paper.trajectory_difference:.3f}" if paper else "-",
        f"{mean(arrived):.3f}" if arrived else "-",
        f"{paper.prediction_loss:.3f}" if paper else "-",
        f"{mean(score.prediction_loss for score in scores):.3f}",
        f"{mean(score.set_error for score in scores):.4f}",
        str(scores[0].maps),
        " ".join(f"{row.training.seed}: {100 * row.scores.success_rate:.2f}" for row in group)
        if len(group) > 1
        else "1",
        str(group[0].iterations) if group[0].iterations else "-",
    )


def markdown(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(markdown(("a", "b"), [("1", "2")]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join(
        "|" + "|".join(cell if cell == "---" else f" {cell} " for cell in map(str, row)) + "|" for row in rows
    )


def write_report(rows: Sequence[Measured], out: Path) -> None:
    """Write `table1.md` and `table1.csv`; the CSV has one line a seed and every score.

    Raises: InputError if `out` cannot be written.
    """
    with replacing(out / "table1.md") as temporary:
        temporary.write_text(f"{markdown(COLUMNS, table(rows))}\n\nPaper: {VIN_PAPER}\n")
    lines = [
        {
            "network": row.network,
            "side": row.side,
            "weights": row.training.name,
            "seed": row.training.seed,
            "iterations": row.iterations,
            "training_seconds": row.training.record["seconds"],
            "training_data": row.training.record["data"],
            **asdict(row.scores),
        }
        for row in rows
    ]
    with replacing(out / "table1.csv") as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
