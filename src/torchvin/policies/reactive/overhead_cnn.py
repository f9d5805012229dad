"""The reactive baseline on overhead images: an encoder, and convolutions that see the whole map at once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.policies.attention import StateAttention
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput

_DILATIONS = (1, 2, 4, 8, 4, 2, 1)  # together they see 22 cells in each direction


class OverheadCNN(Policy):
    """Encoder, then a fully convolutional network from features and goal to the logits of every cell; no planner.

    All cells are answered in one pass, where the paper's CNN has one pass per state: it learns from a whole map for the
    price of one state.

    Args:
        encoder: module from the observation to the planes, `num_planes` of them.
        num_planes: features and goal.
        num_actions: number of output logits.
        hidden_channels: number of channels of each of the seven dilated convolutions.

    Raises: InputError for a number of iterations or an initial value.
    """

    def __init__(self, encoder: nn.Module, *, num_planes: int, num_actions: int = 8, hidden_channels: int = 48) -> None:
        super().__init__()
        self.encoder = encoder
        layers: list[nn.Module] = []
        before = num_planes
        for dilation in _DILATIONS:
            layers += [nn.Conv2d(before, hidden_channels, 3, padding=dilation, dilation=dilation), nn.ReLU()]
            before = hidden_channels
        self.reactive = nn.Sequential(*layers, nn.Conv2d(before, num_actions, 1))
        for layer in self.reactive:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.reactive.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # in torch's docs, not its types
        self.attention = StateAttention()

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        if num_iterations or initial_value is not None:
            raise InputError(
                "an OverheadCNN does not plan: it takes neither a number of iterations nor an initial value."
            )
        logits = self.reactive(self.encoder(observation))
        return PolicyOutput(logits=self.attention(logits, states), plan=None)
