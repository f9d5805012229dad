"""Queries: sentences of a page that are hidden from it, without the words that name it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

from torchvin.data.corpora.corpus import Corpus
from torchvin.data.corpora.text import without, words
from torchvin.errors import InputError

Split = Literal["train", "validation", "test"]
#: Shares of the pages that queries are about.
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
MOST_SENTENCES = 4
_LEAST_SENTENCES = 2
_MOST_QUERIES = 6  # per page
_SPLIT_SEED = 20160209  # who is a test target does not depend on the seed of a training


@dataclass(frozen=True)
class Queries:
    """Q queries about pages of one split.

    Attributes:
        target: the page that each is about, [Q].
        sentences: up to four sentences each, as they stand in the page.
        words: of each sentence, without those of the target's title and of the texts that link to it.
    """

    target: Int[np.ndarray, "Q"]
    sentences: tuple[tuple[str, ...], ...]
    words: tuple[tuple[tuple[str, ...], ...], ...]

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, chosen: np.ndarray) -> "Queries":
        numbers = np.asarray(chosen).tolist()
        return Queries(
            self.target[chosen], tuple(self.sentences[i] for i in numbers), tuple(self.words[i] for i in numbers)
        )

    def bags(self, num_sentences: int = MOST_SENTENCES) -> list[list[str]]:
        """The words of the first sentences of each query."""
        return [[word for sentence in query[:num_sentences] for word in sentence] for query in self.words]


@dataclass(frozen=True)
class HiddenSentences:
    """What was taken out of the pages.

    Attributes:
        queries: of each split.
        kept: the sentences that are left in each page, in order.
    """

    queries: dict[Split, Queries]
    kept: tuple[tuple[str, ...], ...]


def hide_sentences(corpus: Corpus) -> HiddenSentences:
    """Take sentences out of the pages and make queries of them: up to six of four sentences from each page.

    Half of the sentences of a page stay in it, so a page of four to seven gives one query of two or three. A sentence
    that stands in the web more than once is never taken: it could be read elsewhere. Neither is one of which fewer
    than three words are left once the page's name is hidden. Pages are divided into splits once and for all, so that
    no training sees a test target's query.

    Raises: InputError if the pages are too short for queries.
    """
    folded = [[tuple(words(sentence)) for sentence in page] for page in corpus.sentences]
    count = Counter(text for page in folded for text in page)
    rng = np.random.default_rng(_SPLIT_SEED)
    split = rng.choice(list(SHARES), p=list(SHARES.values()), size=len(corpus))
    found: dict[str, list[tuple[int, tuple[str, ...], tuple[tuple[str, ...], ...]]]] = {name: [] for name in SHARES}
    kept: list[tuple[str, ...]] = []
    for page, texts in enumerate(folded):
        left = [tuple(without(text, corpus.anchors[page])) for text in texts]
        usable = [i for i, text in enumerate(texts) if count[text] == 1 and len(left[i]) >= 3]
        size = min(len(texts) // 2, MOST_SENTENCES)
        number = min(len(texts) // (2 * size), _MOST_QUERIES, len(usable) // size) if size >= _LEAST_SENTENCES else 0
        taken = rng.permutation(usable)[: number * size].tolist() if number else []
        for first in range(0, len(taken), max(size, 1)):
            group = taken[first : first + size]
            found[split[page]].append(
                (page, tuple(corpus.sentences[page][i] for i in group), tuple(left[i] for i in group))
            )
        hidden = set(taken)
        kept.append(tuple(text for i, text in enumerate(corpus.sentences[page]) if i not in hidden))
    if not all(found.values()):
        raise InputError(
            f"{corpus.source}: the pages are too short or too few: "
            f"{sum(map(len, found.values()))} queries could be "
            "made, and every split needs some."
        )
    return HiddenSentences({name: _queries(entries) for name, entries in found.items()}, tuple(kept))  # type: ignore[misc]


def _queries(entries: Sequence[tuple[int, tuple[str, ...], tuple[tuple[str, ...], ...]]]) -> Queries:
    targets, sentences, found = zip(*entries, strict=True)
    return Queries(np.array(targets, dtype=np.int64), sentences, found)
