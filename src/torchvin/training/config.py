"""A training in numbers: typed, checked, saved resolved beside the weights. The docstring of a field is its --help."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torchvin.errors import InputError, unknown_name
from torchvin.policies.builders import PolicyConfig

Supervision = Literal["all-cells", "demonstrations"]
Loss = Literal["optimal-set", "single-label"]
Optimiser = Literal["adam", "rmsprop"]
Schedule = Literal["one-cycle", "constant"]


@dataclass(frozen=True)
class DataConfig:
    """Training maps drawn by the authors' generator; not used when --data names a file."""

    height: int = 16
    """Rows."""
    width: int = 16
    """Columns."""
    maps: int = 5000
    """Number of maps."""


@dataclass(frozen=True)
class TrainingConfig:
    """Imitation of the expert."""

    supervision: Supervision = "all-cells"
    """all-cells: every cell that can reach the goal; demonstrations: the states of the demonstrated paths."""
    loss: Loss = "optimal-set"
    """optimal-set: -log of the total probability of all optimal actions; single-label: cross-entropy against one."""
    epochs: int = 25
    """Passes over the training maps."""
    batch_size: int = 32
    """Maps in one optimiser step, over all processes together."""
    optimiser: Optimiser = "adam"
    """adam or rmsprop, as torch has them."""
    learning_rate: float = 0.01
    """Peak of the one-cycle schedule, or the constant rate."""
    schedule: Schedule = "one-cycle"
    """one-cycle (rises over the first 30 % of the steps, then falls to nothing) or constant."""
    threads: int = 1
    """Threads of torch on a CPU; 0 leaves them as they are. Small maps gain little from more, a busy machine makes them
    wait for each other (measured: 97 s an epoch with 2 threads on 2 busy cores, 4 s with 1), and bits depend on it."""
    validation_maps: int = 256
    """Training maps held out to choose the best epoch."""
    checkpoint_seconds: float = 20.0
    """Seconds between checkpoints inside an epoch; each epoch ends with one."""
    tensorboard: bool = True
    """Write TensorBoard event files too, if tensorboard is installed."""

    def __post_init__(self) -> None:
        for name, choices in (
            ("supervision", Supervision),
            ("loss", Loss),
            ("optimiser", Optimiser),
            ("schedule", Schedule),
        ):
            if getattr(self, name) not in get_args(choices):
                raise unknown_name(name, getattr(self, name), get_args(choices))
        for name in ("epochs", "batch_size", "validation_maps"):
            if getattr(self, name) < 1:
                raise InputError(f"--training.{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}.")
        if not self.learning_rate > 0:
            raise InputError(f"--training.learning-rate must be positive, got {self.learning_rate}.")


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a training, but the file of maps."""

    policy: PolicyConfig = field(default_factory=PolicyConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = 0
    """Of the maps, the initial weights and the order of the maps."""

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries."""
        return dataclasses.asdict(self)


#: name -> training. The policy is the normalised design; K = 2 a side. At 28x28 twice the hidden channels learn the few
#: obstacle patterns that 32 miss (5,000 fresh maps: 99.95 % success with 3,000 maps, 99.58 % with 32 and 5,000 maps).
PRESETS: dict[str, RunConfig] = {
    "gridworld-8": RunConfig(data=DataConfig(height=8, width=8)),
    "gridworld-16": RunConfig(data=DataConfig(height=16, width=16)),
    "gridworld-28": RunConfig(policy=PolicyConfig(hidden_channels=64), data=DataConfig(height=28, width=28, maps=3000)),
}


def preset(name: str) -> RunConfig:
    """The preset of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
