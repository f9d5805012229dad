"""What every study shares: one command line, one file of JSON lines.

A study is a dictionary of experiments. An experiment yields its rows for one seed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import tyro

from torchvin.errors import unknown_name
from torchvin.io.files import replacing

Row = dict[str, Any]
Experiment = Callable[[int], Iterator[Row]]


@dataclass
class Arguments:
    """Options of a study."""

    experiment: tyro.conf.Positional[str]
    """What to run."""
    seed: tuple[int, ...] = (0,)
    """Seeds, one after the other."""
    out: Path = Path("runs/studies")
    """Folder of results.jsonl."""


@dataclass
class Book:
    """A file of JSON lines."""

    path: Path

    def add(self, row: Row) -> None:
        """Append a row; the file is whole at any moment."""
        before = self.path.read_text() if self.path.exists() else ""
        with replacing(self.path) as temporary:
            temporary.write_text(before + json.dumps(row) + "\n")


def main(experiments: Mapping[str, Experiment], description: str | None, arguments: list[str] | None = None) -> None:
    """Run one experiment with the seeds given: each row is printed and appended to OUT/results.jsonl.

    Args:
        experiments: by name.
        description: of the study, for --help.
        arguments: of the command line; those of the process if not given.
    """
    names = ", ".join(experiments)
    given = tyro.cli(Arguments, description=f"{description}\nExperiments: {names}.", args=arguments)
    if given.experiment not in experiments:
        raise SystemExit(str(unknown_name("experiment", given.experiment, experiments)))
    torch.set_num_threads(1)
    book = Book(given.out / "results.jsonl")
    for seed in given.seed:
        for row in experiments[given.experiment](seed):
            row = {"experiment": given.experiment, "seed": seed, **row}
            print(json.dumps(row), flush=True)
            book.add(row)
