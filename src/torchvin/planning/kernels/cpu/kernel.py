"""The C++ kernel (sources in cpp/): one call plans all maps of a batch, all iterations in cache, forward or backward.

Plain functions on tensors, without autograd: `autograd` makes an operator of them. The module is a `Kernel`.
"""

import importlib
import math
import os
from types import ModuleType

import torch
from torch import Tensor

from torchvin.errors import InputError
from torchvin.planning.kernels.kernel import Gradients, Problem, Solution

_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 1 << 62
_LEAST_LENT = 1 << 19  # bytes; for less, torch's allocator is quicker

extension: ModuleType | None
try:
    extension = importlib.import_module("torchvin.planning.kernels.cpu._cpu")
except ImportError:  # installed without a compiler
    extension = None


_BEST: str = extension.instruction_sets()[0] if extension else ""
# What is kept where nothing is: two empty tensors less to make for each plan of an agent.
_NOTHING = {dtype: torch.empty(0, dtype=dtype) for dtype in (torch.float32, torch.float64, torch.uint8, torch.int32)}


def instruction_set() -> str:
    """Which the kernel uses: the best of this machine, or the one that TORCHVIN_INSTRUCTION_SET names ("plain")."""
    return os.environ.get("TORCHVIN_INSTRUCTION_SET") or _BEST


def why_not(q_reward: Tensor | None) -> str | None:
    """Why this kernel cannot run on `q_reward`, or None if it can; asked with None for the machine as a whole."""
    if extension is None:
        return "not compiled: install torchvin again on a machine with a C++17 compiler (g++ or clang++)"
    if q_reward is None:
        return None
    if not q_reward.is_cpu:
        return f"the tensor is on {q_reward.device.type}"
    if q_reward.dtype not in (torch.float32, torch.float64):
        return f"it has float32 and float64, not {q_reward.dtype}"
    return None


def kept_shapes(
    q_reward: Tensor, kernel: Tensor, num_iterations: int, keep_every: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of the values and of the actions kept for the backward pass (cpp/value_iteration.h).

    V_0 and V_K are at hand. All planes in one run, with room around them: neighbours of cells at the edge are read
    there, and not used.
    """
    batch, _, height, width = q_reward.shape
    guard = kernel.shape[-1] // 2 * (width + 1) + 16
    num_values = (num_iterations - 1) // keep_every if keep_every and num_iterations else 0
    num_actions = num_iterations if keep_every == 1 else 0
    plane = batch * kernel.shape[2] * height * width
    values, actions = (count * plane + 2 * guard if count else 0 for count in (num_values, num_actions))
    return (values,), (actions,)


def _sizes(problem: Problem) -> tuple[int, ...]:
    """The fields of Shape in cpp/value_iteration.h."""
    q_reward, kernel, _, num_iterations, keep_every = problem
    batch, channels, height, width = q_reward.shape
    kernels, rows, orientations, size, columns = kernel.shape
    if rows != channels or columns != size or channels % orientations:
        raise ValueError(
            f"kernel must be [S, O*A, O, F, F] with the {channels} channels of q_reward; it is {kernel.shape}"
        )
    return (batch, orientations, channels // orientations, height, width, size, kernels, num_iterations, keep_every)


def _address(tensor: Tensor, like: Tensor | tuple[int, ...], dtype: torch.dtype) -> int:
    """Where the numbers of a tensor are: the kernel asks nothing more of it, so it is looked at here."""
    shape = like if isinstance(like, tuple) else like.shape
    if tensor.shape != shape or tensor.dtype != dtype or not tensor.is_contiguous() or not tensor.is_cpu:
        raise ValueError(f"expected {tuple(shape)} contiguous {dtype}, got {tuple(tensor.shape)} {tensor.dtype}")
    return tensor.data_ptr()


def empty(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Uninitialised; large ones from memory that the last call has used, which the system need not make ready again."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LEAST_LENT:
        return _NOTHING[dtype].new_empty(shape)  # quicker than torch.empty
    if size > _MEMORY:  # asked for, it might be promised, and the process killed later
        raise InputError(
            f"this plan keeps {size / 2**30:,.0f} GiB for its gradient, and the machine has {_MEMORY / 2**30:,.0f} "
            "GiB: use fewer iterations, gradient='checkpoint' or 'implicit', or torch.no_grad()."
        )
    assert extension is not None
    lent: Tensor = extension.lend(size)
    return lent.view(dtype).view(shape)


def _empty_like(tensor: Tensor) -> Tensor:
    """`empty` of the shape and type of a tensor."""
    return torch.empty_like(tensor) if tensor.nbytes < _LEAST_LENT else empty(tensor.shape, tensor.dtype)


def forward(problem: Problem) -> Solution:
    """Plan; if numbers were not finite, the solution says so and is not to be used."""
    assert extension is not None
    q_reward, kernel, value, num_iterations, keep_every = problem
    dtype = q_reward.dtype
    sizes = _sizes(problem)
    plane = (sizes[0], sizes[1], sizes[3], sizes[4])
    q_values, final_value = _empty_like(q_reward), torch.empty_like(value)
    values, actions = _NOTHING[dtype], _NOTHING[torch.uint8]
    if keep_every:
        shape_of_values, shape_of_actions = kept_shapes(q_reward, kernel, num_iterations, keep_every)
        values, actions = empty(shape_of_values, dtype), empty(shape_of_actions, torch.uint8)
    residual = q_reward.new_empty(sizes[0])
    addresses = (
        _address(q_reward, q_reward, dtype),
        _address(kernel, kernel, dtype),
        _address(value, plane, dtype),
        q_values.data_ptr(),
        final_value.data_ptr(),
        residual.data_ptr(),
        values.data_ptr(),
        actions.data_ptr(),
    )
    run = extension.forward_float32 if dtype == torch.float32 else extension.forward_float64
    finite: bool = run(sizes, addresses, torch.get_num_threads(), instruction_set())
    return Solution(q_values, final_value, residual, values, actions, finite)


def backward(
    problem: Problem,
    solution: Solution,
    grad_q_values: Tensor | None,
    grad_value: Tensor | None,
    kernel_needs_gradient: bool,
) -> Gradients:
    """Gradients of q_reward, kernels (empty if not needed) and the initial value; None for a gradient is zeros."""
    assert extension is not None
    q_reward, kernel, value, num_iterations, keep_every = problem
    dtype = q_reward.dtype
    if grad_q_values is None:
        grad_q_values = torch.zeros_like(q_reward)
    sizes = _sizes(problem)
    plane = (sizes[0], sizes[1], sizes[3], sizes[4])
    shape_of_values, shape_of_actions = kept_shapes(q_reward, kernel, num_iterations, keep_every)
    grad_q_reward, grad_initial = _empty_like(q_reward), torch.empty_like(solution.value)
    grad_kernel = torch.empty_like(kernel) if kernel_needs_gradient else kernel.new_empty(0)
    addresses = (
        _address(grad_q_values, q_reward, dtype),
        0 if grad_value is None else _address(grad_value, plane, dtype),
        _address(q_reward, q_reward, dtype),
        _address(kernel, kernel, dtype),
        _address(value, plane, dtype),
        _address(solution.value, plane, dtype),
        _address(solution.kept_values, shape_of_values, dtype),
        _address(solution.kept_actions, shape_of_actions, torch.uint8),
        grad_q_reward.data_ptr(),
        grad_kernel.data_ptr() if kernel_needs_gradient else 0,
        grad_initial.data_ptr(),
    )
    run = extension.backward_float32 if dtype == torch.float32 else extension.backward_float64
    run(sizes, addresses, torch.get_num_threads(), instruction_set())
    return grad_q_reward, grad_kernel, grad_initial


def peak_gflops(seconds: float = 0.2) -> float:
    """Fused multiply-adds that one thread of this machine reaches when nothing else is asked of it, in GFLOP/s."""
    if extension is None:
        raise RuntimeError("the C++ kernel is not compiled, so the machine's peak cannot be measured.")
    peak: float = extension.peak_gflops(seconds, instruction_set())
    return peak
