"""Value iteration to its fixed point, with an implicit gradient: memory does not depend on the number of updates.

At the fixed point V = max_a (q_reward_a + P_a V) only the chosen actions carry gradient (the envelope theorem). With P
the kernel of the chosen actions and g the gradient of V, the adjoint satisfies lambda = g + P^T lambda; no intermediate
iterate is stored. The idea is that of deep equilibrium models (Bai, Kolter, Koltun: NeurIPS 2019, arXiv:1909.01377).
ID-VIN (ICLR 2023) applies it to value iteration networks. Its code solves the adjoint equation by Anderson's method;
here it is solved by iteration.

Every backend supports it, because the adjoint is the operator's own backward pass from V. A few updates are stored, and
the gradient of V_0 is fed back into them until it vanishes.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from torchvin.errors import InputError
from torchvin.planning.kernels import dispatch

#: Number of updates between two checks of the residual, and stored by the backward pass (5 bytes per cell and update).
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

    A map has converged when its residual is at most `tolerance` times its largest |V|. The tolerance is relative,
    because rewards are learned and their unit changes during training. With d the discount, V then lies within
    tolerance * d / (1 - d) of the fixed point. With 1e-6 and d = 0.99 a goal more than 1,400 steps away has no effect.
    With a tolerance of 0 a map is updated until it does not change, or up to the limit.

    A map that has converged is not updated further, so its result does not depend on the other maps of its batch.

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
    q_values, final, residual = dispatch.run(backend, q_reward, kernel, value, 0, "unroll", temperature)
    made = 0
    while True:
        enough = tolerance * final.abs().flatten(1).amax(dim=1)
        going = (residual > enough).nonzero()[:, 0]
        if made >= limit or not len(going):
            break
        steps = min(AT_ONCE, limit - made)
        rest = (q_reward, final) if len(going) == len(final) else (q_reward[going], final[going])
        after = dispatch.run(backend, rest[0], kernel, rest[1], steps, "unroll", temperature)
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

    The fixed point does not depend on V_0, which has no gradient. The adjoint contracts in the norm that sums a map's
    absolute values. The loop ends when the remaining gradient in this norm is at most `tolerance` times the incoming
    one.
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
            look = dispatch.run(backend, q_reward, kernel, value, 0, "unroll", temperature)[0]
            after = dispatch.run(backend, q_reward, kernel, value, AT_ONCE, "unroll", temperature)[1]
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
