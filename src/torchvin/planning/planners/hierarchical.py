"""The hierarchical VIN: a coarse plan, up-sampled, is one more plane of a fine one (Tamar et al. 2016, appendix)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from torchvin.planning.value_iteration import ValueIteration
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class HierarchicalVIN(Policy):
    """Plan on the map shrunk by `factor`, then let a few fine iterations work out the detail.

    The appendix was not at hand, so what is not said of it elsewhere is ours: the mean of a block of cells shrinks
    it, the coarse value is repeated over its block, and the coarse plan has `factor` times the fine one's iterations.

    Args:
        coarse_reward, coarse_planner: as in `VIN`, on the shrunken planes.
        reward: takes one plane more than the map has.
        planner, attention, head: as in `VIN`.
        factor: cells of a side that become one.
        iterations_per_side: fine K = this times the longer side, rounded up.
    """

    def __init__(
        self,
        *,
        coarse_reward: nn.Module,
        coarse_planner: ValueIteration,
        reward: nn.Module,
        planner: ValueIteration,
        attention: nn.Module,
        head: nn.Module,
        factor: int = 2,
        iterations_per_side: float = 0.3125,
    ) -> None:
        super().__init__()
        self.coarse_reward = coarse_reward
        self.coarse_planner = coarse_planner
        self.reward = reward
        self.planner = planner
        self.attention = attention
        self.head = head
        self.factor = factor
        self.iterations_per_side = iterations_per_side

    def default_iterations(self, height: int, width: int) -> int:
        return math.ceil(self.iterations_per_side * max(height, width))

    def forward(
        self,
        planes: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S 2"] | None = None,
        *,
        num_iterations: int | None = None,
    ) -> PolicyOutput:
        """As `VIN`; `num_iterations` are the fine ones."""
        height, width = planes.shape[-2:]
        if num_iterations is None:
            num_iterations = self.default_iterations(height, width)
        blocks = functional.avg_pool2d(planes, self.factor, ceil_mode=True, count_include_pad=False)
        coarse = self.coarse_planner(self.coarse_reward(blocks), num_iterations=self.factor * num_iterations)
        repeated = functional.interpolate(coarse.value, scale_factor=self.factor, mode="nearest")
        q_reward = self.reward(torch.cat([planes, repeated[..., :height, :width]], dim=1))
        plan = self.planner(q_reward, num_iterations=num_iterations)
        return PolicyOutput(logits=self.head(self.attention(plan.q_values, states)), plan=plan)
