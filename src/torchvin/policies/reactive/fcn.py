"""The paper's FCN baseline: a first filter so large that every cell sees the whole map."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import check_shape
from torchvin.policies.reactive.policy import ReactivePolicy
from torchvin.types import PolicyOutput


class FCN(ReactivePolicy):
    """A (2H-1)x(2W-1) filter, two 1x1 layers, one linear layer, read at the agent's cell (after the authors' code).

    The first filter is never convolved directly. For single states it is a matrix product with the map as seen from the
    agent's cell; for all cells of a map a product in the frequency domain. Both agree with the convolution (tested).

    Args:
        height, width: of the maps.
        num_actions: logits that go out.
        in_channels: planes of a map.
        channels: of the first filter and of the two 1x1 layers.

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

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S 2"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        self.check(observation, num_iterations, initial_value)
        if states is None:
            logits = self.layers(self.everywhere(observation).movedim(1, -1)).movedim(-1, 1)
        else:
            check_shape("states", states, f"{len(observation)} S 2")
            logits = self.layers(self.at(observation, states))
        return PolicyOutput(logits=logits, plan=None)

    def at(self, planes: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S F"]:
        """The first filter at single states: a matrix product with the map moved so that the agent is its centre."""
        around = nn.functional.pad(planes, (self.width - 1,) * 2 + (self.height - 1,) * 2)
        filter_height, filter_width = 2 * self.height - 1, 2 * self.width - 1
        windows = around.unfold(2, filter_height, 1).unfold(3, filter_width, 1)  # [B, C, H, W, 2H-1, 2W-1], a view
        row, col = states.long().unbind(-1)
        maps = torch.arange(len(planes), device=planes.device)[:, None]
        seen = windows[maps, :, row, col].flatten(2)  # [B, S, C * (2H-1) * (2W-1)]
        return nn.functional.linear(seen, self.view.weight.flatten(1), self.view.bias)

    def everywhere(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H W"]:
        """The first filter at all cells by the Fourier transform, O(HW log HW) a channel in place of O((HW)^2).

        Cells H-1 to 2H-2 of the full convolution are wanted, so a circle of 2H-1 cells suffices: what wraps around
        falls on the others.
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
    """The next multiple of 8: lengths with a large prime factor are slow."""
    return -(-length // 8) * 8
