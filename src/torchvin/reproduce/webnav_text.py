"""The page of WebNav: numbers that were measured, in the prose of `templates/webnav.md`."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from torchvin.bench.machine import processor
from torchvin.io.tables import Table
from torchvin.reproduce.book import Training
from torchvin.reproduce.text import figure_list, filled
from torchvin.tasks.web_reinforcement import WALKERS

if TYPE_CHECKING:
    from torchvin.reproduce.webnav_tables import Measured


def page_text(
    command: str, tables: Sequence[tuple[str, Table]], measured: "Measured", captions: Mapping[Path, str]
) -> str:
    """The page as Markdown.

    Args:
        command: that made it.
        tables: headline and table.
        measured: scores, trainings, webs.
        captions: picture to caption.
    """
    webs = [
        f"- **{web.corpus.source}**: {len(web):,} pages, {web.corpus.num_links:,} links, "
        f"{', '.join(f'{len(found):,} {split}' for split, found in web.hidden.queries.items())} queries; index page "
        f"`{web.corpus.titles[web.corpus.index_page]}`."
        for web in measured.webs.values()
    ]
    return filled(
        "webnav",
        {
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            "webs": "\n".join(webs),
            "tables": "\n\n".join(f"### {headline}\n\n{table.markdown()}" for headline, table in tables),
            "trainings": "\n".join(map(_training_line, measured.trainings)),
            "figures": figure_list(captions),
        },
    )


def _training_line(training: Training) -> str:
    record = training.record
    options = record["config"]["training"]
    learned = f"{record['maps']} queries, {options['epochs']} epochs"
    if options.get("method") == "reinforcement":
        learned = f"walks of {WALKERS} walkers to each of {record['maps']} queries, rewarded"
    return (
        f"- `{training.name}`: {learned}, seed {training.seed}, "
        f"{record['seconds'] / 60:.1f} minutes of one thread on a machine with other work"
    )
