"""`torchvin reproduce`: the paper's table, or the mazes of later papers; from shipped weights, or from nothing."""

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from torchvin.errors import InputError


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin reproduce`."""

    what: tyro.conf.Positional[Literal["table1", "mazes"]]
    """What to reproduce: Table 1 of the VIN paper, or the mazes of GPPN, SymVIN and DT-VIN and maps far larger."""
    sizes: tuple[int, ...] = ()
    """Sides of the maps; all of the table if none is given."""
    budget: Literal["quick", "full"] = "quick"
    """quick: the shipped weights on fresh maps (table1: and one short 8x8 training of each kind), under 10 minutes on
    two cores; full: everything from nothing, three seeds, hours (table1: about 20 of a core, half of them for the CNN
    at 28x28); can be killed and called again."""
    out: Path | None = None
    """Folder for tables, scores.json, figures and the runs; runs/table1 or runs/mazes if not given."""
    seed: int = 0
    """Quick: of the fresh maps and the 8x8 trainings."""
    authors_data: Path | None = None
    """table1, full: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on; else generated maps."""
    maps: Path | None = None
    """mazes: folder with maps of the MovingAI benchmark and their *even*.scen, every task of which is planned."""
    maps_weights: str = "gridworld-16-shortest-path"
    """mazes: what plans on them, with the 8 moves of the paper: name of weights, or folder of a run."""
    train: bool = True
    """Full: train what is missing; with --no-train only the finished runs in --out are scored."""
    threads: int = 2
    """Threads of the evaluation; trainings use one."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Train and evaluate what the budget asks for, print and write the tables."""
    import torch

    from torchvin.io.files import check_writable
    from torchvin.reproduce.book import SCORES_FILE

    if arguments.threads < 1:
        raise InputError(f"--threads must be at least 1, got {arguments.threads}.")
    if arguments.authors_data and not arguments.authors_data.is_dir():
        raise InputError(f"--authors-data {arguments.authors_data}: no such folder; it should hold gridworld_8.mat.")
    if arguments.maps and not arguments.maps.is_dir():
        raise InputError(f"--maps {arguments.maps}: no such folder; it should hold .map and .scen files.")
    out = arguments.out or Path("runs") / arguments.what
    check_writable(out / SCORES_FILE)
    torch.set_num_threads(arguments.threads)
    began = time.monotonic()
    rows = (_mazes if arguments.what == "mazes" else _table1)(arguments, out)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.json:
        from torchvin.cli.output import print_json

        print_json({"rows": rows})


def _table1(arguments: Arguments, out: Path) -> list[dict[str, Any]]:
    from torchvin.cli.output import print_table
    from torchvin.evaluation.published import VIN_PAPER
    from torchvin.reproduce import ablations, figures, page, table1
    from torchvin.reproduce import table as report
    from torchvin.reproduce.book import ScoreBook

    sides = arguments.sizes or table1.SIDES
    table1.check_sides(sides)
    trained = []
    if arguments.budget == "quick":
        book = ScoreBook(None)  # a quick run measures anew
        rows = table1.shipped(sides, arguments.seed, book)
        if 8 in sides:
            trained = table1.quick_trainings(arguments.seed, out, book)
    else:
        book = ScoreBook(out)
        rows = table1.full(sides, out, book, arguments.authors_data, arguments.train)
        if not rows:
            raise InputError(f"{out} holds no finished run; leave out --no-train.")
    report.write_report([*rows, *trained], out)
    drawn = figures.draw(rows, out)
    if arguments.budget == "full":
        changed = ablations.run(out, book, arguments.train)
        page.write_page(rows, changed, ablations.iterations(rows, book), drawn, out)
    if not arguments.json:
        print_table(
            report.SHORT_COLUMNS, report.short(report.table(rows)), title="Table 1 of the paper and ours, on fresh maps"
        )
        if trained:
            title = f"Trained here, on {table1.QUICK_TRAINING_MAPS} maps of 8x8 and with fewer epochs"
            print_table(report.SHORT_COLUMNS, report.short(report.table(trained)), title=title)
        print(f"Paper: {VIN_PAPER}\nwritten: {out}/table1.md, table1.csv and figures")
    return [
        {**asdict(row), "training": None, "weights": row.training.weights, "seed": row.training.seed}
        for row in [*rows, *trained]
    ]


def _mazes(arguments: Arguments, out: Path) -> list[dict[str, Any]]:
    from torchvin.cli.output import print_table
    from torchvin.evaluation.benchmark_maps import SCENARIO_FILES
    from torchvin.reproduce import maze_figures, mazes, mazes_report
    from torchvin.reproduce.book import ScoreBook

    tasks = mazes.check_sides(arguments.sizes)
    if arguments.budget == "full" and arguments.train:
        mazes.train_all(tasks, out)
    full = arguments.budget == "full"
    book = ScoreBook(out if full else None)  # a quick run measures anew
    rows = mazes.rows(tasks, arguments.budget, book, out, seed=0 if full else arguments.seed)
    real = mazes.real_maps(arguments.maps, arguments.maps_weights, book) if arguments.maps else []
    mazes_report.write_report(rows, out)
    drawn = maze_figures.draw(rows, out)
    command = f"torchvin reproduce mazes --budget {arguments.budget}" + (" --maps FOLDER" if arguments.maps else "")
    title = ""
    if arguments.maps:
        files = len(list(arguments.maps.rglob(SCENARIO_FILES)))
        title = f"Every task of {files} files `{SCENARIO_FILES}`, planned by `{arguments.maps_weights}`."
    page = mazes_report.write_page(rows, real, title, drawn, command, out)
    if not arguments.json:
        for table, title in mazes_report.TABLES.items():
            if mine := [row for row in rows if row.task.table == table]:
                print_table(mazes_report.SHORT_COLUMNS, mazes_report.short(mazes_report.lines(mine)), title=title)
        if real:
            print_table(mazes_report.REAL_COLUMNS, mazes_report.real_lines(real), title="Real maps")
        print(f"written: {page}, mazes.csv and figures")
    return [{**asdict(row), "record": None} for row in rows]
