"""What each part of the paper's network is worth: 16x16 maps, every cell teaches, one thing changed at a time."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from torchvin.architectures.hierarchical import HierarchicalConfig
from torchvin.reproduce.book import ScoreBook
from torchvin.reproduce.gridworld import Measured, first_seeds, fresh_maps, measure
from torchvin.reproduce.trainings import train_run
from torchvin.training.config import RunConfig
from torchvin.training.presets import preset

SIDE = 16
MAPS = 5_000  # fresh ones, to score on
FACTORS = (0.5, 1, 2, 4)  # on K, at test
_TIED = preset("gridworld-16-paper-all-cells")
_NORMALIZED = preset("gridworld-16")
_K = 20  # the paper's at 16x16


def _paper(maps: int = 5_000, **changes: object) -> RunConfig:
    policy = replace(_TIED.policy, **changes)  # type: ignore[arg-type]
    return replace(_TIED, policy=policy, data=replace(_TIED.data, maps=maps))


#: folder of the run -> what is changed, and the training
ABLATIONS: dict[str, tuple[str, RunConfig]] = {
    "gridworld-16-paper-all-cells": ("the paper's network, 5,000 maps", _TIED),
    "tied-2500": ("50 % of the maps", _paper(2_500)),
    "tied-1000": ("20 % of the maps", _paper(1_000)),
    "untied-5000": ("untied kernels (one per iteration)", _paper(untied=_K + 1)),
    "untied-2500": ("untied kernels, 50 % of the maps", _paper(2_500, untied=_K + 1)),
    "untied-1000": ("untied kernels, 20 % of the maps", _paper(1_000, untied=_K + 1)),
    "hierarchical": (
        "hierarchical: 10 coarse and 5 fine iterations",
        replace(_TIED, policy=HierarchicalConfig(iterations_per_side=5 / SIDE)),
    ),
    "free-action-reward": ("one reward per action in place of one image", _paper(reward="action")),
    "normalized": ("the normalized design (one reward per action)", _NORMALIZED),
    "normalized-image-reward": (
        "the normalized design with one reward image",
        replace(_NORMALIZED, policy=replace(_NORMALIZED.policy, reward="image")),  # type: ignore[call-arg]
    ),
}


def run(out: Path, book: ScoreBook, new: bool, command: str) -> list[Measured]:
    """Score every ablation, seed 0.

    Args:
        out: folder of the runs.
        book: of trainings and scores.
        new: train what is missing; otherwise only finished runs are taken.
        command: that asked for the trainings, for their records.
    """
    maps = fresh_maps(SIDE, MAPS)
    rows = []
    for name, (what, config) in ABLATIONS.items():
        run = f"{name}-s0"
        if training := book.training(out / run, partial(train_run, run, config, out, command=command) if new else None):
            rows.append(measure(book, what, training, maps, "fresh maps 0"))
    return rows


def iterations(rows: Sequence[Measured], book: ScoreBook) -> list[tuple[Measured, int, float]]:
    """The first seed at hand of each planner with K changed by `FACTORS` at test: planner, K and success rate."""
    results = []
    for row in first_seeds(rows, lambda training: training.weights is not None):
        if row.iterations:
            maps = fresh_maps(row.side, MAPS)
            for factor in FACTORS:
                k = math.ceil(factor * row.iterations)
                results.append((row, k, book.score(row.training, maps, "fresh maps 0", k).success_rate))
    return results
