"""Observation and action spaces of the environments, and the check of actions."""

from typing import Any

import numpy as np
from gymnasium import spaces

from torchvin.envs.episodes import Episodes
from torchvin.errors import InputError
from torchvin.maps.observe import GOAL_VALUE


def observation_space(episodes: Episodes) -> spaces.Space:
    """What one agent sees."""
    height, width = episodes.planes.shape[2:]
    if episodes.config.observation == "image":
        return spaces.Box(0.0, GOAL_VALUE, (episodes.num_planes, height, width), np.float32)
    states = (episodes.space.num_orientations, height, width)[-episodes.space.state_length :]
    return spaces.Dict(
        {
            "planes": spaces.Box(0.0, GOAL_VALUE, episodes.planes.shape[1:], np.float32),
            "state": spaces.Box(np.zeros(len(states), np.int64), np.array(states, np.int64) - 1, dtype=np.int64),
        }
    )


def checked_actions(actions: Any, num_agents: int, num_actions: int) -> np.ndarray:
    """The actions of all agents, [B] int64.

    Raises: InputError for another number of actions, for what is no whole number, and for one that does not exist.
    """
    array = np.asarray(actions)
    if array.shape != (num_agents,):
        raise InputError(f"expected {num_agents} action(s), shape {(num_agents,)}, got shape {array.shape}.")
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"an action is a whole number in 0..{num_actions - 1}, got {array.dtype}: {actions!r:.60}.")
    if len(array) and (array.min() < 0 or array.max() >= num_actions):
        wrong = array[(array < 0) | (array >= num_actions)][0]
        raise InputError(f"an action is a whole number in 0..{num_actions - 1}, got {wrong}.")
    return array.astype(np.int64)
