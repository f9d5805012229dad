"""A user's own pages: a folder of HTML and Markdown files that link to each other."""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from torchvin.data.corpora.corpus import INDEXES, Corpus, PageDraft, build_corpus
from torchvin.data.corpora.text import add_paragraph
from torchvin.errors import InputError

_HTML, _MARKDOWN = (".html", ".htm"), (".md", ".markdown")
SUFFIXES = frozenset((*_HTML, *_MARKDOWN))
_MOST_BYTES = 64 << 20
#: [text](target "title"), not ![picture](...)
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)")
_WIKI_LINK = re.compile(r"\[\[([^\]|#]+)(?:#[^\]|]*)?(?:\|([^\]]*))?\]\]")
#: The last part of a title, as in "Cats - My wiki".
_SITE = re.compile(r"\s+(?:[-–—|·•»]|::)\s+(?:(?!\s(?:[-–—|·•»]|::)\s).)+$")  # noqa: RUF001
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_BLOCKS = frozenset(
    "p li td th dd dt div section article blockquote h1 h2 h3 h4 h5 h6 tr table ul ol pre br".split()  # noqa: SIM905
)
_SILENT = frozenset(("script", "style", "template"))


def read_folder(folder: Path) -> Corpus:
    """The pages below a folder. A page is named by its path; its folder is its category.

    Links may be relative to the page, or to the folder if they begin with "/". They may leave out the suffix, name a
    folder for its `index` or `README`, or be wiki links ([[Page]]). Links to other sites lead nowhere. The name of the
    site that most titles end with ("Cats - My wiki") is taken off.

    Raises: InputError if a page cannot be read, or no page links to another.
    """
    drafts: dict[str, PageDraft] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise InputError(f"{path}: larger than a page may be.")
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from error
        draft = html_page(text) if path.suffix.lower() in _HTML else markdown_page(text)
        draft.title = draft.title or path.stem.replace("_", " ").replace("-", " ")
        draft.categories = [name.rpartition("/")[0]] if "/" in name else []
        drafts[name] = draft
    _drop_site(drafts)
    resolve = _Resolver(drafts)
    for name, draft in drafts.items():
        draft.links = [(resolve(name, target), text) for target, text in draft.links]
    return build_corpus(drafts, f"pages in {folder.name}")


def markdown_page(text: str) -> PageDraft:
    """A Markdown page; the first heading is its title.

    >>> page = markdown_page("# Cats" + chr(10) * 2 + "The cat is an animal that [dogs](dog.md) do not like.")
    >>> page.title, page.sentences, page.links
    ('Cats', ['The cat is an animal that dogs do not like.'], [('dog.md', 'dogs')])
    """
    body = _FENCE.sub("", text)
    heading = _HEADING.search(body)
    draft = PageDraft(heading.group(1) if heading else "")
    draft.links = [(target, shown) for shown, target in _LINK.findall(body)]
    draft.links += [(f"[[{target.strip()}", shown or target) for target, shown in _WIKI_LINK.findall(body)]
    plain = _WIKI_LINK.sub(lambda found: found.group(2) or found.group(1), _LINK.sub(r"\1", body))
    plain = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", plain)
    for block in re.split(r"\n\s*\n", re.sub(r"[*_`>|]+", " ", _HEADING.sub(r"\n\1\n", plain))):
        if block.strip():
            add_paragraph(draft, block)
    return draft


def html_page(text: str) -> PageDraft:
    """An HTML page; broken markup is read as browsers do, as far as it goes.

    >>> page = html_page("<title>Cats</title><p>The cat is an animal that <a href='dog.html'>dogs</a> do not like.")
    >>> page.title, page.sentences, page.links
    ('Cats', ['The cat is an animal that dogs do not like.'], [('dog.html', 'dogs')])
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.end_block()
    return reader.draft


def _drop_site(drafts: Mapping[str, PageDraft]) -> None:
    """Take the name of the site off the titles, where more than half of them end with it."""
    ends = Counter(found.group() for draft in drafts.values() if (found := _SITE.search(draft.title)))
    for end, count in ends.most_common(1):
        if count > max(len(drafts) / 2, 1):
            for draft in drafts.values():
                draft.title = draft.title.removesuffix(end)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.draft = PageDraft("")
        self._text: list[str] = []
        self._anchor: list[str] | None = None
        self._target = ""
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.end_block()
        if tag in _SILENT or tag == "title":
            self._inside.append(tag)
        if tag == "a" and (target := dict(attrs).get("href")):
            self._anchor, self._target = [], target

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            self._inside.remove(tag)
        if tag == "a" and self._anchor is not None:
            self.draft.links.append((self._target, "".join(self._anchor).strip()))
            self._anchor = None
        if tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if "title" in self._inside:
            self.draft.title = (self.draft.title + data).strip()
        elif not self._inside:
            self._text.append(data)
            if self._anchor is not None:
                self._anchor.append(data)

    def end_block(self) -> None:
        """The end of a paragraph."""
        text = "".join(self._text)
        self._text = []
        if text.strip():
            add_paragraph(self.draft, text)


class _Resolver:
    """From a link as it is written to the name of a page; empty if it leads to none."""

    def __init__(self, names: dict[str, PageDraft]) -> None:
        self._names = names
        self._by_title = {draft.title.casefold(): name for name, draft in names.items()}
        self._by_stem = {posixpath.basename(name).rpartition(".")[0].casefold(): name for name in names}

    def __call__(self, page: str, link: str) -> str:
        if link.startswith("[["):
            title = link[2:].casefold()
            return (
                self._by_title.get(title) or self._by_stem.get(title) or self._by_stem.get(title.replace(" ", "_"), "")
            )
        try:
            parts = urlsplit(link)
        except ValueError:
            return ""
        if parts.scheme or parts.netloc or not parts.path:
            return ""
        path = unquote(parts.path)
        path = path.lstrip("/") if path.startswith("/") else posixpath.join(posixpath.dirname(page), path)
        path = posixpath.normpath(path)
        stem = path if path != "." else ""
        indexes = [posixpath.join(stem, f"{index}{suffix}") for index in INDEXES for suffix in SUFFIXES]
        tried = [path, *(f"{path}{suffix}" for suffix in sorted(SUFFIXES)), *indexes]
        return next((name for name in tried if name in self._names), "")
