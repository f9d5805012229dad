"""The value iteration network: the paper's Figure 2 (left), one line per box."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.planning.planners.planner import Planner
from torchvin.policies.attention import StateAttention
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


class VIN(Policy):
    """Planner, attention and reactive policy in sequence (Tamar et al. 2016, section 4). Each part can be replaced.

    Args:
        planner: module from an observation [B, C, H, W] to a plan with Q values [B, A, H, W], or [B, O*A, H, W] with
            O > 1 orientations. Its reward and transition are inside.
        attention: module from Q values and states to features [B, S, A], or [B, A, H, W] without states.
        head: module from features to action logits.

    >>> import torch
    >>> from torchvin import NormalizedConfig, build_policy
    >>> policy = build_policy(NormalizedConfig())
    >>> output = policy(torch.zeros(2, 2, 12, 9), num_iterations=30)
    >>> output.logits.shape, output.plan.num_iterations
    (torch.Size([2, 8, 12, 9]), 30)
    """

    planner: Planner

    def __init__(self, *, planner: Planner, attention: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.planner = planner
        self.attention = attention
        self.head = head

    @property
    def follows_plan(self) -> bool:
        """Whether the greedy policy takes the best action of the plan in every state."""
        return isinstance(self.attention, StateAttention) and getattr(self.head, "keeps_order", False)

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        states: Int[Tensor, "B S D"] | None = None,
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PolicyOutput:
        """Plan once, and return logits for `states`, or for every cell if none are given.

        Args:
            observation: from `maps.observe`, [B, C, H, W].
            states: (row, col), [B, S, 2], or (orientation, row, col), [B, S, 3].
            num_iterations: K; chosen by the size of the map if not given.
            initial_value: V_0 of a resumable planner, such as the value of an earlier plan.

        Raises: ShapeError, InputError: see the planner and the attention.
        """
        plan = self.planner(observation, num_iterations=num_iterations, initial_value=initial_value)
        logits = self.head(self.attention(plan.q_values, states))
        if not plan.layers:
            return PolicyOutput(logits=logits, plan=plan)
        layers = {n: self.head(self.attention(q_values, states)) for n, q_values in plan.layers.items()}
        return PolicyOutput(logits=logits, plan=plan, layers=layers)
