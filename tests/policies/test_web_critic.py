"""What PPO asks of policies on webs: rows of logits that avoid visited pages, and a critic fitted by least squares."""

import numpy as np
import pytest
import torch

from torchvin import build_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.evaluation.web import best_links
from torchvin.policies.web.critic import WebCritic, avoiding, link_rows
from torchvin.policies.web.observation import Pages, WebObservation, observe

CONFIGS = [
    WebNavConfig(vectors="none"),
    WebNavConfig(vectors="none", planner="categories"),
    WebReactiveConfig(vectors="none"),
]


@pytest.fixture(scope="module")
def pages():
    return Pages(build_web(generate_web(60, seed=5), "none"))


def ask(pages):
    return observe(pages, pages.web.queries("test")[np.arange(3)].bags()).query


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: getattr(config, "planner", "reactive"))
def test_rows_say_what_a_greedy_walk_does(pages, config):
    policy, query = build_policy(config), ask(pages)
    page = torch.tensor([4, 9, 4, 17])
    queries = torch.tensor([2, 0, 0, 1])
    links = pages.web.corpus.links
    trail = torch.full((4, 7), -1)
    trail[:, 0] = page
    trail[0, 1:3] = torch.from_numpy(links(4)[:2])
    trail[3, 1 : 1 + len(links(17))] = torch.from_numpy(links(17)[:6])  # nowhere else to go
    logits, value = link_rows(policy, pages, query, queries, trail)
    visited = torch.zeros(4, len(pages), dtype=torch.bool)
    for row, walk in enumerate(trail.tolist()):
        visited[row, [number for number in walk if number >= 0]] = True
    output = policy(WebObservation(pages, query[queries], visited), torch.arange(4), page)
    expected = best_links(output.links, output.logits, visited)
    counts = output.links.offsets.diff()
    chosen = [
        int(links(number)[best]) for number, best in zip(page.tolist(), logits.argmax(dim=1).tolist(), strict=True)
    ]
    assert chosen == expected.tolist()
    free = output.logits.where(~visited[output.links.queries, output.links.pages], 0)
    for row, count in enumerate(counts.tolist()):
        mine = free[output.links.places == row]
        torch.testing.assert_close(logits[row, :count].where(mine != 0, 0), mine)
        assert (logits[row, count:] <= -1e18).all()
        assert logits[row].softmax(0)[count:].sum() == 0
    if output.value is not None:
        torch.testing.assert_close(value, output.value[torch.arange(4), page])


def test_a_visited_page_is_followed_only_where_all_are():
    logits = torch.tensor([3.0, 1.0, 2.0])
    assert avoiding(logits, torch.tensor([True, False, False])).argmax() == 2
    assert avoiding(logits, torch.tensor([True, True, True])).isfinite().all()


def test_queries_may_be_taken_in_any_order_and_more_than_once(pages):
    query = ask(pages)
    taken = query[torch.tensor([2, 0, 2])]
    for row, number in enumerate((2, 0, 2)):
        of_row, of_query = taken.rows == row, query.rows == number
        assert torch.equal(taken.buckets[of_row], query.buckets[of_query])
        assert torch.equal(taken.weights[of_row], query.weights[of_query])


def test_the_critic_is_fitted_by_least_squares_and_gives_the_plan_no_gradient():
    generator = torch.Generator().manual_seed(0)
    plan_value = torch.randn(50, 8, generator=generator)
    distance = torch.randint(1, 4, (50, 8), generator=generator)
    left = torch.randint(1, 3, (50, 8), generator=generator)
    returns = 0.3 * plan_value + 0.1 * distance - 0.2 * left
    critic = WebCritic(most=6)
    critic.fit(plan_value, distance, left, returns)
    asked = plan_value.clone().requires_grad_()
    value = critic(asked, distance, left)
    torch.testing.assert_close(value, returns)
    value.sum().backward()
    assert asked.grad is None
    assert critic.scale.grad is not None
    far = critic(torch.zeros(1), torch.tensor([127]), torch.tensor([1]))  # no way from there: in the table, too
    assert far.item() == 0


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: getattr(config, "planner", "reactive"))
def test_walkers_who_share_a_query_see_what_they_see_alone(pages, config):
    policy, query = build_policy(config), ask(pages)
    asked, visited = torch.tensor([2, 0, 2]), torch.zeros(3, len(pages), dtype=torch.bool)
    visited[0, 4] = visited[2, 9] = True
    page = torch.tensor([4, 9, 4])
    shared = WebObservation(pages, query, visited, asked)
    alone = WebObservation(pages, query[asked], visited)
    for chosen in (torch.arange(3), torch.tensor([2, 1])):
        outputs = [policy(seen[chosen], torch.arange(len(chosen)), page[chosen]).logits for seen in (shared, alone)]
        torch.testing.assert_close(*outputs)
