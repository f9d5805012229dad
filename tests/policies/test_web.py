"""Policies on webs: shapes, what planning sees, gradients, and walks by hand."""

import numpy as np
import pytest
import torch

from torchvin import build_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.data.corpora.corpus import PageDraft, build_corpus
from torchvin.data.corpora.features import bucket
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.errors import InputError
from torchvin.evaluation.browse import browse
from torchvin.policies.web.links import Links
from torchvin.policies.web.observation import Pages, WebObservation, observe

CONFIGS = [
    WebNavConfig(vectors="none"),
    WebNavConfig(vectors="none", planner="categories"),
    WebReactiveConfig(vectors="none"),
]


@pytest.fixture(scope="module")
def pages():
    return Pages(build_web(generate_web(60, seed=5), "none"))


def ask(pages, number=3, split="test"):
    queries = pages.web.queries(split)[np.arange(number)]
    return observe(pages, queries.bags()), torch.from_numpy(queries.target)


def test_similarity_is_the_share_of_the_query_that_a_page_has(pages):
    observation, _ = ask(pages)
    policy = build_policy(CONFIGS[0])
    policy.web_planner.reward.word_weight.data.zero_()
    similarity = policy.web_planner.reward(pages.texts, observation.query)
    bags = pages.web.queries("test")[np.arange(3)].bags()
    expected = (pages.web.encoder(bags).terms @ pages.web.pages.terms.T).toarray()
    torch.testing.assert_close(similarity, torch.from_numpy(expected), atol=1e-5, rtol=1e-4)


def test_a_page_is_worth_the_categories_that_it_links_into(pages):
    observation, _ = ask(pages)
    planner = build_policy(CONFIGS[1]).web_planner
    value, _ = planner(observation, num_iterations=0)
    target = (planner.sharpness() * planner.reward(pages.texts, observation.query)).softmax(dim=1)
    corpus = pages.web.corpus
    page = 7
    likely = planner.floor().expand(3).clone()
    for name in {name for categories in corpus.categories for name in categories}:
        members = [number for number, categories in enumerate(corpus.categories) if name in categories]
        close = len(set(members) & set(corpus.links(page).tolist())) / len(members)
        likely += target[:, members].sum(dim=1) * close  # every page of the drawn web has one category
    torch.testing.assert_close(value[:, page], likely.log())
    assert (planner(observation)[0] >= value - 1e-6).all()  # more updates find more ways


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: getattr(config, "planner", "reactive"))
def test_there_is_a_logit_per_link_and_every_weight_learns(pages, config):
    observation, targets = ask(pages)
    policy = build_policy(config)
    output = policy(observation, torch.tensor([0, 2, 2]), torch.tensor([4, 4, 9]))
    counts = np.diff(pages.web.corpus.offsets)[[4, 4, 9]]
    assert output.links.offsets.diff().tolist() == counts.tolist()
    assert output.logits.shape == (counts.sum(),)
    log_probs = output.links.log_softmax(output.logits)
    total = torch.zeros(3).index_add(0, output.links.places, log_probs.exp())
    torch.testing.assert_close(total, torch.ones(3))
    loss = log_probs[::2].sum()
    if output.retrieval is not None:
        loss = loss + torch.nn.functional.cross_entropy(output.retrieval, targets)
    loss.backward()
    without = {name for name, weight in policy.named_parameters() if weight.grad is None and weight.numel()}
    assert not without


def test_a_value_is_the_best_page_less_the_links_to_it(pages):
    observation, _ = ask(pages, 1)
    policy = build_policy(WebNavConfig(vectors="none", link_cost=0.1))
    value, reward = policy.web_planner(observation, num_iterations=3)
    rows = pages.web.distances(range(len(pages)))  # [target, page]
    far = torch.from_numpy(rows.astype(np.float32))
    expected = torch.where(far <= 3, reward[0][:, None] - 0.1 * far, -torch.inf).amax(dim=0)
    torch.testing.assert_close(value[0], expected)


def test_without_updates_only_the_page_itself_counts(pages):
    observation, _ = ask(pages, 1)
    value, reward = build_policy(CONFIGS[0]).web_planner(observation, num_iterations=0)
    assert torch.equal(value, reward)


def test_visited_pages_are_no_aim(pages):
    observation, _ = ask(pages, 1)
    policy = build_policy(CONFIGS[0])
    best = int(policy.web_planner(observation)[1].argmax())
    visited = observation.visited.clone()
    visited[0, best] = True
    value, _ = policy.web_planner(WebObservation(pages, observation.query, visited))
    second = policy.web_planner(observation)[1][0].topk(2).values[1]
    assert value.max() <= second + 1e-6


def test_queries_do_not_depend_on_each_other(pages):
    together, _ = ask(pages)
    policy = build_policy(CONFIGS[0])
    chosen = torch.tensor([1])
    alone = policy.web_planner(together[chosen])[0]
    torch.testing.assert_close(alone[0], policy.web_planner(together)[0][1])


def test_links_of_a_page_without_any():
    web = build_corpus({"a": PageDraft("a", links=[("b", "b")]), "b": PageDraft("b")}, "test")
    from torchvin.planning.graph import Graph

    graph = Graph(torch.from_numpy(web.offsets), torch.from_numpy(web.targets))
    links = Links.of(graph, torch.tensor([0, 0]), torch.tensor([1, 0]))
    assert links.offsets.tolist() == [0, 0, 1]
    assert links.padded(torch.tensor([7.0])).tolist() == [[-torch.inf], [7.0]]


def test_a_policy_on_pages_is_saved_and_loaded(tmp_path, pages):
    from torchvin import load_policy, save_policy

    policy = build_policy(CONFIGS[1])
    save_policy(tmp_path, policy)
    observation, _ = ask(pages, 1)
    place = torch.tensor([0]), torch.tensor([3])
    assert torch.equal(load_policy(tmp_path)(observation, *place).logits, policy.eval()(observation, *place).logits)


def test_browsing_says_where_and_why(pages):
    policy = build_policy(CONFIGS[0])
    query = pages.web.queries("test")[np.array([0])]
    walk = browse(policy, pages, " ".join(query.sentences[0]), pages.web.corpus.index_page)
    assert walk[-1].arrived
    assert walk[-1].page == query.target[0]
    for here, there in zip(walk[:-1], walk[1:], strict=True):
        assert there.page in pages.web.corpus.links(here.page)
        assert here.alternatives[0][0] == there.page
        assert here.reasons
    assert {bucket(word) for word in walk[0].reasons}
    with pytest.raises(InputError, match="no page has any word of the query"):
        browse(policy, pages, "qqqq wwww", 0)
    with pytest.raises(InputError, match="weights that plan on pages"):
        browse(build_policy(CONFIGS[1]), pages, "anything", 0)
