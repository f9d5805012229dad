"""What a kernel of the operator is: two small records and four functions. A new backend implements `Kernel`."""

from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, UInt8
from torch import Tensor


class Problem(NamedTuple):
    """One call of the operator, normalized once at the boundary.

    Attributes:
        q_reward: reward of each action in each cell, [B, O*A, H, W], contiguous.
        kernels: transition weights [S, O*A, O, F, F], contiguous; S = 1 kernel for all iterations, or K + 1.
        value: V_0, [B, O, H, W], contiguous.
        num_iterations: K.
        keep_every: what is kept for the backward pass: 0 nothing, 1 every value and action, n > 1 every n-th value.
    """

    q_reward: Float[Tensor, "B OA H W"]
    kernels: Float[Tensor, "S OA O F F"]
    value: Float[Tensor, "B O H W"]
    num_iterations: int
    keep_every: int


class Solution(NamedTuple):
    """What a kernel answers, and what its backward pass needs.

    Attributes:
        q_values: look-ahead at V_K, [B, O*A, H, W].
        value: V_K, [B, O, H, W].
        residual: largest change that one more update would make, [B].
        kept_values, kept_actions: in the kernel's own layout (`Kernel.kept_shapes`); empty where nothing is kept.
        finite: whether all numbers were finite; if not, the reference answers in place of the kernel.
    """

    q_values: Float[Tensor, "B OA H W"]
    value: Float[Tensor, "B O H W"]
    residual: Float[Tensor, "B"]
    kept_values: Float[Tensor, "*N"]
    kept_actions: UInt8[Tensor, "*M"]
    finite: bool


#: Of q_reward, kernels (empty if not needed) and value.
Gradients = tuple[Tensor, Tensor, Tensor]


@runtime_checkable
class Kernel(Protocol):
    """An implementation of the operator: plain functions on tensors, without autograd."""

    def why_not(self, q_reward: Tensor | None) -> str | None:
        """Why it cannot run on a tensor, or None if it can; None asks for the machine as a whole."""

    def kept_shapes(
        self, q_reward: Tensor, kernels: Tensor, num_iterations: int, keep_every: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the kept values and actions."""

    def forward(self, problem: Problem) -> Solution:
        """Plan."""

    def backward(
        self,
        problem: Problem,
        solution: Solution,
        grad_q_values: Float[Tensor, "B OA H W"] | None,
        grad_value: Float[Tensor, "B O H W"] | None,
        kernel_needs_gradient: bool,
    ) -> Gradients:
        """The gradients of a solution that kept something; None for a gradient is zeros."""
