"""The definition of the operator, in plain PyTorch. Start here; every faster kernel is tested against this file.

    Q_k(s, a) = q_reward(s, a) + sum over offsets d of kernel(a, d) * V_k(s + d)        (look-ahead at V_k)
    V_{k+1}(s) = max over a of Q_k(s, a)                                               (one value update)

This is equation (1) of Tamar et al. (NIPS 2016) with P and the discount folded into `kernel`. The public VIN codes
convolve the stack [R, V] at each iteration; R's share never changes, so it comes in once, as `q_reward`.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint


def look_ahead(
    q_reward: Float[Tensor, "B A H W"], kernel: Float[Tensor, "A 1 F F"], value: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B A H W"]:
    """Q at `value`: cross-correlation, zero outside the map."""
    return q_reward + functional.conv2d(value, kernel, padding=kernel.shape[-1] // 2)


def update(q_values: Float[Tensor, "B A H W"]) -> Float[Tensor, "B 1 H W"]:
    """The maximum over actions. At a tie the first action is chosen, and only the chosen one carries gradient."""
    if not q_values.requires_grad:
        return q_values.amax(dim=1, keepdim=True)  # the same values, 3 times as fast as keeping the index
    return q_values.max(dim=1, keepdim=True).values


def iterate(q_reward: Tensor, kernel: Tensor, value: Tensor, num_iterations: int) -> Tensor:
    """`num_iterations` value updates from `value`."""
    for _ in range(num_iterations):
        value = update(look_ahead(q_reward, kernel, value))
    return value


def value_iteration(
    q_reward: Float[Tensor, "B A H W"],
    kernel: Float[Tensor, "A 1 F F"],
    value: Float[Tensor, "B 1 H W"],
    num_iterations: int,
    gradient: str,
) -> tuple[Float[Tensor, "B A H W"], Float[Tensor, "B 1 H W"]]:
    """Return (Q, V): V after exactly `num_iterations` updates of `value`, and Q, the look-ahead at V.

    `gradient` is "unroll" (autograd keeps every iteration) or "checkpoint" (keeps about sqrt(K) values and computes the
    iterations between them again in the backward pass). Values and gradients are the same.
    """
    stride = num_iterations if gradient == "unroll" else math.isqrt(max(num_iterations - 1, 0)) + 1
    for first in range(0, num_iterations, max(stride, 1)):
        steps = min(stride, num_iterations - first)
        if gradient == "checkpoint" and torch.is_grad_enabled():
            value = checkpoint(iterate, q_reward, kernel, value, steps, use_reentrant=False, preserve_rng_state=False)
        else:
            value = iterate(q_reward, kernel, value, steps)
    return look_ahead(q_reward, kernel, value), value
