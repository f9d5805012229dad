"""Hooks of a training: what happens before the first epoch and after the last one."""

from torchvin.errors import InputError
from torchvin.planning.planners.latent_graph import LatentGraphPlanner
from torchvin.policies.policy import Policy


class Phase:
    """A part of a training that is no epoch."""

    def before(self, policy: Policy, *, resumed: bool) -> None:
        """Called with fresh weights, before the optimizer is made.

        Args:
            policy: may be changed, and parts of it frozen.
            resumed: a checkpoint will bring the weights; only what decides which parameters learn is to be done.
        """

    def after(self, policy: Policy) -> None:
        """Called with the weights of the best epoch, in evaluation mode."""


def latent_graph(policy: Policy) -> LatentGraphPlanner:
    """The planner of a policy that plans in a latent graph.

    Raises: InputError for another policy.
    """
    if not isinstance(policy.planner, LatentGraphPlanner):
        raise InputError(f"expected a policy with a LatentGraphPlanner, got a {type(policy.planner).__name__}.")
    return policy.planner
