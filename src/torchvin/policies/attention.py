"""Attention: which part of the plan the reactive policy sees for a state."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError, check_shape


class StateAttention(nn.Module):
    """psi(s) = Q(s, .): the Q values of the state itself (Tamar et al. 2016, section 4, grid world).

    Called without states it attends to every cell at once.

    Raises: ShapeError; InputError for a state off the map.

    >>> StateAttention()(torch.zeros(1, 8, 5, 4), torch.tensor([[[4, 3], [0, 0]]])).shape
    torch.Size([1, 2, 8])
    """

    def forward(
        self, q_values: Float[Tensor, "B A H W"], states: Int[Tensor, "B S 2"] | None = None
    ) -> Float[Tensor, "B A H W"] | Float[Tensor, "B S A"]:
        """Gather [B, S, A] at `states` (row, col), or pass all cells on."""
        if states is None:
            return q_values
        batch, _, height, width = q_values.shape
        check_shape("states", states, f"{batch} S 2")
        if ((states < 0) | (states >= torch.tensor([height, width], device=states.device))).any():
            raise InputError(f"a state lies off the {height}x{width} map; states are (row, col) from 0.")
        row, col = states.long().unbind(-1)
        index = torch.arange(batch, device=states.device)[:, None]
        return q_values[index, :, row, col]
