"""What the environments of continuous control are made of: B bodies, each in an arena, in an episode of its own.

The dynamics are `mdp.point_mass`. Every body has its own stream of random numbers, so that it sees the same arenas
whether it acts alone or beside others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch

from torchvin.errors import InputError, unknown_name
from torchvin.experts.routes import Routes
from torchvin.maps.arenas import Arenas, encode_arenas
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import draw_arenas, generate_arenas
from torchvin.mdp.point_mass import HALF_SIDE, PointMass, advance

#: Stream of the pool of arenas, beside the seeds of the bodies.
_POOL_STREAM = 7


@dataclass(frozen=True)
class PointMassOptions:
    """Options of `gymnasium.make("torchvin/PointMass-v0", ...)`.

    Attributes:
        kind, obstacles, places, rooms, room_for_body: of the arenas, see `ArenaConfig`; not used with `arenas`.
        arenas: to take in place of drawn ones.
        num_maps: number of different arenas, drawn once (the paper: 200); 0: a fresh one for each episode.
        map_seed: of these arenas.
        side: cells per side of the map image.
        body: a `PointMass`, or a mapping with some of its fields.
        goal_radius: the body has arrived within this distance of the goal.
        max_episode_steps: control steps of an episode.
        force_cost: per squared force and step.
        collision_cost: per step in which the body touches something.
    """

    kind: str = ArenaConfig.kind
    obstacles: int = ArenaConfig.obstacles
    places: str = ArenaConfig.places
    rooms: int = ArenaConfig.rooms
    room_for_body: float = ArenaConfig.room_for_body
    arenas: Arenas | None = None
    num_maps: int = 200
    map_seed: int = 0
    side: int = 16
    body: PointMass | Mapping[str, Any] = field(default_factory=PointMass)
    goal_radius: float = 0.1
    max_episode_steps: int = 100
    force_cost: float = 0.01
    collision_cost: float = 1.0

    def __post_init__(self) -> None:
        for name, least in (("num_maps", 0), ("map_seed", 0), ("side", 4), ("max_episode_steps", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name} must be a whole number from {least} on, got {value!r:.40}.")
        for name in ("goal_radius", "force_cost", "collision_cost"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise InputError(f"{name} must be a finite number that is not negative, got {value!r:.40}.")

    @classmethod
    def checked(cls, options: Mapping[str, Any]) -> "PointMassOptions":
        """The options.

        Raises: InputError for one that does not exist or is out of its range.
        """
        for name in options:
            if name not in cls.__dataclass_fields__:
                raise unknown_name("option of the environment", name, cls.__dataclass_fields__)
        return cls(**options)

    def constants(self) -> PointMass:
        """The body.

        Raises: InputError for a constant that does not exist or is out of its range.
        """
        if isinstance(self.body, PointMass):
            return self.body
        known = [entry.name for entry in fields(PointMass)]
        if unknown := sorted(set(self.body) - set(known)):
            raise InputError(f"the body has no {', '.join(map(str, unknown))}; it has {', '.join(known)}.")
        return replace(PointMass(), **self.body)

    def config(self) -> ArenaConfig:
        """What arenas are drawn from."""
        return ArenaConfig(**{entry.name: getattr(self, entry.name) for entry in fields(ArenaConfig)})


class Pushes:
    """B bodies in arenas. Actions are not checked here: the environments do that.

    Attributes:
        state: position and velocity of each body, [B, 4] float64.
        steps, collisions: control steps since the episode began, and those in which the body touched something, [B].

    Args:
        options: see there.
        num_agents: B.

    Raises: InputError for an arena whose start overlaps an obstacle or a wall.
    """

    def __init__(self, options: PointMassOptions, num_agents: int) -> None:
        self.options, self.num_agents = options, num_agents
        self.body, self.arena_config = options.constants(), options.config()
        pool = options.arenas
        if pool is None:
            seed = (options.map_seed, _POOL_STREAM)
            pool = generate_arenas(options.num_maps or num_agents, self.arena_config, seed=seed, body=self.body)
        _check_starts(pool, self.body)
        self.fresh = options.arenas is None and options.num_maps == 0
        self.pool, self.reachable = pool, _reachable(pool, self.body)
        self._pool_planes = self._draw_planes(pool)
        which = np.arange(num_agents) % len(pool)
        self.which = which
        self.obstacles, self.goal = pool.obstacles[which].clone(), pool.goal[which].clone()
        self.planes = self._pool_planes[which]
        self.state = np.zeros((num_agents, 4))
        self.steps = np.zeros(num_agents, dtype=np.int64)
        self.collisions = np.zeros(num_agents, dtype=np.int64)

    def _draw_planes(self, arenas: Arenas) -> np.ndarray:
        planes = encode_arenas(arenas.obstacles, arenas.goal, self.options.side, radius=self.body.radius)
        drawn: np.ndarray = planes.numpy()
        return drawn

    def begin(self, agents: np.ndarray, randoms: Sequence[np.random.Generator]) -> None:
        """Begin an episode for some bodies: an arena, and the body at rest at its start.

        Args:
            agents: indices [N].
            randoms: the random numbers of these bodies.
        """
        if len(agents) == 0:
            return
        places = torch.from_numpy(agents)
        if self.fresh:
            for agent, random in zip(agents.tolist(), randoms, strict=True):
                drawn = draw_arenas([random], self.arena_config, self.body)
                self.pool.obstacles[agent], self.pool.goal[agent] = drawn.obstacles[0], drawn.goal[0]
                self.pool.start[agent] = drawn.start[0]
            self.which[agents] = agents
            self._pool_planes[agents] = self._draw_planes(self.pool[places])
        else:
            uniform = np.array([random.random() for random in randoms])
            self.which[agents] = (uniform * len(self.pool)).astype(np.int64)
        chosen = torch.from_numpy(self.which[agents])
        self.obstacles[places], self.goal[places] = self.pool.obstacles[chosen], self.pool.goal[chosen]
        self.planes[agents] = self._pool_planes[self.which[agents]]
        self.state[agents, :2], self.state[agents, 2:] = self.pool.start[chosen].numpy(), 0.0
        self.steps[agents], self.collisions[agents] = 0, 0

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Push every body for one control step.

        Args:
            actions: forces as shares of the largest one, [B, 2]; clipped to [-1, 1].

        Returns: reward float32, terminated (never), truncated, each [B].
        """
        share = np.clip(actions.astype(np.float64), -1.0, 1.0)
        self.state, touched = self.pushed(share * self.body.max_force)
        self.steps += 1
        self.collisions += touched
        cost = self.distance() + self.options.force_cost * (share * share).sum(axis=1)
        cost += self.options.collision_cost * touched
        never = np.zeros(self.num_agents, dtype=bool)
        return -cost.astype(np.float32), never, self.steps >= self.options.max_episode_steps

    def pushed(self, force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What forces [B, 2] do: the states after a control step [B, 4], and whether each body touched something."""
        state, touched = advance(torch.from_numpy(self.state), torch.from_numpy(force), self.obstacles, self.body)
        return state.numpy(), touched.numpy()

    def distance(self) -> np.ndarray:
        """Distance of each body from its goal, [B]."""
        away = self.goal.numpy() - self.state[:, :2]
        found: np.ndarray = np.sqrt(away[:, 0] ** 2 + away[:, 1] ** 2)
        return found

    def observe(self, agents: np.ndarray | None = None, *, copy: bool = True) -> dict[str, np.ndarray]:
        """What bodies see: `planes`, and `state`: position, velocity, offset to the goal.

        Args:
            agents: indices [N]; all if not given.
            copy: give planes of their own; False: one array that later steps change.
        """
        planes, state, goal = self.planes, self.state, self.goal.numpy()
        if agents is not None:
            planes, state, goal = planes[agents], state[agents], goal[agents]
        told = np.concatenate([state, goal - state[:, :2]], axis=1, dtype=np.float32, casting="same_kind")
        return {"planes": planes.copy() if copy and agents is None else planes, "state": told}

    def info(self) -> dict[str, np.ndarray]:
        """What is known of each episode beside its observation."""
        distance = self.distance()
        return {
            "distance": distance,
            "collisions": self.collisions.copy(),
            "steps": self.steps.copy(),
            "reachable": self.reachable[self.which],
            "is_success": (distance <= self.options.goal_radius) & (self.collisions == 0),
        }

    def limits(self) -> np.ndarray:
        """Largest absolute value of each number of the state."""
        speed = 2 * min(self.body.terminal_speed, 10.0)
        place = 1.5 * HALF_SIDE
        return np.array([place, place, speed, speed, 2 * place, 2 * place], dtype=np.float32)


def _check_starts(arenas: Arenas, body: PointMass) -> None:
    """Raises: InputError for a start that overlaps an obstacle or a wall."""
    room = arenas.clearance_at_start()
    if bool((room < body.radius).any()):
        index = int((room < body.radius).nonzero()[0, 0])
        raise InputError(
            f"the start of arena {index} is {room[index].item():.3f} from an obstacle or wall, and the body has a "
            f"radius of {body.radius:g}; move the start or the obstacle."
        )


def _reachable(arenas: Arenas, body: PointMass) -> np.ndarray:
    """Whether a way leads from the start of each arena to its goal."""
    ways = Routes(arenas, body)
    found: np.ndarray = ways.reachable(torch.arange(len(arenas)), arenas.start).numpy()
    return found
