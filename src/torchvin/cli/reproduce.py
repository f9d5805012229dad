"""`torchvin reproduce table1`: the paper's table from shipped weights in minutes, or from nothing in hours."""

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import tyro

from torchvin.errors import InputError


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin reproduce`."""

    what: tyro.conf.Positional[Literal["table1"]]
    """What to reproduce."""
    sizes: tuple[int, ...] = (8, 16, 28)
    """Sides of the maps."""
    budget: Literal["quick", "full"] = "quick"
    """quick: the shipped weights on fresh maps and one short 8x8 training of each kind, under 10 minutes on two cores;
    full: everything from nothing, three seeds, about 6 hours on one core; can be killed and called again."""
    out: Path = Path("runs/table1")
    """Folder for table1.md, table1.csv, scores.json, figures and the runs."""
    seed: int = 0
    """Quick: of the fresh maps and the 8x8 trainings."""
    authors_data: Path | None = None
    """Full: folder of the authors' gridworld_8.mat and gridworld_16.mat, to train on; generated maps without it."""
    train: bool = True
    """Full: train what is missing; with --no-train only the finished runs in --out are scored."""
    threads: int = 2
    """Threads of the evaluation; trainings use one."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Train and evaluate what the budget asks for, print and write the table."""
    import torch

    from torchvin.cli.output import print_json, print_table
    from torchvin.evaluation.published import VIN_PAPER
    from torchvin.experiments import ablations, figures, page, report, table1
    from torchvin.experiments.scoring import SCORES_FILE, ScoreBook
    from torchvin.files import check_writable

    table1.check_sides(arguments.sizes)
    if arguments.threads < 1:
        raise InputError(f"--threads must be at least 1, got {arguments.threads}.")
    if arguments.authors_data and not arguments.authors_data.is_dir():
        raise InputError(f"--authors-data {arguments.authors_data}: no such folder; it should hold gridworld_8.mat.")
    check_writable(arguments.out / SCORES_FILE)
    torch.set_num_threads(arguments.threads)
    began = time.monotonic()
    trained = []
    if arguments.budget == "quick":
        book = ScoreBook(None)  # a quick run measures anew
        rows = table1.shipped(arguments.sizes, arguments.seed, book)
        if 8 in arguments.sizes:
            trained = table1.quick_trainings(arguments.seed, arguments.out, book)
    else:
        book = ScoreBook(arguments.out)
        rows = table1.full(arguments.sizes, arguments.out, book, arguments.authors_data, arguments.train)
        if not rows:
            raise InputError(f"{arguments.out} holds no finished run; leave out --no-train.")
    report.write_report([*rows, *trained], arguments.out)
    drawn = figures.draw(rows, arguments.out)
    if arguments.budget == "full":
        changed = ablations.run(arguments.out, book, arguments.train)
        page.write_page(rows, changed, ablations.iterations(rows, book), drawn, arguments.out)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.json:
        print_json({"rows": [{**asdict(row), "record": None} for row in [*rows, *trained]]})
        return
    print_table(
        report.SHORT_COLUMNS, report.short(report.table(rows)), title="Table 1 of the paper and ours, on fresh maps"
    )
    if trained:
        title = f"Trained here, on {table1.QUICK_TRAINING_MAPS} maps of 8x8 and with fewer epochs"
        print_table(report.SHORT_COLUMNS, report.short(report.table(trained)), title=title)
    print(f"Paper: {VIN_PAPER}\nwritten: {arguments.out}/table1.md, table1.csv and figures")
