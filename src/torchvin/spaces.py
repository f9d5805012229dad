"""States and their flat numbers: orientation * H * W + row * W + col, -1 for none."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def flatten(states: Int[Tensor, "*shape D"], size: tuple[int, int]) -> Int[Tensor, "*shape"]:
    """(row, col) or (orientation, row, col) to flat numbers; a state of -1 to -1.

    >>> flatten(torch.tensor([[1, 2], [-1, -1]]), (3, 4)).tolist(), flatten(torch.tensor([2, 1, 2]), (3, 4)).item()
    ([6, -1], 30)
    """
    height, width = size
    cell = states[..., -2] * width + states[..., -1]
    flat = cell if states.shape[-1] == 2 else states[..., 0] * height * width + cell
    return torch.where(states[..., -1] >= 0, flat, -1)


def unflatten(flat: Int[Tensor, "*shape"], size: tuple[int, int], num_orientations: int = 1) -> Int[Tensor, "*shape D"]:
    """Flat numbers to (row, col), or to (orientation, row, col) if there are several orientations.

    >>> unflatten(torch.tensor([6, -1]), (3, 4)).tolist(), unflatten(torch.tensor(30), (3, 4), 4).tolist()
    ([[1, 2], [-1, -1]], [2, 1, 2])
    """
    height, width = size
    parts = [flat // width % height, flat % width]
    if num_orientations > 1:
        parts.insert(0, flat // (height * width))
    return torch.where(flat[..., None] >= 0, torch.stack(parts, dim=-1), -1)


def off_the_map(
    states: Int[Tensor, "*shape D"], size: tuple[int, int], num_orientations: int = 1
) -> Bool[Tensor, "*shape"]:
    """Whether a state lies off a map of that size, or has an orientation that does not exist.

    >>> off_the_map(torch.tensor([[2, 3], [3, 0], [0, -1]]), (3, 4)).tolist()
    [False, True, True]
    """
    bounds = torch.tensor([num_orientations, *size][-states.shape[-1] :], device=states.device)
    return ((states < 0) | (states >= bounds)).any(dim=-1)
