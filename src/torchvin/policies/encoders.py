"""Encoders: from what a camera sees to feature planes on the planning grid."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError

_FIRST_CONTRAST = 0.2  # of the features between cells: at first nearly alike, so that paths begin straight
_FLAT = 1e-3  # an image with less contrast than this is left as dark as it is


class ResidualBlock(nn.Module):
    """Two convolutions beside a short cut; at first it changes nothing (He et al. 2016, "Identity mappings").

    Args:
        channels: number of channels, in and out.

    >>> planes = torch.rand(1, 4, 5, 3)
    >>> torch.equal(ResidualBlock(4)(planes), planes)
    True
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew; the second convolution gives 0."""
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        assert self.first.bias is not None
        assert self.second.bias is not None
        for zero in (self.first.bias, self.second.weight, self.second.bias):
            nn.init.zeros_(zero)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        inside: Tensor = self.second(functional.relu(self.first(functional.relu(planes))))
        return planes + inside


class PatchEncoder(nn.Module):
    """Convolutions and poolings that bring cells of pixels to one vector per cell (Tamar et al. 2016, section 5.2).

    Each image is brought to mean 0 and standard deviation 1 first, because exposure says nothing about slope.

    Args:
        cell_pixels: p, pixels per side of a cell: a power of 2, at least 2.
        num_features: number of feature planes.
        hidden_channels: c, number of channels of the first convolution; the others have 2 c, residual blocks 4 c.
        bounded: whether features lie between 0 and 1, as an obstacle plane does.
        num_blocks: number of residual blocks on the planning grid; 0: the plain stack of the paper's kind. With blocks
            the pixels have one more convolution before the last pooling (obstacles of `terrain-16` after 5 epochs of
            4,000 maps: cross-entropy 0.130 with two blocks, 0.163 without).

    Raises: InputError for a number of pixels that repeated halving does not bring to 1.

    >>> encoder = PatchEncoder(cell_pixels=8, num_features=4)
    >>> encoder(torch.zeros(2, 65, 5, 3)).shape
    torch.Size([2, 5, 5, 3])
    """

    def __init__(
        self,
        *,
        cell_pixels: int = 8,
        num_features: int = 8,
        hidden_channels: int = 16,
        bounded: bool = True,
        num_blocks: int = 0,
    ) -> None:
        super().__init__()
        if cell_pixels < 2 or cell_pixels & (cell_pixels - 1):
            raise InputError(f"a cell must have 2, 4, 8, ... pixels per side, got {cell_pixels}.")
        self.cell_pixels = cell_pixels
        self.bounded = bounded
        halvings = cell_pixels.bit_length() - 1
        make = _residual if num_blocks else _plain
        self.layers = nn.Sequential(*make(halvings, hidden_channels, num_features, num_blocks))
        # On a CPU convolutions with the channels last are 1.7 times as fast.
        self.reset_parameters()
        self.layers.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # in torch's docs, not its types

    def reset_parameters(self) -> None:
        """Draw all weights anew so that signals keep their size from layer to layer (He et al. 2015).

        With torch's own choice they shrink from layer to layer, and every cell looks alike at first.
        """
        for layer in self.layers:
            if isinstance(layer, ResidualBlock):
                layer.reset_parameters()
            elif isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d)
        with torch.no_grad():
            last.weight.mul_(_FIRST_CONTRAST)

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
        logits = self.logits(observation)
        return torch.cat([logits.sigmoid() if self.bounded else logits, observation[:, -1:]], dim=1)


class ObstacleEncoder(nn.Module):
    """From the image of an arena to one feature per cell, the logit of its cost, and the goal plane.

    A covered cell is costly from the start, so that no plan goes through a thin wall; what else a cell costs, and how
    much, is learned.

    Args:
        hidden_channels: number of channels of the first convolution.
        gain: initial logit of a cell that is covered; learned.

    >>> ObstacleEncoder()(torch.zeros(2, 2, 16, 12)).shape
    torch.Size([2, 2, 16, 12])
    """

    def __init__(self, *, hidden_channels: int = 32, gain: float = 12.0) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))
        self.layers = nn.Sequential(
            nn.Conv2d(1, hidden_channels, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden_channels, 1, 3, padding=1)
        )

    def forward(self, observation: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 2 H W"]:
        covered = observation[:, :1]
        return torch.cat([self.layers(covered) + self.gain * covered, observation[:, 1:]], dim=1)


def _plain(halvings: int, channels: int, num_features: int, _: int) -> list[nn.Module]:
    wide, before = 2 * channels, channels
    layers: list[nn.Module] = [nn.Conv2d(1, channels, 5, stride=2, padding=2), nn.ReLU()]
    for _halving in range(halvings - 1):
        layers += [nn.MaxPool2d(2), nn.Conv2d(before, wide, 3, padding=1), nn.ReLU()]
        before = wide
    return [
        *layers,
        nn.Conv2d(before, wide, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(wide, num_features, 3, padding=1),
    ]


def _residual(halvings: int, channels: int, num_features: int, num_blocks: int) -> list[nn.Module]:
    before, deep = channels, 4 * channels
    layers: list[nn.Module] = [nn.Conv2d(1, channels, 5, stride=2, padding=2), nn.ReLU()]
    for _halving in range(halvings - 2):
        layers += [nn.Conv2d(before, 2 * channels, 3, stride=2, padding=1), nn.ReLU()]
        before = 2 * channels
    layers += [nn.Conv2d(before, 2 * channels, 3, padding=1), nn.ReLU()]
    if halvings > 1:
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Conv2d(2 * channels, deep, 3, padding=1))
    layers += [ResidualBlock(deep) for _block in range(num_blocks)]
    return [*layers, nn.ReLU(), nn.Conv2d(deep, num_features, 3, padding=1)]
