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

from torchvin.planning.kernels.recording import is_traced


def paper(
    q_reward: Float[Tensor, "B A H W"], kernel: Float[Tensor, "A 1 F F"], num_iterations: int
) -> tuple[Float[Tensor, "B A H W"], Float[Tensor, "B 1 H W"]]:
    """The paper's loop: (Q, V) after exactly `num_iterations` updates of V_0 = 0.

    >>> q_values, value = paper(torch.ones(2, 4, 8, 5), torch.full((4, 1, 3, 3), 0.1), num_iterations=3)
    >>> q_values.shape, value.shape
    (torch.Size([2, 4, 8, 5]), torch.Size([2, 1, 8, 5]))
    """
    value = torch.zeros_like(q_reward[:, :1])
    for _ in range(num_iterations):
        q_values = q_reward + functional.conv2d(value, kernel, padding=kernel.shape[-1] // 2)
        value = q_values.amax(dim=1, keepdim=True)
    return q_reward + functional.conv2d(value, kernel, padding=kernel.shape[-1] // 2), value


# The generalizations. A state may have O orientations: O value channels, Q channels o * A + a, and a kernel that says
# to which orientation an action leads. A kernel may differ per iteration ("untied"). The maximum may be soft.


def look_ahead(
    q_reward: Float[Tensor, "B OA H W"], kernel: Float[Tensor, "OA O F F"], value: Float[Tensor, "B O H W"]
) -> Float[Tensor, "B OA H W"]:
    """Q at `value`: cross-correlation, zero outside the map."""
    return q_reward + functional.conv2d(value, kernel, padding=kernel.shape[-1] // 2)


def by_orientation(q_values: Float[Tensor, "B OA H W"], orientations: int) -> Float[Tensor, "B O A H W"]:
    """The actions of each orientation."""
    return q_values.view(q_values.shape[0], orientations, -1, *q_values.shape[2:])


def update(
    q_values: Float[Tensor, "B OA H W"], orientations: int = 1, temperature: float = 0.0
) -> Float[Tensor, "B O H W"]:
    """The maximum over actions. At a tie the first action is chosen, and only the chosen one carries gradient.

    With a temperature T the soft maximum, T * log(sum over a of exp(Q / T)): every action carries gradient.
    """
    actions = by_orientation(q_values, orientations)
    if temperature:
        return temperature * (actions / temperature).logsumexp(dim=2)
    if torch.is_grad_enabled() or is_traced():  # a trace is checked with and without gradients
        return actions.max(dim=2).values
    return actions.amax(dim=2)  # the same values, 3 times as fast as keeping the index; its gradient splits ties


def iterate(
    q_reward: Tensor, kernels: Tensor, value: Tensor, first: int, last: int, temperature: float = 0.0
) -> Tensor:
    """Value updates `first` to `last` (not included); `kernels` [S, OA, O, F, F] has one for all (S = 1) or each."""
    for k in range(first, last):
        value = update(look_ahead(q_reward, kernels[min(k, len(kernels) - 1)], value), value.shape[1], temperature)
    return value


def per_iteration(kernel: Float[Tensor, "*S OA O F F"]) -> Float[Tensor, "S OA O F F"]:
    """Kernels [S, O*A, O, F, F], S = 1 where there is one for all iterations."""
    return kernel if kernel.ndim == 5 else kernel.unsqueeze(0)


def value_iteration(
    q_reward: Float[Tensor, "B OA H W"],
    kernel: Float[Tensor, "*S OA O F F"],
    value: Float[Tensor, "B O H W"],
    num_iterations: int,
    gradient: str,
    temperature: float = 0.0,
) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"]]:
    """Return (Q, V): V after exactly `num_iterations` updates of `value`, and Q, the look-ahead at V.

    `gradient` is "unroll" (autograd keeps every iteration) or "checkpoint" (keeps about sqrt(K) values and computes the
    iterations between them again in the backward pass). Values and gradients are the same.
    """
    kernels = per_iteration(kernel)
    stride = num_iterations if gradient == "unroll" else segment_length(num_iterations)
    for first in range(0, num_iterations, max(stride, 1)):
        steps = (first, min(first + stride, num_iterations), temperature)
        if gradient == "checkpoint" and torch.is_grad_enabled() and not is_traced():
            value = checkpoint(iterate, q_reward, kernels, value, *steps, use_reentrant=False, preserve_rng_state=False)
        else:
            value = iterate(q_reward, kernels, value, *steps)
    return look_ahead(q_reward, kernels[-1], value), value


def segment_length(num_iterations: int) -> int:
    """Iterations between two values that "checkpoint" keeps: about sqrt(K), so that as many are kept."""
    return math.isqrt(max(num_iterations - 1, 0)) + 1


def residual(
    q_values: Float[Tensor, "B OA H W"], value: Float[Tensor, "B O H W"], temperature: float = 0.0
) -> Float[Tensor, "B"]:
    """How much one more update would change V: the largest |max_a Q - V| of each map."""
    # Not under no_grad: torch cannot load an exported program that has it.
    change = update(q_values.detach(), value.shape[1], temperature) - value.detach()
    return change.abs().flatten(1).amax(dim=1)
