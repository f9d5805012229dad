"""What an environment pays for a step."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from torchvin.errors import InputError, unknown_name

Collision = Literal["ends", "stays"]
StepCost = Literal["step", "length"]


@dataclass(frozen=True)
class RewardConfig:
    """Rewards of the environment. The defaults are those of the paper, as recalled and unverified."""

    goal: float = 1.0
    """Reward of the step that reaches the goal, which ends the episode."""
    collision: float = -1.0
    """Reward of a move into an obstacle or off the map, if it ends the episode."""
    step: float = -0.01
    """Reward of every other step."""
    collisions: Literal["ends", "stays"] = "ends"
    """ends: a collision ends the episode (the paper). stays: the agent stays where it is and pays for the step."""
    step_cost: Literal["step", "length"] = "step"
    """step: every step has the reward `step` (the paper). length: `step` times the cost of the move, so that a diagonal
    and rough terrain cost more."""

    def __post_init__(self) -> None:
        for name, choices in (("collisions", Collision), ("step_cost", StepCost)):
            if getattr(self, name) not in get_args(choices):
                raise unknown_name(name, getattr(self, name), get_args(choices))
        for name in ("goal", "collision", "step"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
                raise InputError(f"the reward {name} must be a finite number, got {number!r:.40}.")
