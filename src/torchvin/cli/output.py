"""Standard output: tables for people, one JSON object on the last line for programs."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from torchvin.io.tables import percent as percent


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
    """Print a table; the first column is left-aligned, the others right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=None if title is None else escape(title), box=SIMPLE_HEAD, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(
            escape(column),
            justify="left" if index == 0 else "right",
            overflow="fold",
            no_wrap=index > 0 and len(columns) > 2,
        )
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 140).print(table)
