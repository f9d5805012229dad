"""Attention: which part of the plan the reactive policy sees for a state."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError, check_shape
from torchvin.maps.states import off_the_map
from torchvin.planning.kernels.reference import by_orientation


class StateAttention(nn.Module):
    """psi(s) = Q(s, .): the Q values of the state itself (Tamar et al. 2016, section 4, grid world).

    Called without states it attends to every cell at once.

    Args:
        num_orientations: O; a state is then (orientation, row, col), and its features are the A channels of its
            orientation.

    Raises: ShapeError; InputError for a state off the map.

    >>> StateAttention()(torch.zeros(1, 8, 5, 4), torch.tensor([[[4, 3], [0, 0]]])).shape
    torch.Size([1, 2, 8])
    """

    def __init__(self, *, num_orientations: int = 1) -> None:
        super().__init__()
        self.num_orientations = num_orientations

    def forward(
        self, q_values: Float[Tensor, "B OA H W"], states: Int[Tensor, "B S D"] | None = None
    ) -> Float[Tensor, "B OA H W"] | Float[Tensor, "B S A"]:
        """Gather [B, S, A] at `states` (row, col) or (orientation, row, col), or pass all cells on."""
        if states is None:
            return q_values
        batch, _, height, width = q_values.shape
        check_shape("states", states, f"{batch} S {2 if self.num_orientations == 1 else 3}")
        if off_the_map(states, (height, width), self.num_orientations).any():
            raise InputError(f"a state lies off the {height}x{width} map; states are (row, col) from 0.")
        maps = torch.arange(batch, device=states.device)[:, None]
        *orientation, row, col = states.long().unbind(-1)
        if not orientation:
            return q_values[maps, :, row, col]
        return by_orientation(q_values, self.num_orientations)[maps, orientation[0], :, row, col]
