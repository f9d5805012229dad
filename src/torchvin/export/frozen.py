"""A policy as a plain module from one observation to logits, with K fixed."""

import copy

from jaxtyping import Float
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.planning.value_iteration import check_num_iterations
from torchvin.policies.policy import Policy


class FrozenPolicy(nn.Module):
    """A policy in evaluation mode with K fixed; made by `frozen`.

    Args:
        policy: to be wrapped.
        num_iterations: K; None for a policy that makes no iterations.
    """

    def __init__(self, policy: Policy, num_iterations: int | None) -> None:
        super().__init__()
        self.policy = policy
        self.num_iterations = num_iterations

    def forward(self, observation: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        """Action logits of every cell."""
        logits: Tensor = self.policy(observation, num_iterations=self.num_iterations).logits
        return logits


def frozen(policy: Policy, *, num_iterations: int | None = None, iterate: bool = False) -> FrozenPolicy:
    """Copy a policy into a module that can be traced: its weights and K are fixed.

    A policy that plans to its fixed point (gradient implicit) makes exactly K updates in a traced program.

    Args:
        policy: to be copied; it is not changed.
        num_iterations: K. Needed where the policy iterates: its default depends on the size of the map, which a
            traced program does not know. Left out where plans are exact.
        iterate: let a policy that solves exactly make K updates instead, for programs that cannot hold a graph search.
            K must then be at least the number of moves of the longest path.

    Raises: InputError if K is missing, or given where none is used; for a policy that cannot be traced.

    >>> import torch
    >>> from torchvin import load_policy
    >>> frozen(load_policy("gridworld-16"), num_iterations=32)(torch.zeros(1, 2, 16, 16)).shape
    torch.Size([1, 8, 16, 16])
    """
    if not policy.traceable:
        raise InputError(
            f"{type(policy).__name__} searches outside of torch, which no exported program can hold; export a VIN, "
            "or its encoder alone."
        )
    copied = copy.deepcopy(policy).eval().requires_grad_(False)
    if iterate and copied.planner is not None and copied.planner.exact:
        copied.planner.set_solver({"solve": "iterate"})
    iterates = copied.planner is not None and not copied.planner.exact
    if iterates and num_iterations is None:
        raise InputError("a policy that iterates is frozen with its number of iterations: give num_iterations.")
    if not iterates and num_iterations is not None:
        raise InputError("this policy makes no iterations: leave num_iterations out, or set iterate=True.")
    return FrozenPolicy(copied, None if num_iterations is None else check_num_iterations(num_iterations))
