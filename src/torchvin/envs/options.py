"""The options that both environments take, checked and made into a source of maps, rewards and episodes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from os import PathLike
from typing import Any

from torchvin.data.dataset import MapDataset
from torchvin.data.map_source import GeneratedMaps, GivenMaps, MapSource
from torchvin.data.read import read_dataset
from torchvin.envs.episodes import EpisodeConfig, Observation
from torchvin.errors import InputError
from torchvin.mdp.motion import MotionModel, motion_model
from torchvin.mdp.rewards import RewardConfig


@dataclass(frozen=True)
class EnvironmentOptions:
    """Options of `gymnasium.make("torchvin/GridWorld-v0", ...)`.

    Attributes:
        kind: generator of maps (`torchvin list`); not used with `maps`.
        height, width: of the maps; `width` is the height if not given. Not used with `maps`.
        motion: a motion model, or the name of one: octile (8 moves), news (4), differential-drive. Not with `maps`.
        maps: a data set, or the path of one, to take maps, goals and motion model from.
        num_maps: of a generator: number of different maps, drawn once; 0: a fresh map for each episode.
        rewards: a `RewardConfig`, or a mapping with some of its fields.
        slip: probability that a random action is done in place of the chosen one.
        observation: "dict": planes and state. "image": the planes, and one that is 1 where the agent is.
        longest: most steps between start and goal, for a curriculum; as many as there are if not given.
        max_episode_steps: after so many steps an episode is truncated; half the number of cells if not given.
        map_seed: of the `num_maps` maps.
    """

    kind: str = "gridworld"
    height: int = 8
    width: int | None = None
    motion: str | MotionModel = "octile"
    maps: MapDataset | str | PathLike[str] | None = None
    num_maps: int = 0
    rewards: RewardConfig | Mapping[str, Any] | None = None
    slip: float = 0.0
    observation: Observation = "dict"
    longest: int | None = None
    max_episode_steps: int | None = None
    map_seed: int = 0

    def source(self) -> MapSource:
        """Where maps come from.

        Raises: InputError for an unknown kind or motion model, or maps that cannot be read or have terrain.
        """
        if self.maps is not None:
            dataset = self.maps if isinstance(self.maps, MapDataset) else read_dataset(self.maps)
            return GivenMaps(dataset)
        for name in ("height", "width"):
            side = getattr(self, name)
            if side is not None and (isinstance(side, bool) or not isinstance(side, int) or side < 2):
                raise InputError(f"{name} must be a whole number of cells from 2 on, got {side!r:.40}.")
        moves = motion_model(self.motion) if isinstance(self.motion, str) else self.motion
        return GeneratedMaps(self.kind, self.height, self.height if self.width is None else self.width, moves)

    def episodes(self, source: MapSource) -> EpisodeConfig:
        """What an episode is on these maps.

        Raises: InputError for an option out of its range.
        """
        limit = self.max_episode_steps
        return EpisodeConfig(
            rewards=_rewards(self.rewards),
            observation=self.observation,
            max_episode_steps=max(1, source.height * source.width // 2) if limit is None else limit,
            slip=self.slip,
            num_maps=self.num_maps,
            longest=self.longest,
        )


def _rewards(given: RewardConfig | Mapping[str, Any] | None) -> RewardConfig:
    if given is None or isinstance(given, RewardConfig):
        return given or RewardConfig()
    known = {field.name for field in fields(RewardConfig)}
    if unknown := sorted(set(given) - known):
        raise InputError(f"there is no reward {', '.join(map(str, unknown))}; the rewards are {', '.join(known)}.")
    return RewardConfig(**given)
