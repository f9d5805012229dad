"""The transition table of a batch of maps: where each action leads from each state, and what it costs.

Rollouts, the expert, curricula and data sets all use this table. No other module computes dynamics.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from torchvin.mdp.motion import MotionModel
from torchvin.spaces import StateSpace


@dataclass(frozen=True)
class Transitions:
    """Deterministic dynamics of B maps with A actions in S flat states (`spaces.StateSpace`).

    Attributes:
        space: the states.
        allowed: whether an action changes the state, [B, A, S] bool.
        steps: what an action adds to the flat number of a state where it is allowed, [A, S] int64.
        move_costs: cost of each action on terrain of cost 1, [A] float64.
        entry_cost: factor on the cost of an action that ends in a cell, [B, H * W] float64; None if it is 1 everywhere.
    """

    space: StateSpace
    allowed: Bool[Tensor, "B A S"]
    steps: Int[Tensor, "A S"]
    move_costs: Float[Tensor, "A"]
    entry_cost: Float[Tensor, "B N"] | None

    @property
    def successor(self) -> Int[Tensor, "B A S"]:
        """Flat state after each action; an action that is not allowed leads to where it began."""
        return torch.arange(self.space.num_states, device=self.steps.device) + self.steps * self.allowed

    @property
    def cost(self) -> Float[Tensor, "B A S"]:
        """Cost of each action, float64; 0 where it is not allowed."""
        return self._with_terrain(self.move_costs[:, None] * self.allowed, self.successor)

    def under(self, actions: Integer[Tensor, "B S"]) -> tuple[Int[Tensor, "B S"], Float[Tensor, "B S"]]:
        """Successor and cost of one action per state: the Markov chain of a deterministic policy.

        An action from A on (255 in labels) means that the agent stays, at no cost.
        """
        stays = actions >= len(self.move_costs)
        chosen = actions.long().masked_fill(stays, 0)
        moves = self.allowed.gather(1, chosen[:, None])[:, 0] & ~stays
        step = self.steps.expand(len(chosen), -1, -1).gather(1, chosen[:, None])[:, 0]
        successor = torch.arange(self.space.num_states, device=step.device) + step * moves
        return successor, self._with_terrain(self.move_costs[chosen] * moves, successor)

    def _with_terrain(self, cost: Float[Tensor, "B *shape"], successor: Int[Tensor, "B *shape"]) -> Tensor:
        if self.entry_cost is None:
            return cost
        cells = (successor % self.space.num_cells).flatten(1)
        return cost * self.entry_cost.gather(1, cells).view_as(successor)


def transitions(
    blocked: Bool[Tensor, "B H W"], motion: MotionModel, entry_cost: Float[Tensor, "B H W"] | None = None
) -> Transitions:
    """The transition table of maps.

    Args:
        blocked: True = obstacle, [B, H, W].
        motion: what the agent can do.
        entry_cost: factor on the cost of an action that ends in a cell, [B, H, W] float64; 1 if not given.

    Raises: ShapeError if `blocked` is not [B, H, W].

    >>> from torchvin.mdp.motion import GridMotion
    >>> table = transitions(torch.tensor([[[False, False, True]]]), GridMotion(4))
    >>> table.successor[0].tolist(), table.cost[0, 2].tolist()  # N, S, E, W; the cost of E
    ([[0, 1, 2], [0, 1, 2], [1, 1, 2], [0, 0, 2]], [1.0, 0.0, 0.0])
    """
    space = motion.states(*blocked.shape[-2:])
    return Transitions(
        space=space,
        allowed=space.by_state(motion.allowed(blocked)),
        steps=motion.steps(space).to(blocked.device, non_blocking=True),
        move_costs=torch.tensor(motion.costs, dtype=torch.float64).to(blocked.device, non_blocking=True),
        entry_cost=None if entry_cost is None else entry_cost.flatten(1),
    )
