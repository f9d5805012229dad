"""Progress on standard error, for anything that takes more than two seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 30.0


def log_line(text: str) -> None:
    """Print one line on standard error at once, so that a log file shows how far the work is."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress_bar(what: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances the progress by a number of steps.

    On a terminal this is a bar. Elsewhere, a line is printed at every tenth of the work and every 30 seconds, and the
    last one when the work ends.

    Args:
        what: is done; it begins every line.
        total: number of steps.
        shown: False prints nothing (processes of a training other than the first).
    """
    if not shown:
        yield lambda steps: None
    elif sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        lines = _Lines(what, total)
        yield lines.advance
        lines.finish()


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


class _Lines:
    """Progress as lines: short work, under ten seconds and a tenth at a time, prints only its end."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done, self.said = what, total, 0, 0
        self.began = self.last = time.monotonic()

    def advance(self, steps: int) -> None:
        self.done += steps
        now = time.monotonic()
        tenth = self.done * 10 // max(self.total, 1) > self.said * 10 // max(self.total, 1)
        if self.done < self.total and (tenth or now - self.last >= _SECONDS_BETWEEN_LINES):
            self._say(now)

    def finish(self) -> None:
        self._say(time.monotonic())

    def _say(self, now: float) -> None:
        self.said, self.last = self.done, now
        log_line(f"{self.what}: {self.done}/{self.total}, {now - self.began:.0f} s")
