"""How a planner differentiates through its iterations: a name, which a configuration holds without torch."""

from typing import Literal

#: unroll keeps every iteration, checkpoint computes them again in the backward pass, implicit differentiates the fixed
#: point and keeps none.
Gradient = Literal["unroll", "checkpoint", "implicit"]
