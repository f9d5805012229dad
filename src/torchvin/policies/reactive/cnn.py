"""The paper's CNN baseline: a deep reactive network that sees the map, the goal and the agent's own cell."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.policies.reactive.policy import ReactivePolicy

_SAMPLES_AT_ONCE = 1024  # bounds memory: 50 channels of 28x28 are 157 kB per sample


class CNN(ReactivePolicy):
    """Five 3x3 convolutions, two poolings, one linear layer (Tamar et al. 2016, section 5.1, after the authors' code).

    Each pooling comes before its ReLU, as in their code. In the other order the result is the same, and the ReLU has
    four times the work.

    Each state is one sample: the planes of its map, and a further plane that is 1 at the agent's cell. The logits of a
    whole map are computed as one batch with one sample per free cell. At obstacles logits are 0.

    Args:
        height, width: size of the maps, at least 4.
        num_actions: number of output logits.
        in_channels: number of planes of an observation.
        channels: output channels of the five convolutions. Poolings follow the first and the third.

    Raises: see `ReactivePolicy.check`.

    >>> CNN(height=8, width=8)(torch.zeros(2, 2, 8, 8), torch.tensor([[[1, 1]], [[6, 2]]])).logits.shape
    torch.Size([2, 1, 8])
    """

    def __init__(
        self,
        *,
        height: int,
        width: int,
        num_actions: int = 8,
        in_channels: int = 2,
        channels: tuple[int, int, int, int, int] = (50, 50, 100, 100, 100),
    ) -> None:
        super().__init__(height=height, width=width)
        layers: list[nn.Module] = []
        before = in_channels + 1
        for index, after in enumerate(channels):
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            layers += [nn.MaxPool2d(2)] if index in (0, 2) else []
            layers.append(nn.ReLU())
            before = after
        # On a CPU convolutions with the channels last are 1.3 times as fast.
        self.features = nn.Sequential(*layers)
        self.features.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # in torch's docs, not its types
        self.head = nn.Linear(before * (height // 4) * (width // 4), num_actions)

    @property
    def capturable(self) -> bool:
        """False: the number of free cells of the maps decides the size of what is computed."""
        return False

    def everywhere(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        batch = observation.shape[0]
        if torch.compiler.is_compiling():  # whose shapes must not depend on the map
            rows, cols = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
            states = torch.stack([rows, cols], dim=-1).view(1, -1, 2).expand(batch, -1, -1).to(observation.device)
            logits = self.at(observation, states).transpose(1, 2).view(batch, -1, self.height, self.width)
            return logits * (observation[:, :1] == 0)
        maps, cells = (observation[:, 0] == 0).flatten(1).nonzero(as_tuple=True)
        empty = observation.new_zeros(batch, self.height * self.width, self.head.out_features)
        filled = empty.index_put((maps, cells), self._logits(observation, maps, cells))
        return filled.transpose(1, 2).view(batch, -1, self.height, self.width)

    def at(self, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S A"]:
        batch, number, _ = states.shape
        maps = torch.arange(batch, device=observation.device).repeat_interleave(number)
        cells = (states[..., 0] * self.width + states[..., 1]).flatten()
        return self._logits(observation, maps, cells).view(batch, number, -1)

    def _logits(
        self, planes: Float[Tensor, "B C H W"], maps: Int[Tensor, "N"], cells: Int[Tensor, "N"]
    ) -> Float[Tensor, "N A"]:
        """Logits of samples, given by map and flat cell, a limited number at a time."""
        if torch.compiler.is_compiling():  # the number of samples need not be known
            return self._samples(planes, maps, cells)
        chunks = (slice(first, first + _SAMPLES_AT_ONCE) for first in range(0, len(maps), _SAMPLES_AT_ONCE))
        return torch.cat([self._samples(planes, maps[chunk], cells[chunk]) for chunk in chunks])

    def state_features(
        self, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]
    ) -> Float[Tensor, "B S F"]:
        """What the last layer sees of each state (row, col)."""
        batch, number, _ = states.shape
        maps = torch.arange(batch, device=observation.device).repeat_interleave(number)
        cells = (states[..., 0] * self.width + states[..., 1]).flatten()
        return self._features(observation, maps, cells).view(batch, number, -1)

    def _samples(
        self, planes: Float[Tensor, "B C H W"], maps: Int[Tensor, "N"], cells: Int[Tensor, "N"]
    ) -> Float[Tensor, "N A"]:
        logits: Tensor = self.head(self._features(planes, maps, cells))
        return logits.to(planes.dtype)

    def _features(
        self, planes: Float[Tensor, "B C H W"], maps: Int[Tensor, "N"], cells: Int[Tensor, "N"]
    ) -> Float[Tensor, "N F"]:
        here = planes.new_zeros(maps.shape[0], self.height * self.width)
        here = here.scatter(1, cells[:, None].long(), 1.0).view(-1, 1, self.height, self.width)
        samples = torch.cat([planes[maps], here], dim=1).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.features(samples).flatten(1)
        return features
