"""Standard output: tables for people, one JSON object on the last line for programs."""

import json
import math
import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torchvin.io.tables import percent as percent

_WIDTH_WITHOUT_TERMINAL = 140
_LEAST_TEXT = 30
"""Characters: descriptions narrower than this stand below their names."""
_NUMBER = re.compile(
    r"-?|(\+-|[+-])? ?\d[\d,.]*(e[+-]?\d+)?( ?(%|s|ms|MB))?( \(.*\)| \+- [\d.,]+( ?%)?)?|not measured|inf|nan"
)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one line of strict JSON: NaN and infinity, which JSON lacks, become null."""
    print(json.dumps(_finite(content)), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table: columns of text are left-aligned and wrapped at words, columns of numbers right-aligned.

    It is as wide as the terminal, or as the environment variable COLUMNS says; elsewhere 140 characters at most.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    cells = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for index, column in enumerate(columns):
        entries = [row[index] for row in cells]
        numbers = index > 0 and all(_NUMBER.fullmatch(entry) for entry in entries)
        names = not any(" " in entry for entry in entries)  # must stay whole, to be copied
        justify: Literal["left", "right"] = "right" if numbers else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=numbers or names)
    for row in cells:
        table.add_row(*row)
    Console(width=_width(), highlight=False, markup=False, emoji=False).print(table)


def print_entries(title: str, entries: Mapping[str, str]) -> None:
    """Print names and what they are: side by side where there is room, else each description below its name."""
    width, column = _width(), max(map(len, entries), default=0) + 4
    beside = width - column >= _LEAST_TEXT
    lines = ["", title]
    for name, text in entries.items():
        first, indent = (f"  {name}".ljust(column), " " * column) if beside else (" " * 6, " " * 6)
        lines += [] if beside else [f"  {name}"]
        lines += textwrap.wrap(
            text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    print("\n".join(lines))


def _width() -> int:
    return shutil.get_terminal_size((_WIDTH_WITHOUT_TERMINAL, 24)).columns
