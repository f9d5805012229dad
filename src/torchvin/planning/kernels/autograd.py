"""The fused kernels as one PyTorch operator: autograd, double backward, torch.compile, torch.export, torch.func, vmap.

There are three ways in, because PyTorch has three ways to look at a call:

- `_Plan`, an autograd function for ordinary calls. On small maps the dispatcher takes longer than planning, so an
  ordinary call does not go through it (measured: 3 microseconds here, 20 to 40 through an operator).
- `torchvin::value_iteration`, an operator that is opaque to torch.compile and torch.export.
- `_FunctionalPlan`, an autograd function for the transforms of torch.func, which the other two cannot serve.

All of them call `_solve` and `_gradients`. What the backward pass needs is kept as tensors: 5 bytes per cell and
iteration (V_k and the action taken), or with `keep_every` = n > 1 only every n-th V.
"""

from typing import Any

import torch
import torch.nn.grad
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter

from torchvin.planning.kernels import reference
from torchvin.planning.kernels.kernel import Gradients, Problem, Solution
from torchvin.planning.kernels.registry import BACKENDS

_MOST_WORK = 10_000_000_000  # multiply-adds of one call of a kernel, which cannot be interrupted: a tenth of a second


def must_be_traced() -> bool:
    """Whether a program is being written down that must not hold our operator: a TorchScript trace, or ONNX.

    The reference then takes the kernel's place, iteration by iteration.
    """
    tracing: bool = torch.jit.is_tracing()  # type: ignore[no-untyped-call,attr-defined,unused-ignore]
    return tracing or torch.onnx.is_in_onnx_export()


def value_iteration(
    q_reward: Float[Tensor, "B OA H W"],
    kernel: Float[Tensor, "*S OA O F F"],
    value: Float[Tensor, "B O H W"],
    num_iterations: int,
    gradient: str,
    backend: str,
) -> tuple[Float[Tensor, "B OA H W"], Float[Tensor, "B O H W"], Float[Tensor, "B"]]:
    """Q, V and the residual by the kernel named; the meaning is `reference.value_iteration`'s."""
    kernels = reference.per_iteration(kernel)
    keep_every = 0
    if torch.is_grad_enabled() and (q_reward.requires_grad or kernels.requires_grad or value.requires_grad):
        keep_every = 1 if gradient == "unroll" else reference.segment_length(num_iterations)
    arguments = (q_reward, kernels, value, num_iterations, keep_every, backend)
    if torch.compiler.is_compiling() or not all(type(tensor) in (Tensor, Parameter) for tensor in arguments[:3]):
        outputs: Any = plan(*arguments)  # traced, or subclasses of tensors, which the dispatcher knows how to open
        return outputs[0], outputs[1], outputs[2]
    function: Any = _Plan
    try:
        outputs = function.apply(*arguments)
    except RuntimeError as error:
        # Only PyTorch knows, before it calls `_Plan`, that a transform of torch.func is active, and says so like this.
        if "functorch transforms" not in str(error):
            raise
        function = _FunctionalPlan
        outputs = function.apply(q_reward, kernels, value, num_iterations, gradient == "unroll", backend)
    return outputs[0], outputs[1], outputs[2]


def _solve(problem: Problem, backend: str) -> Solution:
    """The kernel's solution, or the reference's where a number is not finite.

    The kernels' maximum does not follow torch's rules for NaN. Where a number is not finite (but -inf in q_reward,
    which rules out an action), the reference answers, so that a diverged network looks the same with every kernel.
    """
    q_reward, kernels, value, num_iterations, keep_every = problem
    inputs = Problem(q_reward.contiguous(), kernels.contiguous(), value.contiguous(), num_iterations, keep_every)
    at_once = _MOST_WORK // max(q_reward.numel() * kernels.shape[2] * kernels.shape[-1] ** 2, 1)
    if keep_every or num_iterations <= max(at_once, 1):
        solution = BACKENDS[backend].kernel.forward(inputs)
    else:
        solution = _solve_in_portions(inputs, backend, max(at_once, 1))
    if solution.finite:
        return solution
    with torch.no_grad():
        q_values, final = reference.value_iteration(*inputs[:2], inputs.value.clone(), num_iterations, "unroll")
        residual = reference.residual(q_values, final)
    return solution._replace(q_values=q_values, value=final, residual=residual)


def _solve_in_portions(problem: Problem, backend: str, at_once: int) -> Solution:
    """The same bits by several calls of the kernel: Python can be interrupted between them."""
    kernels, value, num_iterations = problem.kernels, problem.value, problem.num_iterations
    forward = BACKENDS[backend].kernel.forward
    for first in range(0, num_iterations, at_once):
        count = min(at_once, num_iterations - first)
        mine = kernels if len(kernels) == 1 else kernels[first : first + count + 1]
        solution = forward(Problem(problem.q_reward, mine, value, count, 0))
        if not solution.finite:
            break
        value = solution.value
    return solution


def _gradients(
    problem: Problem,
    solution: Solution,
    grad_q_values: Tensor | None,
    grad_value: Tensor | None,
    kernel_needs_gradient: bool,
    backend: str,
) -> Gradients:
    """Gradients of q_reward, kernels (empty if not needed) and value; None stands for a gradient of zeros."""
    grad_q_values = torch.zeros_like(problem.q_reward) if grad_q_values is None else grad_q_values.contiguous()
    grad_value = None if grad_value is None else grad_value.contiguous()
    tensors = [tensor.contiguous() for tensor in problem[:3]]
    problem = Problem(tensors[0], tensors[1], tensors[2], *problem[3:])
    if solution.finite:
        return BACKENDS[backend].kernel.backward(problem, solution, grad_q_values, grad_value, kernel_needs_gradient)
    with torch.no_grad():
        zeros = torch.zeros_like(problem.value)
        return _gradients_by_reference(problem, grad_q_values, zeros if grad_value is None else grad_value)


def _gradients_by_reference(problem: Problem, grad_q_values: Tensor, grad_value: Tensor) -> Gradients:
    """The reference's gradients written out, for where autograd does not reach: inside an operator."""
    gradients: Any = torch.nn.grad  # without types
    q_reward, kernels, value = (tensor.detach() for tensor in problem[:3])
    num_iterations = problem.num_iterations
    planned = [value]
    for k in range(num_iterations):
        planned.append(reference.iterate(q_reward, kernels, planned[-1], k, k + 1))
    padding, orientations = kernels.shape[-1] // 2, value.shape[1]
    grad_q, grad_kernels, grad = torch.zeros_like(q_reward), torch.zeros_like(kernels), grad_value
    for k in range(num_iterations, -1, -1):
        weights = kernels[min(k, len(kernels) - 1)]
        through = grad_q_values
        if k < num_iterations:
            q_values = reference.by_orientation(reference.look_ahead(q_reward, weights, planned[k]), orientations)
            taken = q_values.max(dim=2, keepdim=True).indices
            through = torch.zeros_like(q_values).scatter_(2, taken, grad.unsqueeze(2)).flatten(1, 2)
            grad = torch.zeros_like(grad)
        grad_q = grad_q + through
        into_weights = gradients.conv2d_weight(planned[k], weights.shape, through, padding=padding)
        grad_kernels[min(k, len(kernels) - 1)] += into_weights
        grad = grad + gradients.conv2d_input(value.shape, weights, through, padding=padding)
    return grad_q, grad_kernels, grad


# The operator, for programs that are written down


@torch.library.custom_op("torchvin::value_iteration", mutates_args=())
def plan(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The fields of `Solution`, in their order."""
    solution = _solve(Problem(q_reward, kernels, value, num_iterations, keep_every), backend)
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
    grads = _gradients(problem, solution, grad_q_values, grad_value, kernel_needs_gradient, backend)
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
    return (*_second_gradients(ctx.saved_tensors, ctx.num_iterations, grads), *(None,) * 8)


def _second_gradients(
    saved: tuple[Tensor, ...], num_iterations: int, grads: tuple[Tensor, ...]
) -> tuple[Tensor | None, ...]:
    """The gradient of the gradient, through the reference: rare enough that speed does not matter."""
    with torch.enable_grad():
        inputs = [tensor.detach().requires_grad_() for tensor in saved]
        outputs = reference.value_iteration(inputs[2], inputs[3], inputs[4], num_iterations, "unroll")
        first = torch.autograd.grad(outputs, inputs[2:], inputs[:2], create_graph=True, allow_unused=True)
        pairs = [(a, b) for a, b in zip(first, grads, strict=True) if a is not None and a.requires_grad]
        return torch.autograd.grad([a for a, _ in pairs], inputs, [b for _, b in pairs], allow_unused=True)


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
        problem, backend = Problem(*arguments[:5]), arguments[5]
        solution = _solve(problem, backend)
        if problem.keep_every:
            kept = (solution.value, solution.kept_values, solution.kept_actions)
            ctx.save_for_backward(*problem[:3], *kept)
        ctx.options = (problem.num_iterations, problem.keep_every, backend)
        ctx.finite = solution.finite
        ctx.mark_non_differentiable(solution.residual)
        ctx.set_materialize_grads(False)  # Q or V is often all that is used
        return solution[:3]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        q_reward, kernels, value, final, values, actions = ctx.saved_tensors
        num_iterations, keep_every, backend = ctx.options
        needs_kernel = ctx.needs_input_grad[1]
        if torch.is_grad_enabled():  # to be differentiated again: the operator can
            given = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, (q_reward, value), strict=False)]
            finite = torch.tensor(ctx.finite)
            results = plan_backward(*given, *ctx.saved_tensors, finite, *ctx.options, needs_kernel)
        else:
            problem = Problem(q_reward, kernels, value, num_iterations, keep_every)
            solution = Solution(final, final, final, values, actions, ctx.finite)  # Q and residual are not needed
            results = _gradients(problem, solution, grads[0], grads[1], needs_kernel, backend)
        return results[0], results[1] if needs_kernel else None, results[2], None, None, None


class _FunctionalPlan(torch.autograd.Function):
    """The operator for torch.func: grad, vjp, jacrev, vmap and their compositions.

    Whether something will be differentiated is not known here, so what the backward pass needs is always kept.
    """

    @staticmethod
    def forward(
        q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, unroll: bool, backend: str
    ) -> tuple[Tensor, ...]:
        keep_every = 1 if unroll else reference.segment_length(num_iterations)
        solution = _solve(Problem(q_reward, kernels, value, num_iterations, keep_every), backend)
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
        return (*_second_gradients(ctx.saved_tensors, ctx.num_iterations, grads), *(None,) * 7)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        """Each of the mapped inputs on its own."""
        return _one_by_one(_FunctionalGradients.apply, info.batch_size, in_dims, arguments)
