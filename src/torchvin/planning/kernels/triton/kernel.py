"""The Triton kernels: all iterations of a small map in one launch, several iterations of a large one.

One program plans one map, or one tile of a large map with a halo as wide as the iterations of a launch reach. V stays
in a scratch of the program's own, small enough for the first cache, and a barrier within the program separates the
iterations. Going back follows the action taken only. Sums have a fixed order: the same bits in every run.

Plain functions on tensors, without autograd: `autograd` makes an operator of them. The module is a `Kernel`.
`TRITON_INTERPRET=1` runs the same code
on a CPU, slowly, for tests.
"""

import importlib
import importlib.util
import math
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.grad
from torch import Tensor

from torchvin.planning.kernels import reference
from torchvin.planning.kernels.kernel import Gradients, Problem, Solution

# Cells that one program holds: a map of up to so many is planned in one launch, a larger one in tiles.
_MOST_CELLS = 64 * 64
_TILE = 64  # side of a tile without its halo
_HALO = 8  # cells: a quarter more work each iteration against 1/8 of the launches
_BLOCK = 1024  # cells worked on at once
_ITERATIONS_A_SUM = 8  # of the kernel's gradient, summed by one program
_CHANNELS_A_SUM = 4
_FUSED = {"enable_fp_fusion": True}  # multiply-adds; the default differs between versions of Triton
_NUMBERS_A_SUM = 8192  # sums under way in one program: 64 registers a thread


def why_not(q_reward: Tensor | None) -> str | None:
    """Why this kernel cannot run on `q_reward`, or None if it can; asked with None for the machine as a whole."""
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed: it comes with PyTorch for CUDA on Linux"
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    if q_reward is None:
        return None if interpreted or torch.cuda.is_available() else "there is no GPU"
    if q_reward.device.type != "cuda" and not interpreted:
        return f"the tensor is on {q_reward.device.type}"
    if q_reward.dtype not in (torch.float32, torch.float64):
        return f"it has float32 and float64, not {q_reward.dtype}"
    return None


def kept_shapes(
    q_reward: Tensor, kernel: Tensor, num_iterations: int, keep_every: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of the values V_0, V_n, ... and of the actions kept for the backward pass."""
    plane = (kernel.shape[2], math.prod(q_reward.shape[2:]))
    num_values = -(-num_iterations // keep_every) if keep_every else 0
    num_actions = num_iterations if keep_every == 1 else 0
    return (q_reward.shape[0], num_values, *plane), (q_reward.shape[0], num_actions, *plane)


def forward(problem: Problem) -> Solution:
    """Plan. The solution always counts as finite.

    Unlike the CPU's kernel this one treats NaN and infinity as the reference does, and asking would make the host wait
    for the device.
    """
    q_reward, kernel, value, num_iterations, keep_every = problem
    with _device_of(q_reward):
        final, values, actions = _iterate(q_reward, kernel, value, 0, num_iterations, keep_every)
        with _exact_convolutions():
            q_values = reference.look_ahead(q_reward, kernel[-1], final)
    return Solution(q_values, final, reference.residual(q_values, final), values, actions, finite=True)


def backward(
    problem: Problem,
    solution: Solution,
    grad_q_values: Tensor,
    grad_value: Tensor | None,
    kernel_needs_gradient: bool,
) -> Gradients:
    """Gradients of q_reward, kernels (empty if not needed) and the initial value."""
    gradients: Any = torch.nn.grad  # without types
    q_reward, kernel, _, num_iterations, keep_every = problem
    final_value, values, actions = solution.value, solution.kept_values, solution.kept_actions
    padding = kernel.shape[-1] // 2
    grad_q_reward = grad_q_values.clone()
    grad_kernel = torch.zeros_like(kernel) if kernel_needs_gradient else kernel.new_empty(0)
    with _device_of(q_reward):
        with _exact_convolutions():  # the last look-ahead: every action carries gradient
            grad = gradients.conv2d_input(final_value.shape, kernel[-1], grad_q_values, padding=padding)
            grad = grad if grad_value is None else grad + grad_value
            if kernel_needs_gradient:
                grad_kernel[-1] += gradients.conv2d_weight(
                    final_value, kernel[-1].shape, grad_q_values, padding=padding
                )
        segment = keep_every if keep_every > 1 else max(num_iterations, 1)
        for first in reversed(range(0, num_iterations, segment)):
            count = min(segment, num_iterations - first)
            seen, taken = values, actions
            if keep_every > 1:  # plan the segment again, this time keeping all
                start = values[:, first // segment].reshape(final_value.shape).contiguous()
                _, seen, taken = _iterate(q_reward, kernel, start, first, count, 1)
            grad, grads = _go_back(grad, kernel, taken, first, count, grad_q_reward, kernel_needs_gradient)
            if kernel_needs_gradient:
                _add_kernel_gradient(grad_kernel, grads, taken, seen, first, count, final_value.shape[2:])
    return grad_q_reward, grad_kernel, grad


def _programs() -> Any:
    """Imported when first needed: Triton takes half a second, and on a CPU nobody needs it."""
    return importlib.import_module("torchvin.planning.kernels.triton.programs")


def _device_of(tensor: Tensor) -> AbstractContextManager[object]:
    """Triton launches on the current device, which need not be the tensor's."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def _exact_convolutions() -> Any:
    """Without TensorFloat-32, whose 10 bits change which action is best, and with sums in one order."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)


def _tiles(height: int, width: int, pad: int, num_iterations: int) -> tuple[int, int, int, int]:
    """Side of a tile, its halo, tiles a map, iterations a launch."""
    if height * width <= _MOST_CELLS or pad == 0 or num_iterations == 0:
        return max(height, width), 0, 1, num_iterations
    steps = min(max(_HALO // pad, 1), num_iterations)
    return _TILE, steps * pad, -(-height // _TILE) * -(-width // _TILE), steps


def _launch(height: int, width: int, tile: int, halo: int) -> dict[str, Any]:
    """Sizes of a program: its scratch, the cells worked on at once, its warps (two cells a thread)."""
    cells = min(height, tile + 2 * halo) * min(width, tile + 2 * halo)
    block = min(1 << (cells - 1).bit_length(), _BLOCK)
    return {"SCRATCH": cells, "BLOCK": block, "num_warps": min(max(block // 64, 1), 16), **_FUSED}


def _iterate(
    q_reward: Tensor, kernel: Tensor, value: Tensor, first: int, count: int, keep_every: int
) -> tuple[Tensor, Tensor, Tensor]:
    """V after iterations `first` to `first + count` - 1, and the values and actions kept of them."""
    batch, orientations, height, width = value.shape
    sides, size = kernel.shape[1:], kernel.shape[-1]
    tile, halo, tiles, steps = _tiles(height, width, size // 2, count)
    options = _launch(height, width, tile, halo)
    shape_of_values, shape_of_actions = kept_shapes(q_reward, kernel, count, keep_every)
    values, actions = q_reward.new_empty(shape_of_values), q_reward.new_empty(shape_of_actions, dtype=torch.uint8)
    scratch = value.new_empty(batch * tiles, 2, orientations, options["SCRATCH"])
    start, end = value, torch.empty_like(value)  # `value` is not written to
    for done in range(0, count, steps or 1):
        _programs().forward_kernel[(batch, tiles)](
            q_reward,
            kernel[min(first + done, len(kernel) - 1)],
            0 if len(kernel) == 1 else math.prod(sides),
            start,
            scratch,
            end,
            values,
            values.stride(0),
            actions,
            actions.stride(0),
            done,
            min(steps, count - done),
            keep_every,
            height,
            width,
            TILE=tile,
            HALO=halo,
            ORIENTATIONS=orientations,
            ACTIONS=sides[0] // orientations,
            SIZE=size,
            KEEP_VALUES=keep_every > 0,
            KEEP_ACTIONS=keep_every == 1,
            **options,
        )
        start, end = end, (torch.empty_like(value) if start is value else start)
    return start.clone() if start is value else start, values, actions


def _go_back(
    grad: Tensor, kernel: Tensor, actions: Tensor, first: int, count: int, grad_q_reward: Tensor, keep: bool
) -> tuple[Tensor, Tensor]:
    """Gradient of V_first, and with `keep` those of V_{first + 1}, ... [B, count, O, H*W]; adds to `grad_q_reward`."""
    batch, orientations, height, width = grad.shape
    size = kernel.shape[-1]
    tile, halo, tiles, steps = _tiles(height, width, size // 2, count)
    options = _launch(height, width, tile, halo)
    grads = grad.new_empty(batch, count if keep else 0, orientations, height * width)
    scratch = grad.new_empty(batch * tiles, 2, orientations, options["SCRATCH"])
    grad = grad.contiguous()  # and not written to
    start, end = grad, torch.empty_like(grad)
    for left in range(count, 0, -(steps or 1)):
        _programs().backward_kernel[(batch, tiles)](
            start,
            kernel[min(first + left - 1, len(kernel) - 1)],
            0 if len(kernel) == 1 else math.prod(kernel.shape[1:]),
            actions,
            actions.stride(0),
            scratch,
            end,
            grad_q_reward,
            grads,
            grads.stride(0),
            left - 1,
            min(steps, left),
            height,
            width,
            TILE=tile,
            HALO=halo,
            ORIENTATIONS=orientations,
            ACTIONS=kernel.shape[1] // orientations,
            SIZE=size,
            KEEP=keep,
            **options,
        )
        start, end = end, (torch.empty_like(grad) if start is grad else start)
    return start, grads


def _add_kernel_gradient(
    grad_kernel: Tensor, grads: Tensor, actions: Tensor, values: Tensor, first: int, count: int, map_size: torch.Size
) -> None:
    """Add what iterations `first` to `first + count` - 1 contribute."""
    untied, (channels, orientations, size, _) = len(grad_kernel) > 1, grad_kernel.shape[1:]
    taps = orientations * size**2
    padded = 1 << (taps - 1).bit_length()
    iterations = 1 if untied else _ITERATIONS_A_SUM
    portions, groups = -(-count // iterations), -(-channels // _CHANNELS_A_SUM)
    partial = grads.new_empty(grads.shape[0], portions, channels, taps)
    _programs().kernel_gradient_kernel[(grads.shape[0], portions, groups)](
        grads,
        grads.stride(0),
        actions,
        actions.stride(0),
        values,
        values.stride(0),
        partial,
        count,
        iterations,
        *map_size,
        ORIENTATIONS=orientations,
        ACTIONS=channels // orientations,
        SIZE=size,
        GROUP=_CHANNELS_A_SUM,
        TAPS=padded,
        BLOCK=max(_NUMBERS_A_SUM // (_CHANNELS_A_SUM * padded), 1),
        num_warps=4,
        **_FUSED,
    )
    sums = partial.sum(dim=0, dtype=torch.float64)
    if untied:
        grad_kernel[first : first + count] += sums.view(count, *grad_kernel.shape[1:]).to(grad_kernel.dtype)
    else:
        grad_kernel[0] += sums.sum(dim=0).view(grad_kernel.shape[1:]).to(grad_kernel.dtype)
