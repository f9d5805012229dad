"""Mazes: the data of the GPPN, SymVIN and DT-VIN papers, maps far larger than the training's, other maps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from torchvin.errors import InputError
from torchvin.evaluation.benchmark_maps import SCENARIO_FILES, TaskScores
from torchvin.evaluation.published import MAZES, PublishedMazes
from torchvin.io.tables import Table, table_of, write_csv
from torchvin.pretrained.store import load_policy
from torchvin.reproduce import maze_figures, maze_tasks
from torchvin.reproduce.book import ScoreBook
from torchvin.reproduce.maze_tasks import TASKS, MazeRow, MazeTask
from torchvin.reproduce.maze_text import COLUMNS, REAL_COLUMNS, TABLES, page_text, with_published
from torchvin.reproduce.page import Page, check_sizes
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import run_name
from torchvin.training.presets import MAZE_SUFFIXES

#: row of the table -> policy of a `Row`
POLICIES = {
    "shortest path": "shortest-path",
    "normalized": "normalized",
    "VIN": "vin",
    "GPPN": "gppn",
    "dynamic transitions": "dynamic",
}
#: metric of a `Row` -> rate of a published table, %Suc or %Opt, that counts as it does; "" if none does
METRICS = {
    "open_states_success_rate": "success_rate",
    "open_states_optimal_rate": "optimal_rate",
    "all_states_success_rate": "",
    "all_states_optimal_rate": "",
}


@dataclass(frozen=True)
class MazeScores:
    """What was measured for the page: planners on mazes, and on the maps of a benchmark."""

    mazes: tuple[MazeRow, ...]
    real: tuple[TaskScores, ...] = ()


@dataclass(frozen=True)
class Mazes(Page):
    """Mazes of GPPN, SymVIN and DT-VIN, trained at 15x15 and planned up to 501x501; other maps.

    Every planner that has weights, beside the published numbers.
    """

    name: ClassVar[str] = "mazes"

    sizes: tuple[int, ...] = ()
    """Sides of the maps; all of the tables if none is given."""
    maps: Path | None = None
    """Folder with maps of the MovingAI benchmark and their *even*.scen files, every task of which is planned."""
    maps_weights: str = "gridworld-16-shortest-path"
    """What plans on --maps, with the moves that it learned: name of weights, or folder of a run."""

    @property
    def command(self) -> str:
        """The command that makes the page."""
        return super().command + (" --maps FOLDER" if self.maps else "")

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        check_sizes(self.sizes, sorted({task.side for task in TASKS}))
        if self.maps and not self.maps.is_dir():
            raise InputError(f"--maps {self.maps}: no such folder; it should hold .map and .scen files.")

    def measure(self, book: ScoreBook) -> MazeScores:
        """Score every planner on every task of the sizes asked for; full: train what is missing first."""
        tasks = maze_tasks.tasks_of(self.sizes)
        full = self.budget == "full"
        if full and self.train:
            maze_tasks.train_all(tasks, self.folder)
        rows = maze_tasks.score_all(tasks, self.budget, book, self.folder, seed=0 if full else self.seed)
        real = maze_tasks.real_maps(self.maps, self.maps_weights, book) if self.maps else []
        return MazeScores(tuple(rows), tuple(real))

    def rows(self, measured: MazeScores) -> list[Row]:
        """%Suc and %Opt per planner and task, as GPPN and as we count them; of benchmark maps the shares of tasks."""
        groups: dict[tuple[MazeTask, str, str], list[MazeRow]] = {}
        for row in measured.mazes:
            preset = run_name(Path(row.weights).name).rsplit("-s", 1)[0]
            groups.setdefault((row.task, row.planner, preset), []).append(row)
        rows = [row for (task, planner, _), group in groups.items() for row in _rows(task, planner, group)]
        rows += [row for score in measured.real for row in _real_rows(score, Path(self.maps_weights).name)]
        return list(dict.fromkeys(rows))  # some mazes stand in two tables

    def tables(self, measured: MazeScores) -> list[Table]:
        """Each table for a terminal, without the published rows."""
        shown = []
        for table, title in TABLES.items():
            if mine := [row for row in measured.mazes if row.task.table == table]:
                shown.append(table_of(COLUMNS, with_published(mine), title=title, short=True))
        if measured.real:
            shown.append(table_of(REAL_COLUMNS, measured.real, title="Real maps"))
        return shown

    def write(self, measured: MazeScores) -> list[Path]:
        """Write `mazes.md`, `mazes.csv` (one line per planner, seed and task, every score) and the figures."""
        out = self.folder
        write_csv(out / "mazes.csv", [_csv_entry(row) for row in measured.mazes])
        captions = maze_figures.draw(measured.mazes, out)
        title = ""
        if self.maps:
            files = len(list(self.maps.rglob(SCENARIO_FILES)))
            motion = load_policy(self.maps_weights).motion
            title = (
                f"Every task of {files} files `{SCENARIO_FILES}`, planned by `{Path(self.maps_weights).name}` with the "
                f"moves that it learned{f': {motion.summary}' if motion else ''}."
            )
        text = page_text(self.command, measured.mazes, measured.real, title, captions)
        return [write_text(out / "mazes.md", text), out / "mazes.csv", *captions]


def published_score(task: MazeTask, planner: str) -> PublishedMazes | None:
    """The published numbers of a planner on a task: those with the fewest training maps, as ours have few.

    >>> published_score(MazeTask("papers", "maze", 15), "GPPN").success_rate
    0.978
    """
    if task.table != "papers":
        return None
    entries = [
        entry for entry in MAZES if (entry.network, entry.side, entry.motion) == (planner, task.side, task.motion)
    ]
    return min(entries, key=lambda entry: entry.maps, default=None)


def _rows(task: MazeTask, planner: str, group: Sequence[MazeRow]) -> list[Row]:
    scores = [row.scores for row in group if row.scores is not None]
    sides = {row.record["config"]["data"].get("height") for row in group if row.record is not None}
    split = "other" if task.table == "other maps" else "test" if sides <= {task.side} else "transfer"
    paper = published_score(task, planner)
    name = f"{task.kind}-{task.side}{MAZE_SUFFIXES[task.motion]}"
    return [
        row_of(name, POLICIES[planner], split, metric, scores, getattr(paper, rate, None) if rate else None)
        for metric, rate in METRICS.items()
    ]


def _real_rows(score: TaskScores, weights: str) -> list[Row]:
    shares = {"success_rate": score.found, "optimal_rate": score.optimal}
    return [
        Row(score.map_name, weights, "scenarios", metric, count / max(score.solvable, 1), 1, 1, None, None)
        for metric, count in shares.items()
    ]


def _csv_entry(row: MazeRow) -> dict[str, object]:
    return {
        "table": row.task.table,
        "kind": row.task.kind,
        "side": row.task.side,
        "motion": row.task.motion,
        "planner": row.planner,
        "weights": run_name(Path(row.weights).name) if row.weights else "not run",
        "iterations": row.iterations,
        "seconds": row.seconds,
        "megabytes": row.megabytes,
        "training_seconds": row.record["seconds"] if row.record else "",
        **(asdict(row.scores) if row.scores else {}),
    }
