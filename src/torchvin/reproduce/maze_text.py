"""Columns and page of the mazes: what of the scores becomes which text. The prose is in `templates/mazes.md`."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from torchvin.bench.machine import processor
from torchvin.evaluation.benchmark_maps import TaskScores
from torchvin.evaluation.published import DT_VIN_RECALLED, MAZE_SOURCES, MAZES, PublishedMazes
from torchvin.io.tables import Column, Table, percent, table_of
from torchvin.reproduce.maze_tasks import LENGTHS, MazeRow, MazeTask, most_maps
from torchvin.reproduce.text import figure_list, filled
from torchvin.training.presets import MAZE_ITERATIONS, MAZE_SUFFIXES

TABLES = {
    "papers": "Mazes of the papers",
    "transfer": "Trained at 15x15 only",
    "other maps": "Maps unlike those of the training",
}
#: A line of a table: our row, or a published one on the maps of a task.
Line = MazeRow | tuple[MazeTask, PublishedMazes]


def with_published(rows: Sequence[MazeRow]) -> list[Line]:
    """The rows, those of each task after the published ones on the same maps."""
    found: list[Line] = []
    seen: set[MazeTask] = set()
    for row in rows:
        task = row.task
        if task not in seen and task.table == "papers":
            found += [(task, entry) for entry in MAZES if (entry.side, entry.motion) == (task.side, task.motion)]
        seen.add(task)
        found.append(row)
    return found


def _maps(line: Line) -> str:
    task = line.task if isinstance(line, MazeRow) else line[0]
    name = "" if task.kind == "maze" else f"{task.kind} "
    return f"{name}{task.side}x{task.side}{_suffix(task)}"


def _suffix(task: MazeTask) -> str:
    return MAZE_SUFFIXES[task.motion].replace("-", ", ")


def _planner(line: Line) -> str:
    return line.planner if isinstance(line, MazeRow) else f"{line[1].network} (paper: {line[1].source})"


def _trained_on(line: Line) -> str:
    if not isinstance(line, MazeRow):
        return f"{line[1].maps:,}"
    if line.record is None:
        return ""
    config = line.record["config"]
    return f"{line.record['maps']:,} of {config['data']['height']}x{config['data']['width']}, seed {config['seed']}"


def _success(line: Line) -> str:
    if not isinstance(line, MazeRow):  # with as many digits as are printed there
        return percent(line[1].success_rate, 2 if line[1].optimal_rate is None else 1)
    return percent(line.scores.open_states_success_rate, 3) if line.scores else "not run"


def _optimal(line: Line) -> str:
    if not isinstance(line, MazeRow):
        return "" if line[1].optimal_rate is None else percent(line[1].optimal_rate, 1)
    return percent(line.scores.open_states_optimal_rate, 3) if line.scores else ""


def _margin(line: Line) -> str:
    if not isinstance(line, MazeRow) or line.scores is None:
        return ""
    return f"{100 * line.scores.interval('open_states_success_rate'):.2f}"


def _number(line: Line) -> str:
    return f"{line.scores.maps:,}" if isinstance(line, MazeRow) and line.scores else ""


def _iterations(line: Line) -> str:
    return str(line.iterations or "exact") if isinstance(line, MazeRow) and line.scores else ""


def _seconds(line: Line) -> str:
    return f"{line.seconds:.1f}" if isinstance(line, MazeRow) and line.scores else ""


def _megabytes(line: Line) -> str:
    return f"{line.megabytes:.0f}" if isinstance(line, MazeRow) and line.scores else ""


def _training(line: Line) -> str:
    return f"{line.record['seconds']:.0f}" if isinstance(line, MazeRow) and line.record else ""


COLUMNS: tuple[Column[Line], ...] = (
    Column("maps", _maps, "maps"),
    Column("planner", _planner, "planner"),
    Column("trained on", _trained_on, "trained on"),
    Column("%Suc", _success, "%Suc"),
    Column("+-", _margin),
    Column("%Opt", _optimal, "%Opt"),
    Column("n", _number, "n"),
    Column("K", _iterations, "K"),
    Column("eval [s]", _seconds, "eval [s]"),
    Column("memory [MB]", _megabytes),
    Column("training [s]", _training),
)

REAL_COLUMNS: tuple[Column[TaskScores], ...] = (
    Column("map", lambda score: score.map_name),
    Column("tasks", lambda score: f"{score.tasks:,}"),
    Column("solvable", lambda score: f"{score.solvable:,}"),
    Column("found", lambda score: percent(score.found / max(score.solvable, 1), 3)),
    Column("optimal", lambda score: percent(score.optimal / max(score.solvable, 1), 3)),
    Column("cost ratio", lambda score: f"{score.cost_ratio:.6f}"),
    Column("worst task", lambda score: f"{score.worst_ratio:.4f}"),
    Column("plans", lambda score: f"{score.plans:,}"),
    Column("seconds", lambda score: f"{score.seconds:.0f}"),
)


#: What differs between our rows and the published ones on the same maps, by source.
_DIFFERENCES = {
    "GPPN": "the published networks learned from {trained} of their mazes, ours from the number in the row",
    "SymVIN": "the code of SymVIN can estimate success from one map of each batch, ours counts every map",
}
_MOVES = {
    "news": "4 moves at cost 1, as theirs",
    "moore": "8 moves at cost 1 each, diagonals too, and corners may be cut, as theirs",
    "differential-drive": "turn left, turn right, forward, at cost 1 each and 4 orientations, as theirs",
    "octile": "8 moves as in the VIN paper, diagonals at cost sqrt 2: %Opt is another metric than theirs",
}


def differences(rows: Sequence[MazeRow]) -> str:
    """One sentence for the rows of each kind of maps: what differs from the definition of the published numbers.

    >>> differences([MazeRow("GPPN", MazeTask("papers", "maze", 15, "octile"))])
    '- **15x15, octile**: 8 moves as in the VIN paper, diagonals at cost sqrt 2: %Opt is another metric than theirs.'
    """
    lines = []
    for task in dict.fromkeys(row.task for row in rows):
        entries = [entry for entry in MAZES if (entry.side, entry.motion) == (task.side, task.motion)]
        parts = [_MOVES[task.motion]]
        for source in dict.fromkeys(entry.source for entry in entries):
            numbers = sorted({entry.maps for entry in entries if entry.source == source})
            trained = " or ".join(f"{number:,}" for number in numbers)
            parts.append(_DIFFERENCES[source].format(trained=trained))
        if not entries and task.motion != "octile":
            parts.append("no number is published on these maps")
        lines.append(f"- **{task.side}x{task.side}{_suffix(task)}**: {'; '.join(parts)}.")
    return "\n".join(lines)


def length_table(rows: Sequence[MazeRow]) -> Table:
    """Success by the length of the optimal path, one line per row that has scores."""

    def rate(first: int) -> Column[MazeRow]:
        after = dict(zip(LENGTHS, [*LENGTHS[1:], None], strict=True))[first]
        return Column(
            f"{first}-{after - 1}" if after else f"from {first}",
            lambda row: next((percent(part.success_rate) for part in row.lengths if part.first == first), "-"),
        )

    columns: list[Column[MazeRow]] = [Column("maps", _maps), Column("planner", _planner), *map(rate, LENGTHS)]
    return table_of(columns, [row for row in rows if row.scores is not None])


def page_text(
    command: str,
    rows: Sequence[MazeRow],
    real: Sequence[TaskScores],
    real_title: str,
    captions: Mapping[Path, str],
) -> str:
    """The page of results in Markdown.

    Args:
        command: that made it.
        rows: of all tables.
        real: scores on the benchmark maps; none if they were not run.
        real_title: what planned them, and which tasks.
        captions: picture -> caption.
    """
    tables = {table: [row for row in rows if row.task.table == table] for table in TABLES}
    sources = "; ".join(f"**{key}**: {text}" for key, text in MAZE_SOURCES.items())
    return filled(
        "mazes",
        {
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            **{
                table.replace(" ", "_"): f"## {TABLES[table]}\n\n{table_of(COLUMNS, with_published(mine)).markdown()}"
                if mine
                else ""
                for table, mine in tables.items()
            },
            "sources": f"Sources: {sources}.\n\n{DT_VIN_RECALLED}" if tables["papers"] else "",
            "differences": filled("mazes_differences", {"rows": differences(tables["papers"])})
            if tables["papers"]
            else "",
            "by_length": length_table([*tables["papers"], *tables["transfer"]]).markdown(),
            "real": filled("mazes_real", {"title": real_title, "table": table_of(REAL_COLUMNS, real).markdown()})
            if real
            else "",
            "iterations_per_side": f"{MAZE_ITERATIONS:g}",
            "most_maps": f"{most_maps():,}",
            "figures": figure_list(captions),
        },
    )
