"""Pages and queries as numbers: weights of hashed words (BM25), and averaged word vectors.

BM25 is the ranking function of Robertson and Zaragoza (2009, doi:10.1561/1500000019), here in the form of a product of
a weight in the query and a weight in the page.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix

from torchvin.data.corpora.text import words

#: Buckets that words are hashed into; of 300,000 different words a quarter shares its bucket with a more frequent one.
NUM_BUCKETS = 1 << 16
#: k_1 of BM25: a word that fills two average shares of a page has half of its greatest weight. b is 1.
_SATURATION = 2.0


@runtime_checkable
class WordVectors(Protocol):
    """Vectors of words."""

    name: str
    size: int

    def rows(self, found: Sequence[str]) -> tuple[Float[np.ndarray, "W D"], list[int]]:
        """Vectors of the known words, and which of `found` they are."""


@runtime_checkable
class SentenceVectors(Protocol):
    """Vectors of whole texts."""

    name: str
    size: int

    def embed(self, texts: Sequence[Sequence[str]]) -> Float[np.ndarray, "T D"]:
        """One row of length 1 per text, given as its words."""


@dataclass(frozen=True)
class TextFeatures:
    """T texts as numbers.

    Attributes:
        terms: weights of hashed words, [T, 2^16]. In a page n / (n + k_1 * length / mean length) for a word that stands
            there n times: between 0 and 1. In a query (1 + log n) times the inverse document frequency, with the sum 1.
            The product of a query and a page is the share of the query that the page has, between 0 and 1.
        vectors: mean of the word vectors, weighted by inverse document frequency, or embedding of the text; rows of
            length 1, [T, D]; D = 0 without vectors. A text without a known word is a row of zeros, in both.
    """

    terms: csr_matrix
    vectors: Float[np.ndarray, "T D"]

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    def __getitem__(self, chosen: np.ndarray) -> "TextFeatures":
        return TextFeatures(self.terms[chosen], self.vectors[chosen])


@cache
def bucket(word: str) -> int:
    """The bucket of a word, the same on every machine.

    >>> bucket("zebra")
    23990
    """
    return zlib.crc32(word.encode()) % NUM_BUCKETS


class TextEncoder:
    """From words to features; knows how rare each bucket is in a web, and how long its pages are.

    Args:
        inverse_frequency: of each bucket, [2^16].
        mean_length: words per page.
        vectors: of words or of texts; None leaves them out.
    """

    def __init__(
        self,
        inverse_frequency: Float[np.ndarray, "W"],
        mean_length: float,
        vectors: WordVectors | SentenceVectors | None,
    ) -> None:
        self.inverse_frequency = inverse_frequency
        self.mean_length = mean_length
        self.vectors = vectors

    @classmethod
    def of_pages(cls, texts: Sequence[Sequence[str]], vectors: WordVectors | SentenceVectors | None) -> "TextEncoder":
        """The encoder of a web, from the words of its pages."""
        count = np.zeros(NUM_BUCKETS, dtype=np.int64)
        for text in texts:
            count[list({bucket(word) for word in text})] += 1
        rarity = np.log((len(texts) + 1) / (count + 1))
        rarity[count > len(texts) / 2] = 0  # what most pages say tells none from the others
        length = sum(map(len, texts)) / max(len(texts), 1)
        return cls(rarity.astype(np.float32), max(length, 1.0), vectors)

    def __call__(self, texts: Sequence[Sequence[str]]) -> TextFeatures:
        """Features of queries, each a list of words."""

        def weigh(count: Float[np.ndarray, "X"], rarity: Float[np.ndarray, "X"], length: int) -> np.ndarray:
            weights: np.ndarray = (1 + np.log(count)) * rarity
            return np.asarray(weights / max(float(weights.sum()), 1e-12))

        return self._features(texts, weigh)

    def pages(self, texts: Sequence[Sequence[str]]) -> TextFeatures:
        """Features of pages, each a list of words."""

        def weigh(count: Float[np.ndarray, "X"], rarity: Float[np.ndarray, "X"], length: int) -> np.ndarray:
            return count / (count + _SATURATION * length / self.mean_length)

        return self._features(texts, weigh)

    def _features(self, texts: Sequence[Sequence[str]], weigh: Callable[..., np.ndarray]) -> TextFeatures:
        indptr, indices, data = [0], [], []
        vectors = np.zeros((len(texts), self.vectors.size if self.vectors else 0), dtype=np.float32)
        for number, text in enumerate(texts):
            counts = Counter(text)
            buckets = Counter[int]()
            for word, number_here in counts.items():
                buckets[bucket(word)] += number_here
            ordered = np.array(sorted(buckets), dtype=np.int64)
            ordered = ordered[self.inverse_frequency[ordered] > 0]
            count = np.array([buckets[index] for index in ordered.tolist()], dtype=np.float32)
            indices.append(ordered)
            data.append(weigh(count, self.inverse_frequency[ordered], len(text)))
            indptr.append(indptr[-1] + len(ordered))
            if isinstance(self.vectors, WordVectors):
                vectors[number] = self._mean_vector(counts, self.vectors)
        matrix = csr_matrix(
            (np.concatenate(data).astype(np.float32), np.concatenate(indices), indptr), shape=(len(texts), NUM_BUCKETS)
        )
        if isinstance(self.vectors, SentenceVectors):
            vectors = self.vectors.embed(texts)
        return TextFeatures(matrix, vectors)

    def _mean_vector(self, counts: Counter[str], of_words: WordVectors) -> Float[np.ndarray, "D"]:
        distinct = list(counts)
        rows, known = of_words.rows(distinct)
        if not known:
            return np.zeros(of_words.size, dtype=np.float32)
        rarity = np.array([counts[distinct[i]] * self.inverse_frequency[bucket(distinct[i])] for i in known])
        mean = rarity.astype(np.float32) @ rows
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def words_of_page(title: str, sentences: Sequence[str], other_text: str) -> list[str]:
    """All words of a page."""
    return words("\n".join([title, *sentences, other_text]))
