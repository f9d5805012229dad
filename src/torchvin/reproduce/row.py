"""One number of a reproduction beside the published one: what `torchvin reproduce PAGE --json` prints."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from torchvin.evaluation.metrics import Scores, margin

#: Metrics that are a share of trials, so that an interval can be given.
RATES = (
    "success_rate",
    "optimal_rate",
    "all_states_success_rate",
    "all_states_optimal_rate",
    "open_states_success_rate",
    "open_states_optimal_rate",
)


@dataclass(frozen=True)
class Row:
    """One metric of one policy on one set of maps.

    Attributes:
        task: what is to be solved, such as `gridworld-16`.
        policy: who solves it, such as `vin`, `cnn`, `expert`.
        split: which maps: `test` for fresh maps of the training's kind, else a name of the page.
        metric: name of the number (`evaluation.metrics.Scores` defines those of maps).
        value: mean over the trainings; None where nothing was run.
        n: maps.
        seeds: trainings that were averaged.
        interval: half the width of the 95 % interval over the maps; None of numbers that are no rate.
        published: the paper's number; None if it has none.
    """

    task: str
    policy: str
    split: str
    metric: str
    value: float | None
    n: int
    seeds: int
    interval: float | None
    published: float | None


def mean_score(scores: Sequence[Scores], metric: str) -> float:
    """Mean of a metric over trainings; trainings without a value are left out.

    >>> import math
    >>> math.isnan(mean_score([], "success_rate"))
    True
    """
    values = [value for value in (float(getattr(score, metric)) for score in scores) if value == value]
    return sum(values) / len(values) if values else float("nan")


def row_of(
    task: str, policy: str, split: str, metric: str, scores: Sequence[Scores], published: float | None = None
) -> Row:
    """The row of one metric, averaged over trainings that were scored on the same maps.

    Args:
        task, policy, split, metric, published: see `Row`.
        scores: one per training; none if nothing was run.
    """
    assert metric in {field.name for field in fields(Scores)}, metric
    value, maps = mean_score(scores, metric), scores[0].maps if scores else 0
    known = value == value
    interval = margin(value, maps) if known and metric in RATES else None
    return Row(task, policy, split, metric, value if known else None, maps, len(scores), interval, published)
