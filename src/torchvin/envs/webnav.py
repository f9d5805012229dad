"""A web to walk: follow links from page to page to the one that a few sentences describe."""

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.queries import MOST_SENTENCES
from torchvin.data.corpora.web import Vectors, Web, build_web, open_web
from torchvin.errors import InputError
from torchvin.evaluation.web import EXTRA_STEPS, FARTHEST

GENERATED = "generated"


@cache
def web_named(corpus: str, vectors: Vectors) -> Web:
    """The web of an environment, opened once per process."""
    return build_web(generate_web(), vectors) if corpus == GENERATED else open_web(Path(corpus), vectors)


class WebNavEnv(gymnasium.Env):  # type: ignore[misc]
    """Walk from page to page by links.

    ## Description
    A query is one to four sentences of a page, without the words of its title and of the texts that link to it. The
    sentences are taken out of the page itself. The walk begins on another page, 1 to 4 links away.

    ## Action space
    `Discrete(L + 1)`, L the largest number of links on a page: 0, ..., L - 1 follow the links in the order of their
    pages; L stops, which ends the episode. A link that the page does not have leads nowhere: the step is lost.
    `info["action_mask"]` says which actions there are.

    ## Observation space
    A dictionary: `page` and `links` are numbers of pages (-1 where there is no link), `query_vector`, `page_vector` and
    `link_vectors` their vectors (empty with `vectors="none"`), `similarity` the share of
    the query (BM25) that the page of each link has. The rest of the budget is not shown: it would tell how far the
    target is. `info` holds the words of the query (`query_words`). Titles, sentences and features of
    all pages are in `env.unwrapped.web`.

    ## Reward
    1 on the target, where the episode ends; 0 otherwise.

    ## End
    The target is reached, the agent stops, or the budget is spent: the least number of links plus two (truncation).

    Args:
        corpus: a folder (`read_corpus`), "foldoc", or "generated": 200 made-up pages.
        split: train, validation or test: pages that queries are about.
        vectors: "glove" (extra `webnav`), "minilm" (extra `sentences`) or "none".
        num_sentences: of a query, 1 to 4.
        farthest: most links between start and target.
        render_mode: "ansi" or None.

    Raises: InputError for an option out of range; see `open_web`.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        *,
        corpus: str = GENERATED,
        split: str = "train",
        vectors: Vectors = "none",
        num_sentences: int = MOST_SENTENCES,
        farthest: int = FARTHEST,
        render_mode: str | None = None,
    ) -> None:
        if not 1 <= num_sentences <= MOST_SENTENCES:
            raise InputError(f"num_sentences must lie between 1 and {MOST_SENTENCES}, got {num_sentences}.")
        if farthest < 1:
            raise InputError(f"farthest must be at least 1, got {farthest}.")
        self.web = web_named(corpus, vectors)
        if split not in self.web.hidden.queries:
            raise InputError(f"split must be train, validation or test, got {split!r:.40}.")
        self.render_mode = render_mode
        self.num_sentences, self.farthest = num_sentences, farthest
        queries = self.web.queries(split)
        rows = self.web.distances(queries.target.tolist())
        reachable = ((rows >= 1) & (rows <= farthest)).any(axis=1).nonzero()[0]
        if not len(reachable):
            raise InputError(f"no page of the split {split!r} can be reached within {farthest} links.")
        self.queries = queries[reachable]
        self.most_links = int(np.diff(self.web.corpus.offsets).max())
        pages, size = len(self.web), self.web.pages.vectors.shape[1]
        self.action_space = spaces.Discrete(self.most_links + 1)
        self.observation_space = spaces.Dict(
            {
                "page": spaces.Box(0, pages - 1, (), np.int64),
                "links": spaces.Box(-1, pages - 1, (self.most_links,), np.int64),
                "query_vector": spaces.Box(-1, 1, (size,), np.float32),
                "page_vector": spaces.Box(-1, 1, (size,), np.float32),
                "link_vectors": spaces.Box(-1, 1, (self.most_links, size), np.float32),
                "similarity": spaces.Box(0, 1, (self.most_links,), np.float32),
            }
        )
        self.page = self.target = self.steps_left = -1
        self.walk: list[int] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draw a query and a page to begin on."""
        super().reset(seed=seed)
        number = int(self.np_random.integers(len(self.queries)))
        self.query = self.queries[np.array([number])]
        self.words = self.query.bags(self.num_sentences)[0]
        features = self.web.encoder([self.words])
        self._query_vector = features.vectors[0]
        self._similarity = np.asarray((self.web.pages.terms @ features.terms[0].T).todense()).ravel().clip(0, 1)
        self.target = int(self.query.target[0])
        row = self.web.distances([self.target])[0]
        self.page = int(self.np_random.choice(np.flatnonzero((row >= 1) & (row <= self.farthest))))
        self.steps_left = int(row[self.page]) + EXTRA_STEPS
        self.walk = [self.page]
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Follow a link, or stop.

        Raises: InputError for an action that does not exist, and after the end of an episode.
        """
        if self.steps_left < 1:
            raise InputError("the episode is over, or none has begun; call reset first.")
        if not 0 <= int(action) <= self.most_links:
            raise InputError(f"an action lies between 0 and {self.most_links}, got {action}.")
        links = self.web.corpus.links(self.page)
        stops = int(action) == self.most_links
        if not stops and int(action) < len(links):
            self.page = int(links[int(action)])
            self.walk.append(self.page)
        reached = self.page == self.target
        self.steps_left -= 1
        ended = reached or stops
        truncated = not ended and self.steps_left == 0
        observation = self._observation()
        if ended:
            self.steps_left = 0
        return observation, float(reached), ended, truncated, self._info()

    def render(self) -> Any:
        """The query and the walk so far, as text."""
        if self.render_mode != "ansi":
            return None
        titles = " -> ".join(self.web.corpus.titles[page] for page in self.walk)
        return f"{' '.join(self.query.sentences[0][: self.num_sentences])}\n{titles}"

    def _observation(self) -> dict[str, Any]:
        links = self.web.corpus.links(self.page)
        vectors = self.web.pages.vectors
        padded = np.full(self.most_links, -1, dtype=np.int64)
        padded[: len(links)] = links
        link_vectors = np.zeros((self.most_links, vectors.shape[1]), dtype=np.float32)
        link_vectors[: len(links)] = vectors[links]
        similarity = np.zeros(self.most_links, dtype=np.float32)
        similarity[: len(links)] = self._similarity[links]
        return {
            "page": np.array(self.page),
            "links": padded,
            "query_vector": np.array(self._query_vector).clip(-1, 1),
            "page_vector": np.array(vectors[self.page]).clip(-1, 1),
            "link_vectors": link_vectors.clip(-1, 1),
            "similarity": similarity,
        }

    def _info(self) -> dict[str, Any]:
        mask = np.zeros(self.most_links + 1, dtype=np.int8)
        mask[: len(self.web.corpus.links(self.page))] = 1
        mask[-1] = 1
        return {"action_mask": mask, "query_words": list(self.words)}
