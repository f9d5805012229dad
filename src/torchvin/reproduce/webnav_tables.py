"""The tables of WebNav: what is measured, by which names, and what stands in them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torchvin.data.corpora.web import Vectors, Web
from torchvin.evaluation.metrics import margin
from torchvin.io.tables import Column, Table, table_of
from torchvin.reproduce.book import Training

#: row of the table -> preset and shipped weights, where something is learned
NETWORKS = {
    "VIN, all pages": "webnav",
    "VIN, categories": "webnav-categories",
    "reactive baseline": "webnav-reactive",
}
#: the same networks, trained on from there by reward -> preset and shipped weights
REWARDED = {f"{policy}, then reward": f"{name}-rl" for policy, name in NETWORKS.items()}
#: What is set beside what: the planner on the small graph, and the baseline with the same training.
COMPARED = [
    ("VIN, categories", "reactive baseline"),
    ("VIN, categories, then reward", "reactive baseline"),
    ("VIN, categories, then reward", "reactive baseline, then reward"),
]
UNTRAINED, SIMILARITY, RANDOM = "planning, untrained", "similarity only", "random walk"
POLICIES = {
    "VIN, all pages": "vin",
    "VIN, all pages, then reward": "vin-rl",
    "VIN, categories": "vin-approximate",
    "VIN, categories, then reward": "vin-approximate-rl",
    "reactive baseline": "baseline",
    "reactive baseline, then reward": "baseline-rl",
    UNTRAINED: "vin-untrained",
    SIMILARITY: "similarity",
    RANDOM: "random",
}
STARTS = {"random": "from random pages, 1 to 4 links from the target", "index": "from the web's index page"}
_BEGIN = {"random": "random pages", "index": "index page"}
METRICS = ("success_rate", "beam_success_rate", "teacher_forced_rate")
#: The paper's numbers, as recalled and unverified; by teacher forcing, on another web: (policy, start) -> rate.
RECALLED = {
    ("vin-approximate", "index"): 1030 / 2000,
    ("baseline", "index"): 1025 / 2000,
    ("vin-approximate", "random"): 346 / 4000,
    ("baseline", "random"): 304 / 4000,
}
#: ablation -> options of a score
ABLATIONS: dict[str, dict[str, Any]] = {
    **{f"K = {count}": {"num_iterations": count} for count in (0, 1, 2, 4, 8)},
    **{f"{count} sentence{'s' * (count > 1)}": {"num_sentences": count} for count in (1, 2, 4)},
    "links of the planner shuffled": {"shuffled_links": True},
    "query of another walk": {"shuffled_queries": True},
    "no query": {"no_query": True},
}
#: Vectors of texts beside BM25, compared where nothing is learned -> how a table calls them.
FEATURES: dict[Vectors, str] = {
    "none": "words (BM25)",
    "glove": "words, averaged GloVe",
    "minilm": "words, all-MiniLM-L6-v2",
}


@dataclass(frozen=True)
class WebScore:
    """One policy on one set of walks.

    Attributes:
        corpus: name of the web.
        policy: row of the table.
        split: how walks begin, or the name of an ablation.
        seed: of the training; None where nothing was learned.
        scores: as `WebScores.summary`.
    """

    corpus: str
    policy: str
    split: str
    seed: int | None
    scores: Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """Everything on the page."""

    scores: tuple[WebScore, ...]
    trainings: tuple[Training, ...]
    webs: Mapping[str, Web]


def grouped(scores: Sequence[WebScore]) -> dict[tuple[str, str, str], list[WebScore]]:
    """The seeds of each policy on each set of walks."""
    groups: dict[tuple[str, str, str], list[WebScore]] = {}
    for entry in scores:
        groups.setdefault((entry.corpus, entry.policy, entry.split), []).append(entry)
    return groups


def mean(group: Sequence[WebScore], metric: str) -> float:
    """Mean of a metric over seeds."""
    return sum(float(entry.scores[metric]) for entry in group) / len(group)


def interval(group: Sequence[WebScore]) -> float:
    """Half the 95 % interval of the mean success, of which every seed has the same walks."""
    return margin(mean(group, "success_rate"), int(group[0].scores["walks"]))


Line = tuple[str, list[WebScore]]


@dataclass(frozen=True)
class Change:
    """The same seeds of a network before and after they learned from reward.

    Attributes:
        policy: row of the table.
        split: how walks begin.
        before, after: scores.
    """

    policy: str
    split: str
    before: Sequence[WebScore]
    after: Sequence[WebScore]

    @property
    def gains(self) -> list[float]:
        """Points of success that each seed gained."""
        old = {entry.seed: float(entry.scores["success_rate"]) for entry in self.before}
        return [100 * (float(entry.scores["success_rate"]) - old[entry.seed]) for entry in self.after]

    @property
    def interval(self) -> float:
        """Half the 95 % interval of the mean gain, in points, as if the walks before and after were other ones."""
        return 100 * math.hypot(interval(self.before), interval(self.after))


def page_tables(measured: Measured) -> list[tuple[str, Table]]:
    """Headline and table of every part of the page."""
    groups = grouped(measured.scores)
    tables = []
    for corpus, web in measured.webs.items():
        for split, headline in STARTS.items():
            lines = [
                (policy, groups[corpus, policy, split]) for policy in POLICIES if (corpus, policy, split) in groups
            ]
            title = f"{web.corpus.source}, {headline}"
            tables.append((title, table_of(_COLUMNS, lines, title=title)))
        changes = [
            Change(policy, split, groups[corpus, policy, split], groups[corpus, rewarded, split])
            for policy, rewarded in zip(NETWORKS, REWARDED, strict=True)
            for split in STARTS
            if (corpus, rewarded, split) in groups and (corpus, policy, split) in groups
        ]
        if changes:
            title = f"{web.corpus.source}, what reward adds to imitation (greedy walks)"
            tables.append((title, table_of(_CHANGE_COLUMNS, changes, title=title)))
        pairs = [
            Comparison(policy, other, split, groups[corpus, policy, split], groups[corpus, other, split])
            for policy, other in COMPARED
            for split in STARTS
            if (corpus, policy, split) in groups and (corpus, other, split) in groups
        ]
        if pairs:
            title = f"{web.corpus.source}, the small graph of categories against the baseline (greedy walks)"
            tables.append((title, table_of(_COMPARISON_COLUMNS, pairs, title=title)))
        compared = [
            (f"{name}; {policy}", groups[corpus, policy, name])
            for policy in (UNTRAINED, SIMILARITY)
            for name in FEATURES.values()
            if (corpus, policy, name) in groups
        ]
        if compared:
            title = f"{web.corpus.source}, text features with nothing learned, from random pages"
            tables.append((title, table_of(_FEATURE_COLUMNS, compared, title=title)))
        lines = [
            (name, groups[corpus, "VIN, all pages", name])
            for name in ABLATIONS
            if (corpus, "VIN, all pages", name) in groups
        ]
        if lines:
            title = f"{web.corpus.source}, the VIN on all pages with something changed, from random pages"
            tables.append((title, table_of(_ABLATION_COLUMNS, lines, title=title)))
    return tables


def _rate(metric: str) -> Callable[[Line], str]:
    return lambda line: f"{100 * mean(line[1], metric):.1f} %"


def _interval(line: Line) -> str:
    return f"{100 * interval(line[1]):.1f}"


def _spread(line: Line) -> str:
    values = [100 * float(entry.scores["success_rate"]) for entry in line[1]]
    return f"{min(values):.1f} to {max(values):.1f}" if len(values) > 1 else "-"


_COLUMNS: list[Column[Line]] = [
    Column("policy", lambda line: line[0], "policy"),
    Column("greedy walk", _rate("success_rate"), "greedy"),
    Column("+-", _interval, "+-"),
    Column("seeds, from to", _spread, "seeds"),
    Column("beam of 4", _rate("beam_success_rate"), "beam 4"),
    Column("teacher-forced, 4 best", _rate("teacher_forced_rate"), "teacher-forced"),
    Column("walks", lambda line: str(line[1][0].scores["walks"]), "walks"),
    Column("trainings", lambda line: str(sum(entry.seed is not None for entry in line[1])), "trainings"),
]


@dataclass(frozen=True)
class Comparison:
    """One policy beside another.

    Attributes:
        policy, other: rows of the table.
        split: how walks begin.
        mine, theirs: scores.
    """

    policy: str
    other: str
    split: str
    mine: Sequence[WebScore]
    theirs: Sequence[WebScore]

    @property
    def rates(self) -> tuple[float, float]:
        """Success of both."""
        return mean(self.mine, "success_rate"), mean(self.theirs, "success_rate")

    @property
    def apart(self) -> bool:
        """Whether the 95 % intervals of both do not overlap."""
        return abs(self.rates[0] - self.rates[1]) > interval(self.mine) + interval(self.theirs)


_COMPARISON_COLUMNS: list[Column[Comparison]] = [
    Column("policy", lambda pair: pair.policy, "policy"),
    Column("beside", lambda pair: pair.other, "beside"),
    Column("walks begin", lambda pair: _BEGIN[pair.split], "start"),
    Column("success", lambda pair: f"{100 * pair.rates[0]:.1f} %", "success"),
    Column("of the other", lambda pair: f"{100 * pair.rates[1]:.1f} %", "other"),
    Column("more, relative", lambda pair: f"{100 * (pair.rates[0] / max(pair.rates[1], 1e-9) - 1):+.0f} %", "more"),
    Column("intervals", lambda pair: "apart" if pair.apart else "overlap", "intervals"),
]
_CHANGE_COLUMNS: list[Column[Change]] = [
    Column("policy", lambda change: change.policy, "policy"),
    Column("walks begin", lambda change: _BEGIN[change.split], "start"),
    Column("imitation", lambda change: f"{100 * mean(change.before, 'success_rate'):.1f} %", "imitation"),
    Column("then reward", lambda change: f"{100 * mean(change.after, 'success_rate'):.1f} %", "then reward"),
    Column("gain, points", lambda change: f"{sum(change.gains) / len(change.gains):+.1f}", "gain"),
    Column("+-", lambda change: f"{change.interval:.1f}", "+-"),
    Column("seeds, from to", lambda change: f"{min(change.gains):+.1f} to {max(change.gains):+.1f}", "seeds"),
]
_ABLATION_COLUMNS: list[Column[Line]] = [
    Column("changed", lambda line: line[0], "changed"),
    Column("greedy walk", _rate("success_rate"), "greedy"),
    Column("+-", _interval, "+-"),
    Column("walks", lambda line: str(line[1][0].scores["walks"]), "walks"),
]
_FEATURE_COLUMNS = [Column[Line]("text features; policy", lambda line: line[0], "features"), *_ABLATION_COLUMNS[1:]]
