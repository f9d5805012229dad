"""`torchvin browse`: walk from page to page to what a few words describe, and see why."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from torchvin.data.corpora.corpus import Corpus
    from torchvin.evaluation.browse import Stop


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin browse`."""

    query: str
    """What the page that you look for says; one to four sentences work best."""
    start: Annotated[str, tyro.conf.arg(name="from")] = ""
    """Page to begin on, by its title; the page from which most others are near if not given."""
    corpus: str = "foldoc"
    """Folder of the web: SNAP's Wikispeedia, FOLDOC, or your own HTML or Markdown files. foldoc: Debian's
    dict-foldoc."""
    weights: str = "webnav"
    """Name of shipped weights, or folder of a run: a network that plans on pages."""
    links: int = 12
    """Most links that are followed."""
    cache: Path | None = None
    """Folder where what is computed of the web is kept; the user's cache if not given."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Open the web, walk, print."""
    from torchvin.cli.output import print_json
    from torchvin.data.corpora.web import open_web
    from torchvin.errors import InputError, errors_about
    from torchvin.evaluation.browse import browse
    from torchvin.policies.web.observation import Pages
    from torchvin.policies.web.vin import WebVIN
    from torchvin.pretrained.store import load_policy

    if arguments.links < 0:
        raise InputError(f"--links must not be negative, got {arguments.links}.")
    policy = load_policy(arguments.weights)
    if not isinstance(policy, WebVIN):
        raise InputError(f"{arguments.weights}: these weights do not walk webs; `torchvin list` names those that do.")
    web = open_web(arguments.corpus, getattr(policy.config, "vectors", "none"), arguments.cache)
    corpus = web.corpus
    start = corpus.find(arguments.start) if arguments.start else corpus.index_page
    with errors_about("--query"):
        walk = browse(policy, Pages(web), arguments.query, start, most_links=arguments.links)
    if arguments.json:
        print_json(
            {
                "found": walk[-1].arrived and len(walk) <= arguments.links,
                "page": corpus.titles[walk[-1].page],
                "pages": [_entry(corpus, stop) for stop in walk],
            }
        )
        return
    _print(corpus, arguments.query, walk)


def _entry(corpus: "Corpus", stop: "Stop") -> dict[str, Any]:
    return {
        "page": corpus.titles[stop.page],
        "value": stop.value,
        "reward": stop.reward,
        "aim": corpus.titles[stop.aim],
        "links_to_aim": stop.links_to_aim,
        "reasons": list(stop.reasons),
        "links": [[corpus.titles[page], value] for page, value in stop.alternatives],
    }


def _print(corpus: "Corpus", query: str, walk: "list[Stop]") -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(Text(f"{corpus.source}: {len(corpus):,} pages, {corpus.num_links:,} links", style="dim"))
    console.print(Text(f"looking for: {query}\n", style="italic"))
    for number, stop in enumerate(walk, 1):
        head = Text(f"{number:>2}  ")
        head.append(corpus.titles[stop.page], style="bold")
        head.append(f"   value {stop.value:.3f}", style="cyan")
        console.print(head)
        why = f" ({', '.join(stop.reasons)})" if stop.reasons else ""
        if stop.arrived:
            console.print(Text(f"    stays: no link promises more than this page{why}", style="green"))
            continue
        if not stop.alternatives:
            console.print(Text("    no link leads on from here", style="red"))
            continue
        links = "1 link" if stop.links_to_aim == 1 else f"{stop.links_to_aim} links"
        console.print(f"    aims at {corpus.titles[stop.aim]}, {links} away{why}")
        shown = "  |  ".join(f"{corpus.titles[page]} {value:.3f}" for page, value in stop.alternatives)
        console.print(Text(f"    -> {shown}", style="dim"))
    last = walk[-1]
    if last.arrived and corpus.sentences[last.page]:
        console.print(Text(f"\n{corpus.sentences[last.page][0]}", style="italic"))
