"""What decides a call of a kernel beside its tensors."""

from typing import NamedTuple

from torch import Tensor


class Options(NamedTuple):
    """What decides a call beside its tensors.

    Attributes:
        discount: of the values.
        num_iterations: K.
        limits: K of each query, int64 [B]; None if all have the same.
        tolerance: see `implicit`.
        implicit: stop at the fixed point, and differentiate it.
    """

    discount: float
    num_iterations: int
    limits: Tensor | None
    tolerance: float
    implicit: bool

    def limits_after(self, done: int) -> Tensor | None:
        """What is left of `limits` after some updates."""
        return None if self.limits is None else (self.limits - done).clamp(min=0)
