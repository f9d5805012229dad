"""A reward image as costs: every cell costs what an image says to enter, and every move its length."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.mdp.motion import GridMotion

#: Cost of a cell per unit of its logit, where the cell is bad.
GAIN = 3.0
_START = -2.0  # added to logits: cells begin at a cost of 0.4, a move at its length


class CellCost(nn.Module):
    """Cost of each move: its length, and the cost of the cell that it enters. Goals are free to stop in.

    It is minus a reward image R(s') that all actions share, as in the paper (Tamar et al. 2016, section 4), with the
    agent's own moves in place of the kernel from R to each Q channel.

    The structure makes obstacles quick to learn from paths: each state that a demonstration passes compares the cells
    around it, and each comparison changes the cost of these cells alone.

    Args:
        moves: the agent's moves; their lengths are where learning begins.
        gain: cost of a cell per unit of its logit. A larger one makes cells dearer from the start, beside the moves.

    >>> cost, goal_cost = CellCost(GridMotion(4))(torch.zeros(2, 2, 8, 5))
    >>> cost.shape, goal_cost.shape
    (torch.Size([2, 4, 8, 5]), torch.Size([2, 1, 8, 5]))
    """

    def __init__(self, moves: GridMotion, *, gain: float = GAIN) -> None:
        super().__init__()
        self.gain = gain
        self.offsets = moves.offsets
        self.log_length = nn.Parameter(torch.tensor(moves.costs).log())

    def image(self, planes: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 1 H W"]:
        """Cost of entering each cell, above 0."""
        return self.gain * functional.softplus(planes[:, :1].float() + _START)  # float32 also behind a bfloat16 encoder

    def forward(
        self, planes: Float[Tensor, "B 2 H W"], *, caution: float = 1.0
    ) -> tuple[Float[Tensor, "B A H W"], Float[Tensor, "B 1 H W"]]:
        """Costs of moves and of stopping.

        Args:
            planes: one feature per cell, of any size, and the goal plane.
            caution: factor on the costs of cells; lengths of moves stay as they are.
        """
        height, width = planes.shape[2:]
        around = caution * functional.pad(self.image(planes)[:, 0], (1, 1, 1, 1))
        entered = torch.stack(
            [around[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width] for down, right in self.offsets],
            dim=1,
        )
        goal_cost = torch.where(planes[:, 1:] > 0, 0.0, torch.inf).to(around.dtype)
        return entered + self.log_length.exp()[:, None, None], goal_cost
