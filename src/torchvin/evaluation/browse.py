"""A walk for a person: to the page that a query describes, with the reasons for every link."""

from dataclasses import dataclass

import torch
from torch import Tensor

from torchvin.data.corpora.features import bucket
from torchvin.data.corpora.text import words
from torchvin.errors import InputError
from torchvin.policies.web.observation import Pages, WebObservation, observe
from torchvin.policies.web.planners import PagePlanner
from torchvin.policies.web.vin import WebVIN

_ALTERNATIVES = 3


@dataclass(frozen=True)
class Stop:
    """One page of a walk.

    Attributes:
        page: its number.
        value: of the page: how good the best page is on which one can end from here, less the cost of the links.
        reward: of ending here: the similarity of the page to the query.
        aim: the page that the planner has in mind from here.
        links_to_aim: how many links away it is.
        reasons: words of the query for which the aim was chosen, the strongest first.
        alternatives: the best links here and their values, the first of which is followed.
        arrived: whether the walk ends here: no link promises more.
    """

    page: int
    value: float
    reward: float
    aim: int
    links_to_aim: int
    reasons: tuple[str, ...]
    alternatives: tuple[tuple[int, float], ...]
    arrived: bool


@torch.no_grad()
def browse(policy: WebVIN, pages: Pages, query: str, start: int, *, most_links: int = 12) -> list[Stop]:
    """Follow the best link until the page is better than what any link promises.

    Args:
        policy: that plans on pages.
        pages: of the web.
        query: in a person's words.
        start: page to begin on.
        most_links: that are followed.

    Raises: InputError if the policy plans on something else, or no page has a word of the query.
    """
    planner = getattr(policy, "web_planner", None)
    if not isinstance(planner, PagePlanner):
        raise InputError("browsing needs weights that plan on pages: architecture webnav with the planner 'pages'.")
    asked = words(query)
    observation = observe(pages, [asked])
    if not len(observation.query.rows) or not len(pages.texts.matches(observation.query)[0]):
        raise InputError(f"no page has any word of the query {query!r:.80} that tells pages apart; try other words.")
    walk: list[Stop] = []
    visited = observation.visited.clone()
    page = start
    for _ in range(most_links + 1):
        # What was passed on the way is not where the walk ends.
        seen = WebObservation(pages, observation.query, visited)
        value, similarity = planner(seen)
        stop = _stop(planner, pages, seen, value[0], similarity[0], page, asked, last=len(walk) == most_links)
        walk.append(stop)
        if stop.arrived or not stop.alternatives:
            break
        visited[0, page] = True
        page = stop.alternatives[0][0]
    return walk


def _stop(
    planner: PagePlanner,
    pages: Pages,
    observation: WebObservation,
    value: Tensor,
    similarity: Tensor,
    page: int,
    asked: list[str],
    *,
    last: bool,
) -> Stop:
    links = pages.graph.targets[pages.graph.offsets[page] : pages.graph.offsets[page + 1]]
    been = observation.visited[0]
    values = value[links].where(~been[links], -torch.inf)
    order = values.argsort(descending=True)[:_ALTERNATIVES]
    best = [(int(links[place]), float(value[links[place]])) for place in order.tolist() if not been[links[place]]]
    cost = planner.link_cost
    promised = best[0][1] - cost if best else -torch.inf
    reward = float(similarity[page])
    arrived = reward >= promised or last
    aim, away = (page, 0) if arrived or not best else _aim(pages, value, similarity, been, best[0][0])
    shares = planner.reward.shares(pages.texts, observation.query, aim)
    ranked = sorted(set(asked), key=lambda word: -shares.get(bucket(word), 0.0))
    reasons = tuple(word for word in ranked[:5] if shares.get(bucket(word), 0.0) > 0)
    return Stop(page, max(reward, promised), reward, aim, away + (not arrived), reasons, tuple(best), arrived)


def _aim(pages: Pages, value: Tensor, similarity: Tensor, been: Tensor, page: int) -> tuple[int, int]:
    """Where the best links lead in the end, and how many there are."""
    for away in range(64):
        if similarity[page] >= value[page] - 1e-6 and not been[page]:
            return page, away
        links = pages.graph.targets[pages.graph.offsets[page] : pages.graph.offsets[page + 1]]
        page = int(links[value[links].argmax()])
    return page, away
