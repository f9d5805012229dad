"""Anytime planning: K is doubled, warm-started, until the values converge or the caller has what it needs."""

import copy
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.errors import InputError
from torchvin.policies.policy import Policy
from torchvin.types import PolicyOutput


def for_anytime(policy: Policy) -> Policy:
    """A copy in float64 of a policy that iterates: in float32 values reach 0 some hundreds of steps from the goal.

    A policy that solves exactly, or does not plan, is returned as it is.
    """
    if policy.planner is None or policy.planner.exact:
        return policy
    return copy.deepcopy(policy).double()


def anytime_plans(
    policy: Policy, observation: Float[Tensor, "B C H W"], num_iterations: int | None, most: int
) -> Iterator[tuple[PolicyOutput, int]]:
    """Plans of the same maps with growing K, each warm-started from the one before it.

    They end at the fixed point of every map, or at `most` updates in all.

    Args:
        policy: with a planner; in evaluation mode.
        observation: from `maps.observe`, [B, C, H, W].
        num_iterations: exactly this K, and no other plan. None: first the policy's default for the size of the map.
        most: updates in all.

    Yields: the output and the number of updates made so far.
    Raises: InputError if logits are not finite.
    """
    height, width = observation.shape[-2:]
    planner = policy.planner
    steps = policy.default_iterations(height, width) if num_iterations is None else num_iterations
    resumable = planner is not None and planner.resumable and not planner.exact
    most = most if num_iterations is None and resumable else steps
    done, value = 0, None
    while True:
        output = policy(observation, num_iterations=steps, initial_value=value)
        plan = output.plan
        done += steps if plan is None else plan.num_iterations
        if not torch.isfinite(output.logits).all():
            raise InputError(
                f"the policy's values are not finite at K = {done}: its weights diverged, or its backup is no "
                "contraction at this K; use fewer iterations or the normalized design."
            )
        yield output, done
        if done >= most or plan is None or plan.solved or not plan.residual.any():
            return
        if plan.num_iterations < steps:
            return  # a planner that stops at its fixed point is there
        value, steps = plan.value, min(done, most - done)
