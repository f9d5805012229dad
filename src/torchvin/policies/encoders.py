"""Encoders: from what a camera sees to feature planes on the planning grid."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError

_FLAT = 1e-3  # an image with less contrast than this is left as dark as it is


class PatchEncoder(nn.Module):
    """Convolutions and poolings that bring cells of pixels to one vector per cell (Tamar et al. 2016, section 5.2).

    Each image is brought to mean 0 and standard deviation 1 first, because exposure says nothing about slope. The
    features lie between 0 and 1, as an obstacle plane does.

    Args:
        cell_pixels: p, pixels per side of a cell: a power of 2, at least 2.
        num_features: number of feature planes.
        hidden_channels: number of channels of the first convolution; the others have twice as many.

    Raises: InputError for a number of pixels that repeated halving does not bring to 1.

    >>> encoder = PatchEncoder(cell_pixels=8, num_features=4)
    >>> encoder(torch.zeros(2, 65, 5, 3)).shape
    torch.Size([2, 5, 5, 3])
    """

    def __init__(self, *, cell_pixels: int = 8, num_features: int = 8, hidden_channels: int = 16) -> None:
        super().__init__()
        if cell_pixels < 2 or cell_pixels & (cell_pixels - 1):
            raise InputError(f"a cell must have 2, 4, 8, ... pixels per side, got {cell_pixels}.")
        self.cell_pixels = cell_pixels
        wide = 2 * hidden_channels
        layers: list[nn.Module] = [nn.Conv2d(1, hidden_channels, 5, stride=2, padding=2), nn.ReLU()]
        before, pixels = hidden_channels, cell_pixels // 2
        while pixels > 1:
            layers += [nn.Conv2d(before, wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            before, pixels = wide, pixels // 2
        layers += [nn.Conv2d(before, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, num_features, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def logits(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B F H W"]:
        """Features before the sigmoid.

        Raises: InputError for an observation with another number of channels.
        """
        expected = self.cell_pixels**2 + 1
        if observation.shape[1] != expected:
            raise InputError(
                f"this network sees cells of {self.cell_pixels}x{self.cell_pixels} pixels and the goal, {expected} "
                f"channels; got {observation.shape[1]}. Make the observation of an image with "
                "`maps.observe.encode_image`."
            )
        image = functional.pixel_shuffle(observation[:, :-1], self.cell_pixels)
        spread, mean = torch.std_mean(image, dim=(1, 2, 3), keepdim=True)
        logits: Tensor = self.layers((image - mean) / spread.clamp(min=_FLAT))
        return logits

    def forward(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B G H W"]:
        """Features in place of the pixels, then the goal plane: what a planner on the grid takes."""
        return torch.cat([self.logits(observation).sigmoid(), observation[:, -1:]], dim=1)
