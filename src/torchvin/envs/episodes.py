"""What both Gymnasium environments are made of: B agents, each on a map, in an episode of its own.

The dynamics are `mdp.worlds`. Every agent has its own stream of random numbers, so that it sees the same maps and
starts whether it acts alone or beside others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch

from torchvin.data.map_source import MapSource
from torchvin.errors import InputError, unknown_name
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.rewards import RewardConfig
from torchvin.mdp.worlds import Worlds, make_worlds

Observation = Literal["dict", "image"]
#: Stream of the pool of maps, beside the seeds of the agents.
_POOL_STREAM = 7


@dataclass(frozen=True)
class EpisodeConfig:
    """Options of an environment beside its maps.

    Attributes:
        rewards: what is paid.
        observation: "dict" (planes and state) or "image" (planes, and one that is 1 where the agent is).
        max_episode_steps: after so many steps an episode is truncated.
        slip: probability that a random action is done in place of the chosen one.
        num_maps: maps that episodes choose from; 0: a fresh one for each episode.
        longest: most steps between a start and the goal (a curriculum); None: as many as there are.
    """

    rewards: RewardConfig
    observation: Observation
    max_episode_steps: int
    slip: float = 0.0
    num_maps: int = 0
    longest: int | None = None

    def __post_init__(self) -> None:
        if self.observation not in get_args(Observation):
            raise unknown_name("observation", self.observation, get_args(Observation))
        for name, least in (("max_episode_steps", 1), ("num_maps", 0), ("longest", 1)):
            value = getattr(self, name)
            if name == "longest" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name} must be a whole number from {least} on, got {value!r:.40}.")
        if isinstance(self.slip, bool) or not isinstance(self.slip, (int, float)) or not 0 <= self.slip <= 1:
            raise InputError(f"slip must be a probability, got {self.slip!r:.40}.")


class Episodes:
    """B agents on maps of one size. Nothing is checked here: the environments do that.

    Attributes:
        worlds: of the maps: one per agent, or the pool.
        which: index of each agent's map in `worlds`, [B].
        state: flat state of each agent, [B].
        steps: since the episode began, [B].
        optimal_steps, optimal_cost: from the start of the episode, [B].
        longest: most steps between a start and the goal; may be changed between episodes.

    Args:
        source: of the maps.
        config: see there.
        num_agents: B.
        seed: of the pool of maps, if there is one.
    """

    def __init__(self, source: MapSource, config: EpisodeConfig, num_agents: int, seed: int = 0) -> None:
        self.source, self.config, self.num_agents = source, config, num_agents
        self.space = source.moves.states(source.height, source.width)
        self.longest = config.longest
        number = config.num_maps or num_agents
        random = np.random.default_rng((seed, _POOL_STREAM))
        self._set_worlds(self._make(*source.draw(number, random)))
        self.which = np.arange(num_agents) % number
        self.state = np.zeros(num_agents, dtype=np.int64)
        self.steps = np.zeros(num_agents, dtype=np.int64)
        self.optimal_steps = np.zeros(num_agents, dtype=np.int64)
        self.optimal_cost = np.zeros(num_agents)
        self.planes = np.zeros((num_agents, *self.worlds.planes.shape[1:]), dtype=np.float32)

    def _make(self, blocked: torch.Tensor, goal: torch.Tensor) -> Worlds:
        return make_worlds(blocked, goal, moves=self.source.moves, rewards=self.config.rewards)

    def _set_worlds(self, worlds: Worlds) -> None:
        """The tables as flat arrays, which share the memory of the tensors."""
        self.worlds = worlds
        self._successor, self._reward, self._ends = (
            part.numpy().reshape(-1) for part in (worlds.successor, worlds.reward, worlds.ends)
        )
        self._planes = worlds.planes.numpy()
        self._distance = self._distances(worlds)
        self._starts = _starts(worlds)

    def _distances(self, worlds: Worlds) -> np.ndarray:
        """Cost of the cheapest path from each state, [P, S]."""
        moves = self.source.moves
        if all(cost == 1.0 for cost in moves.costs):
            return worlds.steps.double().numpy()
        distance = shortest_paths(worlds.blocked, worlds.goal, moves).distance.flatten(1)
        found: np.ndarray = distance.numpy()
        return found

    def begin(self, agents: np.ndarray, randoms: Sequence[np.random.Generator]) -> None:
        """Begin an episode for some agents: a map, and a start that can reach its goal.

        Args:
            agents: indices [N].
            randoms: the random numbers of these agents.
        """
        if len(agents) == 0:
            return
        if self.config.num_maps:
            uniform = np.stack([random.random(2) for random in randoms])
            self.which[agents] = (uniform[:, 0] * self.config.num_maps).astype(np.int64)
        else:
            self._renew(agents, randoms)
            uniform = np.stack([random.random(2) for random in randoms])
        maps = self.which[agents]
        start = self._starts[maps, (uniform[:, 1] * self._num_starts(maps)).astype(np.int64)]
        self.place(agents, start)

    def _num_starts(self, maps: np.ndarray) -> np.ndarray:
        """Number of states from which an episode may begin, [N]: the first ones in `_starts`."""
        steps = self.worlds.steps.numpy()[maps]
        possible = steps > 0 if self.longest is None else (steps > 0) & (steps <= self.longest)
        number: np.ndarray = possible.sum(axis=1)
        return number

    def place(self, agents: np.ndarray, states: np.ndarray) -> None:
        """Put agents into flat states, at the beginning of an episode."""
        maps = self.which[agents]
        self.state[agents], self.steps[agents] = states, 0
        self.optimal_steps[agents] = self.worlds.steps.numpy()[maps, states]
        self.optimal_cost[agents] = self._distance[maps, states]
        self.planes[agents] = self._planes[maps]

    def _renew(self, agents: np.ndarray, randoms: Sequence[np.random.Generator]) -> None:
        """A fresh map for each of some agents, in the place of its last one."""
        fresh = self._make(*self.source.draw_each(randoms))
        places = torch.from_numpy(agents)
        self.worlds.put(places, fresh)
        self._starts[agents] = _starts(fresh)
        self._distance[agents] = self._distances(fresh)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move every agent.

        Args:
            actions: one per agent, [B], in 0 .. A - 1.

        Returns: reward float32, terminated, truncated, each [B]. The last step of an episode may be both, as with
            Gymnasium's `TimeLimit`.
        """
        _, num_actions, num_states = self.worlds.reward.shape
        index = (self.which * num_actions + actions) * num_states + self.state
        self.state = self._successor.take(index).astype(np.int64)
        self.steps += 1
        truncated = self.steps >= self.config.max_episode_steps
        return self._reward.take(index), self._ends.take(index), truncated

    def slipped(self, actions: np.ndarray, randoms: Sequence[np.random.Generator]) -> np.ndarray:
        """What is done in place of the chosen actions: with probability `slip` any action."""
        if not self.config.slip:
            return actions
        uniform = np.stack([random.random(2) for random in randoms])
        other = (uniform[:, 1] * self.source.moves.num_actions).astype(np.int64)
        return np.where(uniform[:, 0] < self.config.slip, other, actions)

    def observe(self, agents: np.ndarray | None = None, *, copy: bool = True) -> dict[str, np.ndarray] | np.ndarray:
        """What agents see.

        Args:
            agents: indices [N]; all if not given.
            copy: give planes of their own; False: the planes of all agents are one array that later steps change.
        """
        planes, state = self.planes, self.state
        if agents is not None:
            planes, state = planes[agents], state[agents]
        if self.config.observation == "dict":
            return {"planes": planes.copy() if copy and agents is None else planes, "state": self.states(agents)}
        image = np.zeros((len(state), self.num_planes, *planes.shape[2:]), dtype=np.float32)
        image[:, : planes.shape[1]] = planes
        orientation, cell = np.divmod(state, self.space.num_cells)
        flat = image.reshape(len(state), self.num_planes, -1)
        flat[np.arange(len(state)), planes.shape[1] + orientation, cell] = 1.0
        return image

    @property
    def num_planes(self) -> int:
        """Planes of the image: those of the map, and one per orientation."""
        return int(self.planes.shape[1]) + self.space.num_orientations

    def states(self, agents: np.ndarray | None = None) -> np.ndarray:
        """(row, col) or (orientation, row, col) of agents, all if none are given, [B, D] int64."""
        state = self.state if agents is None else self.state[agents]
        cell = state % self.space.num_cells
        parts = (state // self.space.num_cells, cell // self.space.width, cell % self.space.width)
        return np.stack(parts[-self.space.state_length :], axis=1)

    def at_goal(self) -> np.ndarray:
        """Whether each agent stands at its goal, [B]."""
        here: np.ndarray = self.worlds.steps.numpy()[self.which, self.state] == 0
        return here

    def successful(self) -> np.ndarray:
        """Whether each agent has reached its goal as the paper counts it: in twice the optimal number of states."""
        return self.at_goal() & (self.steps <= 2 * (self.optimal_steps + 1) - 1)

    def info(self) -> dict[str, np.ndarray]:
        """What is known of each episode beside its observation."""
        return {
            "optimal_steps": self.optimal_steps.copy(),
            "optimal_cost": self.optimal_cost.copy(),
            "steps": self.steps.copy(),
            "is_success": self.successful(),
        }


def _starts(worlds: Worlds) -> np.ndarray:
    """The states of each map [P, S]: those nearest to the goal first, last the goal and what cannot reach it."""
    steps = worlds.steps.numpy()
    order: np.ndarray = np.argsort(np.where(steps > 0, steps, np.iinfo(np.int64).max), axis=1, kind="stable")
    return order
