"""The states of maps of one size: (row, col) or (orientation, row, col), and their flat numbers."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, Integer, Shaped
from torch import Tensor


@dataclass(frozen=True)
class StateSpace:
    """The S = O * H * W states of an agent with O orientations on maps of H x W cells.

    The flat number of a state is orientation * H * W + row * W + col; -1 stands for no state. An agent with one
    orientation has states (row, col), one with more has (orientation, row, col).

    Args:
        height, width: of the maps.
        num_orientations: O.

    >>> space = StateSpace(3, 4, num_orientations=4)
    >>> space.flatten(torch.tensor([2, 1, 2])).item(), space.unflatten(torch.tensor(30)).tolist()
    (30, [2, 1, 2])
    """

    height: int
    width: int
    num_orientations: int = 1

    @property
    def num_cells(self) -> int:
        """H * W."""
        return self.height * self.width

    @property
    def num_states(self) -> int:
        """S = O * H * W."""
        return self.num_orientations * self.num_cells

    @property
    def state_length(self) -> int:
        """Numbers of a state: 2, (row, col), or 3, (orientation, row, col)."""
        return 2 if self.num_orientations == 1 else 3

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a map with one entry per state: (H, W) or (O, H, W)."""
        return (self.num_orientations, self.height, self.width)[-self.state_length :]

    def flatten(self, states: Integer[Tensor, "*shape D"]) -> Int[Tensor, "*shape"]:
        """The flat numbers of states; those of cells (row, col) if D = 2, whatever the orientations.

        >>> StateSpace(3, 4).flatten(torch.tensor([[1, 2], [-1, -1]])).tolist()
        [6, -1]
        """
        cell = states[..., -2] * self.width + states[..., -1]
        flat = cell if states.shape[-1] == 2 else states[..., 0] * self.num_cells + cell
        return torch.where(states[..., -1] >= 0, flat, -1)

    def unflatten(self, flat: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape D"]:
        """The states of flat numbers.

        >>> StateSpace(3, 4).unflatten(torch.tensor([6, -1])).tolist()
        [[1, 2], [-1, -1]]
        """
        parts = (flat // self.num_cells, flat // self.width % self.height, flat % self.width)
        states = torch.stack(parts[-self.state_length :], dim=-1)
        return torch.where(flat[..., None] >= 0, states, -1)

    def contains(self, states: Integer[Tensor, "*shape D"]) -> Bool[Tensor, "*shape"]:
        """Whether states lie on the map and have an orientation that exists.

        >>> StateSpace(3, 4).contains(torch.tensor([[2, 3], [3, 0], [0, -1]])).tolist()
        [True, False, False]
        """
        bounds = (self.num_orientations, self.height, self.width)[-states.shape[-1] :]
        return ((states >= 0) & (states < torch.tensor(bounds, device=states.device))).all(dim=-1)

    def orientations(self, states: Int[Tensor, "*shape D"]) -> Int[Tensor, "*shape"]:
        """The orientation of each state, 0 for an agent with one."""
        return states[..., 0] if self.num_orientations > 1 else torch.zeros_like(states[..., 0])

    def by_state(self, channels: Shaped[Tensor, "B OA H W"]) -> Shaped[Tensor, "B A S"]:
        """Channels o * A + a per cell, as networks have them, to actions per flat state.

        >>> StateSpace(1, 1, num_orientations=2).by_state(torch.arange(4).view(1, 4, 1, 1)).tolist()
        [[[0, 2], [1, 3]]]
        """
        batch = channels.shape[0]
        return channels.reshape(batch, self.num_orientations, -1, self.num_cells).transpose(1, 2).flatten(2)
