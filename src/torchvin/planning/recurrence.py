"""Recurrences in segments: a backward pass may store the states between segments only, and recompute the others."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from torchvin.errors import InputError

State = tuple[Tensor, ...]


def check_gradient(planner: str, gradient: str) -> None:
    """Check the gradient mode of a recurrence without a fixed point.

    Raises: InputError for a mode other than "unroll" and "checkpoint".
    """
    if gradient not in ("unroll", "checkpoint"):
        raise InputError(
            f"the {planner} planner need not converge, so its gradient must be unroll or checkpoint, got {gradient!r}."
        )


def segment_length(num_iterations: int, gradient: str) -> int:
    """Number of steps in a segment: K for "unroll", about sqrt(K) for "checkpoint".

    >>> segment_length(100, "unroll"), segment_length(100, "checkpoint")
    (100, 10)
    """
    return max(num_iterations, 1) if gradient == "unroll" else math.isqrt(max(num_iterations - 1, 0)) + 1


def segments(
    step: Callable[..., State], state: State, num_iterations: int, length: int, gradient: str
) -> Iterator[tuple[int, State]]:
    """Apply `step` to `state` `num_iterations` times, and yield (steps made, state).

    It yields before the first step, after every `length` steps, and after the last step. With `gradient` "checkpoint"
    autograd stores the yielded states only, and recomputes those between them.

    >>> [(made, state[0].item()) for made, state in segments(lambda x: (x + 1,), (torch.zeros(()),), 7, 3, "unroll")]
    [(0, 0.0), (3, 3.0), (6, 6.0), (7, 7.0)]
    """

    def run(times: int, *tensors: Tensor) -> State:
        for _ in range(times):
            tensors = step(*tensors)
        return tensors

    yield 0, state
    for first in range(0, num_iterations, length):
        times = min(length, num_iterations - first)
        if gradient == "checkpoint" and torch.is_grad_enabled():
            state = checkpoint(run, times, *state, use_reentrant=False, preserve_rng_state=False)
        else:
            state = run(times, *state)
        yield first + times, state
