"""The fused kernels as one PyTorch operator: autograd, double backward, torch.compile, vmap.

`torchvin::value_iteration` is opaque to PyTorch and calls the C++ or the Triton kernel inside. What the backward pass
needs leaves it as outputs: 5 bytes a cell and iteration (V_k and the action taken), or with `keep_every` = n > 1 only
every n-th V. Ordinary calls do the same without the operator (`_Plan`), which on small maps takes longer than planning.
"""

import functools
import importlib
import math
from typing import Any

import torch
import torch.nn.grad
from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter

from torchvin.planning.kernels import reference

_MODULES = {"cpu": "torchvin.planning.kernels.cpu.kernel", "triton": "torchvin.planning.kernels.triton.kernel"}


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
        keep_every = 1 if gradient == "unroll" else math.isqrt(max(num_iterations - 1, 0)) + 1
    if _nobody_watches(q_reward, kernel, value):
        if not keep_every:
            kernels = kernel if kernel.ndim == 5 else kernel[None]
            return _forward(q_reward, kernels, value, num_iterations, 0, backend)[:3]
        function: Any = _Plan  # without types
        found: tuple[Tensor, Tensor, Tensor] = function.apply(
            q_reward, kernel, value, num_iterations, keep_every, backend
        )
        return found
    kernels = kernel if kernel.ndim == 5 else kernel[None]
    outputs = plan(q_reward, kernels, value, num_iterations, keep_every, backend)
    return outputs[0], outputs[1], outputs[2]


def _nobody_watches(*tensors: Tensor) -> bool:
    """Whether this is an ordinary call: nothing traces, compiles, maps over or otherwise interprets it.

    Then `_Plan` does what the operator does without PyTorch's dispatcher, which would take as long as planning on a
    batch of small maps.
    """
    if torch.compiler.is_compiling():
        return False
    core: Any = torch._C
    try:
        if core._get_tracing_state() or core._are_functorch_transforms_active() or core._len_torch_dispatch_stack():
            return False
    except AttributeError:  # PyTorch's own affairs, which may change
        return False
    return all(type(tensor) in (Tensor, Parameter) for tensor in tensors)


@functools.cache
def _module(backend: str) -> Any:
    return importlib.import_module(_MODULES[backend])


@torch.library.custom_op("torchvin::value_iteration", mutates_args=())
def plan(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Q, V, residual, kept values, kept actions, and whether the kernel's answer stands (else it is the reference's).

    The kernels' maximum does not follow torch's rules for NaN. Where a number is not finite (but -inf in q_reward,
    which rules out an action), the reference answers, so that a diverged network looks the same with every kernel.
    """
    found = _forward(q_reward, kernels, value, num_iterations, keep_every, backend)
    return (*found[:5], torch.tensor(found[5]))


def _forward(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, bool]:
    module = _module(backend)
    inputs = (q_reward.contiguous(), kernels.contiguous(), value.contiguous())
    q_values, final, residual, values, actions, finite = module.forward(*inputs, num_iterations, keep_every)
    if not finite:
        with torch.no_grad():
            q_values, final = reference.value_iteration(
                inputs[0], inputs[1], inputs[2].clone(), num_iterations, "unroll"
            )
            residual = reference.residual(q_values, final)
    return q_values, final, residual, values, actions, finite


@plan.register_fake
def _(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    module = _module(backend)
    values, actions = module.kept_shapes(q_reward, kernels, num_iterations, keep_every)
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
    values: Tensor,
    actions: Tensor,
    finite: Tensor,
    num_iterations: int,
    keep_every: int,
    backend: str,
    kernel_needs_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q_reward, kernels (zero if not needed) and value."""
    grad_q, grad_kernels, grad_initial = _backward_of(
        grad_q_values, grad_value, q_reward, kernels, value, final_value, values, actions, bool(finite), num_iterations,
        keep_every, backend, kernel_needs_gradient,
    )  # fmt: skip
    return grad_q, grad_kernels if kernel_needs_gradient else torch.zeros_like(kernels), grad_initial


def _backward_of(
    grad_q_values: Tensor,
    grad_value: Tensor | None,
    q_reward: Tensor,
    kernels: Tensor,
    value: Tensor,
    final_value: Tensor,
    values: Tensor,
    actions: Tensor,
    finite: bool,
    num_iterations: int,
    keep_every: int,
    backend: str,
    kernel_needs_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    grad_q_values = grad_q_values.contiguous()
    if grad_value is not None:
        grad_value = grad_value.contiguous()
    elif backend != "cpu" or not finite:
        grad_value = torch.zeros_like(value)
    if not finite:
        assert grad_value is not None
        with torch.no_grad():
            inputs = (q_reward.detach(), kernels.detach(), value.detach())
            return _backward_by_reference(grad_q_values, grad_value, *inputs, num_iterations)
    module = _module(backend)
    kept = [tensor.contiguous() for tensor in (q_reward, kernels, value, final_value, values, actions)]
    gradients: tuple[Tensor, Tensor, Tensor] = module.backward(
        grad_q_values, grad_value, *kept, num_iterations, keep_every, kernel_needs_gradient
    )
    return gradients


@plan_backward.register_fake
def _(
    grad_q_values: Tensor, grad_value: Tensor, q_reward: Tensor, kernels: Tensor, value: Tensor, *_: Any
) -> tuple[Tensor, Tensor, Tensor]:
    return (
        q_reward.new_empty(q_reward.shape),
        kernels.new_empty(kernels.shape),
        value.new_empty(value.shape),
    )


def _backward_by_reference(
    grad_q_values: Tensor, grad_value: Tensor, q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The reference's gradients written out, for where autograd does not reach: inside an operator."""
    gradients: Any = torch.nn.grad  # without types
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


class _Plan(torch.autograd.Function):
    """The operator for calls that nobody watches."""

    @staticmethod
    def forward(ctx: Any, q_reward: Tensor, kernel: Tensor, *others: Any) -> tuple[Tensor, ...]:
        kernels = kernel if kernel.ndim == 5 else kernel[None]
        *outputs, finite = _forward(q_reward, kernels, *others)
        if others[2]:
            ctx.save_for_backward(q_reward, kernel, others[0], outputs[1], *outputs[3:])
        ctx.finite, ctx.options = finite, others[1:]
        ctx.mark_non_differentiable(outputs[2])
        ctx.set_materialize_grads(False)  # Q or V is often all that is used
        return tuple(outputs[:3])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        q_reward, kernel, *kept = ctx.saved_tensors
        kernels, needs_kernel = kernel if kernel.ndim == 5 else kernel[None], ctx.needs_input_grad[1]
        grad_q_values = torch.zeros_like(q_reward) if grads[0] is None else grads[0]
        run: Any
        finite: Any
        grad_value: Tensor | None
        if torch.is_grad_enabled():  # to be differentiated again: the operator can
            grad_value = torch.zeros_like(kept[0]) if grads[1] is None else grads[1]
            run = plan_backward
            finite = torch.tensor(ctx.finite)
        else:
            run, grad_value, finite = _backward_of, grads[1], ctx.finite
        results = run(grad_q_values, grad_value, q_reward, kernels, *kept, finite, *ctx.options, needs_kernel)
        return results[0], results[1].view_as(kernel) if needs_kernel else None, results[2], None, None, None


def _keep_for_double_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*inputs[:5])
    ctx.num_iterations = inputs[9]


def _double_backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
    """The gradient of the gradient, through the reference: rare enough that speed does not matter."""
    with torch.enable_grad():
        inputs = [tensor.detach().requires_grad_() for tensor in ctx.saved_tensors]
        outputs = reference.value_iteration(inputs[2], inputs[3], inputs[4], ctx.num_iterations, "unroll")
        first = torch.autograd.grad(outputs, inputs[2:], inputs[:2], create_graph=True, allow_unused=True)
        pairs = [(a, b) for a, b in zip(first, grads, strict=True) if a is not None and a.requires_grad]
        second = torch.autograd.grad([a for a, _ in pairs], inputs, [b for _, b in pairs], allow_unused=True)
    return (*second, *(None,) * 8)


def _over_batches(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
    """Under vmap: one call for each of the mapped inputs; maps in a batch are the operator's own way to be fast."""
    op = plan if len(arguments) == 6 else plan_backward
    results = []
    for index in range(info.batch_size):
        one = [x if dim is None else x.select(dim, index) for x, dim in zip(arguments, in_dims, strict=True)]
        results.append(op(*one))
    return tuple(torch.stack(part) for part in zip(*results, strict=True)), (0,) * len(results[0])


plan.register_autograd(_backward, setup_context=_keep_for_backward)
plan_backward.register_autograd(_double_backward, setup_context=_keep_for_double_backward)
plan.register_vmap(_over_batches)
plan_backward.register_vmap(_over_batches)
