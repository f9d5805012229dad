"""The fused kernels as one PyTorch operator: autograd, double backward, torch.compile, torch.export, torch.func, vmap.

There are three ways in, because PyTorch has three ways to look at a call:

- `_Plan`, an autograd function for ordinary calls. On small maps the dispatcher takes longer than planning, so an
  ordinary call does not go through it (measured: 3 microseconds here, 20 to 40 through an operator). Without a gradient
  the kernel is called as it is.
- `torchvin::value_iteration`, an operator that is opaque to torch.compile and torch.export.
- `_FunctionalPlan`, an autograd function for the transforms of torch.func, which the other two cannot serve.

All of them call `solve.solve` and `solve.gradients`. What the backward pass needs is kept as tensors: 5 bytes per cell
and iteration (V_k and the action taken), or with `keep_every` = n > 1 only every n-th V.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from torchvin.planning.kernels import recording, reference, solve
from torchvin.planning.kernels.kernel import Problem, Solution
from torchvin.planning.kernels.recording import PLAIN, dual
from torchvin.planning.kernels.registry import BACKENDS


def value_iteration(
    q_reward: Float[Tensor, "B OA H W"],
    kernel: Float[Tensor, "*S OA O F F"],
    value: Float[Tensor, "B O H W"],
    num_iterations: int,
    gradient: str,
    backend: str,
) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"], Float[Tensor, "B"]]:
    """Q, V and the residual by the kernel named; the meaning is `reference.value_iteration`'s."""
    keep_every = 0
    if torch.is_grad_enabled() and (q_reward.requires_grad or kernel.requires_grad or value.requires_grad):
        keep_every = 1 if gradient == "unroll" else reference.segment_length(num_iterations)
    options = (num_iterations, keep_every, backend)
    kernels = kernel if keep_every else reference.per_iteration(kernel)  # `_Plan` does it without a node of the graph
    plain = type(q_reward) in PLAIN and type(kernel) in PLAIN and type(value) in PLAIN
    if not plain or recording.is_recorded():
        # Recorded, or subclasses of tensors, which the dispatcher knows how to open.
        outputs: Any = plan(q_reward, reference.per_iteration(kernel), value, *options)
        return outputs[0], outputs[1], outputs[2]
    if not keep_every and q_reward.is_cpu:
        # Forward mode, which only the reference has. An autograd function finds it itself (below).
        if dual(q_reward).tangent is not None or dual(kernel).tangent is not None or dual(value).tangent is not None:
            return _by_reference(q_reward, kernel, value, num_iterations)
        try:
            return solve.solve(q_reward, kernels, value, *options)[:3]
        except RuntimeError as error:
            if not recording.has_no_data(error):
                raise
    if keep_every > 1 and num_iterations * solve.work(q_reward, kernels) > solve.MOST_WORK_WITH_GRADIENT:
        return _in_segments(q_reward, reference.per_iteration(kernel), value, num_iterations, backend)
    try:
        outputs = _apply((q_reward, kernel, value, *options), gradient == "unroll")
    except NotImplementedError as error:  # forward mode, of which PyTorch tells us afterwards
        if "jvp" not in str(error):
            raise
        return _by_reference(q_reward, kernel, value, num_iterations)
    return outputs[0], outputs[1], outputs[2]


def _by_reference(
    q_reward: Tensor, kernel: Tensor, value: Tensor, num_iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    q_values, final = reference.value_iteration(q_reward, kernel, value, num_iterations, "unroll")
    return q_values, final, reference.residual(q_values, final)


def _apply(arguments: tuple[Any, ...], unroll: bool) -> tuple[Tensor, ...]:
    """Call the autograd function that serves this call."""
    function: Any = _Plan
    functional: Any = _FunctionalPlan
    outputs: tuple[Tensor, ...]
    try:
        outputs = function.apply(*arguments)
    except RuntimeError as error:
        # Only PyTorch knows, before it calls `_Plan`, that a transform of torch.func is active, and says so like this.
        if "functorch transforms" not in str(error):
            raise
        q_reward, kernel, *others = arguments
        outputs = functional.apply(q_reward, reference.per_iteration(kernel), *others[:2], unroll, others[3])
    return outputs


def _in_segments(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, backend: str
) -> tuple[Tensor, Tensor, Tensor]:
    """`checkpoint` by a call per segment, so that a long plan and its gradient can be interrupted."""
    function: Any = _Plan
    length = reference.segment_length(num_iterations)
    for first in range(0, num_iterations, length):
        count = min(length, num_iterations - first)
        mine = kernels if len(kernels) == 1 else kernels[first : first + count + 1]
        segment = (q_reward, mine, value, count, 1, backend)
        value = checkpoint(function.apply, *segment, use_reentrant=False, preserve_rng_state=False)[1]
    outputs: tuple[Tensor, Tensor, Tensor] = function.apply(q_reward, kernels[-1:], value, 0, 1, backend)
    return outputs


# The operator, for programs that are written down


@torch.library.custom_op("torchvin::value_iteration", mutates_args=())
def plan(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The fields of `Solution`, in their order."""
    solution = solve.solve(q_reward, kernels, value, num_iterations, keep_every, backend)
    return (*solution[:5], torch.tensor(solution.finite))


@plan.register_fake
def _(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    values, actions = BACKENDS[backend].kernel.kept_shapes(q_reward, kernels, num_iterations, keep_every)
    return (
        q_reward.new_empty(q_reward.shape),
        value.new_empty(value.shape),
        q_reward.new_empty(q_reward.shape[0]),
        q_reward.new_empty(values),
        q_reward.new_empty(actions, dtype=torch.uint8),
        torch.empty((), dtype=torch.bool),  # for the host, which must not wait for a device
    )


@torch.library.custom_op("torchvin::value_iteration_backward", mutates_args=())
def plan_backward(
    grad_q_values: Tensor,
    grad_value: Tensor,
    q_reward: Tensor,
    kernels: Tensor,
    value: Tensor,
    final_value: Tensor,
    kept_values: Tensor,
    kept_actions: Tensor,
    finite: Tensor,
    num_iterations: int,
    keep_every: int,
    backend: str,
    kernel_needs_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q_reward, kernels (zero if not needed) and value."""
    problem = Problem(q_reward, kernels, value, num_iterations, keep_every)
    unused = q_reward.new_empty(0)
    solution = Solution(unused, final_value, unused, kept_values.contiguous(), kept_actions.contiguous(), bool(finite))
    grads = solve.gradients(problem, solution, grad_q_values, grad_value, kernel_needs_gradient, backend)
    return grads[0], grads[1] if kernel_needs_gradient else torch.zeros_like(kernels), grads[2]


@plan_backward.register_fake
def _(
    grad_q_values: Tensor, grad_value: Tensor, q_reward: Tensor, kernels: Tensor, value: Tensor, *_: Any
) -> tuple[Tensor, Tensor, Tensor]:
    return q_reward.new_empty(q_reward.shape), kernels.new_empty(kernels.shape), value.new_empty(value.shape)


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    q_reward, kernels, value, num_iterations, keep_every, backend = inputs
    _, final, residual, values, actions, finite = output
    ctx.save_for_backward(q_reward, kernels, value, final, values, actions, finite)
    ctx.options = (num_iterations, keep_every, backend)
    ctx.mark_non_differentiable(residual, values, actions, finite)


def _backward(ctx: Any, grad_q_values: Tensor, grad_value: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
    needs_kernel = ctx.needs_input_grad[1]
    grads = plan_backward(grad_q_values, grad_value, *ctx.saved_tensors, *ctx.options, needs_kernel)
    return grads[0], grads[1] if needs_kernel else None, grads[2], None, None, None


def _keep_for_double_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*inputs[:5])
    ctx.num_iterations = inputs[9]


def _double_backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    return (*solve.second_gradients(ctx.saved_tensors, ctx.num_iterations, grads), *(None,) * 8)


def _over_batches(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
    """Under vmap: one call for each of the mapped inputs; maps in a batch are the operator's own way to be fast."""
    op: Any = plan if len(arguments) == 6 else plan_backward
    return _one_by_one(op, info.batch_size, in_dims, arguments)


def _one_by_one(
    function: Any, size: int, in_dims: tuple[int | None, ...], arguments: tuple[Any, ...]
) -> tuple[Any, Any]:
    results = []
    for index in range(size):
        one = [x if dim is None else x.select(dim, index) for x, dim in zip(arguments, in_dims, strict=True)]
        results.append(function(*one))
    return tuple(torch.stack(part) for part in zip(*results, strict=True)), (0,) * len(results[0])


plan.register_autograd(_backward, setup_context=_keep_for_backward)
plan_backward.register_autograd(_double_backward, setup_context=_keep_for_double_backward)
plan.register_vmap(_over_batches)
plan_backward.register_vmap(_over_batches)


class _Plan(torch.autograd.Function):
    """The operator for ordinary calls."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> tuple[Tensor, ...]:
        q_reward, kernel, *others = arguments
        solution = solve.solve(q_reward, reference.per_iteration(kernel), *others)
        if arguments[4]:
            kept = (solution.value, solution.kept_values, solution.kept_actions)
            ctx.save_for_backward(*arguments[:3], *kept)
        ctx.options = arguments[3:]
        ctx.finite = solution.finite
        ctx.mark_non_differentiable(solution.residual)
        ctx.set_materialize_grads(False)  # Q or V is often all that is used
        return solution[:3]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        q_reward, kernel, value, final, values, actions = ctx.saved_tensors
        kernels = reference.per_iteration(kernel)
        num_iterations, keep_every, backend = ctx.options
        needs_kernel = ctx.needs_input_grad[1]
        if torch.is_grad_enabled():  # to be differentiated again: the operator can
            given = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, (q_reward, value), strict=False)]
            finite = torch.tensor(ctx.finite)
            saved = (q_reward, kernels, *ctx.saved_tensors[2:])
            results = plan_backward(*given, *saved, finite, *ctx.options, needs_kernel)
        else:
            problem = Problem(q_reward, kernels, value, num_iterations, keep_every)
            solution = Solution(final, final, final, values, actions, ctx.finite)  # Q and residual are not needed
            results = solve.gradients(problem, solution, grads[0], grads[1], needs_kernel, backend)
        return results[0], results[1].view_as(kernel) if needs_kernel else None, results[2], None, None, None


class _FunctionalPlan(torch.autograd.Function):
    """The operator for torch.func: grad, vjp, jacrev, vmap and their compositions.

    Whether something will be differentiated is not known here, so what the backward pass needs is always kept.
    """

    @staticmethod
    def forward(
        q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, unroll: bool, backend: str
    ) -> tuple[Tensor, ...]:
        keep_every = 1 if unroll else reference.segment_length(num_iterations)
        solution = solve.solve(q_reward, kernels, value, num_iterations, keep_every, backend)
        return (*solution[:5], torch.tensor(solution.finite))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        q_reward, kernels, value, num_iterations, unroll, backend = inputs
        _, final, residual, values, actions, finite = output
        ctx.save_for_backward(q_reward, kernels, value, final, values, actions, finite)
        keep_every = 1 if unroll else reference.segment_length(num_iterations)
        ctx.options = (num_iterations, keep_every, backend)
        ctx.mark_non_differentiable(residual, values, actions, finite)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        function: Any = _FunctionalGradients
        results = function.apply(*grads[:2], *ctx.saved_tensors, *ctx.options)
        return (*results, None, None, None)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        """Each of the mapped inputs on its own."""
        return _one_by_one(_FunctionalPlan.apply, info.batch_size, in_dims, arguments)


class _FunctionalGradients(torch.autograd.Function):
    """The backward pass of `_FunctionalPlan`, which a transform may differentiate again."""

    @staticmethod
    def forward(*arguments: Any) -> tuple[Tensor, ...]:
        grads, tensors, finite, options = arguments[:2], arguments[2:8], arguments[8], arguments[9:]
        gradients: tuple[Tensor, ...] = plan_backward(*grads, *tensors, finite, *options, True)
        return gradients

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.save_for_backward(*inputs[:5])
        ctx.num_iterations = inputs[9]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return (*solve.second_gradients(ctx.saved_tensors, ctx.num_iterations, grads), *(None,) * 7)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        """Each of the mapped inputs on its own."""
        return _one_by_one(_FunctionalGradients.apply, info.batch_size, in_dims, arguments)
