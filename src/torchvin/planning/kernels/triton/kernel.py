"""The Triton kernels: a small map's plan in one launch, its gradients in one, and one for the sums over maps.

One program plans one map, or one tile of a large map with a halo as wide as the iterations of a launch reach. V stays
in a scratch of the program's own, small enough for the first cache, and a barrier within the program separates the
iterations. Going back follows the action taken only. Sums have a fixed order: the same bits in every run.

Plain functions on tensors, without autograd: `autograd` makes an operator of them. The module is a `Kernel`.
`TRITON_INTERPRET=1` runs the same code on a CPU, slowly, for tests.
"""

import functools
import importlib.metadata
import importlib.util
import math
import os

import torch
from torch import Tensor

from torchvin.planning.kernels.kernel import Gradients, Problem, Solution
from torchvin.planning.kernels.triton import launches

_LEAST_TRITON = (3, 3)  # the first that can carry tuples through a loop
_ROWS_OF_SUMS, _COLS_OF_SUMS = 32, 16  # that the reduction adds at once


@functools.cache
def _without_triton() -> str | None:
    """Why Triton cannot be used; looked up once, because a call of the operator asks."""
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed: it comes with PyTorch for CUDA on Linux"
    version = importlib.metadata.version("triton")
    if tuple(int(part) for part in version.split(".")[:2]) < _LEAST_TRITON:
        return f"it needs Triton {'.'.join(map(str, _LEAST_TRITON))}, and {version} is installed"
    return None


def why_not(q_reward: Tensor | None) -> str | None:
    """Why this kernel cannot run on `q_reward`, or None if it can; asked with None for the machine as a whole."""
    if (missing := _without_triton()) is not None:
        return missing
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
    q_reward, value = problem.q_reward, problem.value
    launch = launches.cut_of(problem)
    q_values, final = torch.empty_like(q_reward), torch.empty_like(value)
    residual = q_reward.new_empty(len(q_reward), launch.tiles)
    values, actions = _iterate(problem, launch, final, (q_values, residual))
    return Solution(
        q_values, final, residual.view(-1) if launch.tiles == 1 else residual.amax(1), values, actions, True
    )


def backward(
    problem: Problem,
    solution: Solution,
    grad_q_values: Tensor | None,
    grad_value: Tensor | None,
    kernel_needs_gradient: bool,
) -> Gradients:
    """Gradients of q_reward, kernels (empty if not needed) and the initial value."""
    q_reward, kernel, _, num_iterations, keep_every = problem
    launch = launches.cut_of(problem)
    segment = keep_every if keep_every > 1 else max(num_iterations, 1)
    going = _GoingBack(problem, launch, solution.value, segment, grad_q_values, grad_value, kernel_needs_gradient)
    for first in reversed(range(0, max(num_iterations, 1), segment)):
        count = min(segment, num_iterations - first)
        values, actions = solution.kept_values, solution.kept_actions
        if keep_every > 1:  # plan the segment again, this time keeping all
            start = values[:, first // segment].reshape(solution.value.shape).contiguous()
            kernels = kernel if len(kernel) == 1 else kernel[first : first + count + 1]
            again = Problem(q_reward, kernels, start, count, 1)
            values, actions = _iterate(again, launch, torch.empty_like(start), None)
        going.back(values, actions, first, count)
    return going.grad_q_reward, going.grad_kernel(), going.start


def _iterate(
    problem: Problem, launch: launches.Launch, final: Tensor, ahead: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """V_K into `final`, and with `ahead` Q and the residual into its tensors; the values and actions kept."""
    q_reward, kernel, value, count, keep_every = problem
    batch, _, height, width = q_reward.shape
    shape_of_values, shape_of_actions = kept_shapes(q_reward, kernel, count, keep_every)
    values, actions = q_reward.new_empty(shape_of_values), q_reward.new_empty(shape_of_actions, dtype=torch.uint8)
    scratch = q_reward.new_empty(batch * launch.tiles * 2 * kernel.shape[2] * launch.plane)
    start, done, ends = value, 0, False
    spare: list[Tensor] = []
    while not ends:
        steps = min(count - done, launch.reach)
        ends = done + steps == count and (ahead is None or steps < launch.reach)  # looking ahead is an update, too
        if ends:
            end = final
        else:  # two in turns
            spare = spare or [torch.empty_like(value), torch.empty_like(value)]
            spare.reverse()
            end = spare[0]
        launches.run(
            launches.programs().forward_kernel,
            (batch, launch.tiles),
            q_reward.device,
            (q_reward, kernel, start, scratch, values, actions, end, *(ahead or (end, end)), done, steps, count,
             keep_every, len(kernel) - 1 if ends and ahead else -1, height, width, launch.tile, launch.halo),
            KEEP_ACTIONS=keep_every == 1,
            HELD=kernel[0].numel() <= launches.MOST_HELD,
            **launch.options,
        )  # fmt: skip
        start, done = end, done + steps
    return values, actions


class _GoingBack:
    """The gradients of one call, from the last iterations to the first.

    Attributes:
        grad_q_reward: [B, O*A, H, W].
        start: gradient of the values before the iterations that were gone through, [B, O, H, W].
    """

    def __init__(
        self,
        problem: Problem,
        launch: launches.Launch,
        final_value: Tensor,
        segment: int,
        grad_q_values: Tensor | None,
        grad_value: Tensor | None,
        kernel_needs_gradient: bool,
    ) -> None:
        q_reward, self.kernel = problem.q_reward, problem.kernels
        self.launch, self.final_value, self.wanted = launch, final_value, kernel_needs_gradient
        self.grad_q_values, self.grad_value = grad_q_values, grad_value
        self.grad_q_reward, self.start = torch.empty_like(q_reward), torch.empty_like(final_value)
        self.group, groups = launches.groups(launch) if kernel_needs_gradient else (1, 1)
        self.grid = (len(q_reward), launch.tiles, groups)
        places = math.prod(self.grid) * 2 * self.kernel.shape[2] * launch.plane
        self.scratch, self.taken = q_reward.new_empty(places), q_reward.new_empty(places, dtype=torch.uint8)
        self.launches = 0
        rows = len(self.kernel)
        if rows == 1:  # one of each launch
            lengths = [min(segment, problem.num_iterations - at) for at in range(0, problem.num_iterations, segment)]
            rows = sum(-(-length // launch.reach) for length in lengths) or 1
        self.partial = q_reward.new_empty(
            (rows if kernel_needs_gradient else 0, len(q_reward) * launch.tiles, self.kernel[0].numel())
        )

    def back(self, values: Tensor, actions: Tensor, first: int, count: int) -> None:
        """Through iterations `first` to `first + count` - 1, whose values and actions are given."""
        launch, (height, width) = self.launch, self.start.shape[2:]
        left = count
        while left or not self.launches:
            steps = min(left, launch.reach)
            start = self.start
            if self.launches and math.prod(self.grid[1:]) > 1:  # other programs of a map still read it
                self.start = torch.empty_like(start)
            q, v = self.grad_q_values, self.grad_value
            launches.run(
                launches.programs().backward_kernel,
                self.grid,
                start.device,
                (self.kernel, start, start if q is None else q, start if v is None else v, self.final_value, values,
                 actions, self.scratch, self.taken, self.start, self.grad_q_reward, self.partial, first, left - 1,
                 steps, count, int(q is not None), int(v is not None), self.launches, len(self.kernel) - 1, height,
                 width, launch.tile, launch.halo),
                BEGINS=self.launches == 0,
                KERNEL_GRADIENT=self.wanted,
                GROUP=self.group,
                **launch.options,
            )  # fmt: skip
            self.launches, left = self.launches + 1, left - steps

    def grad_kernel(self) -> Tensor:
        """Of all iterations; empty if it is not wanted."""
        if not self.wanted:
            return self.kernel.new_empty(0)
        grad, numbers = torch.empty_like(self.kernel), self.kernel[0].numel()
        rows = self.partial.shape[0] * self.partial.shape[1] // len(self.kernel)
        blocks = -(-numbers // _COLS_OF_SUMS)
        launches.run(
            launches.programs().reduction_kernel,
            (len(self.kernel), blocks),
            grad.device,
            (self.partial, grad, rows, numbers),
            ROWS=_ROWS_OF_SUMS,
            COLS=_COLS_OF_SUMS,
            num_warps=4,
            **launches.FUSED,
        )
        return grad
