"""Pages and queries as numbers: hashed TF-IDF, and averaged word vectors."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix

from torchvin.data.corpora.text import words

#: Buckets that words are hashed into; of 300,000 different words a quarter shares its bucket with a more frequent one.
NUM_BUCKETS = 1 << 16


@runtime_checkable
class WordVectors(Protocol):
    """Vectors of words."""

    name: str
    size: int

    def rows(self, found: Sequence[str]) -> tuple[Float[np.ndarray, "W D"], list[int]]:
        """Vectors of the known words, and which of `found` they are."""


@dataclass(frozen=True)
class TextFeatures:
    """T texts as numbers.

    Attributes:
        tfidf: hashed TF-IDF (1 + log of the count, times the inverse document frequency), rows of length 1, [T, 2^16].
        vectors: mean of the word vectors, weighted by inverse document frequency, rows of length 1, [T, D]; D = 0
            without word vectors. A text without a known word is a row of zeros, in both.
    """

    tfidf: csr_matrix
    vectors: Float[np.ndarray, "T D"]

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    def __getitem__(self, chosen: np.ndarray) -> "TextFeatures":
        return TextFeatures(self.tfidf[chosen], self.vectors[chosen])


@cache
def bucket(word: str) -> int:
    """The bucket of a word, the same on every machine.

    >>> bucket("zebra")
    23990
    """
    return zlib.crc32(word.encode()) % NUM_BUCKETS


class TextEncoder:
    """From words to features; knows how rare each bucket is in a web.

    Args:
        inverse_frequency: of each bucket, [2^16].
        vectors: of words; None leaves them out.
    """

    def __init__(self, inverse_frequency: Float[np.ndarray, "W"], vectors: WordVectors | None) -> None:
        self.inverse_frequency = inverse_frequency
        self.vectors = vectors

    @classmethod
    def of_pages(cls, texts: Sequence[Sequence[str]], vectors: WordVectors | None) -> "TextEncoder":
        """The encoder of a web, from the words of its pages."""
        count = np.zeros(NUM_BUCKETS, dtype=np.int64)
        for text in texts:
            count[list({bucket(word) for word in text})] += 1
        rarity = np.log((len(texts) + 1) / (count + 1))
        rarity[count > len(texts) / 2] = 0  # what most pages say tells none from the others
        return cls(rarity.astype(np.float32), vectors)

    def __call__(self, texts: Sequence[Sequence[str]]) -> TextFeatures:
        """Features of texts, each a list of words."""
        indptr, indices, data = [0], [], []
        vectors = np.zeros((len(texts), self.vectors.size if self.vectors else 0), dtype=np.float32)
        for number, text in enumerate(texts):
            counts = Counter(text)
            buckets = Counter[int]()
            for word, count in counts.items():
                buckets[bucket(word)] += count
            ordered = np.array(sorted(buckets), dtype=np.int64)
            ordered = ordered[self.inverse_frequency[ordered] > 0]
            weights = 1 + np.log(np.array([buckets[index] for index in ordered.tolist()], dtype=np.float32))
            weights = weights * self.inverse_frequency[ordered]
            indices.append(ordered)
            data.append(weights / max(float(np.linalg.norm(weights)), 1e-12))
            indptr.append(indptr[-1] + len(ordered))
            if self.vectors:
                distinct = list(counts)
                rows, known = self.vectors.rows(distinct)
                if known:
                    rarity = np.array(
                        [counts[distinct[i]] * self.inverse_frequency[bucket(distinct[i])] for i in known]
                    )
                    mean = rarity.astype(np.float32) @ rows
                    vectors[number] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        matrix = csr_matrix(
            (np.concatenate(data).astype(np.float32), np.concatenate(indices), indptr), shape=(len(texts), NUM_BUCKETS)
        )
        return TextFeatures(matrix, vectors)


def words_of_page(title: str, sentences: Sequence[str], other_text: str) -> list[str]:
    """All words of a page."""
    return words("\n".join([title, *sentences, other_text]))
