"""WebNav (Tamar et al. 2016, section 5.4): walk a web to the page that a few sentences describe."""

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
from torchvin.io.tables import Table, write_csv
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
from torchvin.reproduce.webnav_tables import (
    ABLATIONS,
    FEATURES,
    METRICS,
    NETWORKS,
    POLICIES,
    RANDOM,
    RECALLED,
    REWARDED,
    SIMILARITY,
    STARTS,
    UNTRAINED,
    Measured,
    WebScore,
    grouped,
    mean,
    page_tables,
)
from torchvin.reproduce.webnav_text import page_text
from torchvin.training.config import RunConfig
from torchvin.training.presets import preset

SEEDS = (0, 1, 2)
_FEW = 400  # walks of an ablation


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
            import torch

            with torch.random.fork_rng([]), progress_bar(f"walking: {key}", len(episodes)) as advance:
                torch.manual_seed(self.seed)  # of weights that are not trained, and of the random walk
                asked = _policy(policy, training, self.web.vectors)
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


def _shipped() -> list[tuple[str, Training]]:
    names = available()
    return [(policy, shipped_training(name)) for policy, name in (NETWORKS | REWARDED).items() if name in names]


def _csv_entry(entry: WebScore) -> dict[str, object]:
    numbers = {name: value for name, value in entry.scores.items() if not isinstance(value, dict)}
    return {**{name: value for name, value in asdict(entry).items() if name != "scores"}, **numbers}
