"""The hierarchical planner: a coarse plan, up-sampled, is an input plane of a fine planner (the paper's appendix)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.planning.planners.grid import GridPlanner
from torchvin.planning.planners.planner import Planner
from torchvin.types import PlannerOutput


def mean_of_blocks(planes: Float[Tensor, "B C H W"], factor: int) -> Float[Tensor, "B C h w"]:
    """The mean over blocks of `factor` x `factor` cells; a block at the edge has fewer cells.

    >>> mean_of_blocks(torch.tensor([[[[1.0, 3.0, 5.0]]]]), 2).tolist()
    [[[[2.0, 5.0]]]]
    """
    height, width = planes.shape[-2:]
    around = (0, (factor - width % factor) % factor, 0, (factor - height % factor) % factor)
    sums, counts = (
        functional.avg_pool2d(functional.pad(part, around), factor, divisor_override=1)
        for part in (planes, torch.ones_like(planes[:1, :1]))
    )
    mean: Tensor = sums / counts
    return mean


class HierarchicalPlanner(Planner):
    """Plan on the map reduced by `factor`, then on the full map with a few iterations.

    The paper's appendix was not available, so three choices are ours. A block of cells is represented by its mean. The
    coarse value is repeated over its block. The coarse planner makes `factor` times as many iterations as the fine one.

    Args:
        coarse: planner of the reduced observation.
        fine: planner of the observation with the coarse value as a further plane. K is its number of iterations.
        factor: number of cells per side of a block.
        iterations_per_side: as in `Planner`, of the fine planner.
    """

    def __init__(
        self, *, coarse: GridPlanner, fine: GridPlanner, factor: int = 2, iterations_per_side: float = 0.3125
    ) -> None:
        super().__init__(iterations_per_side=iterations_per_side)
        self.coarse = coarse
        self.fine = fine
        self.factor = factor

    @property
    def capturable(self) -> bool:
        return self.coarse.capturable and self.fine.capturable

    @property
    def resumable(self) -> bool:
        return False

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """As `Planner.forward`.

        Raises: InputError for an initial value: the coarse plan would have to be resumed as well.
        """
        if initial_value is not None:
            raise InputError("a hierarchical planner cannot continue from a value: it plans on two maps; plan anew.")
        height, width = observation.shape[-2:]
        num_iterations = self.iterations_of_call(num_iterations, observation)
        coarse = self.coarse(mean_of_blocks(observation, self.factor), num_iterations=self.factor * num_iterations)
        rows, cols = (torch.arange(side, device=observation.device) // self.factor for side in (height, width))
        repeated = coarse.value.index_select(2, rows).index_select(3, cols)
        enriched = torch.cat([observation, repeated], dim=1)
        plan: PlannerOutput = self.fine(enriched, num_iterations=num_iterations)
        return plan
