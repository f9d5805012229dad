"""Learning to push by imitation, in numbers. The docstring of a field is its --help."""

from dataclasses import dataclass, field

from torchvin.errors import InputError
from torchvin.maps.generators.arena_config import ArenaConfig


@dataclass(frozen=True)
class ControlTrainingConfig:
    """Learning to push a body (kind of data arena): imitation of optimized trajectories, with aggregation."""

    arena: ArenaConfig = field(default_factory=ArenaConfig)
    """What arenas are drawn from."""
    starts: int = 4
    """Demonstrated trajectories per arena: from its start, and from other free places."""
    states_per_step: int = 64
    """States of each arena of a batch in one optimizer step."""
    passes: int = 10
    """Times that an epoch passes over the arenas."""
    aggregations: int = 4
    """Times that the expert corrects what the policy does, evenly over the first three quarters of the epochs."""
    rollouts: int = 2
    """Episodes of the policy in each arena before a correction."""
    corrections: int = 6
    """States of each of these episodes from which the expert solves anew."""
    correction_steps: int = 20
    """Steps of each of these solutions that are learned from."""

    def __post_init__(self) -> None:
        for name in ("starts", "states_per_step", "passes", "rollouts", "corrections", "correction_steps"):
            if getattr(self, name) < 1:
                raise InputError(f"--control.{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}.")
        if self.aggregations < 0:
            raise InputError(f"--control.aggregations must not be negative, got {self.aggregations}.")
