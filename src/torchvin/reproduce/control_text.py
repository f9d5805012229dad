"""The page of continuous control: numbers that were measured, in the prose of `templates/control.md`."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from torchvin.bench.machine import processor
from torchvin.io.tables import Table
from torchvin.reproduce.book import Training
from torchvin.reproduce.text import figure_list, filled


def page_text(
    command: str,
    tables: Mapping[str, Table],
    learning: Table | None,
    bars: Sequence[tuple[str, float, float, bool]],
    trainings: Sequence[Training],
    captions: Mapping[Path, str],
) -> str:
    """The page as Markdown.

    Args:
        command: that made it.
        tables: headline to table.
        learning: by the number of training arenas; None if there is one number only.
        bars: what was aimed at: text, value, bar, reached or not.
        trainings: of the networks.
        captions: picture to caption.
    """
    return filled(
        "control",
        {
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            "tables": "\n\n".join(f"### {headline}\n\n{table.markdown()}" for headline, table in tables.items()),
            "learning": "" if learning is None else f"## How many arenas were trained on\n\n{learning.markdown()}",
            "bars": "\n".join(
                f"- {text} {bar:.3f}: measured {value:.3f}, {'reached' if reached else '**not reached**'}."
                for text, value, bar, reached in bars
            ),
            "trainings": "\n".join(map(_training_line, trainings)),
            "figures": figure_list(captions),
        },
    )


def _training_line(training: Training) -> str:
    record = training.record
    options = record["config"]["training"]
    return (
        f"- `{training.name}`: {record['maps']} arenas, {options['epochs']} epochs, seed {training.seed}, "
        f"{record['seconds'] / 60:.1f} minutes of one thread on a machine with other work; `{record['command']}`"
    )
