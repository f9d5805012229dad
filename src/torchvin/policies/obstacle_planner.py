"""Policies that are told a map: exact shortest paths on predicted obstacles, and the straight line without any."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.experts.grid import action_set, shortest_paths
from torchvin.maps.observe import GOAL_VALUE
from torchvin.mdp.motion import GridMotion
from torchvin.policies.attention import StateAttention
from torchvin.policies.encoders import PatchEncoder
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput

_OBSTACLE_COST = 1000.0  # a path crosses a predicted obstacle only where there is no other


class ObstaclePlanner(Policy):
    """A classifier of obstacles, and exact shortest paths on its prediction (the paper's "best achievable").

    Entering a cell that it holds for an obstacle costs as much as 1,000 free ones, so that a start or a goal that is
    taken for an obstacle still has a path.

    With `caution` a cell costs by how likely it is an obstacle: a path costs its length, and `caution` times minus the
    logarithm of the probability that all its cells are free. That is a stronger baseline than the paper's.

    Args:
        encoder: one feature: the logit of an obstacle. None: no obstacle is predicted, and paths are straight.
        num_actions: 4 or 8 grid moves.

    Attributes:
        caution: 0: a cell is an obstacle or none; else as above.

    >>> ObstaclePlanner(PatchEncoder(num_features=1))(torch.zeros(2, 65, 5, 4)).logits.shape
    torch.Size([2, 8, 5, 4])
    """

    def __init__(self, encoder: PatchEncoder | None, *, num_actions: int = 8) -> None:
        super().__init__()
        self.encoder = encoder
        self.moves = GridMotion(num_actions)
        self.caution = 0.0
        self.attention = StateAttention()
        self.register_parameter("place", torch.nn.Parameter(torch.zeros(()), requires_grad=False))  # type and device

    @property
    def traceable(self) -> bool:
        """False: SciPy finds the shortest paths."""
        return False

    def obstacle_logits(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H W"]:
        """Above 0: an obstacle."""
        if self.encoder is None:
            batch, _, height, width = observation.shape
            return observation.new_full((batch, height, width), -1.0)
        return self.encoder.logits(observation)[:, 0]

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Return 1 for each action that begins a shortest path on the predicted map, 0 for the others.

        Raises: InputError for a number of iterations or an initial value; ShapeError for states of another shape.
        """
        if num_iterations or initial_value is not None:
            raise InputError("exact shortest paths take neither a number of iterations nor an initial value.")
        cost = self._cost(self.obstacle_logits(observation).double())
        goal = (observation[:, -1] == GOAL_VALUE).flatten(1).int().argmax(dim=1)
        width = observation.shape[3]
        ends = torch.stack([goal // width, goal % width], dim=1)
        paths = shortest_paths(torch.zeros_like(cost, dtype=torch.bool), ends, self.moves, cost)
        best = action_set(paths.optimal_actions, self.moves.num_actions).movedim(-1, 1).to(observation.dtype)
        # Diagonals first among equals, as the demonstrator.
        order = torch.tensor(self.moves.tie_break_order, device=best.device).argsort()
        best = best * (1 - 0.01 * order.to(best.dtype))[:, None, None]
        return PolicyOutput(logits=self.attention(best, states), plan=None)

    def _cost(self, logits: Float[Tensor, "B H W"]) -> Float[Tensor, "B H W"]:
        """Of entering each cell; -log P(free) is the softplus of the logit."""
        if self.caution:
            return 1 + self.caution * functional.softplus(logits)
        return torch.where(logits > 0, _OBSTACLE_COST, 1.0).to(logits.dtype)


def straight_line(num_actions: int = 8) -> ObstaclePlanner:
    """The policy that sees no obstacles.

    >>> straight_line()(torch.zeros(1, 65, 5, 4)).logits.shape
    torch.Size([1, 8, 5, 4])
    """
    return ObstaclePlanner(None, num_actions=num_actions)
