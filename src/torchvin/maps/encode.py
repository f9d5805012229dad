"""Map and goal to network input: the only place that knows the planes."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.errors import InputError, check_shape

GOAL_VALUE = 10.0  # the authors' files: 10 at the goal, 0 elsewhere (-1 cast to uint8)


def encode(
    blocked: Bool[Tensor, "B H W"], goal: Int[Tensor, "B 2"], *, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "B 2 H W"]:
    """The two planes a policy sees: channel 0 is 1 on obstacles, channel 1 is 10 at the goal (row, col).

    Args:
        blocked: True = obstacle, [B, H, W].
        goal: (row, col) of each map's goal, [B, 2].
        dtype: of the result.

    Raises: ShapeError; InputError if `blocked` is not bool or a goal lies off the map.

    >>> planes = encode(torch.zeros(1, 3, 4, dtype=torch.bool), torch.tensor([[2, 1]]))
    >>> planes[0, 1].nonzero().tolist()
    [[2, 1]]
    """
    check_shape("blocked", blocked, "B H W")
    check_shape("goal", goal, f"{blocked.shape[0]} 2")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    batch, height, width = blocked.shape
    if ((goal < 0) | (goal >= torch.tensor([height, width], device=goal.device))).any():
        raise InputError(f"a goal lies off its {height}x{width} map: {goal.tolist()[:4]}; goals are (row, col) from 0.")
    planes = torch.zeros(batch, 2, height, width, dtype=dtype, device=blocked.device)
    planes[:, 0] = blocked
    row, col = goal.long().unbind(1)
    planes[torch.arange(batch, device=blocked.device), 1, row, col] = GOAL_VALUE
    return planes
