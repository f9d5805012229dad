"""The page of the overhead images: numbers that were measured, in the prose of `templates/mars.md`."""

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
    aims: Table,
    trainings: Sequence[Training],
    correlation: float | None,
    captions: Mapping[Path, str],
) -> str:
    """The page as Markdown.

    Args:
        command: that made it.
        tables: headline to table.
        aims: what was aimed at.
        trainings: of the networks.
        correlation: of learned cost and true slope over held-out cells; None if there is none.
        captions: picture to caption.
    """
    learned = ""
    if correlation is not None:
        learned = (
            f"Rank correlation (Spearman) of the learned cost of a cell with its steepest slope: {correlation:.3f}, "
            "over all cells of 100 held-out maps. No slope was ever shown to the network."
        )
    return filled(
        "mars",
        {
            "command": command,
            "date": datetime.date.today().isoformat(),
            "machine": f"{processor()}, torch {torch.__version__}",
            "tables": "\n\n".join(f"### {headline}\n\n{table.markdown()}" for headline, table in tables.items()),
            "aims": aims.markdown(),
            "unequal": _unequal(trainings),
            "trainings": "\n".join(map(_training_line, trainings)),
            "correlation": learned,
            "figures": figure_list(captions),
        },
    )


def _training_line(training: Training) -> str:
    record = training.record
    options = record["config"]["training"]
    return (
        f"- `{training.name}`: {record['maps']} maps, {options['epochs']} epochs, seed {training.seed}, "
        f"{record['seconds'] / 60:.0f} minutes of one thread on a machine with other work; `{record['command']}`"
    )


def _unequal(trainings: Sequence[Training]) -> str:
    """A warning where networks that are compared differ in encoder, maps or epochs; else nothing."""
    worlds: dict[str, set[tuple[object, ...]]] = {}
    for training in trainings:
        config = training.record["config"]
        encoder = [config["policy"].get(name, 0) for name in ("encoder_channels", "encoder_blocks")]
        compared = (*encoder, training.record["maps"], config["training"]["epochs"])
        worlds.setdefault(training.name.split("-")[0], set()).add(compared)
    differing = [world for world, kinds in worlds.items() if len(kinds) > 1]
    if not differing:
        return ""
    return (
        f"**Not an equal comparison yet** ({', '.join(differing)}): the networks differ in their encoder, maps or "
        "epochs, as the list below says. A baseline that was trained less would gain by more."
    )
