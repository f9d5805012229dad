"""`torchvin bench TIMER`: time and memory on this machine."""

from typing import Any

from torchvin.bench.registry import TIMERS
from torchvin.bench.timer import Timer
from torchvin.cli.options import one_of

#: The command line: one subcommand per timer, its flags are the fields of the timer.
Arguments: Any = one_of(TIMERS)


def run(timer: Timer) -> None:
    """Measure and print."""
    from torchvin.cli.output import print_json, print_table

    content = timer.run()
    if timer.json:
        print_json(content)
        return
    for table in timer.tables(content):
        print_table(table.headings, table.lines, title=table.title)
