"""Value iteration to its fixed point, with the gradient there: memory that does not grow with the updates made.

At the fixed point V = max_a (q_reward_a + P_a V) only the chosen actions carry gradient (the envelope theorem). A
change of V comes back through them for ever, so the gradient g of V that enters becomes lambda = g + P^T lambda, P the
kernel of the chosen actions: the adjoint fixed point. Nothing of the way to V is needed. The idea is that of deep
equilibrium models (Bai, Kolter, Koltun: NeurIPS 2019, arXiv:1909.01377); value iteration networks have it in ID-VIN
(ICLR 2023), whose code solves the adjoint by Anderson's method where plain iteration does here.

The adjoint is the operator's own backward pass from V, so every backend has it: a few updates are kept, and the
gradient of V_0 that they send out goes in again until nothing is left.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from torchvin.errors import InputError
from torchvin.planning.kernels import registry

#: Updates between two looks at the residual, and updates that the backward pass keeps (5 bytes a cell each).
AT_ONCE = 16


Answer = tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"], Float[Tensor, "B"], int, bool]


def fixed_point(
    q_reward: Float[Tensor, "B OA H W"],
    kernel: Float[Tensor, "*S OA O F F"],
    value: Float[Tensor, "B O H W"],
    limit: int,
    tolerance: float,
    temperature: float,
    backend: str,
) -> Answer:
    """Q, V, the residual, the updates made until the slowest map of the batch had converged, and whether all had.

    A map has converged when its residual is at most `tolerance` times its largest |V|: relative, because rewards are
    learned and their unit moves during training. V then lies within tolerance * d / (1 - d) of the fixed point (d the
    discount), and what is worth less than tolerance of the goal counts as nothing: with 1e-6 and d = 0.99 that is
    where the goal is more than 1,400 steps away. With 0 a map runs until it does not change, or to the limit.

    A map that has converged is left out of what follows, so the answer to a map does not depend on its batch.

    Raises: InputError for untied kernels, where the backup is no contraction, and where there are no numbers to look
        at: on the meta device and under torch.func's transforms.
    """
    if q_reward.is_meta:
        raise InputError(
            "gradient='implicit' stops when the values have converged, and tensors on the meta device have no values; "
            "use gradient='unroll' or 'checkpoint'."
        )
    try:
        answer: Answer = _FixedPoint.apply(  # type: ignore[no-untyped-call]
            q_reward, kernel, value, limit, tolerance, temperature, backend
        )
    except RuntimeError as error:
        if "functorch transforms" not in str(error):
            raise
        raise InputError(
            "gradient='implicit' stops when the values have converged, which torch.func and vmap cannot follow; use "
            "gradient='unroll' or 'checkpoint'."
        ) from error
    return answer


def _solve(
    q_reward: Tensor, kernel: Tensor, value: Tensor, limit: int, tolerance: float, temperature: float, backend: str
) -> Answer:
    q_values, final, residual = registry.run(backend, q_reward, kernel, value, 0, "unroll", temperature)
    made = 0
    while True:
        enough = tolerance * final.abs().flatten(1).amax(dim=1)
        going = (residual > enough).nonzero()[:, 0]
        if made >= limit or not len(going):
            break
        steps = min(AT_ONCE, limit - made)
        rest = (q_reward, final) if len(going) == len(final) else (q_reward[going], final[going])
        after = registry.run(backend, rest[0], kernel, rest[1], steps, "unroll", temperature)
        if len(going) == len(final):
            q_values, final, residual = after
        else:
            for whole, part in zip((q_values, final, residual), after, strict=True):
                whole[going] = part
        made += steps
    return q_values, final, residual, made, bool((residual <= enough).all())


def _check_contraction(kernel: Tensor) -> None:
    if kernel.dim() == 5:
        raise InputError("a kernel for each iteration has no fixed point; use gradient='unroll' or 'checkpoint'.")
    largest = kernel.detach().abs().flatten(1).sum(dim=1).max().item()
    if not largest < 1:
        raise InputError(
            f"gradient='implicit' needs a contraction: the sum of |kernel| over an action must stay below 1, got "
            f"{largest:.6g}. Use NormalizedTransition (the design 'normalized'), or gradient='checkpoint'."
        )


class _FixedPoint(torch.autograd.Function):
    """Iterates without a gradient; carries the gradient of the fixed point back to the reward and the kernel.

    Where planning began (V_0) makes no difference to the fixed point and has no gradient. The loop ends when what is
    still to come, in the norm in which the adjoint contracts (the sum of a map's absolute values), is at most
    `tolerance` of what came in.
    """

    @staticmethod
    def forward(ctx: Any, q_reward: Tensor, kernel: Tensor, value: Tensor, *options: Any) -> Answer:
        _check_contraction(kernel)
        answer = _solve(q_reward, kernel, value, *options)
        ctx.save_for_backward(q_reward, kernel, answer[1])
        ctx.options = options
        ctx.mark_non_differentiable(answer[2])
        return answer

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_q_values: Tensor, grad_value: Tensor, *others: Any) -> tuple[Tensor | None, ...]:
        limit, tolerance, temperature, backend = ctx.options
        needed = [*ctx.needs_input_grad[:2], True]
        with torch.enable_grad():
            inputs = [each.detach().requires_grad_(need) for each, need in zip(ctx.saved_tensors, needed, strict=True)]
            leaves = [each for each in inputs if each.requires_grad]
            q_reward, kernel, value = inputs
            look = registry.run(backend, q_reward, kernel, value, 0, "unroll", temperature)[0]
            after = registry.run(backend, q_reward, kernel, value, AT_ONCE, "unroll", temperature)[1]
        *total, pending = torch.autograd.grad(look, leaves, grad_q_values)
        pending = pending + grad_value
        enough = tolerance * _size(pending)
        for _ in range(0, limit, AT_ONCE):
            if not (_size(pending) > enough).any():
                break
            *more, pending = torch.autograd.grad(after, leaves, pending, retain_graph=True)
            total = [sum_so_far + part for sum_so_far, part in zip(total, more, strict=True)]
        grads = iter(total)
        return *(next(grads) if need else None for need in needed[:2]), *[None] * (1 + len(ctx.options))


def _size(gradient: Float[Tensor, "B O H W"]) -> Float[Tensor, "B"]:
    return gradient.abs().flatten(1).sum(dim=1)
