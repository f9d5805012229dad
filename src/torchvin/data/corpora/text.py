"""From text to sentences and words."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

_WORD = re.compile(r"[a-z0-9]+")
_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|etc|e\.g|i\.e|c|ca|No|Prof|Gen|Lt|Col|Fig|approx))\.$"
)
#: Words that say nothing of a page; they are in no query and no feature.
STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be been but by can for from had has have he her his i if in into is it its no not of on or "
        "she so such than that the their them then there these they this to was we were which who will with would you"
    )
)
#: Fewer words are a heading or a caption, not a sentence.
_LEAST_WORDS = 6


def fold(text: str) -> str:
    """Lower case, without accents.

    >>> fold("Édouard Manet")
    'edouard manet'
    """
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.lower()


def words(text: str) -> list[str]:
    """The words and numbers of a text, folded, without stop words.

    >>> words("The Zebra is part of the horse family, Equidæ.")
    ['zebra', 'part', 'horse', 'family', 'equid']
    """
    return [word for word in _WORD.findall(fold(text)) if word not in STOP_WORDS]


def without(found: Iterable[str], hidden: Iterable[str]) -> list[str]:
    """Words other than those of `hidden` texts and their plurals and genitives.

    >>> without(["zebras", "zebra", "horse"], ["The Zebra"])
    ['horse']
    """
    stems = {_stem(word) for text in hidden for word in words(text)}
    return [word for word in found if _stem(word) not in stems]


@cache
def _stem(word: str) -> str:
    """A crude singular."""
    for ending in ("ies", "es", "s"):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            return word[: -len(ending)]
    return word[:-1] if len(word) > 4 and word[-1] in "ey" else word


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph; headings, captions and fragments are left out.

    >>> sentences("Stripes. They live in herds and do not travel alone. Zebras are native to southern Africa.")
    ['They live in herds and do not travel alone.', 'Zebras are native to southern Africa.']
    """
    parts: list[str] = []
    for part in _END.split(" ".join(paragraph.split())):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] += " " + part
        else:
            parts.append(part)
    return [part for part in parts if part[-1:] in ".!?\"')" and part.count(" ") + 1 >= _LEAST_WORDS]


def add_paragraph(draft: Any, paragraph: str) -> None:
    """Put a paragraph into a `PageDraft`: its sentences, and everything else as other text."""
    found = sentences(paragraph)
    if found:
        draft.sentences += found
    else:
        draft.other_text = f"{draft.other_text}\n{' '.join(paragraph.split())}".strip()
