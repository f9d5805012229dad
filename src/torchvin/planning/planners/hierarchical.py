"""The hierarchical planner: a coarse plan, up-sampled, is one more plane of a fine one (the paper's appendix)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.planning.planners.grid import GridPlanner
from torchvin.planning.planners.planner import Planner
from torchvin.types import PlannerOutput


def mean_of_blocks(planes: Float[Tensor, "B C H W"], factor: int) -> Float[Tensor, "B C h w"]:
    """The mean over blocks of `factor` x `factor` cells; blocks at the edge have the cells that there are.

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
    """Plan on the map shrunk by `factor`, then let a few fine iterations work out the detail.

    The appendix was not available. Three choices are therefore ours: the mean of a block of cells represents the block,
    the coarse value is repeated over its block, and the coarse plan has `factor` times the fine one's iterations.

    Args:
        coarse: planner of the shrunken observation.
        fine: planner of the observation with the coarse value as one more plane; K counts its iterations.
        factor: cells per side of a block.
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
        if num_iterations is None:
            num_iterations = self.default_iterations(height, width)
        coarse = self.coarse(mean_of_blocks(observation, self.factor), num_iterations=self.factor * num_iterations)
        rows, cols = (torch.arange(side, device=observation.device) // self.factor for side in (height, width))
        repeated = coarse.value.index_select(2, rows).index_select(3, cols)
        enriched = torch.cat([observation, repeated], dim=1)
        plan: PlannerOutput = self.fine(enriched, num_iterations=num_iterations)
        return plan
