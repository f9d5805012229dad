"""What every page of results is: measure, say rows, print tables, write files."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from torchvin.errors import InputError
from torchvin.io.files import check_writable
from torchvin.io.tables import Table
from torchvin.reproduce.book import SCORES_FILE, ScoreBook
from torchvin.reproduce.row import Row


@dataclass(frozen=True)
class Outcome:
    """What a reproduction gives.

    Attributes:
        rows: every number beside the published one.
        tables: for a terminal.
        files: what was written.
    """

    rows: tuple[Row, ...]
    tables: tuple[Table, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Page(ABC):
    """A paper's experiments beside ours. A page is its own options: the fields are the flags of its command.

    A subclass says how to measure, and what of that are rows, tables and files; `registry` lists it.
    """

    name: ClassVar[str]

    budget: Literal["quick", "full"] = "quick"
    """quick: the shipped weights on fresh maps, under 10 minutes on two cores. full: every training from nothing, three
    seeds; takes hours, can be killed and called again."""
    out: Path | None = None
    """Folder for tables, scores.json, figures and the runs; runs/PAGE if not given."""
    seed: int = 0
    """Quick: seed of the fresh maps and of the trainings."""
    train: bool = True
    """Full: train what is missing. With --no-train only the finished runs in --out are scored."""
    threads: int = 2
    """Threads of the evaluation; trainings use one."""
    json: bool = False
    """Print one JSON object on the last line."""

    @property
    def folder(self) -> Path:
        """Where files and runs are kept."""
        return self.out or Path("runs") / self.name

    @property
    def command(self) -> str:
        """The command that makes the page."""
        return f"torchvin reproduce {self.name} --budget {self.budget}{'' if self.train else ' --no-train'}"

    def check(self) -> None:
        """Check the options before any work is done.

        Raises: InputError.
        """
        if self.threads < 1:
            raise InputError(f"--threads must be at least 1, got {self.threads}.")

    def run(self) -> Outcome:
        """Measure what the budget asks for, write the files.

        A full run keeps trainings and scores in `scores.json`; a quick one measures anew.

        Raises: InputError for wrong options, or if the folder cannot be written.
        """
        self.check()
        check_writable(self.folder / SCORES_FILE)
        measured = self.measure(ScoreBook(self.folder if self.budget == "full" else None))
        files = self.write(measured)
        return Outcome(tuple(self.rows(measured)), tuple(self.tables(measured)), tuple(files))

    @abstractmethod
    def measure(self, book: ScoreBook) -> Any:
        """Train and score; what is in the book is not measured again."""

    @abstractmethod
    def rows(self, measured: Any) -> Sequence[Row]:
        """Every number of what was measured."""

    @abstractmethod
    def tables(self, measured: Any) -> Sequence[Table]:
        """What a terminal shows."""

    @abstractmethod
    def write(self, measured: Any) -> Sequence[Path]:
        """Write page, tables and figures; returns their paths.

        Raises: InputError if the folder cannot be written.
        """


def check_sizes(asked: Sequence[int], known: Sequence[int]) -> None:
    """Check the sides of maps that were asked for.

    Raises: InputError for a size that the page does not have.
    """
    if unknown := [side for side in asked if side not in known]:
        raise InputError(f"--sizes must be among {', '.join(map(str, known))}, got {', '.join(map(str, unknown))}.")
