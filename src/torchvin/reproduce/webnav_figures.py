"""Figures of WebNav: success by distance, and one walk on the links around it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from torchvin.data.corpora.web import Web
from torchvin.evaluation.browse import Stop, browse
from torchvin.evaluation.web import draw_episodes
from torchvin.plotting.figure import figure
from torchvin.policies.web.observation import Pages
from torchvin.policies.web.vin import WebVIN
from torchvin.reproduce.figures import curves

if TYPE_CHECKING:
    from torchvin.reproduce.webnav_tables import Measured

_STYLES: dict[str, dict[str, Any]] = {
    "VIN, all pages": {"color": "tab:red", "marker": "o"},
    "planning, untrained": {"color": "tab:orange", "marker": "^", "linestyle": "--"},
    "VIN, categories": {"color": "tab:purple", "marker": "s"},
    "VIN, categories, then reward": {"color": "tab:purple", "marker": "s", "linestyle": "-."},
    "reactive baseline": {"color": "tab:blue", "marker": "v"},
    "reactive baseline, then reward": {"color": "tab:blue", "marker": "v", "linestyle": "-."},
    "similarity only": {"color": "tab:green", "marker": "d", "linestyle": "--"},
    "random walk": {"color": "gray", "marker": "x", "linestyle": ":"},
}
_NEIGHBOURS = 6
_SHORT = 45  # words of a query that a caption can hold


def draw(measured: "Measured", out: Path) -> dict[Path, str]:
    """Draw the figures.

    Returns: captions by path.
    Raises: InputError if a picture cannot be written.
    """
    captions: dict[Path, str] = {}
    for corpus, web in measured.webs.items():
        path = out / "figures" / f"webnav-distance-{corpus}.png"
        _draw_distances(path, measured, corpus)
        captions[path] = (
            f"Success of greedy walks by the number of links to the target, {web.corpus.source}, random pages."
        )
    planning = [training for training in measured.trainings if training.weights and training.name.startswith("webnav")]
    for training in planning:
        policy = training.policy()
        if isinstance(policy, WebVIN) and policy.score is None:
            corpus, web = next(iter(measured.webs.items()))
            path = out / "figures" / f"webnav-walk-{corpus}.png"
            query = _draw_walk(path, policy, web)
            captions[path] = (
                f"A walk to a page that no training saw. Query: {query!r}. Thick: "
                "the links followed. Colour: value of the page for this query. Shown are the best links of each page."
            )
            break
    return captions


def _draw_distances(path: Path, measured: "Measured", corpus: str) -> None:
    lines: dict[str, tuple[list[int], list[float]]] = {}
    for policy in _STYLES:
        total: dict[int, np.ndarray] = {}
        for entry in measured.scores:
            if (entry.corpus, entry.policy, entry.split) == (corpus, policy, "random"):
                for steps, numbers in entry.scores["by_distance"].items():
                    total[int(steps)] = total.get(int(steps), np.zeros(2)) + np.array(numbers)
        if total:
            steps = sorted(total)
            lines[policy] = (steps, [100 * total[step][0] / total[step][1] for step in steps])
    with figure(path, 5.2, 4.0) as axes:
        axis = axes[0][0]
        curves(axis, lines, _STYLES)
        axis.set(xlabel="links from start to target", ylabel="walks that arrive [%]", ylim=(0, 101))
        axis.set_xticks([1, 2, 3, 4])


def _draw_walk(path: Path, policy: WebVIN, web: Web) -> str:
    """Draw the first walk of three links that arrives and whose query is short to read, else the first; its query."""
    pages = Pages(web)
    episodes = draw_episodes(web, "test", number=200, seed=1)
    tried: list[tuple[bool, str, list[Stop]]] = []  # whether it serves, query, walk
    for number in np.flatnonzero(episodes.distance == 3).tolist():
        query = " ".join(episodes.queries[np.array([number])].sentences[0][:2])
        walk = browse(policy, pages, query, int(episodes.start[number]))
        arrives = walk[-1].page == episodes.queries.target[number] and len(walk) == 4
        tried.append((arrives and len(query.split()) <= _SHORT, query, walk))
        if tried[-1][0]:
            break
    _, query, walk = max(tried, key=lambda one: one[0])
    titles = web.corpus.titles
    values = {page: value for stop in walk for page, value in stop.alternatives} | {
        stop.page: stop.value for stop in walk
    }
    with figure(path, 10, 4.2) as axes:
        axis = axes[0][0]
        places: dict[int, tuple[float, float]] = {stop.page: (2.2 * step, 0.0) for step, stop in enumerate(walk)}
        for step, stop in enumerate(walk[:-1]):
            others = [page for page, _ in stop.alternatives if page not in places]
            for rank, page in enumerate(others[:_NEIGHBOURS]):
                places[page] = (2.2 * step + 1.3, (1.0 + 0.55 * (rank // 2)) * (1 if rank % 2 else -1))
            for page, _ in stop.alternatives:
                x, y = zip(places[stop.page], places[page], strict=True)
                followed = page == walk[step + 1].page
                axis.plot(
                    x, y, color="tab:red" if followed else "lightgray", linewidth=2.5 if followed else 1, zorder=1
                )
        shown = sorted(places)
        xs, ys = zip(*(places[page] for page in shown), strict=True)
        colors = torch.tensor([values[page] for page in shown])
        points = axis.scatter(xs, ys, c=colors, cmap="viridis", s=90, zorder=2)
        axis.figure.colorbar(points, ax=axis, label="value")
        for page in shown:
            axis.annotate(
                titles[page], places[page], xytext=(0, 9), textcoords="offset points", ha="center", fontsize=8
            )
        axis.set_axis_off()
        axis.margins(0.12, 0.25)
    return query
