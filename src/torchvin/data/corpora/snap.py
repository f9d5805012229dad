"""Wikispeedia as SNAP publishes it: 4,600 articles of a Wikipedia selection for schools and the links between them.

Please cite West and Leskovec (WWW 2012) and West, Pineau and Precup (IJCAI 2009). The layout:
`plaintext_articles/NAME.txt`, and `links.tsv`, `articles.tsv`, `categories.tsv` with names encoded as in addresses; in
two archives, or unpacked.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from torchvin.data.corpora.corpus import Corpus, PageDraft, build_corpus
from torchvin.data.corpora.text import add_paragraph
from torchvin.errors import InputError
from torchvin.io.tar import read_tar

ARTICLES, GRAPH = "wikispeedia_articles_plaintext.tar", "wikispeedia_paths-and-graph.tar"
_TABLES = ("articles.tsv", "links.tsv", "categories.tsv")
#: The head and the foot that every article of the selection has.
_HEAD = re.compile(r"\A\s*#copyright\s*\n")
_SELECTION = re.compile(r"^\s*2007 Schools Wikipedia Selection\..*(?:\n(?=\S).*)*$", re.MULTILINE)
_FOOT = re.compile(r"\n\s*Retrieved from\s*\"?.*\Z", re.DOTALL)
_CATEGORY = "subject."


def is_snap(folder: Path) -> bool:
    """Whether a folder holds Wikispeedia, packed or unpacked."""
    return bool(_archive(folder, GRAPH)) or any(folder.glob("**/links.tsv"))


def read_snap(folder: Path) -> Corpus:
    """The corpus in a folder with SNAP's two archives (`.tar`, `.tar.gz`, `.tar.xz`), or with what is in them.

    Raises: InputError if a part is missing, an archive is damaged or not to be trusted, or a table is none.
    """
    texts: dict[str, str] = {}
    tables: dict[str, str] = {}
    for name, content in _files(folder):
        base = name.rpartition("/")[2]
        if base in _TABLES:
            tables[base] = content.decode("utf-8", errors="replace")
        elif "plaintext_articles/" in f"/{name}" and base.endswith(".txt") and not base.startswith("."):
            texts[base.removesuffix(".txt")] = content.decode("utf-8", errors="replace")
    if not texts or "links.tsv" not in tables:
        missing = "plaintext_articles/*.txt" if not texts else "links.tsv"
        raise InputError(f"{folder}: {missing} is missing; expected SNAP's two Wikispeedia archives, or their content.")
    drafts = {name: article(name, text) for name, text in texts.items()}
    for row in _rows(folder, tables, "links.tsv"):
        if row[0] in drafts:
            drafts[row[0]].links.append((row[1], title_of(row[1])))
    for row in _rows(folder, tables, "categories.tsv"):
        if row[0] in drafts:
            drafts[row[0]].categories.append(row[1].removeprefix(_CATEGORY))
    return build_corpus(drafts, "Wikispeedia (SNAP)")


def title_of(name: str) -> str:
    """The title that an encoded name stands for.

    >>> title_of("%C3%89douard_Manet")
    'Édouard Manet'
    """
    return unquote(name).replace("_", " ")


def article(name: str, text: str) -> PageDraft:
    """An article without what every page of the selection repeats.

    >>> gap = chr(10) * 2
    >>> head = f"   #copyright{gap}Zebra{gap}2007 Schools Wikipedia Selection. Related subjects: Mammals{gap}"
    >>> foot = chr(10) + '   Retrieved from " http://..."'
    >>> article("Zebra", f"{head}   The zebra is a part of the horse family.{foot}").sentences
    ['The zebra is a part of the horse family.']
    """
    draft = PageDraft(title_of(name))
    body = _FOOT.sub("", _SELECTION.sub("", _HEAD.sub("", text.replace("\r", "")), count=1))
    for block in re.split(r"\n\s*\n", body):
        if block.strip() and block.strip() != draft.title:
            add_paragraph(draft, block)
    return draft


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    packed = [archive for archive in (_archive(folder, ARTICLES), _archive(folder, GRAPH)) if archive]
    if packed:
        for archive in packed:
            yield from read_tar(archive)
    unpacked = [*folder.glob("**/plaintext_articles/*.txt"), *(p for t in _TABLES for p in folder.glob(f"**/{t}"))]
    for path in sorted(unpacked):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _archive(folder: Path, stem: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"{stem}*"))), None)


def _rows(folder: Path, tables: dict[str, str], name: str) -> Iterator[list[str]]:
    for number, line in enumerate(tables.get(name, "").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) < 2:
            raise InputError(
                f"{folder}: {name}, line {number}: expected two names with a tab between, got {line!r:.60}."
            )
        yield cells
