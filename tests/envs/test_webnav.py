"""The environment of webs: Gymnasium's check, what ends an episode, what is seen."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import torchvin.envs  # noqa: F401 - registers
from torchvin.errors import InputError

ID = "torchvin/WebNav-v0"


@pytest.mark.parametrize("options", [{}, {"split": "test", "num_sentences": 1, "render_mode": "ansi"}], ids=str)
@pytest.mark.filterwarnings("ignore")
def test_gymnasium_accepts_it(options):
    check_env(gymnasium.make(ID, **options).unwrapped, skip_render_check=not options)


def test_the_shortest_way_is_rewarded_once():
    env = gymnasium.make(ID, render_mode="ansi").unwrapped
    for seed in range(5):
        observation, info = env.reset(seed=seed)
        row = env.web.distances([env.target])[0]
        steps = int(row[observation["page"]])
        assert not {"steps_left", "target"} & (observation.keys() | info.keys())  # they would tell where it is
        for number in range(steps):
            links = observation["links"][observation["links"] >= 0]
            action = int(np.flatnonzero(row[links] == row[observation["page"]] - 1)[0])
            observation, reward, terminated, truncated, info = env.step(action)
            assert (reward, terminated) == ((1.0, True) if number == steps - 1 else (0.0, False))
            assert not truncated
    assert " -> " in env.render()
    with pytest.raises(InputError, match="call reset first"):
        env.step(0)


def test_stopping_elsewhere_and_spending_the_budget_end_without_reward():
    env = gymnasium.make(ID).unwrapped
    env.reset(seed=1)
    assert env.step(env.most_links)[1:4] == (0.0, True, False)
    observation, info = env.reset(seed=2)
    missing = int(np.flatnonzero(info["action_mask"] == 0)[0])
    for left in range(env.steps_left - 1, -1, -1):
        after, reward, terminated, truncated, _ = env.step(missing)
        assert after["page"] == observation["page"]
        assert (reward, terminated, truncated) == (0.0, False, left == 0)


def test_the_query_is_not_about_the_start_and_of_its_split():
    env = gymnasium.make(ID, split="test").unwrapped
    targets = set(env.web.queries("test").target.tolist())
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        assert env.target in targets
        assert env.target != observation["page"]
        assert not set(info["query_words"]) & {env.web.corpus.titles[env.target].lower()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "dev"}, "split must be train, validation or test"),
        ({"num_sentences": 5}, "num_sentences must lie between 1 and 4"),
        ({"farthest": 0}, "farthest must be at least 1"),
        ({"corpus": "/nothing"}, "expected a folder with pages"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        gymnasium.make(ID, **options)


def test_an_action_that_does_not_exist():
    env = gymnasium.make(ID).unwrapped
    env.reset(seed=0)
    with pytest.raises(InputError, match="an action lies between 0 and"):
        env.step(env.most_links + 1)
