"""The shortest-path policy: the paper's Figure 2 (left), a latent MDP in the place of reward and value iteration."""

import math

from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.latent_mdp import LatentMDP
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.planners.latent_graph import ShortestPathPlanner, Solve
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class ShortestPathPolicy(Policy):
    """latent model, transition -> planner -> attention -> reactive policy; each part can be replaced.

    In training the latent MDP is soft: availability and goal have values between 0 and 1. In evaluation, once it has
    been calibrated (`training.calibration`), it is hardened and solved exactly, at any size and distance.

    Args:
        model: from planes to costs, soft or hardened.
        transition: module that returns where each move leads, [O*A, O, F, F], and can `settle`.
        planner: `ShortestPathPlanner`, or something called like it.
        attention: as in `VIN`.
        head: from log U to action logits.
        iterations_per_side: K = this times the longer side of the map where the planner iterates and a call names none.

    >>> import torch
    >>> from torchvin.policies.builders import PolicyConfig, build_policy
    >>> policy = build_policy(PolicyConfig(design="shortest_path", num_actions=4))
    >>> policy(torch.zeros(2, 2, 12, 9)).logits.shape
    torch.Size([2, 4, 12, 9])
    """

    def __init__(
        self,
        *,
        model: LatentModel,
        transition: LearnedMoves,
        planner: ShortestPathPlanner,
        attention: nn.Module,
        head: nn.Module,
        iterations_per_side: float = 4.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.transition = transition
        self.planner = planner
        self.attention = attention
        self.head = head
        self.iterations_per_side = iterations_per_side

    def default_iterations(self, height: int, width: int) -> int:
        """K for a map of this size where the planner iterates; 0 where it finds the fixed point."""
        if self.planner.solve == "exact" and self.transition.deterministic:
            return 0
        return math.ceil(self.iterations_per_side * max(height, width))

    @property
    def hardened(self) -> bool:
        """Whether the policy plans in the hardened MDP: in evaluation mode, after calibration."""
        return bool(self.model.calibrated) and not self.training

    def latent_mdp(self, planes: Float[Tensor, "B C H W"]) -> LatentMDP:
        """What the policy plans in: hardened in evaluation mode, soft in training."""
        cost, goal_cost = self.model.harden(planes) if self.hardened else self.model(planes)
        return LatentMDP(cost, goal_cost, self.transition())

    def forward(
        self,
        planes: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Plan once, answer for `states`, or for every cell if none are given; arguments as in `VIN`."""
        if num_iterations is None:
            num_iterations = self.default_iterations(*planes.shape[-2:])
        mdp = self.latent_mdp(planes)
        exact = self.planner.solve == "exact" and mdp.deterministic  # which adds up in float64 anyway
        if not (self.training or exact):
            mdp = mdp.double()
        # While moves are still learned, iterating is meant; a deployed policy says that it cannot do what it should.
        solve: Solve | None = None if self.transition.deterministic or self.hardened else "iterate"
        plan = self.planner(mdp, num_iterations=num_iterations, initial_value=initial_value, solve=solve)
        return PolicyOutput(logits=self.head(self.attention(plan.q_values, states)), plan=plan)


def set_solver(policy: Policy, solve: Solve) -> None:
    """Let a policy of this design plan exactly or by iterations.

    Raises: InputError for a policy of another design, or an unknown name.
    """
    if not isinstance(policy, ShortestPathPolicy):
        raise InputError(
            f"solve={solve!r} is a choice of the design 'shortest_path', got a {type(policy).__name__}; leave it out."
        )
    policy.planner.solve = solve
