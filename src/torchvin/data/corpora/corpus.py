"""A web: pages with sentences, and the links between them."""

import difflib
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_matrix

from torchvin.errors import InputError

#: The page of a folder, without its suffix.
INDEXES = ("index", "README", "readme")


@dataclass(frozen=True, repr=False)
class Corpus:
    """N pages and the links between them.

    Attributes:
        names: of the pages, unique; a link names its target by it.
        titles: what a person reads above each page.
        sentences: of the prose of each page, in order.
        other_text: what is not prose (tables, headings), one string per page: it describes the page, but no query is
            taken from it.
        offsets, targets: links in CSR form: page n links to `targets[offsets[n]:offsets[n + 1]]`, in ascending order,
            without repetition and without links to itself.
        anchors: texts by which other pages link to each page; the title is always among them.
        categories: names of the categories that each page belongs to; may be empty.
        source: what the pages are, for records.
        notes: what was left out while reading, such as links without a target: reason -> count.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    sentences: tuple[tuple[str, ...], ...]
    other_text: tuple[str, ...]
    offsets: Int[np.ndarray, "N1"]
    targets: Int[np.ndarray, "E"]
    anchors: tuple[frozenset[str], ...]
    categories: tuple[tuple[str, ...], ...]
    source: str
    notes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Corpus({self.source!r}, {len(self)} pages, {self.num_links} links)"

    @property
    def num_links(self) -> int:
        """E, the number of links."""
        return len(self.targets)

    def links(self, page: int) -> Int[np.ndarray, "L"]:
        """The pages that a page links to, in ascending order."""
        return self.targets[self.offsets[page] : self.offsets[page + 1]]

    @cached_property
    def adjacency(self) -> csr_matrix:
        """The links as a SciPy matrix of ones, [N, N], rows link to columns."""
        ones = np.ones(self.num_links, dtype=np.float32)
        return csr_matrix((ones, self.targets, self.offsets), shape=(len(self), len(self)))

    @cached_property
    def index_page(self) -> int:
        """Where one enters: a folder's own `index` or `README` if it has links, else the hub.

        The hub is the page from which most pages are at most two links away, the first of them at a tie.
        """
        for number, name in enumerate(self.names):
            if name.rpartition(".")[0] in INDEXES and len(self.links(number)):
                return number
        within_two = self.adjacency + self.adjacency @ self.adjacency
        return int(np.diff(within_two.indptr).argmax())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        named = {name: number for number, name in enumerate(self.names)}
        return {title: number for number, title in enumerate(self.titles)} | named

    def find(self, name: str) -> int:
        """The page of a name or a title; upper and lower case count as the same where that is clear.

        Raises: InputError with the nearest name that exists.
        """
        if name in self._numbers:
            return self._numbers[name]
        folded = name.casefold().replace("_", " ")
        found = {number for known, number in self._numbers.items() if known.casefold().replace("_", " ") == folded}
        if len(found) == 1:
            return found.pop()
        # A part of a title is nearer than any title of similar letters.
        near = sorted((known for known in self._numbers if folded in known.casefold()), key=len)[:1]
        near = near or difflib.get_close_matches(name, self._numbers, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Name a page by its title or its path below the folder."
        raise InputError(f"unknown page {name!r}. {hint}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all pages and links: what features and queries were made of."""
        state = hashlib.sha256()
        for number, name in enumerate(self.names):
            state.update("\0".join([name, *self.sentences[number], self.other_text[number]]).encode())
        state.update(self.offsets.astype(np.int64).tobytes() + self.targets.astype(np.int64).tobytes())
        return state.hexdigest()


@dataclass
class PageDraft:
    """A page as a loader read it.

    Attributes:
        title: of the page.
        sentences: of its prose.
        other_text: what is not prose.
        links: (name of the target, text of the link) in any order; targets need not exist.
        categories: that it belongs to.
    """

    title: str
    sentences: list[str] = field(default_factory=list)
    other_text: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)


def build_corpus(drafts: Mapping[str, PageDraft], source: str) -> Corpus:
    """A corpus of pages that name each other.

    Links without a target, links of a page to itself and repeated links are left out and counted in `notes`. Pages
    without text stay: one can walk through them, but no query is about them.

    Args:
        drafts: name -> page.
        source: see `Corpus`.

    Raises: InputError if there are fewer than two pages, or no links.

    >>> pages = {"a": PageDraft("A", links=[("b", "B"), ("gone", "?")]), "b": PageDraft("B", links=[("b", "me")])}
    >>> web = build_corpus(pages, "two pages")
    >>> web.links(0).tolist(), web.notes["links without a target"], web.notes["links of a page to itself"]
    ([1], 1, 1)
    """
    if len(drafts) < 2:
        raise InputError(f"{source}: expected at least two pages that link to each other, got {len(drafts)}.")
    names = tuple(sorted(drafts))
    numbers = {name: number for number, name in enumerate(names)}
    anchors: list[set[str]] = [{drafts[name].title} for name in names]
    rows: list[list[int]] = []
    notes = Counter[str]()
    for number, name in enumerate(names):
        found = set()
        for target, text in drafts[name].links:
            leads_to = numbers.get(target)
            if leads_to is None:
                notes["links without a target"] += 1
            elif leads_to == number:
                notes["links of a page to itself"] += 1
            else:
                found.add(leads_to)
                anchors[leads_to].add(text)
        rows.append(sorted(found))
        if not drafts[name].sentences:
            notes["pages without text"] += 1
    if not any(rows):
        raise InputError(f"{source}: the {len(names)} pages do not link to each other.")
    return Corpus(
        names=names,
        titles=tuple(drafts[name].title for name in names),
        sentences=tuple(tuple(drafts[name].sentences) for name in names),
        other_text=tuple(drafts[name].other_text for name in names),
        offsets=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        targets=np.array([target for row in rows for target in row], dtype=np.int64),
        anchors=tuple(map(frozenset, anchors)),
        categories=tuple(tuple(drafts[name].categories) for name in names),
        source=source,
        notes=dict(notes),
    )


def largest_component(drafts: Mapping[str, PageDraft], most_links: int | None = None) -> dict[str, PageDraft]:
    """The pages of the largest part in which every page reaches every other.

    Args:
        drafts: name -> page.
        most_links: pages with more links than this are dropped first (lists of contents).
    """
    from scipy.sparse.csgraph import connected_components

    kept = {
        name: draft
        for name, draft in drafts.items()
        if most_links is None or len({target for target, _ in draft.links} & drafts.keys()) <= most_links
    }
    names = list(kept)
    numbers = {name: number for number, name in enumerate(names)}
    pairs = [(numbers[name], numbers[to]) for name in names for to, _ in kept[name].links if to in numbers]
    if not pairs:
        return kept
    rows, columns = np.array(pairs).T
    graph = csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=True, connection="strong")
    largest = np.bincount(labels).argmax()
    return {name: kept[name] for name, label in zip(names, labels, strict=True) if label == largest}
