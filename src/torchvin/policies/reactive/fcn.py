"""The paper's FCN baseline: its first filter is so large that every cell sees the whole map."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.policies.reactive.policy import ReactivePolicy


class FCN(ReactivePolicy):
    """A (2H-1)x(2W-1) filter, two 1x1 layers and a linear layer, read at the agent's cell (after the authors' code).

    The first filter is not convolved directly. For single states it is a matrix product with the map as seen from the
    agent's cell. For all cells of a map it is a product in the frequency domain. Both equal the convolution.

    Args:
        height, width: size of the maps.
        num_actions: number of output logits.
        in_channels: number of planes of an observation.
        channels: output channels of the first filter and of the two 1x1 layers.

    Raises: see `ReactivePolicy.check`.

    >>> FCN(height=8, width=6)(torch.zeros(2, 2, 8, 6)).logits.shape
    torch.Size([2, 8, 8, 6])
    """

    def __init__(
        self,
        *,
        height: int,
        width: int,
        num_actions: int = 8,
        in_channels: int = 2,
        channels: tuple[int, int, int] = (150, 150, 10),
    ) -> None:
        super().__init__(height=height, width=width)
        first, second, third = channels
        self.view = nn.Conv2d(in_channels, first, (2 * height - 1, 2 * width - 1), padding=(height - 1, width - 1))
        self.layers = nn.Sequential(
            nn.ReLU(), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, third), nn.ReLU(),
            nn.Linear(third, num_actions, bias=False),
        )  # fmt: skip

    def everywhere(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        logits: Tensor = self.layers(self._view_everywhere(observation).movedim(1, -1)).movedim(-1, 1)
        return logits

    def at(self, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S A"]:
        logits: Tensor = self.layers(self._view_at(observation, states))
        return logits

    def _view_at(self, planes: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S F"]:
        """The first filter at single states: a matrix product with the map, centred on the agent."""
        around = nn.functional.pad(planes, (self.width - 1,) * 2 + (self.height - 1,) * 2)
        filter_height, filter_width = 2 * self.height - 1, 2 * self.width - 1
        windows = around.unfold(2, filter_height, 1).unfold(3, filter_width, 1)  # [B, C, H, W, 2H-1, 2W-1], a view
        row, col = states.long().unbind(-1)
        maps = torch.arange(len(planes), device=planes.device)[:, None]
        seen = windows[maps, :, row, col].flatten(2)  # [B, S, C * (2H-1) * (2W-1)]
        return nn.functional.linear(seen, self.view.weight.flatten(1), self.view.bias)

    def _view_everywhere(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H W"]:
        """The first filter at all cells by the Fourier transform: O(HW log HW) per channel instead of O((HW)^2).

        The wanted cells of the full convolution are H-1 to 2H-2. A circular convolution of length 2H-1 gives them,
        because what wraps around falls on the other cells.
        """
        if torch.compiler.is_compiling():  # a traced program has no Fourier transform
            traced: Tensor = self.view(planes)
            return traced
        height, width = self.height, self.width
        circle = (_round_up(2 * height - 1), _round_up(2 * width - 1))
        image = torch.fft.rfft2(planes, s=circle)
        filters = torch.fft.rfft2(self.view.weight.flip(2, 3), s=circle)
        product = torch.einsum("bcuv,fcuv->bfuv", image, filters)
        rows, cols = slice(height - 1, 2 * height - 1), slice(width - 1, 2 * width - 1)
        full: Tensor = torch.fft.irfft2(product, s=circle)[..., rows, cols]
        assert self.view.bias is not None
        return full + self.view.bias[:, None, None]


def _round_up(length: int) -> int:
    """The next multiple of 8, because transforms whose length has a large prime factor are slow."""
    return -(-length // 8) * 8
