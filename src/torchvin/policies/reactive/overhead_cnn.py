"""The reactive baseline on overhead images: an encoder, and a CNN that sees features, goal and the agent's cell."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.policies.reactive.cnn import CNN
from torchvin.policies.reactive.policy import ReactivePolicy


class OverheadCNN(ReactivePolicy):
    """Encoder, then the paper's CNN on the planning grid.

    Which cells are free is not known, so the logits of a whole map have a sample for every cell.

    Args:
        encoder: module from the observation to the planes that `reactive` takes.
        reactive: a CNN for features and goal.

    Raises: see `ReactivePolicy.check`.
    """

    def __init__(self, encoder: nn.Module, reactive: CNN) -> None:
        super().__init__(height=reactive.height, width=reactive.width)
        self.encoder = encoder
        self.reactive = reactive

    def everywhere(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A H W"]:
        rows, cols = torch.meshgrid(torch.arange(self.height), torch.arange(self.width), indexing="ij")
        cells = torch.stack([rows, cols], dim=-1).view(1, -1, 2).expand(len(observation), -1, -1)
        logits = self.at(observation, cells.to(observation.device))
        return logits.mT.reshape(len(observation), -1, self.height, self.width)

    def at(self, observation: Float[Tensor, "B C H W"], states: Int[Tensor, "B S 2"]) -> Float[Tensor, "B S A"]:
        return self.reactive.at(self.encoder(observation), states)
