"""WebNav (Tamar et al. 2016, section 5.4): walk a web to the page that a few sentences describe."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from torchvin.architectures.webnav import WebNavConfig
from torchvin.data.corpora.queries import Queries
from torchvin.data.corpora.web import Vectors, Web, open_web
from torchvin.errors import InputError
from torchvin.evaluation.metrics import margin
from torchvin.evaluation.web import Episodes, draw_episodes, evaluate_web
from torchvin.io.progress import log_line, progress_bar
from torchvin.io.tables import Column, Table, table_of, write_csv
from torchvin.planning.graph import Graph
from torchvin.policies.web.observation import Pages
from torchvin.policies.web.policy import WebPolicy
from torchvin.pretrained.store import available
from torchvin.reproduce import webnav_figures
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.page import Page
from torchvin.reproduce.row import Row
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.reproduce.webnav_text import page_text
from torchvin.training.config import RunConfig
from torchvin.training.presets import preset

#: row of the table -> preset and shipped weights, where something is learned
NETWORKS = {
    "VIN, all pages": "webnav",
    "VIN, categories": "webnav-categories",
    "reactive baseline": "webnav-reactive",
}
#: the same networks, trained on from there by reward -> preset and shipped weights
REWARDED = {f"{policy}, then reward": f"{name}-rl" for policy, name in NETWORKS.items()}
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
SEEDS = (0, 1, 2)
_FEW = 400  # walks of an ablation


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


@dataclass(frozen=True)
class WebNav(Page):
    """A query of four sentences, and a web to walk: planning on links against following what is most similar.

    Greedy walks, walks of a beam of four and the paper's teacher-forced metric, each apart, on targets that no training
    saw. Quick scores the shipped weights, full trains three seeds of each network.
    """

    name: ClassVar[str] = "webnav"

    wikispeedia: Path | None = None
    """Folder with SNAP's two archives (snap.stanford.edu/data/wikispeedia.html)."""
    foldoc: Path | None = None
    """Folder with FOLDOC's files; /usr/share/dictd if Debian's package dict-foldoc is installed."""
    walks: int = 1000
    """Number of walks per table; ablations take at most 400."""
    cache: Path | None = None
    """Folder where what is computed of the webs is kept; the user's cache if not given."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        if self.walks < 1:
            raise InputError(f"--walks must be at least 1, got {self.walks}.")
        if not self._folders():
            raise InputError(
                "no web at hand: name --wikispeedia FOLDER or --foldoc FOLDER, or install Debian's package dict-foldoc."
            )

    def _folders(self) -> dict[str, Path | str]:
        from torchvin.data.corpora.foldoc import DEBIAN_FOLDER, is_foldoc

        folders: dict[str, Path | str] = {}
        if self.wikispeedia:
            folders["wikispeedia"] = self.wikispeedia
        if self.foldoc or is_foldoc(DEBIAN_FOLDER):
            folders["foldoc"] = self.foldoc or "foldoc"
        return folders

    def measure(self, book: ScoreBook) -> Measured:
        """Score the shipped weights (quick), or three trainings of each network (full), on every web."""
        webs = {name: open_web(folder, cache=self.cache) for name, folder in self._folders().items()}
        scores: list[WebScore] = []
        trainings: list[Training] = []
        for corpus, web in webs.items():
            found = self._trained(book, corpus, web) if self.budget == "full" else _shipped()
            if not found:
                raise InputError(f"{self.folder} holds no finished run; leave out --no-train.")
            trainings += [training for _, training in found if training not in trainings]
            scorer = _Scorer(self, book, corpus, web)
            for policy, training in [*found, (UNTRAINED, None), (SIMILARITY, None), (RANDOM, None)]:
                scores += [scorer.score(policy, training, start) for start in STARTS]
            planning = next((training for policy, training in found if policy == "VIN, all pages"), None)
            if planning:
                scores += [scorer.ablation(planning, name) for name in ABLATIONS]
            if self.budget == "full":
                scores += self._features(book, corpus)
        return Measured(tuple(scores), tuple(trainings), webs)

    def _features(self, book: ScoreBook, corpus: str) -> list[WebScore]:
        """Planning and similarity with every kind of text features that is installed, nothing learned."""
        scores = []
        for vectors, name in FEATURES.items():
            try:
                web = open_web(self._folders()[corpus], vectors, self.cache)
            except InputError as missing:
                log_line(f"without {name}: {missing}")
                continue
            scorer = _Scorer(self, book, corpus, web)
            scores += [scorer.features(policy, name) for policy in (UNTRAINED, SIMILARITY)]
        return scores

    def _trained(self, book: ScoreBook, corpus: str, web: Web) -> list[tuple[str, Training]]:
        """Every network by imitation, and trained on from there by reward."""
        found = []
        for (policy, name), (rewarded, by_reward) in zip(NETWORKS.items(), REWARDED.items(), strict=True):
            for seed in SEEDS:
                run = f"{name}-{corpus}-s{seed}"
                config = preset(name if corpus == "wikispeedia" else f"{name}-small")
                imitated = self._training(book, run, replace(config, seed=seed), web)
                weights = imitated.weights if imitated else None
                further = replace(preset(by_reward), seed=seed, init=weights) if weights else None
                learned = self._training(book, f"{by_reward}-{corpus}-s{seed}", further, web)
                found += [(row, one) for row, one in ((policy, imitated), (rewarded, learned)) if one]
        return found

    def _training(self, book: ScoreBook, run: str, config: RunConfig | None, web: Web) -> Training | None:
        """A run of the book, or a new one if there is a configuration."""

        def make() -> Path:
            assert config is not None
            return train_run(run, config, self.folder, command=self.command, data=web)

        return book.training(self.folder / run, make if self.train and config else None)

    def rows(self, measured: Measured) -> list[Row]:
        """Every rate of each policy, web and way to begin, and success in each ablation."""
        rows = []
        for (corpus, policy, split), group in grouped(measured.scores).items():
            for metric in METRICS if split in STARTS else METRICS[:1]:
                value = mean(group, metric)
                walks = int(group[0].scores["walks"])
                name = POLICIES[policy]
                published = RECALLED.get((name, split)) if metric == "teacher_forced_rate" else None
                row = (
                    f"webnav-{corpus}",
                    name,
                    split,
                    metric,
                    value,
                    walks,
                    len(group),
                    margin(value, walks),
                    published,
                )
                rows.append(Row(*row))
        return rows

    def tables(self, measured: Measured) -> list[Table]:
        """One table per web and way to begin, and the ablations."""
        return [table for _, table in page_tables(measured)]

    def write(self, measured: Measured) -> list[Path]:
        """Write `webnav.md`, `webnav.csv` (one line per policy, seed and set of walks) and the figures."""
        out = self.folder
        write_csv(out / "webnav.csv", [_csv_entry(entry) for entry in measured.scores])
        captions = webnav_figures.draw(measured, out)
        text = page_text(self.command, page_tables(measured), measured, captions)
        return [write_text(out / "webnav.md", text), out / "webnav.csv", *captions]


class _Scorer:
    """Scores policies on one web, and keeps what they are."""

    def __init__(self, page: WebNav, book: ScoreBook, corpus: str, web: Web) -> None:
        self.book, self.corpus, self.web, self.seed, self.walks = book, corpus, web, page.seed, page.walks
        self.pages = Pages(web)

    def score(self, policy: str, training: Training | None, start: str) -> WebScore:
        """A policy from one way to begin."""
        episodes = draw_episodes(self.web, "test", number=self.walks, start=start, seed=self.seed)
        options = {"num_iterations": 0} if policy == SIMILARITY else {}
        return self._kept(policy, training, start, episodes, options)

    def features(self, policy: str, name: str) -> WebScore:
        """A policy with fresh weights on a web with other text features; from random pages."""
        episodes = draw_episodes(self.web, "test", number=self.walks, seed=self.seed)
        options = {"num_iterations": 0} if policy == SIMILARITY else {}
        return self._kept(policy, None, name, episodes, {**options, "greedy_only": True})

    def ablation(self, training: Training, name: str) -> WebScore:
        """The planner on all pages, with something taken away; from random pages."""
        options = dict(ABLATIONS[name])
        episodes = draw_episodes(self.web, "test", number=min(self.walks, _FEW), seed=self.seed)
        pages = None
        if options.pop("shuffled_links", False):
            pages = Pages(self.web, planning_graph=shuffled(self.pages.graph, self.seed))
        if options.pop("shuffled_queries", False):
            episodes = replace(episodes, queries=_told(episodes.queries, shift=1))
        if options.pop("no_query", False):
            episodes = replace(episodes, queries=_told(episodes.queries, shift=0))
        return self._kept("VIN, all pages", training, name, episodes, {**options, "greedy_only": True}, pages)

    def _kept(
        self,
        policy: str,
        training: Training | None,
        split: str,
        episodes: Episodes,
        options: dict[str, Any],
        pages: Pages | None = None,
    ) -> WebScore:
        name = training.name if training else policy
        key = f"{name}, {self.corpus} {split} {self.seed}, {len(episodes)} walks"

        def measure() -> dict[str, Any]:
            asked = _policy(policy, training, self.web.vectors)
            with progress_bar(f"walking: {key}", len(episodes)) as advance:
                scores = evaluate_web(asked, pages or self.pages, episodes, on_progress=advance, **options)
            return scores.summary()

        kept = self.book.keep(key, measure)
        return WebScore(self.corpus, policy, split, training.seed if training else None, kept)


def shuffled(graph: Graph, seed: int) -> Graph:
    """The same number of links from and to each page, but other ones."""
    import torch

    order = torch.randperm(graph.num_edges, generator=torch.Generator().manual_seed(seed))
    return Graph(graph.offsets, graph.targets[order])


def _told(queries: Queries, *, shift: int) -> Queries:
    """The same targets with the words of another query, or with none (shift 0)."""
    count = len(queries)
    told = tuple(queries.words[(number + shift) % count] if shift else ((),) for number in range(count))
    return Queries(queries.target, queries.sentences, told)


def _policy(policy: str, training: Training | None, vectors: Vectors) -> WebPolicy:
    from torchvin.architectures.registry import build_policy
    from torchvin.policies.web.vin import RandomLinks

    if training is not None:
        trained = training.policy()
        assert isinstance(trained, WebPolicy)
        return trained
    if policy == RANDOM:
        return RandomLinks()
    fresh = build_policy(WebNavConfig(vectors=vectors))
    assert isinstance(fresh, WebPolicy)
    return fresh


def grouped(scores: Sequence[WebScore]) -> dict[tuple[str, str, str], list[WebScore]]:
    """The seeds of each policy on each set of walks."""
    groups: dict[tuple[str, str, str], list[WebScore]] = {}
    for entry in scores:
        groups.setdefault((entry.corpus, entry.policy, entry.split), []).append(entry)
    return groups


def mean(group: Sequence[WebScore], metric: str) -> float:
    """Mean of a metric over seeds."""
    return sum(float(entry.scores[metric]) for entry in group) / len(group)


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
        margins = [margin(mean(group, "success_rate"), int(group[0].scores["walks"])) for group in self._groups]
        return 100 * math.hypot(*margins)

    @property
    def _groups(self) -> tuple[Sequence[WebScore], Sequence[WebScore]]:
        return self.before, self.after


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
    return f"{100 * margin(mean(line[1], 'success_rate'), int(line[1][0].scores['walks'])):.1f}"


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
_CHANGE_COLUMNS: list[Column[Change]] = [
    Column("policy", lambda change: change.policy, "policy"),
    Column("walks begin", lambda change: {"random": "random pages", "index": "index page"}[change.split], "start"),
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


def _shipped() -> list[tuple[str, Training]]:
    names = available()
    return [(policy, shipped_training(name)) for policy, name in (NETWORKS | REWARDED).items() if name in names]


def _csv_entry(entry: WebScore) -> dict[str, object]:
    numbers = {name: value for name, value in entry.scores.items() if not isinstance(value, dict)}
    return {**{name: value for name, value in asdict(entry).items() if name != "scores"}, **numbers}
