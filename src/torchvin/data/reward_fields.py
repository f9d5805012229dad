"""Maps without one goal: several places of different worth, and terrain that costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.data.map_source import GeneratedMaps
from torchvin.errors import InputError
from torchvin.maps.generators.terrain import generate_terrain
from torchvin.maps.observe import encode_worth
from torchvin.maps.terrain import check_costs, entry_cost
from torchvin.mdp.rewards import RewardConfig
from torchvin.mdp.worlds import Worlds, make_worlds


@dataclass(frozen=True)
class RewardFields(GeneratedMaps):
    """Fresh maps with several goals: the i-th is worth 0.5^i of the reward of the goal, and ends an episode.

    Whether the near goal of little worth or the far one of much is better depends on the terrain between.

    Args:
        num_goals: goals per map.
        terrain_costs: factor on the cost of a step that ends on each class of terrain (with `step_cost="length"`).

    Raises: InputError for no goal, a cost that is not positive, or an agent with orientations.
    """

    num_goals: int = 3
    terrain_costs: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_goals < 1:
            raise InputError(f"the number of goals must be at least 1, got {self.num_goals}.")
        check_costs(self.terrain_costs)
        if self.moves.num_orientations > 1:
            raise InputError("reward fields are for agents without orientations.")

    def worlds(self, num_maps: int, random: np.random.Generator, rewards: RewardConfig) -> Worlds:
        """Maps, goals and terrain; the goal of `draw` is that of the most worth."""
        blocked, goal = self.draw(num_maps, random)
        worth = self._worth(blocked, goal, random)
        terrain = None
        if len(self.terrain_costs) > 1:
            seed = int(random.integers(2**32))
            terrain = generate_terrain(
                num_maps, self.height, self.width, num_terrains=len(self.terrain_costs), seed=seed
            )
        return make_worlds(
            blocked,
            goal,
            moves=self.moves,
            rewards=rewards,
            entry_cost=entry_cost(terrain, self.terrain_costs),
            planes=encode_worth(blocked, worth, terrain=terrain, num_terrains=len(self.terrain_costs)),
            worth=worth,
        )

    def _worth(
        self, blocked: Bool[Tensor, "B H W"], goal: Int[Tensor, "B 2"], random: np.random.Generator
    ) -> Float[Tensor, "B H W"]:
        """1 at the goal, 0.5, 0.25, ... in further free cells, 0 elsewhere."""
        uniform = torch.from_numpy(random.random(blocked.flatten(1).shape)).masked_fill_(blocked.flatten(1), -1.0)
        cells = goal[:, :1] * self.width + goal[:, 1:]
        uniform.scatter_(1, cells, 2.0)  # the first of all
        best = uniform.topk(self.num_goals, dim=1)
        worth = torch.zeros(uniform.shape)
        values = 0.5 ** torch.arange(self.num_goals) * (best.values >= 0)  # a map may have fewer free cells
        return worth.scatter_(1, best.indices, values.float()).view_as(blocked)

    def description(self) -> dict[str, Any]:
        """Kind, size, goals and terrain."""
        return {**super().description(), "goals": self.num_goals, "terrain_costs": list(self.terrain_costs)}
