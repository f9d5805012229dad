"""The Free On-line Dictionary of Computing: the files of Debian's `dict-foldoc` (dictd's layout).

Denis Howe, http://foldoc.org/, GNU Free Documentation License 1.1.
"""

import gzip
import re
import zlib
from pathlib import Path

from torchvin.data.corpora.corpus import Corpus, PageDraft, build_corpus, largest_component
from torchvin.data.corpora.text import add_paragraph
from torchvin.errors import InputError

INDEX = "foldoc.index"
_TEXTS = ("foldoc.dict.dz", "foldoc.dict")
#: Where Debian puts it.
DEBIAN_FOLDER = Path("/usr/share/dictd")
_DIGITS = {
    digit: value for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_LINK = re.compile(r"\{([^{}]+)\}")
_CATEGORY = re.compile(r"^\s*(?:\d+\.\s*)?<([^<>]{2,60})>", re.MULTILINE)
_DATE = re.compile(r"\(\d{4}-\d\d-\d\d\)")
#: Pages with more links are lists of contents.
MOST_LINKS = 100


def is_foldoc(folder: Path) -> bool:
    """Whether a folder holds the dictionary."""
    return (folder / INDEX).is_file()


def read_foldoc(folder: Path = DEBIAN_FOLDER) -> Corpus:
    """The largest part of FOLDOC in which every entry reaches every other, without lists of contents.

    Raises: InputError if a file is missing or damaged.
    """
    drafts: dict[str, PageDraft] = {}
    text = _text(folder)
    for headword, start, length in _index(folder, len(text)):
        name = _name(headword)
        if headword.startswith("00-") or name in drafts:
            continue
        drafts[name] = entry(headword, text[start : start + length].decode("utf-8", errors="replace"))
    return build_corpus(largest_component(drafts, MOST_LINKS), "FOLDOC")


def entry(headword: str, text: str) -> PageDraft:
    r"""An entry of the dictionary; `{cross references}` are its links.

    >>> page = entry("Ada", "Ada\n\n   <language> A language named after {Ada Lovelace} that is used in avionics.\n")
    >>> page.links, page.categories
    ([('ada lovelace', 'Ada Lovelace')], ['language'])
    """
    draft = PageDraft(headword)
    head, _, body = text.partition("\n\n")
    draft.links = [(_name(target), " ".join(target.split())) for target in _LINK.findall(text)]
    draft.categories = sorted({part.strip() for found in _CATEGORY.findall(text) for part in found.split(",")})
    body = _DATE.sub("", _CATEGORY.sub("", _LINK.sub(r"\1", body if body.strip() else head)))
    for block in re.split(r"\n\s*\n", body):
        if block.strip():
            add_paragraph(draft, block)
    return draft


def _name(headword: str) -> str:
    return " ".join(headword.split()).casefold()


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + _DIGITS[digit]
    return value


def _index(folder: Path, size: int) -> list[tuple[str, int, int]]:
    found = []
    for number, line in enumerate((folder / INDEX).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            headword, start, length = line.split("\t")[:3]
            place = _number(start), _number(length)
        except (ValueError, KeyError):
            raise InputError(f"{folder / INDEX}: line {number} is no entry of a dictionary: {line!r:.60}.") from None
        if sum(place) > size:
            raise InputError(f"{folder / INDEX}: line {number} points behind the end of the text; a file is damaged.")
        found.append((headword, *place))
    return found


def _text(folder: Path) -> bytes:
    path = next((folder / name for name in _TEXTS if (folder / name).is_file()), None)
    if path is None or not is_foldoc(folder):
        raise InputError(
            f"{folder}: expected {INDEX} and {_TEXTS[0]}; install Debian's package dict-foldoc, or unpack it and name "
            "its folder usr/share/dictd."
        )
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".dz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged ({error}).") from error
