"""Where the maps of an environment come from: a generator, or a data set."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.data.draw import with_orientation
from torchvin.data.generators import GENERATORS
from torchvin.errors import unknown_name
from torchvin.maps.generators.gridworld_batch import draw_gridworld_of_each, draw_gridworlds
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rewards import RewardConfig
from torchvin.mdp.worlds import Worlds, make_worlds

Maps = tuple[Tensor, Tensor]  # blocked [M, H, W], goal [M, D]


class MapSource(ABC):
    """Maps of one size and the motion model of the agent on them.

    Attributes:
        height, width: of every map.
        moves: what the agent can do.
    """

    height: int
    width: int
    moves: MotionModel

    @abstractmethod
    def draw(self, num_maps: int, random: np.random.Generator) -> Maps:
        """Maps [M, H, W] and goals [M, D]; `random` moves on."""

    def worlds(self, num_maps: int, random: np.random.Generator, rewards: RewardConfig) -> Worlds:
        """Maps with their dynamics and rewards; `random` moves on."""
        return make_worlds(*self.draw(num_maps, random), moves=self.moves, rewards=rewards)

    def draw_each(self, randoms: Sequence[np.random.Generator]) -> Maps:
        """One map from each generator: what a generator gives does not depend on the others."""
        blocked, goal = zip(*(self.draw(1, random) for random in randoms), strict=True)
        return torch.cat(blocked), torch.cat(goal)

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """The source as JSON."""


@dataclass(frozen=True)
class GeneratedMaps(MapSource):
    """Fresh maps of a generator of `torchvin data --kind`.

    Args:
        kind: name of the generator.
        height, width: of the maps.
        moves: what the agent can do.

    Raises: InputError for an unknown kind; when maps are drawn, what the generator refuses.

    >>> blocked, goal = GeneratedMaps("maze", 9, 9, GridMotion(4)).draw(3, np.random.default_rng(0))
    >>> blocked.shape, goal.shape
    (torch.Size([3, 9, 9]), torch.Size([3, 2]))
    """

    kind: str
    height: int
    width: int
    moves: MotionModel = field(default_factory=GridMotion)

    def __post_init__(self) -> None:
        if self.kind not in GENERATORS:
            raise unknown_name("kind of data", self.kind, GENERATORS)

    def draw(self, num_maps: int, random: np.random.Generator) -> Maps:
        """Maps and goals that nobody has seen."""
        if self.kind == "gridworld":
            blocked, goal = draw_gridworlds(num_maps, self.height, self.width, random, self._straight)
        else:
            seed = int(random.integers(2**32))
            # of kinds that are seen from above the image is left out
            blocked, goal = GENERATORS[self.kind].draw(num_maps, self.height, self.width, seed, self.moves)[:2]
        if self.moves.num_orientations > 1:
            goal = with_orientation(goal, self.moves, int(random.integers(2**32)))
        return blocked, goal

    def draw_each(self, randoms: Sequence[np.random.Generator]) -> Maps:
        """One map from each generator; of the grid world all at once."""
        if self.kind != "gridworld" or self.moves.num_orientations > 1:
            return super().draw_each(randoms)
        return draw_gridworld_of_each(randoms, self.height, self.width, self._straight)

    @property
    def _straight(self) -> GridMotion:
        """Moves that lead to a goal from any heading."""
        return self.moves if isinstance(self.moves, GridMotion) else GridMotion(num_actions=4)

    def description(self) -> dict[str, Any]:
        """Kind and size."""
        return {"kind": self.kind, "height": self.height, "width": self.width}


class GivenMaps(MapSource):
    """Maps of a data set, drawn with repetition; their goals and motion model come with them.

    Args:
        dataset: its maps.
    """

    def __init__(self, dataset: MapDataset) -> None:
        self.dataset = dataset
        self.height, self.width = dataset.size
        self.moves = dataset.moves

    def draw(self, num_maps: int, random: np.random.Generator) -> Maps:
        """Some of the maps."""
        chosen = torch.from_numpy(random.integers(len(self.dataset), size=num_maps))
        return self.dataset.blocked[chosen], self.dataset.goal[chosen]

    def description(self) -> dict[str, Any]:
        """Number, size and a hash of the maps."""
        content = self.dataset.blocked.numpy().tobytes() + self.dataset.goal.numpy().tobytes()
        return {
            "maps": len(self.dataset),
            "height": self.height,
            "width": self.width,
            "maps_sha256": hashlib.sha256(content).hexdigest(),
        }
