"""The tables of mazes: ours beside the published, for a terminal, as Markdown, as CSV; and the page of results."""

import csv
import datetime
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from torchvin.bench.machine import processor
from torchvin.cli.output import percent
from torchvin.evaluation.benchmark_maps import TaskScores
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.published import DT_VIN_RECALLED, MAZE_SOURCES, MAZES
from torchvin.io.files import replacing
from torchvin.reproduce.mazes import LENGTHS, SUFFIXES, MazeRow, Task
from torchvin.reproduce.table import markdown

COLUMNS = ("maps", "planner", "trained on", "%Suc", "+-", "%Opt", "n", "K", "eval [s]", "memory [MB]", "training [s]")
_SHORT = (0, 1, 2, 3, 5, 6, 7, 8)  # what fits a terminal
SHORT_COLUMNS = tuple(COLUMNS[index] for index in _SHORT)
TABLES = {
    "papers": "Mazes of the papers",
    "transfer": "Trained at 15x15 only",
    "other maps": "Maps unlike those of the training",
}
REAL_COLUMNS = ("map", "tasks", "solvable", "found", "optimal", "cost ratio", "worst task", "plans", "seconds")

_METRICS = """\
- **%Suc** and **%Opt** are those of the GPPN paper: the share of all states that can reach the goal (cells, times four
  orientations with differential drive) from which the greedy path arrives, and at the optimal cost. A path may have
  twice the states of the optimal one; the papers' codes set limits of their own.
- **+-** is half the 95 % Wilson interval of %Suc over n maps (the states of one map are not independent).
- **trained on**: maps of the training; `(paper)` rows are published numbers, and theirs are the maps of their tables.
- **memory** is the most that the evaluating process held, torch included; **eval** is planning, walking and counting on
  one machine with other work on it; **training** as the run's record has it.
- **K**: value updates of planners that iterate, 4 times the side; `exact`: the learned MDP is solved by a search.
- **maps**: 4 moves (NEWS) if nothing is said; moore: 8 moves; drive: differential drive.
- **not run**: no weights of that name, neither shipped nor in the folder of runs.
- **GPPN, VIN, dynamic**: not reproduced within 2 points. GPPN's recipe takes 2.6 hours of a core here, the VIN of 600
  channels 4.5 hours: not run to the end. Dynamic transitions, 10 of 12 epochs on 10,000 mazes: 92.5 % %Suc, 91.8 %
  %Opt on 2,000 fresh ones, 5 points below the published GPPN: in some mazes the cells beside the goal are wrong, and
  every path through them fails (docs/how-to-choose-a-planner.md)."""

_DATA = """\
1. Mazes are drawn after the GPPN paper: recursive backtracker, then each interior wall cell opened with probability d,
   d ~ U(0, 1) a maze, goal uniform over the open cells that a straight move leads to. The papers' own files were not at
   hand.
2. A side of 28, 50 or 100 is the layout of the odd side below with one more line of wall, whose inner cells may be
   opened like any other.
3. Labels are the set of optimal actions; the papers draw one of them.
4. No maze of a test set occurs in the training set; no set has a maze twice.
5. Test maps are ours: 5,000 or fewer a row (column n), not the papers'."""

_CORNERS = """\
A goal is planned once for all its starts. **Corners**: the
benchmark's own lengths forbid diagonal moves past the corner of an obstacle; the paper's moves, on which these weights
are trained, allow them, so the optimum here is that of the paper's moves (8-connected, cost 1 and sqrt 2, only the
destination is checked) and never longer. **found**: the greedy path arrives, of the solvable; **optimal**: at the
optimal cost; **cost ratio**: cost of the paths found over the optimum of the same tasks."""


def lines(rows: Sequence[MazeRow], published: bool = True) -> list[tuple[str, ...]]:
    """One line a row, after the published rows of the same maps."""
    found: list[tuple[str, ...]] = []
    seen: set[Task] = set()
    for row in rows:
        if published and row.task not in seen and row.task.table == "papers":
            found += _published(row.task)
        seen.add(row.task)
        found.append(_line(row))
    return found


def short(table: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The columns of `SHORT_COLUMNS`."""
    return [tuple(line[index] for index in _SHORT) for line in table]


def _published(task: Task) -> list[tuple[str, ...]]:
    entries = [entry for entry in MAZES if (entry.side, entry.mechanism) == (task.side, task.mechanism)]
    # With as many digits as are printed there.
    return [
        (
            _maps(task),
            f"{entry.network} (paper: {entry.source})",
            f"{entry.maps:,}",
            f"{100 * entry.success_rate:.{2 if entry.optimal_rate is None else 1}f} %",
            "",
            "" if entry.optimal_rate is None else f"{100 * entry.optimal_rate:.1f} %",
            *[""] * (len(COLUMNS) - 6),
        )
        for entry in entries
    ]


def _maps(task: Task) -> str:
    name = "" if task.kind == "maze" else f"{task.kind} "
    return f"{name}{task.side}x{task.side}" + SUFFIXES[task.mechanism].replace("-", ", ")


def _line(row: MazeRow) -> tuple[str, ...]:
    if row.scores is None or row.record is None:
        return (_maps(row.task), row.planner, "", "not run", *[""] * (len(COLUMNS) - 4))
    data = row.record["config"]["data"]
    scores = row.scores
    return (
        _maps(row.task),
        row.planner,
        f"{row.record['maps']:,} of {data['height']}x{data['width']}, seed {row.record['config']['seed']}",
        percent(scores.all_states_success_rate, 3),
        f"{100 * margin(scores.all_states_success_rate, scores.maps):.2f}",
        percent(scores.all_states_optimal_rate, 3),
        f"{scores.maps:,}",
        str(row.iterations) if row.iterations else "exact",
        f"{row.seconds:.1f}",
        f"{row.megabytes:.0f}",
        f"{row.record['seconds']:.0f}",
    )


def length_table(rows: Sequence[MazeRow]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Columns and lines of success by the length of the optimal path; a line a row that has scores."""
    ends = [*LENGTHS[1:], 0]
    heads = [f"{first}-{after - 1}" if after else f"from {first}" for first, after in zip(LENGTHS, ends, strict=True)]
    found = []
    for row in rows:
        if row.scores is not None:
            rates = {part.first: percent(part.success_rate) for part in row.lengths}
            found.append((_maps(row.task), row.planner, *(rates.get(first, "-") for first in LENGTHS)))
    return ("maps", "planner", *heads), found


def real_lines(scores: Sequence[TaskScores]) -> list[tuple[str, ...]]:
    """One line a map, and one for all of them."""
    return [
        (
            score.map_name,
            f"{score.tasks:,}",
            f"{score.solvable:,}",
            f"{100 * score.found / max(score.solvable, 1):.3f} %",
            f"{100 * score.optimal / max(score.solvable, 1):.3f} %",
            f"{score.cost_ratio:.6f}",
            f"{score.worst_ratio:.4f}",
            f"{score.plans:,}",
            f"{score.seconds:.0f}",
        )
        for score in scores
    ]


def write_report(rows: Sequence[MazeRow], out: Path) -> None:
    """Write `mazes.csv`: one line a row, every score.

    Raises: InputError if `out` cannot be written.
    """
    entries = [
        {
            "table": row.task.table,
            "kind": row.task.kind,
            "side": row.task.side,
            "mechanism": row.task.mechanism,
            "planner": row.planner,
            "weights": Path(row.weights).name if row.weights else "not run",
            "iterations": row.iterations,
            "seconds": row.seconds,
            "megabytes": row.megabytes,
            "training_seconds": row.record["seconds"] if row.record else "",
            **(asdict(row.scores) if row.scores else {}),
        }
        for row in rows
    ]
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    with replacing(out / "mazes.csv") as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=names)
        writer.writeheader()
        writer.writerows(entries)


def write_page(
    rows: Sequence[MazeRow],
    real: Sequence[TaskScores],
    real_title: str,
    figures: dict[Path, str],
    command: str,
    out: Path,
) -> Path:
    """Write `mazes.md` into `out`.

    Args:
        rows: of all tables.
        real: scores on the benchmark maps; none if they were not run.
        real_title: what planned them, and which tasks.
        figures: picture -> caption.
        command: that made the page.
        out: folder.

    Raises: InputError if it cannot be written.
    """
    sections = [
        "# Mazes",
        f"Made by `{command}` on {datetime.date.today().isoformat()}: {processor()}, torch {torch.__version__}.",
    ]
    for table, title in TABLES.items():
        if mine := [row for row in rows if row.task.table == table]:
            sections += [f"## {title}", markdown(COLUMNS, lines(mine))]
            if table == "papers":
                sections += ["Sources: " + "; ".join(f"**{key}**: {text}" for key, text in MAZE_SOURCES.items()) + "."]
                sections += [DT_VIN_RECALLED]
    columns, by_length = length_table([row for row in rows if row.task.table != "other maps"])
    sections += ["## Success by the length of the optimal path", markdown(columns, by_length)]
    if real:
        sections += ["## Real maps", real_title, markdown(REAL_COLUMNS, real_lines(real)), _CORNERS]
    sections += ["## What the columns mean", _METRICS, "## Where our data differ from the papers'", _DATA]
    if figures:
        sections += ["## Figures"]
        sections += [f"![{caption}](figures/{path.name})\n\n{caption}" for path, caption in figures.items()]
    page = out / "mazes.md"
    with replacing(page) as temporary:
        temporary.write_text("\n\n".join(sections) + "\n")
    return page
