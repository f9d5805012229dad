"""What a user can get wrong with an environment, and what it says."""

import gymnasium
import numpy as np
import pytest

import torchvin.envs.gridworld
from torchvin import InputError
from torchvin.envs.vector import GridWorldVectorEnv

pytestmark = pytest.mark.usefixtures("_unchecked_shapes")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "labyrinth"}, "unknown kind of data 'labyrinth'"),
        ({"height": 3}, "at least 4x4 cells, got 3x3"),
        ({"height": 0}, "height must be a whole number of cells from 2 on, got 0"),
        ({"height": 8.0}, "height must be a whole number"),
        ({"kind": "maze", "height": 2}, "a maze"),
        ({"motion": "moor"}, "unknown motion model 'moor'. Did you mean 'moore'?"),
        ({"observation": "pixels"}, "unknown observation 'pixels'"),
        ({"max_episode_steps": 0}, "max_episode_steps must be a whole number from 1 on, got 0"),
        ({"num_maps": -1}, "num_maps must be a whole number from 0 on, got -1"),
        ({"slip": 1.5}, "slip must be a probability, got 1.5"),
        ({"slip": float("nan")}, "slip must be a probability, got nan"),
        ({"rewards": {"gaol": 1.0}}, "there is no reward gaol"),
        ({"rewards": {"goal": float("inf")}}, "the reward goal must be a finite number"),
        ({"maps": "nowhere.npz"}, "nowhere.npz: no such file"),
        ({"size": 8}, "unknown option of the environment 'size'"),
        ({"render_mode": "video"}, "unknown render mode 'video'"),
    ],
)
def test_a_bad_option_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        torchvin.envs.gridworld.GridWorldEnv(**options)


def test_an_unknown_id_is_gymnasiums_error():
    with pytest.raises(gymnasium.error.Error, match="GridWorld"):
        gymnasium.make("torchvin/GridWord-v0")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (8, "0..7, got 8"),
        (-1, "0..7, got -1"),
        (0.5, "whole number"),
        (float("nan"), "whole number"),
        ([1, 2], "shape"),
    ],
)
def test_a_bad_action_is_refused(action, message):
    env = torchvin.envs.gridworld.GridWorldEnv()
    env.reset(seed=0)
    with pytest.raises(InputError, match=message):
        env.step(action)


@pytest.mark.parametrize("actions", [np.array([0, 8]), np.array([0.0, np.nan]), np.array([0]), [0, -1]])
def test_bad_actions_of_many_are_refused(actions):
    env = GridWorldVectorEnv(2)
    env.reset(seed=0)
    with pytest.raises(InputError):
        env.step(actions)


def test_a_step_needs_an_episode():
    with pytest.raises(InputError, match="call reset first"):
        torchvin.envs.gridworld.GridWorldEnv().step(0)
    with pytest.raises(InputError, match="call reset first"):
        GridWorldVectorEnv(2).step(np.array([0, 0]))
    with pytest.raises(InputError, match="num_envs must be a whole number from 1 on, got 0"):
        GridWorldVectorEnv(0)
    with pytest.raises(InputError, match="unknown autoreset mode 'now'"):
        GridWorldVectorEnv(2, autoreset_mode="now")
    with pytest.raises(InputError, match="expected one seed, or one for each of 2 environments, got 3"):
        GridWorldVectorEnv(2).reset(seed=[1, 2, 3])
