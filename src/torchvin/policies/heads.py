"""Reactive policies: from the features that attention returns to action logits, for a list of states or for maps.

The features of a map have the Q channels of each orientation, one orientation after the other. A head treats all
orientations alike.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from torchvin.planning.kernels.reference import by_orientation

Features = Float[Tensor, "B S Q"] | Float[Tensor, "B OQ H W"]
Logits = Float[Tensor, "B S A"] | Float[Tensor, "B OA H W"]


class LinearHead(nn.Module):
    """The paper's reactive policy: one linear layer without bias, from the Q channels to the actions.

    Args:
        num_q: number of input Q channels (the paper: 10).
        num_actions: number of output logits (the paper: 8).
        scale: standard deviation of the initial weights (the authors' code: 0.01).

    >>> LinearHead(num_q=10, num_actions=8)(torch.zeros(2, 10, 5, 4)).shape
    torch.Size([2, 8, 5, 4])
    """

    def __init__(self, *, num_q: int, num_actions: int, scale: float = 0.01) -> None:
        super().__init__()
        self.weight = nn.Parameter(scale * torch.randn(num_actions, num_q))

    def forward(self, features: Features) -> Logits:
        if features.dim() == 3:
            return torch.einsum("bsq,aq->bsa", features, self.weight)
        each = by_orientation(features, features.shape[1] // self.weight.shape[1])
        return torch.einsum("boqhw,aq->boahw", each, self.weight).flatten(1, 2)


class ScaleHead(nn.Module):
    """Logits = Q values times one learned positive number, so the greedy policy is that of the plan at any size and K.

    The Q channel of an action must therefore mean that action.

    Args:
        num_actions: number of output logits. Further Q channels (the termination action) are used by the planner only.
        num_orientations: O.

    >>> ScaleHead(num_actions=8)(torch.zeros(2, 9, 5, 4)).shape
    torch.Size([2, 8, 5, 4])
    """

    def __init__(self, *, num_actions: int, num_orientations: int = 1) -> None:
        super().__init__()
        self.num_actions = num_actions
        self.num_orientations = num_orientations
        self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, features: Features) -> Logits:
        if features.dim() == 3:
            return features[..., : self.num_actions] * self.log_scale.exp()
        each = by_orientation(features, self.num_orientations)[:, :, : self.num_actions]
        return each.flatten(1, 2) * self.log_scale.exp()


class AdvantageHead(nn.Module):
    """Logits = scale * (log U - max log U): how much worse an action is than the best one, at any distance.

    The log-advantage of a wrong step is the same one step from the goal and 25,000 steps from it. A discounted value
    would have vanished there.

    Args:
        num_actions: A, number of actions in each orientation. The maximum is taken over the actions of one orientation.
        scale: initial factor on the logits; learned.
        floor: smallest log-advantage, and that of an action that leads nowhere. Where no action leads anywhere, all
            logits are 0.

    >>> AdvantageHead(num_actions=2, scale=1.0)(torch.tensor([[[[-30_001.0]], [[-30_003.5]]]])).flatten().tolist()
    [0.0, -2.5]
    """

    keeps_order = True  # the best action has the largest logit

    def __init__(self, *, num_actions: int, scale: float = 3.0, floor: float = -50.0) -> None:
        super().__init__()
        self.num_actions = num_actions
        self.floor = floor
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def forward(self, features: Features) -> Logits:
        axis = 1 if features.dim() == 4 else 2
        shape = (*features.shape[:axis], -1, self.num_actions, *features.shape[axis + 1 :])
        actions = features.reshape(shape)  # a cell has the actions of O orientations, a given state those of one
        best = actions.detach().amax(dim=axis + 1, keepdim=True)
        advantage = (actions - best).to(self.log_scale.dtype)  # NaN where no action leads anywhere
        advantage = advantage.nan_to_num(nan=0.0, neginf=self.floor).clamp(min=self.floor)
        return advantage.view(features.shape) * self.log_scale.exp()
