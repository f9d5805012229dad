"""Tables: columns said once, written as Markdown and as CSV, printed by the command line."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torchvin.io.files import replacing

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Column(Generic[Entry]):
    """A column of a table.

    Attributes:
        heading: above it.
        cell: text of the column for one entry.
        short: heading on a terminal; None leaves the column out there.
    """

    heading: str
    cell: Callable[[Entry], str]
    short: str | None = None


@dataclass(frozen=True)
class Table:
    """Headings and lines of text.

    Attributes:
        headings: one per column.
        lines: cells, one per column.
        title: of the table.

    >>> table = table_of([Column("side", str), Column("cells", lambda side: str(side**2), short="n")], [8, 16])
    >>> print(table.markdown())
    | side | cells |
    |---|---|
    | 8 | 64 |
    | 16 | 256 |
    """

    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    title: str = ""

    def markdown(self) -> str:
        """The table in Markdown, without its title."""
        rows = [_markdown_row(line) for line in (self.headings, *self.lines)]
        return "\n".join([rows[0], "|" + "---|" * len(self.headings), *rows[1:]])


def table_of(
    columns: Sequence[Column[Entry]], entries: Sequence[Entry], *, title: str = "", short: bool = False
) -> Table:
    """One line per entry.

    Args:
        columns: of the table.
        entries: what the columns take their text from.
        title: of the table.
        short: only the columns of a terminal, with their short headings.
    """
    chosen = [column for column in columns if not short or column.short is not None]
    headings = tuple(str(column.short) if short else column.heading for column in chosen)
    lines = tuple(tuple(column.cell(entry) for column in chosen) for entry in entries)
    return Table(headings, lines, title)


def write_csv(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per entry; a key that an entry lacks is left empty.

    Raises: InputError if `path` cannot be written.
    """
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    with replacing(path) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=names)
        writer.writeheader()
        writer.writerows(entries)


def percent(rate: float, digits: int = 2) -> str:
    """A rate in [0, 1] as text; a dash for NaN.

    >>> percent(0.9987), percent(float("nan"))
    ('99.87 %', '-')
    """
    return "-" if math.isnan(rate) else f"{100 * rate:.{digits}f} %"


def _markdown_row(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " for cell in cells) + "|"
