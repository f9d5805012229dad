"""Attention: the part of the plan that the reactive policy sees for a state (Tamar et al. 2016, section 4)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError, check_shape
from torchvin.planning.kernels.recording import is_traced


def _check_states(states: Int[Tensor, "B S D"], sizes: tuple[int, ...]) -> None:
    """Raises: InputError for a state off the map.

    The check uses Python numbers. With tensors it would take a tenth of the time of one decision.
    """
    for coordinates, size in zip(states.flatten(0, 1).mT.tolist(), sizes, strict=True):
        if coordinates and not (min(coordinates) >= 0 and max(coordinates) < size):
            raise InputError(f"a state lies off the {sizes[-2]}x{sizes[-1]} map; states are (row, col) from 0.")


class StateAttention(nn.Module):
    """psi(s) = Q(s, .): the Q values of the state itself (Tamar et al. 2016, section 4, grid world).

    Without states it returns the Q values of every cell.

    Args:
        num_orientations: O. With O > 1 a state is (orientation, row, col), and its features are the A channels of its
            orientation.

    Raises: ShapeError; InputError for a state off the map. On a GPU, where the check would make the host wait, and in
        traced programs, the gather itself raises an error for such a state.

    >>> StateAttention()(torch.zeros(1, 8, 5, 4), torch.tensor([[[4, 3], [0, 0]]])).shape
    torch.Size([1, 2, 8])
    """

    def __init__(self, *, num_orientations: int = 1) -> None:
        super().__init__()
        self.num_orientations = num_orientations

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        return f"num_orientations={self.num_orientations}"

    def forward(
        self, q_values: Float[Tensor, "B OA H W"], states: Int[Tensor, "B S D"] | None = None
    ) -> Float[Tensor, "B OA H W"] | Float[Tensor, "B S A"]:
        """Features [B, S, A] of `states`, or the Q values of all cells, [B, O*A, H, W], if none are given."""
        if states is None:
            return q_values
        batch, channels, height, width = q_values.shape
        sizes = (height, width) if self.num_orientations == 1 else (self.num_orientations, height, width)
        check_shape("states", states, f"{batch} S {len(sizes)}")
        if states.is_cpu and not (torch.compiler.is_compiling() or is_traced()):
            _check_states(states, sizes)
        *orientation, row, col = states.long().unbind(-1)
        cells = (row * width + col)[:, None].expand(-1, channels, -1)
        features = q_values.flatten(2).gather(2, cells)  # [B, OA, S]; faster than indexing by row and column
        if orientation:
            each = features.view(batch, self.num_orientations, channels // self.num_orientations, -1)
            features = each.take_along_dim(orientation[0][:, None, None], dim=1)[:, 0]
        return features.mT


class PatchAttention(nn.Module):
    """psi(s) = the values around a position in the plane: how much better each place near it is than its own.

    The paper's continuous control (Tamar et al. 2016, section 5.3) sees a patch of 5x5 values around the cell of the
    agent. Here values are interpolated between the middles of cells, so that they change smoothly with the position.
    Values off the map are those of its edge.

    Args:
        size: side of the patch, in cells, odd (the paper: 5).
        scale: initial factor on differences of values, before they are bounded by tanh; learned.

    >>> value = torch.arange(16.0).view(1, 1, 1, 16).expand(1, 1, 16, 16)
    >>> PatchAttention(size=3)(value, torch.zeros(1, 1, 2))[0, 0].sign().tolist()
    [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0, -1.0, 0.0, 1.0]
    """

    def __init__(self, *, size: int = 5, scale: float = 0.3) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise InputError(f"the side of a patch must be odd, got {size}.")
        self.size = size
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        return f"size={self.size}"

    def forward(self, value: Float[Tensor, "B 1 H W"], position: Float[Tensor, "B S 2"]) -> Float[Tensor, "B S F"]:
        """Features [B, S, size * size] of positions (x, y) in [-1, 1], x to the right and y up; row by row."""
        height, width = value.shape[2:]
        steps = torch.arange(self.size, dtype=value.dtype, device=value.device) - self.size // 2
        down, right = torch.meshgrid(steps * (2 / height), steps * (2 / width), indexing="ij")
        offsets = torch.stack([right, down], dim=-1).flatten(0, 1)
        centre = position.to(value.dtype) * position.new_tensor([1.0, -1.0], dtype=value.dtype)
        places = centre[:, :, None] + offsets
        patch = functional.grid_sample(value, places, mode="bilinear", padding_mode="border", align_corners=False)[:, 0]
        middle = patch[..., self.size**2 // 2 : self.size**2 // 2 + 1]
        return torch.tanh((patch - middle).to(self.log_scale.dtype) * self.log_scale.exp())
