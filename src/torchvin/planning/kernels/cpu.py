"""The C++ kernel (sources in cpp/): one call plans all maps of a batch, all iterations in cache, forward or backward.

Plain functions on tensors, without autograd: `fused` makes an operator of them.
"""

import importlib
import os
from types import ModuleType

import torch
from torch import Tensor

extension: ModuleType | None
try:
    extension = importlib.import_module("torchvin.planning.kernels._cpu")
except ImportError:  # installed without a compiler
    extension = None


def instruction_set() -> str:
    """Which the kernel uses: the best of this machine, or the one that TORCHVIN_INSTRUCTION_SET names ("plain")."""
    best: str = extension.instruction_sets()[0] if extension else ""
    return os.environ.get("TORCHVIN_INSTRUCTION_SET") or best


def why_not(q_reward: Tensor | None) -> str | None:
    """Why this kernel cannot run on `q_reward`, or None if it can; asked with None for the machine as a whole."""
    if extension is None:
        return "not compiled: install torchvin again on a machine with a C++17 compiler (g++ or clang++)"
    if q_reward is None:
        return None
    if q_reward.device.type != "cpu":
        return f"the tensor is on {q_reward.device.type}"
    if q_reward.dtype not in (torch.float32, torch.float64):
        return f"it has float32 and float64, not {q_reward.dtype}"
    return None


def kept_shape(q_reward: Tensor, kernel: Tensor, num_kept: int) -> tuple[int, ...]:
    """Shape of what is kept for the backward pass: rows are kept with the zeros that separate them (cpp/layout.h)."""
    batch, _, height, width = q_reward.shape
    return (batch, num_kept, kernel.shape[2], height * (width + kernel.shape[-1] // 2))


def forward(
    q_reward: Tensor, kernel: Tensor, value: Tensor, num_iterations: int, keep_every: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, bool]:
    """Plan. `kernel` is [S, O*A, O, F, F], S = 1 or K + 1.

    Returns Q, V, the residual [B], the kept values and actions, and whether all numbers were finite: if not, the
    results are not to be used.
    """
    assert extension is not None
    num_kept = -(-num_iterations // keep_every) if keep_every else 0
    q_values, final_value = torch.empty_like(q_reward), torch.empty_like(value)
    values = q_reward.new_empty(kept_shape(q_reward, kernel, num_kept))
    actions = q_reward.new_empty(
        kept_shape(q_reward, kernel, num_iterations if keep_every == 1 else 0), dtype=torch.uint8
    )
    residual = q_reward.new_empty(q_reward.shape[0])
    finite: bool = extension.forward(
        q_reward,
        kernel,
        value,
        num_iterations,
        keep_every,
        torch.get_num_threads(),
        instruction_set(),
        q_values,
        final_value,
        residual,
        values,
        actions,
    )
    return q_values, final_value, residual, values, actions, finite


def backward(
    grad_q_values: Tensor,
    grad_value: Tensor,
    q_reward: Tensor,
    kernel: Tensor,
    final_value: Tensor,
    values: Tensor,
    actions: Tensor,
    num_iterations: int,
    keep_every: int,
    kernel_needs_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q_reward, kernel (empty if not needed) and the initial value."""
    assert extension is not None
    grad_q_reward, grad_initial = torch.empty_like(q_reward), torch.empty_like(final_value)
    grad_kernel = torch.empty_like(kernel) if kernel_needs_gradient else kernel.new_empty(0)
    extension.backward(
        grad_q_values,
        grad_value,
        q_reward,
        kernel,
        final_value,
        values,
        actions,
        num_iterations,
        keep_every,
        torch.get_num_threads(),
        instruction_set(),
        grad_q_reward,
        grad_kernel,
        grad_initial,
    )
    return grad_q_reward, grad_kernel, grad_initial


def peak_gflops(seconds: float = 0.2) -> float:
    """Fused multiply-adds that one thread of this machine reaches when nothing else is asked of it, in GFLOP/s."""
    if extension is None:
        raise RuntimeError("the C++ kernel is not compiled, so the machine's peak cannot be measured.")
    peak: float = extension.peak_gflops(seconds, instruction_set())
    return peak
