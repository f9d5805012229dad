"""A web that can be navigated: pages as numbers, hidden queries, distances; computed once and kept in files."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Int8
from scipy.sparse import csr_matrix

from torchvin.data.corpora.corpus import Corpus
from torchvin.data.corpora.features import (
    NUM_BUCKETS,
    SentenceVectors,
    TextEncoder,
    TextFeatures,
    WordVectors,
    words_of_page,
)
from torchvin.data.corpora.queries import HiddenSentences, Queries, hide_sentences
from torchvin.data.corpora.read import read_corpus
from torchvin.data.corpora.sentence_vectors import MiniLM
from torchvin.data.corpora.word_vectors import Glove
from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.io.progress import log_line

Vectors = Literal["glove", "minilm", "none"]
#: Of what is kept in files; a change of the text code makes another number.
_FORMAT = 3
UNREACHABLE = 127


@dataclass(eq=False, repr=False)
class Web:
    """A corpus with what learning needs of it.

    Attributes:
        corpus: pages and links.
        hidden: queries of each split, and what is left of the pages.
        pages: features of the pages, without the sentences of any query.
        encoder: makes features of queries.
        vectors: which vectors they have.
    """

    corpus: Corpus
    hidden: HiddenSentences
    pages: TextFeatures
    encoder: TextEncoder
    vectors: Vectors
    _distances: dict[int, Int8[np.ndarray, "N"]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.corpus)

    def __repr__(self) -> str:
        return f"Web({self.corpus!r}, vectors={self.vectors!r})"

    @property
    def source(self) -> str:
        """What the pages are."""
        return self.corpus.source

    def queries(self, split: str) -> Queries:
        """The queries about the pages of one split."""
        return self.hidden.queries[split]  # type: ignore[index]

    def distances(self, targets: Sequence[int]) -> Int8[np.ndarray, "T N"]:
        """The least number of links from each page to each target, 127 where there is no way."""
        missing = sorted({int(target) for target in targets} - self._distances.keys())
        for first in range(0, len(missing), 512):
            chosen = missing[first : first + 512]
            for target, row in zip(chosen, _distances(self.corpus.adjacency, chosen), strict=True):
                self._distances[target] = row
        return np.stack([self._distances[int(target)] for target in targets])


def build_web(corpus: Corpus, vectors: Vectors = "glove") -> Web:
    """Hide sentences, and turn the rest of every page into numbers.

    Raises: InputError if the pages are too short for queries, or the word vectors are not installed.
    """
    found = _vectors(vectors)
    hidden = hide_sentences(corpus)
    texts = [words_of_page(*page) for page in zip(corpus.titles, hidden.kept, corpus.other_text, strict=True)]
    encoder = TextEncoder.of_pages(texts, found)
    return Web(corpus, hidden, encoder.pages(texts), encoder, vectors)


def open_web(path: Path | str, vectors: Vectors = "glove", cache: Path | None = None) -> Web:
    """The web in a folder; what is computed of it is kept, so that the next time takes a second.

    Args:
        path: see `read_corpus`.
        vectors: "glove" (extra `webnav`), "minilm" (extra `sentences`) or "none".
        cache: folder for what is kept; `torchvin/webs` in the user's cache if not given.

    Raises: InputError as `read_corpus` and `build_web`.
    """
    folder = (cache or cache_folder()) / f"{_fingerprint(path)}-{vectors}"
    kept = _read(folder, vectors)
    if kept is not None:
        return kept
    log_line(f"reading the pages of {path} (once; kept in {folder})")
    web = build_web(read_corpus(path), vectors)
    _write(folder, web)
    return _read(folder, vectors) or web  # memory-mapped


def cache_folder() -> Path:
    """Where webs are kept: `$TORCHVIN_CACHE`, or the user's cache."""
    given = os.environ.get("TORCHVIN_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(given) if given else base / "torchvin") / "webs"


def _vectors(name: Vectors) -> WordVectors | SentenceVectors | None:
    if name not in get_args(Vectors):
        raise InputError(f"word vectors must be 'glove', 'minilm' or 'none', got {name!r:.40}.")
    if name == "minilm":
        return MiniLM()
    return Glove() if name == "glove" else None


def _distances(adjacency: csr_matrix, targets: Sequence[int]) -> Int8[np.ndarray, "T N"]:
    """Breadth first from all targets at once, against the links."""
    columns = np.arange(len(targets))
    distance = np.full((adjacency.shape[0], len(targets)), UNREACHABLE, dtype=np.int8)
    front = np.zeros(distance.shape, dtype=np.float32)
    distance[list(targets), columns] = 0
    front[list(targets), columns] = 1
    for step in range(1, UNREACHABLE):
        reached = (adjacency @ front > 0) & (distance == UNREACHABLE)
        if not reached.any():
            break
        distance[reached] = step
        front = reached.astype(np.float32)
    return np.ascontiguousarray(distance.T)


def _fingerprint(path: Path | str) -> str:
    """What changes when a file of the source does: names, sizes and times of all its files."""
    from torchvin.data.corpora.foldoc import DEBIAN_FOLDER

    folder = DEBIAN_FOLDER if str(path) == "foldoc" else Path(path)
    state = hashlib.sha256(f"{_FORMAT} {folder.resolve()}".encode())
    for entry in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if entry.is_file():
            status = entry.stat()
            state.update(f"{entry.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return state.hexdigest()[:24]


_ARRAYS = ("offsets", "targets", "terms_data", "terms_indices", "terms_indptr", "vectors", "inverse_frequency")


def _write(folder: Path, web: Web) -> None:
    corpus, terms = web.corpus, web.pages.terms
    arrays: dict[str, np.ndarray] = {
        "offsets": corpus.offsets,
        "targets": corpus.targets,
        "terms_data": terms.data,
        "terms_indices": terms.indices,
        "terms_indptr": terms.indptr,
        "vectors": web.pages.vectors,
        "inverse_frequency": web.encoder.inverse_frequency,
    }
    for name, array in arrays.items():
        with replacing(folder / f"{name}.npy") as temporary:
            np.save(temporary, array)
    text = {
        "format": _FORMAT,
        "names": corpus.names,
        "titles": corpus.titles,
        "sentences": corpus.sentences,
        "other_text": corpus.other_text,
        "anchors": [sorted(texts) for texts in corpus.anchors],
        "categories": corpus.categories,
        "source": corpus.source,
        "mean_length": web.encoder.mean_length,
        "notes": dict(corpus.notes),
        "kept": web.hidden.kept,
        "queries": {
            split: {"target": found.target.tolist(), "sentences": found.sentences, "words": found.words}
            for split, found in web.hidden.queries.items()
        },
    }
    with replacing(folder / "web.json") as temporary:  # last: without it the folder does not count
        temporary.write_text(json.dumps(text))


def _read(folder: Path, vectors: Vectors) -> Web | None:
    """What an earlier call kept; None if it is not there, or not whole."""
    try:
        text: dict[str, Any] = json.loads((folder / "web.json").read_text())
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    except (OSError, ValueError):
        return None
    corpus = Corpus(
        names=tuple(text["names"]),
        titles=tuple(text["titles"]),
        sentences=tuple(map(tuple, text["sentences"])),
        other_text=tuple(text["other_text"]),
        offsets=np.asarray(arrays["offsets"]),
        targets=np.asarray(arrays["targets"]),
        anchors=tuple(map(frozenset, text["anchors"])),
        categories=tuple(map(tuple, text["categories"])),
        source=text["source"],
        notes=text["notes"],
    )
    queries = {
        split: Queries(
            np.array(found["target"], dtype=np.int64),
            tuple(map(tuple, found["sentences"])),
            tuple(tuple(map(tuple, query)) for query in found["words"]),
        )
        for split, found in text["queries"].items()
    }
    terms = csr_matrix(
        (arrays["terms_data"], arrays["terms_indices"], arrays["terms_indptr"]),
        shape=(len(corpus), NUM_BUCKETS),
        copy=False,
    )
    encoder = TextEncoder(np.asarray(arrays["inverse_frequency"]), text["mean_length"], _vectors(vectors))
    kept = tuple(map(tuple, text["kept"]))
    return Web(corpus, HiddenSentences(queries, kept), TextFeatures(terms, arrays["vectors"]), encoder, vectors)
