"""Scores of walks: by hand on a web of few pages, budgets, what is known of visited pages, the paper's metric."""

import numpy as np
import pytest
import torch

from torchvin import build_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.errors import InputError
from torchvin.evaluation.web import WIDTH, Episodes, draw_episodes, evaluate_web, shortest_walks
from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import Pages
from torchvin.policies.web.policy import WebOutput, WebPolicy


class Oracle(WebPolicy):
    """Prefers links by a number of each page: the larger the better."""

    def __init__(self, of_pages):
        super().__init__()
        self.of_pages = of_pages
        self.asked = 0

    def forward(self, observation, queries, pages, *, num_iterations=None):
        self.asked += 1
        links = Links.of(observation.pages.graph, queries, pages)
        return WebOutput(links, self.of_pages[links.pages])


@pytest.fixture(scope="module")
def web():
    return build_web(generate_web(80, seed=7), "none")


def test_who_knows_the_distances_always_arrives_on_the_shortest_way(web):
    pages = Pages(web)
    episodes = draw_episodes(web, "test")
    for number in range(len(episodes)):
        one = Episodes(episodes.queries[np.array([number])], episodes.start[[number]], episodes.distance[[number]])
        row = torch.from_numpy(web.distances(one.queries.target.tolist())[0].astype(np.float32))
        scores = evaluate_web(Oracle(-row), pages, one)
        assert scores.rates() == {"success_rate": 1.0, "beam_success_rate": 1.0, "teacher_forced_rate": 1.0}
        assert scores.links[0] == one.distance[0]


def test_a_beam_of_four_finds_what_the_greedy_walk_finds_however_close_the_logits_lie(web):
    """By log-probabilities it would leave every page with many links for one with few."""
    pages = Pages(web)
    episodes = draw_episodes(web, "test")
    flat = []
    for number in range(len(episodes)):
        one = Episodes(episodes.queries[np.array([number])], episodes.start[[number]], episodes.distance[[number]])
        row = torch.from_numpy(web.distances(one.queries.target.tolist())[0].astype(np.float32))
        flat.append(evaluate_web(Oracle(-0.001 * row), pages, one))
    assert all(scores.success[0] and scores.beam_success[0] for scores in flat)


def test_who_goes_away_fails_within_the_budget(web):
    pages = Pages(web)
    episodes = draw_episodes(web, "test", number=4)
    far = episodes.distance > 1
    away = Oracle(torch.zeros(len(web)).index_fill(0, torch.from_numpy(episodes.queries.target), -1e6))
    scores = evaluate_web(away, pages, episodes, greedy_only=True)
    assert not scores.success[far].any()
    assert (scores.links <= episodes.distance + 2).all()
    assert not scores.beam_success.any()


def test_no_page_is_visited_twice_where_there_is_another(web):
    pages = Pages(web)
    episodes = draw_episodes(web, "test", number=1)
    seen = []

    class Watcher(Oracle):
        def forward(self, observation, queries, where, *, num_iterations=None):
            seen.append(int(where[0]))
            return super().forward(observation, queries, where)

    evaluate_web(Watcher(torch.zeros(len(web))), pages, episodes, greedy_only=True)
    assert len(set(seen)) == len(seen)


def test_teacher_forcing_asks_for_the_right_link_among_four(web):
    pages = Pages(web)
    episodes = draw_episodes(web, "test", number=20)
    walks = shortest_walks(web, episodes)
    values = torch.randn(len(web), generator=torch.Generator().manual_seed(0))
    scores = evaluate_web(Oracle(values), pages, episodes)
    for number, walk in enumerate(walks):
        hits = []
        for page, right in zip(walk[:-1], walk[1:], strict=True):
            better = (values[torch.from_numpy(web.corpus.links(page))] > values[right]).sum()
            hits.append(int(better) < WIDTH)
        assert scores.teacher_forced[number] == all(hits)


def test_walks_begin_where_they_should(web):
    episodes = draw_episodes(web, "test", seed=1)
    assert set(episodes.distance.tolist()) <= {1, 2, 3, 4}
    index = draw_episodes(web, "test", start="index")
    assert (index.start == web.corpus.index_page).all()
    again = draw_episodes(web, "test", seed=1)
    assert again.start.tolist() == episodes.start.tolist()
    with pytest.raises(InputError, match="must be 'random' or 'index'"):
        draw_episodes(web, "test", start="home")


def test_pages_that_no_link_leads_to_are_not_asked_for(web):
    from torchvin.data.corpora.corpus import PageDraft, build_corpus

    corpus = web.corpus
    drafts = {name: PageDraft(name, list(corpus.sentences[n])) for n, name in enumerate(corpus.names)}
    first, second = corpus.names[:2]
    drafts[first].links = [(second, second)]
    alone = build_web(build_corpus(drafts, "test"), "none")
    queries = {target for split in alone.hidden.queries for target in alone.queries(split).target.tolist()}
    for split in alone.hidden.queries:
        if 1 in alone.queries(split).target:
            assert set(draw_episodes(alone, split).queries.target.tolist()) == {1}
        else:
            with pytest.raises(InputError, match="can be reached within 4 links"):
                draw_episodes(alone, split)
    assert 1 in queries


def test_planning_beats_similarity_and_needs_the_true_links_and_the_true_query(web):
    from torchvin.reproduce.webnav import _told, shuffled

    policy = build_policy(WebNavConfig(vectors="none"))
    pages = Pages(web)
    episodes = draw_episodes(web, "test")
    rate = {}
    rate["plan"] = evaluate_web(policy, pages, episodes, greedy_only=True).success.mean()
    rate["similar"] = evaluate_web(policy, pages, episodes, num_iterations=0, greedy_only=True).success.mean()
    other = Pages(web, planning_graph=shuffled(pages.graph, 0))
    rate["shuffled"] = evaluate_web(policy, other, episodes, greedy_only=True).success.mean()
    told = Episodes(_told(episodes.queries, shift=1), episodes.start, episodes.distance)
    rate["wrong"] = evaluate_web(policy, pages, told, greedy_only=True).success.mean()
    assert rate["plan"] > rate["similar"] + 0.2
    assert rate["plan"] > rate["shuffled"] + 0.2
    assert rate["plan"] > rate["wrong"] + 0.4
