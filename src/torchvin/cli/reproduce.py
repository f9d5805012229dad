"""`torchvin reproduce PAGE`: a paper's tables beside ours, from shipped weights or from nothing."""

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torchvin.cli.options import one_of
from torchvin.reproduce.page import Page
from torchvin.reproduce.registry import PAGES

#: The command line: one subcommand per page, its flags are the fields of the page.
Arguments: Any = one_of(PAGES)


def run(page: Page) -> None:
    """Reproduce a page; print its rows as JSON, or its tables."""
    import torch

    from torchvin.cli.output import print_json, print_table

    page.check()
    torch.set_num_threads(page.threads)
    began = time.monotonic()
    outcome = page.run()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if page.json:
        content: Mapping[str, Any] = {"rows": [asdict(row) for row in outcome.rows]}
        print_json(content)
        return
    for table in outcome.tables:
        print_table(table.headings, table.lines, title=table.title)
    print("written: " + ", ".join(map(str, outcome.files)))
