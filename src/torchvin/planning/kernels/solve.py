"""One call of a kernel, forward or back: in portions that can be interrupted, and the reference's rules for NaN."""

from typing import Any

import torch
import torch.nn.grad
from torch import Tensor

from torchvin.planning.kernels import reference
from torchvin.planning.kernels.kernel import Gradients, Problem, Solution
from torchvin.planning.kernels.registry import BACKENDS

#: Multiply-adds of one call of a kernel, which Ctrl-C cannot interrupt: a tenth of a second on one thread.
MOST_WORK = 10_000_000_000
#: Where the gradient is wanted.
MOST_WORK_WITH_GRADIENT = 10 * MOST_WORK
_LEAST_WORK = 1000  # multiply-adds that an iteration counts for, however small the map (15 ns)


def work(q_reward: Tensor, kernels: Tensor) -> int:
    """Multiply-adds of one iteration."""
    orientations, size, _ = kernels.shape[-3:]
    return max(q_reward.numel() * orientations * size * size, _LEAST_WORK)


def solve(
    q_reward: Tensor, kernels: Tensor, value: Tensor, num_iterations: int, keep_every: int, backend: str
) -> Solution:
    """The kernel's solution, or the reference's where a number is not finite.

    The kernels' maximum does not follow torch's rules for NaN. Where a number is not finite (but -inf in q_reward,
    which rules out an action), the reference answers, so that a diverged network looks the same with every kernel.
    """
    inputs = Problem(q_reward.contiguous(), kernels.contiguous(), value.contiguous(), num_iterations, keep_every)
    each = work(q_reward, kernels)
    if keep_every or num_iterations * each <= MOST_WORK:
        solution = BACKENDS[backend].kernel.forward(inputs)
    else:
        solution = _solve_in_portions(inputs, backend, max(MOST_WORK // each, 1))
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


def gradients(
    problem: Problem,
    solution: Solution,
    grad_q_values: Tensor | None,
    grad_value: Tensor | None,
    kernel_needs_gradient: bool,
    backend: str,
) -> Gradients:
    """Gradients of q_reward, kernels (empty if not needed) and value; None stands for a gradient of zeros."""
    grad_q_values = None if grad_q_values is None else grad_q_values.contiguous()
    grad_value = None if grad_value is None else grad_value.contiguous()
    tensors = [tensor.contiguous() for tensor in problem[:3]]
    problem = Problem(tensors[0], tensors[1], tensors[2], *problem[3:])
    if solution.finite:
        return BACKENDS[backend].kernel.backward(problem, solution, grad_q_values, grad_value, kernel_needs_gradient)
    with torch.no_grad():
        grad_q_values = torch.zeros_like(problem.q_reward) if grad_q_values is None else grad_q_values
        grad_value = torch.zeros_like(problem.value) if grad_value is None else grad_value
        return _gradients_by_reference(problem, grad_q_values, grad_value)


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


def second_gradients(
    saved: tuple[Tensor, ...], num_iterations: int, grads: tuple[Tensor | None, ...]
) -> tuple[Tensor, ...]:
    """The gradient of the gradient, through the reference: rare enough that speed does not matter."""

    def first(grad_q_values: Tensor, grad_value: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        def planned(*inputs: Tensor) -> tuple[Tensor, Tensor]:
            return reference.value_iteration(inputs[0], inputs[1], inputs[2], num_iterations, "unroll")

        gradients: tuple[Tensor, ...] = torch.func.vjp(planned, *inputs)[1]((grad_q_values, grad_value))
        return gradients

    given = tuple(torch.zeros_like(x) if g is None else g for g, x in zip(grads, saved[2:], strict=True))
    gradients: tuple[Tensor, ...] = torch.func.vjp(first, *saved)[1](given)
    return gradients
