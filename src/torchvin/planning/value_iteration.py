"""The operator this project exists for, as a function and as a layer."""

import operator
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from torchvin.errors import InputError, ShapeError, check_shape, unknown_name
from torchvin.planning.fixed_point import fixed_point
from torchvin.planning.gradient import Gradient as Gradient
from torchvin.planning.kernels import dispatch, recording
from torchvin.types import PlannerOutput

_GRADIENTS = get_args(Gradient)


#: More would take days on the smallest map.
MOST_ITERATIONS = 1_000_000_000


def check_num_iterations(num_iterations: int) -> int:
    """K as a Python int.

    Raises: InputError for what is no whole number, for a negative one, and for one beyond `MOST_ITERATIONS`.

    >>> check_num_iterations(5)
    5
    """
    try:
        if isinstance(num_iterations, bool):
            raise TypeError
        count = operator.index(num_iterations)
    except TypeError:
        raise InputError(
            f"num_iterations must be a whole number, the number of updates K, got {num_iterations!r:.40}."
        ) from None
    if count < 0:
        raise InputError(f"num_iterations must not be negative, got {count}: it is the number of updates K.")
    if count > MOST_ITERATIONS:
        raise InputError(
            f"num_iterations must be at most {MOST_ITERATIONS:,}, got {count:,}; to iterate to the fixed point, use "
            "gradient='implicit'."
        )
    return count


def _check_number(name: str, number: float) -> None:
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise InputError(f"{name} must be a number from 0 on, got {number!r:.40}.")
    if not number >= 0:
        raise InputError(f"{name} must not be negative, got {number}.")


def value_iteration(
    q_reward: Float[Tensor, "B OA H W"],
    kernel: Float[Tensor, "*S OA O F F"],
    *,
    num_iterations: int,
    initial_value: Float[Tensor, "B O H W"] | None = None,
    gradient: Gradient = "unroll",
    tolerance: float = 1e-6,
    temperature: float = 0.0,
    backend: str = "auto",
) -> PlannerOutput:
    """Run exactly `num_iterations` value updates on a grid and look ahead once more (Tamar et al. 2016, section 3.1).

    V_{k+1}(s) = max_a ( q_reward_a(s) + (kernel_a * V_k)(s) ). Here `*` is cross-correlation, with zeros outside the
    map. Values have the unit of `q_reward`; the discount is part of `kernel`. Information travels at most K * (F // 2)
    cells. At a tie the first action is taken. Only the action taken carries gradient. Under autocast the operator runs
    in float32, because K roundings to half precision would add up.

    With O orientations there are O value channels, and `q_reward` has channels o * A + a. The kernel, [O * A, O, F, F],
    says from which orientation a value comes. A kernel [K + 1, O * A, O, F, F] holds one kernel per update and one for
    the last look-ahead (the untied weights of the paper).

    Args:
        q_reward: reward of each action in each cell, [B, A, H, W].
        kernel: discounted transition weights of each action, [A, 1, F, F], F odd.
        num_iterations: K, the number of value updates. With 0 the result is the look-ahead at `initial_value`.
        initial_value: V_0, [B, 1, H, W]; zero if not given. The value of an earlier plan warm-starts this one.
        gradient: how the backward pass gets its values.
            "unroll" keeps every iteration (5 bytes per cell and iteration with the compiled kernel).
            "checkpoint" keeps about sqrt(K) iterations and computes the others again.
            "implicit" iterates to the fixed point and keeps only V. `num_iterations` is then the limit. The kernel must
            be a contraction, and V_0 has no gradient. The output holds the number of updates made, the residual, and
            `solved`, which is False if the limit was reached first. A program that is exported or traced makes all
            `num_iterations` updates.
        tolerance: of "implicit": a map has converged when its residual is at most this times its largest |V|
            (`planning.fixed_point`).
        temperature: T > 0 replaces the maximum by the soft maximum T * log(sum_a exp(Q_a / T)), T in the unit of
            `q_reward`. This is the value of the policy softmax(Q / T) with T times its entropy as a bonus (Ziebart et
            al., AAAI 2008). It is smooth, and exceeds the maximum by at most T * log(A). It runs in plain PyTorch.
        backend: "auto", or a name that `torchvin info` lists.

    Raises: ShapeError; InputError for a K that is not a whole number from 0 on, a negative tolerance or temperature,
        an even F, dtypes that differ, an unknown name, or an implicit gradient where the backup is no contraction.

    >>> plan = value_iteration(torch.zeros(2, 4, 8, 5), torch.zeros(4, 1, 3, 3), num_iterations=10)
    >>> plan.q_values.shape, plan.num_iterations
    (torch.Size([2, 4, 8, 5]), 10)
    """
    num_iterations = check_num_iterations(num_iterations)
    if q_reward.dim() != 4:
        check_shape("q_reward", q_reward, "B A H W")
    batch, channels, height, width = q_reward.shape
    shape = tuple(kernel.shape)
    if len(shape) != 4 or shape[0] != channels or shape[2] != shape[3]:
        axes = f"{num_iterations + 1} {channels} O F F" if len(shape) == 5 else f"{channels} O F F"
        check_shape("kernel", kernel, axes)
    orientations = shape[-3]
    if orientations == 0 or channels % orientations or 0 in q_reward.shape[1:]:
        raise ShapeError(
            f"q_reward [B, A, H, W] must have at least one action in each of the kernel's {orientations} value "
            f"channels and at least one cell, got {list(q_reward.shape)}."
        )
    if shape[-1] % 2 == 0:
        raise InputError(f"kernel must have an odd size F, got F = {kernel.shape[-1]}: its centre is the cell itself.")
    if gradient not in _GRADIENTS:
        raise unknown_name("gradient mode", gradient, _GRADIENTS)
    for name, number in (("tolerance", tolerance), ("temperature", temperature)):
        if type(number) is not float or not number >= 0:
            _check_number(name, number)
    if initial_value is None:
        initial_value = q_reward.new_zeros(batch, orientations, height, width)
    else:
        check_shape("initial_value", initial_value, f"{batch} {orientations} {height} {width}")
    device = q_reward.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            q_reward, kernel, initial_value = q_reward.float(), kernel.float(), initial_value.float()
            outputs = _run(backend, q_reward, kernel, initial_value, num_iterations, gradient, tolerance, temperature)
    else:
        if not q_reward.dtype == kernel.dtype == initial_value.dtype:
            raise InputError(
                "q_reward, kernel and initial_value must have one dtype, "
                f"got {q_reward.dtype}, {kernel.dtype} and {initial_value.dtype}."
            )
        outputs = _run(backend, q_reward, kernel, initial_value, num_iterations, gradient, tolerance, temperature)
    return outputs


def _run(
    backend: str,
    q_reward: Tensor,
    kernel: Tensor,
    value: Tensor,
    num_iterations: int,
    gradient: Gradient,
    tolerance: float,
    temperature: float,
) -> PlannerOutput:
    if gradient == "implicit" and not recording.cannot_stop_early():
        solve = fixed_point
        if torch.compiler.is_compiling():
            from torchvin.planning.uncompiled import fixed_point as solve
        q_values, value, residual, made, solved = solve(
            q_reward, kernel, value, num_iterations, tolerance, temperature, backend
        )
        return PlannerOutput(q_values, value, made, residual, solved=solved)
    mode = "unroll" if gradient == "implicit" else gradient
    q_values, value, residual = dispatch.run(backend, q_reward, kernel, value, num_iterations, mode, temperature)
    return PlannerOutput(q_values, value, num_iterations, residual)


class ValueIteration(nn.Module):
    """Value iteration as a layer: a transition model and K, any map size, any K at call time.

    Args:
        transition: module that returns the kernel [A, 1, F, F]; `planning.models.transition` has two.
        num_iterations: K of a call that gives none.
        gradient, tolerance, temperature, backend: as in `value_iteration`.

    >>> from torchvin.planning.models.transition import NormalizedTransition
    >>> planner = ValueIteration(transition=NormalizedTransition(num_actions=4), num_iterations=20)
    >>> planner(torch.randn(2, 4, 9, 6), num_iterations=30).value.shape
    torch.Size([2, 1, 9, 6])
    """

    def __init__(
        self,
        *,
        transition: nn.Module,
        num_iterations: int,
        gradient: Gradient = "unroll",
        tolerance: float = 1e-6,
        temperature: float = 0.0,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        self.transition = transition
        self.num_iterations = num_iterations
        self.gradient: Gradient = gradient
        self.tolerance = tolerance
        self.temperature = temperature
        self.backend = backend

    def extra_repr(self) -> str:
        """What is shown between the brackets of the module."""
        shown = [f"num_iterations={self.num_iterations}", f"gradient={self.gradient!r}"]
        shown += [f"tolerance={self.tolerance:g}"] * (self.gradient == "implicit")
        shown += [f"temperature={self.temperature:g}"] * bool(self.temperature)
        shown += [f"backend={self.backend!r}"] * (self.backend != "auto")
        return ", ".join(shown)

    def forward(
        self,
        q_reward: Float[Tensor, "B OA H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B O H W"] | None = None,
    ) -> PlannerOutput:
        """Plan on `q_reward`; see `value_iteration`."""
        return value_iteration(
            q_reward,
            self.transition(),
            num_iterations=self.num_iterations if num_iterations is None else num_iterations,
            initial_value=initial_value,
            gradient=self.gradient,
            tolerance=self.tolerance,
            temperature=self.temperature,
            backend=self.backend,
        )
