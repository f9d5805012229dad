"""Scores of policies on webs: walks that are really walked, greedy and by a beam, and the paper's metric.

A walk succeeds when it reaches the target within the least number of links plus two. It ends there, so a page that has
been visited is known not to be the target; every policy, also one that does not plan, avoids such pages. Teacher-forced
(jxwuyi/WebNav, the code of a co-author): nothing is walked; a query succeeds when at every page of one shortest path
the right link is among the four best.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.data.corpora.queries import MOST_SENTENCES, Queries
from torchvin.data.corpora.web import Web
from torchvin.errors import InputError
from torchvin.evaluation.metrics import margin
from torchvin.policies.web.critic import avoiding
from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import Pages, WebObservation, observe
from torchvin.policies.web.policy import WebPolicy

#: Links more than the shortest way that a walk may take.
EXTRA_STEPS = 2
FARTHEST = 4
WIDTH = 4
_AT_ONCE = 64


@dataclass(frozen=True)
class Episodes:
    """Q walks that are asked for.

    Attributes:
        queries: one per walk.
        start: page where it begins, [Q].
        distance: least number of links from there to the target, 1 to 4, [Q].
    """

    queries: Queries
    start: Int[np.ndarray, "Q"]
    distance: Int[np.ndarray, "Q"]

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class WebScores:
    """Scores of a policy on Q walks.

    Attributes:
        success: whether the greedy walk reached its target, [Q].
        beam_success: whether one of four walks of a beam did, [Q].
        teacher_forced: the paper's metric, [Q].
        distance: of each walk, [Q].
        links: how many each greedy walk followed, [Q].
    """

    success: Bool[np.ndarray, "Q"]
    beam_success: Bool[np.ndarray, "Q"]
    teacher_forced: Bool[np.ndarray, "Q"]
    distance: Int[np.ndarray, "Q"]
    links: Int[np.ndarray, "Q"]

    def rates(self) -> dict[str, float]:
        """Every rate by the name of its metric."""
        return {
            "success_rate": float(self.success.mean()),
            "beam_success_rate": float(self.beam_success.mean()),
            "teacher_forced_rate": float(self.teacher_forced.mean()),
        }

    def summary(self) -> dict[str, float | int | dict[str, list[int]]]:
        """The scores as JSON: rates, and successes out of walks at each distance."""
        by_distance = {
            str(steps): [int(self.success[self.distance == steps].sum()), int((self.distance == steps).sum())]
            for steps in sorted(set(self.distance.tolist()))
        }
        longer = self.links[self.success] - self.distance[self.success]
        return {
            **self.rates(),
            "walks": len(self.success),
            "interval": margin(float(self.success.mean()), len(self.success)),
            "extra_links": float(longer.mean()) if len(longer) else 0.0,
            "by_distance": by_distance,
        }


def draw_episodes(
    web: Web, split: str, *, number: int | None = None, start: str = "random", seed: int = 0, far: int = FARTHEST
) -> Episodes:
    """Walks to pages of a split; the seed decides which queries and where they begin.

    Args:
        web: to walk on.
        split: of the targets.
        number: of walks; one per query, as many as there are, if not given.
        start: "random": any page that is 1 to `far` links from the target; "index": the web's index page.
        seed: see above.
        far: most links between start and target.

    Raises: InputError if no target can be reached.
    """
    if start not in ("random", "index"):
        raise InputError(f"start must be 'random' or 'index', got {start!r:.40}.")
    rng = np.random.default_rng((seed, 11))
    queries = web.queries(split)
    order = rng.permutation(len(queries))
    chosen: list[int] = []
    starts: list[int] = []
    distances: list[int] = []
    for first in range(0, len(order), 512):
        some = order[first : first + 512]
        for query, row in zip(some.tolist(), web.distances(queries.target[some].tolist()), strict=True):
            near = np.flatnonzero((row >= 1) & (row <= far))
            if start == "index":
                near = near[near == web.corpus.index_page]
            if not len(near) or (number is not None and len(chosen) >= number):
                continue
            page = int(rng.choice(near))
            chosen.append(query)
            starts.append(page)
            distances.append(int(row[page]))
        if number is not None and len(chosen) >= number:
            break
    if not chosen:
        raise InputError(f"no page of the split {split!r} can be reached within {far} links from where walks begin.")
    return Episodes(queries[np.array(chosen)], np.array(starts), np.array(distances))


@torch.no_grad()
def evaluate_web(
    policy: WebPolicy,
    pages: Pages,
    episodes: Episodes,
    *,
    num_sentences: int = MOST_SENTENCES,
    num_iterations: int | None = None,
    on_progress: Callable[[int], None] = lambda walks: None,
    greedy_only: bool = False,
) -> WebScores:
    """Walk, and score.

    Args:
        policy: that is asked at every page.
        pages: of the web.
        episodes: the walks.
        num_sentences: of each query that the policy is told, 1 to 4.
        num_iterations: K; the policy's own if not given.
        on_progress: called with the number of walks that were finished.
        greedy_only: leave the beam and the teacher-forced metric out; their scores are then False.
    """
    training = policy.training
    policy.eval()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("success", "links", "beam", "forced")}
    for first in range(0, len(episodes), _AT_ONCE):
        index = np.arange(first, min(first + _AT_ONCE, len(episodes)))
        queries = episodes.queries[index]
        batch = Episodes(queries, episodes.start[index], episodes.distance[index])
        observation = observe(pages, queries.bags(num_sentences))
        success, links = _greedy(policy, observation, batch, num_iterations)
        nothing = np.zeros(len(index), dtype=bool)
        beam = nothing if greedy_only else _beam(policy, observation, batch, num_iterations)
        forced = nothing if greedy_only else _teacher_forced(policy, observation, batch, num_iterations)
        for name, part in zip(parts, (success, links, beam, forced), strict=True):
            parts[name].append(part)
        on_progress(len(index))
    policy.train(training)
    success, links, beam, forced = (np.concatenate(part) for part in parts.values())
    return WebScores(success, beam, forced, episodes.distance, links)


def best_links(links: Links, logits: Tensor, visited: Bool[Tensor, "Q N"]) -> Int[Tensor, "P"]:
    """The page of the best link of each place that leads to a page not visited; the best of all where there is none.

    -1 where a page has no links.
    """
    been = visited[links.queries, links.pages]
    rows = links.padded(avoiding(logits, been))
    if not len(links.pages):
        return torch.full((len(links.offsets) - 1,), -1)
    chosen = (links.offsets[:-1] + rows.argmax(dim=1)).clamp(max=len(links.pages) - 1)
    return links.pages[chosen].where(links.offsets.diff() > 0, -1)


def _greedy(
    policy: WebPolicy, observation: WebObservation, batch: Episodes, num_iterations: int | None
) -> tuple[Bool[np.ndarray, "Q"], Int[np.ndarray, "Q"]]:
    target, page = torch.from_numpy(batch.queries.target), torch.from_numpy(batch.start).clone()
    budget = torch.from_numpy(batch.distance) + EXTRA_STEPS
    visited = observation.visited.clone()
    visited[torch.arange(len(page)), page] = True
    walking = torch.arange(len(page))
    success, links = torch.zeros(len(page), dtype=torch.bool), torch.zeros(len(page), dtype=torch.int64)
    while len(walking):
        seen = WebObservation(observation.pages, observation.query[walking], visited[walking])
        output = policy(seen, torch.arange(len(walking)), page[walking], num_iterations=num_iterations)
        to = best_links(output.links, output.logits, seen.visited)
        walking, to = walking[to >= 0], to[to >= 0]
        page[walking] = to
        links[walking] += 1
        success[walking] = to == target[walking]
        visited[walking, to] = True
        walking = walking[~success[walking] & (links[walking] < budget[walking])]
    return success.numpy(), links.numpy()


def _beam(
    policy: WebPolicy, observation: WebObservation, batch: Episodes, num_iterations: int | None
) -> Bool[np.ndarray, "Q"]:
    """Four walks of each query at once: those that lost least against the best link of each of their pages.

    By log-probabilities a link of a page with many links counts less than any of a page with few, however good it is:
    on webs that the network was not trained on, whose logits lie close together, such a beam finds less than the greedy
    walk.
    """
    target, start = torch.from_numpy(batch.queries.target), torch.from_numpy(batch.start)
    budget = torch.from_numpy(batch.distance) + EXTRA_STEPS
    visited = observation.visited.clone()
    visited[torch.arange(len(start)), start] = True
    walkers, pages, scores = torch.arange(len(start)), start, torch.zeros(len(start))  # of each place
    success = torch.zeros(len(start), dtype=torch.bool)
    steps = 0
    while len(walkers):
        steps += 1
        going, row = torch.unique(walkers, return_inverse=True)
        seen = WebObservation(observation.pages, observation.query[going], visited[going])
        output = policy(seen, row, pages, num_iterations=num_iterations)
        links = output.links
        total = scores[links.places] + links.below_best(output.logits)
        total = total.where(~visited[walkers[links.places], links.pages], -torch.inf)
        walkers, pages, scores = _best_of_each(walkers[links.places], links.pages, total)
        found = pages == target[walkers]
        success[walkers[found]] = True
        visited[walkers, pages] = True
        kept = ~success[walkers] & (steps < budget[walkers])
        walkers, pages, scores = walkers[kept], pages[kept], scores[kept]
    return success.numpy()


def _best_of_each(walkers: Tensor, pages: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The four best different pages of each walker."""
    order = total.argsort(descending=True, stable=True)
    order = order[total[order] > -torch.inf]
    chosen: dict[int, list[int]] = {}
    taken: set[tuple[int, int]] = set()
    for place, walker, page in zip(order.tolist(), walkers[order].tolist(), pages[order].tolist(), strict=True):
        mine = chosen.setdefault(walker, [])
        if len(mine) < WIDTH and (walker, page) not in taken:
            taken.add((walker, page))
            mine.append(place)
    places = torch.tensor([place for walker in sorted(chosen) for place in chosen[walker]], dtype=torch.int64)
    return walkers[places], pages[places], total[places]


def shortest_walks(web: Web, batch: Episodes, seed: int = 0) -> list[list[int]]:
    """One shortest way of each walk, drawn at random: pages from the start to the target."""
    rng = np.random.default_rng((seed, 12))
    walks = []
    for target, start, row in zip(
        batch.queries.target.tolist(), batch.start.tolist(), web.distances(batch.queries.target.tolist()), strict=True
    ):
        walk = [int(start)]
        while walk[-1] != target:
            links = web.corpus.links(walk[-1])
            walk.append(int(rng.choice(links[row[links] == row[walk[-1]] - 1])))
        walks.append(walk)
    return walks


def _teacher_forced(
    policy: WebPolicy, observation: WebObservation, batch: Episodes, num_iterations: int | None
) -> Bool[np.ndarray, "Q"]:
    walks = shortest_walks(observation.pages.web, batch)
    walker = torch.tensor([number for number, walk in enumerate(walks) for _ in walk[1:]])
    page = torch.tensor([page for walk in walks for page in walk[:-1]])
    right = torch.tensor([page for walk in walks for page in walk[1:]])
    output = policy(observation, walker, page, num_iterations=num_iterations)
    links = output.links
    rows = links.padded(output.logits)
    best = rows.topk(min(WIDTH, rows.shape[1]), dim=1)
    leads_to = links.padded(links.pages.double(), -1.0).gather(1, best.indices).long()
    hit = ((leads_to == right[:, None]) & best.values.isfinite()).any(dim=1)
    return np.array([bool(hit[walker == number].all()) for number in range(len(walks))])
