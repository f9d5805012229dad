"""The operator in every formulation: ours by backend, the best in eager PyTorch, what public VINs do, torch.compile.

All formulations of a case get the same numbers on the same threads in the same run, and must agree before they are
timed.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from torchvin.bench.timing import median_seconds
from torchvin.planning.kernels import dispatch, reference, registry
from torchvin.planning.kernels.cpu import kernel as cpu

FORMULATIONS = ("cpu", "triton", "eager", "stacked", "compile")
_MOST_BYTES = 4e9
_MOST_CELL_UPDATES = 3e7  # a formulation in PyTorch beyond this takes minutes per call and shows nothing new
_MOST_COMPILED_ITERATIONS = 40  # torch.compile unrolls the loop: beyond this it compiles for minutes


class Case(NamedTuple):
    """One shape."""

    side: int
    batch: int
    iterations: int


#: The paper's sizes and K, then larger ones; `quick` leaves out 4 times K.
CASES = tuple(
    Case(side, batch, factor * iterations)
    for side, batches, iterations in (
        (8, (1, 128), 10),
        (16, (1, 128), 20),
        (28, (1, 128), 36),
        (64, (1, 128), 80),
        (128, (1, 8), 160),
        (512, (1,), 640),
    )
    for batch in batches
    for factor in (1, 4)
)
QUICK_CASES = CASES[: len(CASES) - 2 : 2]


@dataclass(frozen=True)
class Row:
    """One formulation on one shape; times in milliseconds, None where not measured (`reason` says why)."""

    backend: str
    height: int
    width: int
    batch: int
    actions: int
    kernel_size: int
    iterations: int
    threads: int
    forward_ms: float | None = None
    forward_backward_ms: float | None = None
    cell_updates_per_second: float | None = None
    share_of_peak: float | None = None
    saved_bytes_per_cell_iteration: float | None = None
    reason: str | None = None


def stacked(image: Tensor, weights: Tensor, num_iterations: int) -> Tensor:
    """Q as every public VIN computes it: convolve the stack [R, V], take the maximum, K times, and convolve again.

    Args:
        image: reward image R, [B, 1, H, W].
        weights: [A, 2, F, F], R's share and V's.
        num_iterations: K.
    """
    padding = weights.shape[-1] // 2
    value = torch.zeros_like(image)
    for _ in range(num_iterations):
        q_values = functional.conv2d(torch.cat([image, value], dim=1), weights, padding=padding)
        value, _ = torch.max(q_values, dim=1, keepdim=True)
    return functional.conv2d(torch.cat([image, value], dim=1), weights, padding=padding)


def measure(
    cases: Sequence[Case] = CASES,
    *,
    actions: int = 10,
    kernel_size: int = 3,
    formulations: Sequence[str] | None = None,
    peak_gflops: float | None,
    device: str = "cpu",
) -> Iterator[list[Row]]:
    """The rows of one case after the other.

    Args:
        cases: shapes.
        actions: A.
        kernel_size: F.
        formulations: of `FORMULATIONS`; all if not given.
        peak_gflops: of one thread of this machine, or None if unknown.
        device: "cpu", or "cuda" for a GPU, where every form computes in full float32 (no TensorFloat-32).
    """
    if device != "cpu":
        torch.backends.cudnn.allow_tf32 = False
        peak_gflops = None  # a thread's, which says nothing of a GPU
    for case in cases:
        yield [_measure(name, case, actions, kernel_size, peak_gflops, device) for name in formulations or FORMULATIONS]


def _measure(name: str, case: Case, actions: int, kernel_size: int, peak_gflops: float | None, device: str) -> Row:
    side, batch, iterations = case
    generator = torch.Generator().manual_seed(side)
    image = torch.randn(batch, 1, side, side, generator=generator).to(device)
    shares = torch.randn(2, actions, kernel_size**2, generator=generator).softmax(-1)
    reward_share, kernel = (0.99 * shares).to(device).view(2, actions, 1, kernel_size, kernel_size).unbind(0)
    threads = torch.get_num_threads()
    labels = (name, side, side, batch, actions, kernel_size, iterations, threads)
    cells = batch * side * side
    if reason := _why_not(name, case, cells, actions, image):
        return Row(*labels, reason=reason)

    run = _formulation(name, iterations)
    inputs = _inputs(name, image, reward_share, kernel)
    with torch.no_grad():
        expected = _formulation("cpu" if cpu.extension and device == "cpu" else "eager", iterations)(
            *_inputs("eager", image, reward_share, kernel)
        )
        try:
            torch.testing.assert_close(run(*inputs), expected, rtol=1e-3, atol=1e-3)
        except (RuntimeError, ImportError) as error:
            return Row(*labels, reason=f"failed: {str(error).splitlines()[0]}")
        forward = median_seconds(lambda: _finished(run(*inputs)))
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    gradient = torch.randn(expected.shape, generator=generator).to(device)
    both = median_seconds(lambda: _finished(*torch.autograd.grad(run(*leaves), leaves, gradient)))
    operations = 2.0 * cells * actions * kernel_size**2 * (iterations + 1)
    return Row(
        *labels,
        forward_ms=1e3 * forward,
        forward_backward_ms=1e3 * both,
        cell_updates_per_second=cells * iterations / forward,
        share_of_peak=operations / forward / (1e9 * peak_gflops * threads) if peak_gflops else None,
        saved_bytes_per_cell_iteration=_saved_bytes(lambda: run(*leaves), leaves) / (cells * iterations),
    )


def _finished(*results: Tensor) -> None:
    """A GPU computes on while the host goes ahead: wait for it."""
    if results[0].is_cuda:
        torch.cuda.synchronize(results[0].device)


def _why_not(name: str, case: Case, cells: int, actions: int, image: Tensor) -> str | None:
    if name in ("cpu", "triton"):
        return registry.BACKENDS[name].why_not(image)
    if name == "compile" and case.iterations > _MOST_COMPILED_ITERATIONS:
        return f"torch.compile unrolls the loop: K > {_MOST_COMPILED_ITERATIONS} compiles for minutes"
    if 4.0 * (actions + 4) * cells * case.iterations > _MOST_BYTES:
        return "would keep more than 4 GB for the backward pass"
    if cells * case.iterations > _MOST_CELL_UPDATES:
        return "would take minutes"
    return None


def _inputs(name: str, image: Tensor, reward_share: Tensor, kernel: Tensor) -> list[Tensor]:
    if name == "stacked":
        return [image, torch.cat([reward_share, kernel], dim=1)]
    return [functional.conv2d(image, reward_share, padding="same"), kernel]


def _formulation(name: str, iterations: int) -> Callable[..., Tensor]:
    def planned(q_reward: Tensor, kernel: Tensor) -> Tensor:
        value = q_reward.new_zeros(q_reward.shape[0], 1, *q_reward.shape[2:])
        if name in ("cpu", "triton"):
            return dispatch.run(name, q_reward, kernel, value, iterations, "unroll")[0]
        return reference.value_iteration(q_reward, kernel, value, iterations, "unroll")[0]

    if name == "stacked":
        return lambda image, weights: stacked(image, weights, iterations)
    if name == "compile":
        torch.compiler.reset()
        compiled: Callable[..., Tensor] = torch.compile(planned, dynamic=False)

        def quiet(q_reward: Tensor, kernel: Tensor) -> Tensor:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return compiled(q_reward, kernel)

        return quiet
    return planned


def _saved_bytes(run: Callable[[], Tensor], leaves: Sequence[Tensor]) -> int:
    """Bytes of the distinct storages that autograd keeps, the inputs not counted."""
    given = {leaf.untyped_storage().data_ptr() for leaf in leaves}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in given:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = run()
    del output
    return sum(kept.values())


def peak() -> float | None:
    """GFLOP/s that one thread reaches at best, or None where the program that measures it is not compiled."""
    return cpu.peak_gflops() if cpu.extension else None
