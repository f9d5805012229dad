"""The page of WebNav on a small web, with weights that were trained a moment ago."""

import json
from dataclasses import replace

import pytest

from torchvin import build_policy
from torchvin.architectures.webnav import WebNavConfig
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.errors import InputError
from torchvin.evaluation.metrics import margin
from torchvin.io.tables import table_of
from torchvin.pretrained.store import load_record
from torchvin.reproduce import webnav
from torchvin.reproduce.book import Training
from torchvin.reproduce.webnav import WebNav
from torchvin.reproduce.webnav_tables import (
    _COMPARISON_COLUMNS,
    ABLATIONS,
    FEATURES,
    METRICS,
    RECALLED,
    STARTS,
    Change,
    Comparison,
    WebScore,
)
from torchvin.training.presets import PRESETS, WALKS


@pytest.fixture
def _small(monkeypatch):
    class Fresh(Training):
        def policy(self):
            return build_policy(WebNavConfig(vectors="none"))

    options = {"training": {"epochs": 1}}
    record = {"config": {"seed": 0, **options}, "maps": 5, "seconds": 1.0, "command": "test"}
    found = [("VIN, all pages", Fresh("webnav", record, weights="webnav"))]
    web = build_web(generate_web(60, seed=1), "none")
    monkeypatch.setattr(webnav, "_shipped", lambda: found)

    def opened(folder, vectors="none", cache=None):
        if vectors == "minilm":
            raise InputError("not installed")
        return web

    monkeypatch.setattr(webnav, "open_web", opened)


@pytest.mark.usefixtures("_small")
def test_quick_scores_every_policy_and_ablation_and_writes_the_page(tmp_path):
    outcome = WebNav(out=tmp_path, foldoc=tmp_path, walks=6).run()
    found = {(row.policy, row.split, row.metric) for row in outcome.rows}
    for start in STARTS:
        for policy in ("vin", "vin-untrained", "similarity", "random"):
            assert {(policy, start, metric) for metric in METRICS} <= found
    assert {("vin", name, "success_rate") for name in ABLATIONS} <= found
    assert {path.name for path in outcome.files} >= {"webnav.md", "webnav.csv", "webnav-distance-foldoc.png"}
    assert all(path.is_file() for path in outcome.files)
    page = (tmp_path / "webnav.md").read_text()
    assert "as recalled, not verified" in page
    assert "$" not in page


@pytest.mark.usefixtures("_small")
def test_full_trains_by_imitation_and_then_by_reward_and_says_what_that_added(tmp_path, monkeypatch):
    def short(name):
        config = PRESETS[name]
        policy = replace(config.policy, vectors="none", hidden_channels=8)
        training = replace(config.training, epochs=1, validation_maps=8)
        return replace(config, policy=policy, training=training, reinforcement=replace(WALKS, maps=32, rollouts=1))

    monkeypatch.setattr(webnav, "preset", short)
    monkeypatch.setattr(webnav, "SEEDS", (0,))
    outcome = WebNav(out=tmp_path, foldoc=tmp_path, walks=6, budget="full").run()
    found = {(row.policy, row.split) for row in outcome.rows}
    policies = ("vin", "vin-rl", "vin-approximate", "vin-approximate-rl", "baseline", "baseline-rl")
    assert {(policy, start) for policy in policies for start in STARTS} <= found
    record = load_record(tmp_path / "webnav-categories-rl-foldoc-s0")
    assert record["config"]["init"] == str(tmp_path / "webnav-categories-foldoc-s0")
    features = {(row.policy, row.split) for row in outcome.rows if row.split in FEATURES.values()}
    untrained = {(policy, FEATURES[name]) for policy in ("vin-untrained", "similarity") for name in ("none", "glove")}
    assert features == untrained  # of what is installed
    page = (tmp_path / "webnav.md").read_text()
    assert "text features with nothing learned" in page
    assert "what reward adds to imitation" in page
    assert "walks of 8 walkers to each of 32 queries, rewarded" in page
    before = len(json.loads((tmp_path / "scores.json").read_text()))
    again = WebNav(out=tmp_path, foldoc=tmp_path, walks=6, budget="full", train=False).run()
    assert again.rows == outcome.rows  # from the book
    assert len(json.loads((tmp_path / "scores.json").read_text())) == before


def test_the_gain_is_that_of_each_seed():
    def scores(*rates):
        return [
            WebScore("web", "row", "random", seed, {"success_rate": rate, "walks": 1000})
            for seed, rate in enumerate(rates)
        ]

    change = Change("row", "random", scores(0.5, 0.4), scores(0.6, 0.45)[::-1])
    assert change.gains == pytest.approx([5.0, 10.0])
    assert change.interval == pytest.approx(100 * (margin(0.45, 1000) ** 2 + margin(0.525, 1000) ** 2) ** 0.5)


def test_two_policies_are_compared_by_their_ratio_and_their_intervals():
    def scores(rate):
        return [WebScore("web", "row", "random", 0, {"success_rate": rate, "walks": 1000})]

    near = Comparison("one", "other", "random", scores(0.5), scores(0.45))
    far = Comparison("one", "other", "random", scores(0.6), scores(0.4))
    assert (near.apart, far.apart) == (False, True)
    shown = table_of(_COMPARISON_COLUMNS, [near, far]).markdown()
    assert "| one | other | random pages | 60.0 % | 40.0 % | +50 % | apart |" in shown
    assert "+11 % | overlap |" in shown


def test_what_is_recalled_of_the_paper_is_a_rate():
    assert all(0 < rate < 1 for rate in RECALLED.values())


def test_without_a_web_or_runs_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvin.data.corpora.foldoc.DEBIAN_FOLDER", tmp_path / "none")
    with pytest.raises(InputError, match="--wikispeedia FOLDER or --foldoc FOLDER"):
        WebNav(out=tmp_path).run()
    with pytest.raises(InputError, match="--walks must be at least 1, got 0"):
        WebNav(out=tmp_path, walks=0).run()
