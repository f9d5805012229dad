"""A training in numbers: typed, checked, saved resolved beside the weights. The docstring of a field is its --help."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.registry import config_to_json
from torchvin.data.generators import FROM_FILES, GENERATORS
from torchvin.errors import InputError, unknown_name
from torchvin.mdp.motion import motion_model
from torchvin.mdp.rewards import RewardConfig
from torchvin.policies.config import ArchitectureConfig
from torchvin.training.control_config import ControlTrainingConfig

Method = Literal["imitation", "reinforcement"]
Supervision = Literal["all-cells", "demonstrations", "states"]
Loss = Literal["optimal-set", "uniform-set", "single-label", "tied-label"]
Optimizer = Literal["adam", "rmsprop", "rmsprop-authors"]
Schedule = Literal["one-cycle", "constant", "stages"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class DataConfig:
    """Training maps, drawn; not used when --data names a file."""

    kind: str = "gridworld"
    """Generator: gridworld (the paper's), maze (GPPN's), ...; `torchvin list` names them."""
    height: int = 16
    """Rows."""
    width: int = 16
    """Columns."""
    maps: int = 5000
    """Number of maps."""
    motion: str = "octile"
    """What the agent can do: octile (8 moves, a diagonal costs sqrt 2), moore (8, each costs 1), news (4),
    differential-drive."""
    terrain_costs: tuple[float, ...] = (1.0,)
    """Cost of entering a cell of each class of terrain, drawn in patches; one class: no terrain."""

    def __post_init__(self) -> None:
        if self.kind not in (*GENERATORS, *FROM_FILES):
            raise unknown_name("kind of data", self.kind, [*GENERATORS, *FROM_FILES])
        motion_model(self.motion)


@dataclass(frozen=True)
class CurriculumConfig:
    """A first phase that learns where moves lead from states one step from the goal (design shortest_path)."""

    steps: int = 0
    """Optimizer steps; 0: no first phase, and moves stay uncertain."""
    learning_rate: float = 0.03
    """Of Adam, constant."""

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise InputError(f"--training.curriculum.steps must not be negative, got {self.steps}.")
        if not self.learning_rate > 0:
            raise InputError(f"--training.curriculum.learning-rate must be positive, got {self.learning_rate}.")


@dataclass(frozen=True)
class ReinforcementConfig:
    """Learning from reward (method reinforcement): PPO on many maps or walks at once, fresh ones in every rollout."""

    maps: int = 1024
    """Maps that are played on at once in a rollout; on a web, queries with eight walkers each."""
    horizon: int = 24
    """Steps on each map in a rollout; an episode that ended starts again on its map."""
    passes: int = 2
    """Times that a rollout is learned from, in batches of --training.batch-size maps."""
    rollouts: int = 4
    """Rollouts per epoch: after them the policy is validated."""
    discount: float = 0.99
    """Discount of the reward."""
    gae: float = 0.95
    """Lambda of the advantage estimates: 0 trusts the values, 1 the rewards."""
    clip: float = 0.2
    """Largest relative change of the probability of an action that is rewarded."""
    entropy: float = 0.006
    """Weight of the entropy of the policy."""
    value_weight: float = 0.5
    """Weight of the squared error of the state values."""
    curriculum: int = 0
    """Most steps between start and goal at first; one more whenever 90 % of the episodes of a rollout reach the goal.
    0: all starts from the beginning."""
    by_distance: float = 0.3
    """Share of the starts whose distance from the goal is drawn first, evenly up to the longest of the map: a start
    that is far from the goal is rare otherwise (at 16x16 one of a hundred is further than 14 steps)."""
    exploration: float = 0.02
    """Share of the actions that are drawn evenly from all at first; falls to 0 as the weight decay does. A move to
    which the policy gives no probability would never be tried again."""
    replay: float = 0.25
    """Largest share of the maps of a rollout that come again, with the same start, as the policy failed on them; not
    used on webs."""
    goals: int = 1
    """Goals on each map; the i-th is worth 0.5^i of the reward of the goal. With several, or with classes of terrain
    (--data.terrain-costs), policies are compared by their exact expected return."""
    slip: float = 0.0
    """Probability that a random action is done in place of the chosen one."""
    rewards: RewardConfig = field(default_factory=RewardConfig)
    """What the environment pays."""

    def __post_init__(self) -> None:
        for name in ("maps", "horizon", "passes", "rollouts", "goals"):
            if getattr(self, name) < 1:
                raise InputError(f"--reinforcement.{name} must be at least 1, got {getattr(self, name)}.")
        for name in ("discount", "gae", "slip", "by_distance", "exploration", "replay"):
            if not 0 <= getattr(self, name) <= 1:
                flag = name.replace("_", "-")
                raise InputError(f"--reinforcement.{flag} must lie in [0, 1], got {getattr(self, name)}.")
        for name in ("clip", "entropy", "value_weight", "curriculum"):
            if not 0 <= getattr(self, name) < math.inf:
                flag = name.replace("_", "-")
                raise InputError(f"--reinforcement.{flag} must not be negative, got {getattr(self, name)}.")


@dataclass(frozen=True)
class TrainingConfig:
    """How the network learns: by imitation of the expert, or from reward."""

    method: Literal["imitation", "reinforcement"] = "imitation"
    """imitation: copy the expert. reinforcement: act and learn from the reward (the --reinforcement options); then
    supervision, loss, label-noise, curriculum and cost-steps are not used."""
    supervision: Supervision = "all-cells"
    """all-cells: every cell that can reach the goal; demonstrations: the states of the demonstrated paths; states: the
    same, but an example is not a map but --training.states-per-example of its states, as in the authors' files."""
    states_per_example: int = 10
    """Supervision by states: how many of a map's states one example holds (the authors: 10, the baselines 1)."""
    repeat_states: bool = False
    """Supervision by states: a state counts as often as paths pass it, as in the authors' files; else once."""
    loss: Loss = "optimal-set"
    """optimal-set: -log of the total probability of all optimal actions; uniform-set: cross-entropy against all of them
    evenly, so that ties must be ties; single-label: cross-entropy against one; tied-label: the same, but what the
    network holds to be as good as the label is left alone."""
    label_noise: float = 0.0
    """Share of labels taken to be drawn at random (loss tied-label): a wrong one then costs no more than that."""
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    """First phase of the design shortest_path."""
    cost_steps: int = 200
    """Optimizer steps on the costs of the design shortest_path after it has been hardened."""
    epochs: int = 25
    """Passes over the training maps."""
    batch_size: int = 32
    """Examples (maps, if the supervision is not by states) in one optimizer step, over all processes together."""
    starts: int = 1
    """Initial weights to try, each for --training.trial-epochs; the training begins with those whose loss fell lowest,
    or whose reward came highest (the paper's network at 16x16: 0.45 to 0.59 after two epochs, and a start that is
    behind then stays behind)."""
    trial_epochs: int = 2
    """Epochs of a trial, at the constant learning rate; what is kept of the best are its initial weights alone."""
    optimizer: Optimizer = "adam"
    """adam or rmsprop, as torch has them; rmsprop-authors: decay 0.9, epsilon inside the root."""
    learning_rate: float = 0.01
    """Peak of the one-cycle schedule, the constant rate, or what the factors of the stages multiply."""
    epsilon: float = 1e-8
    """Of adam and rmsprop: added to the root of the mean squared gradient (torch: 1e-8)."""
    weight_decay: float = 0.0
    """Of adam: every step also shrinks the weights of the reward model by this times the learning rate (AdamW).
    Learning from reward needs it: a move that was useless at first is never tried again, unless its cost shrinks."""
    decay_until: float = 0.4
    """Share of the training over which the weight decay falls to 0. It also shrinks the costs of obstacles, which then
    have the time to grow again."""
    largest_gradient: float = 0.0
    """Gradients whose norm, over all weights, is larger are scaled down to it; 0: they are left as they are."""
    schedule: Schedule = "one-cycle"
    """one-cycle (rises over the first 30 % of the steps, then falls to nothing), constant, or stages."""
    stages: tuple[float, ...] = (1.0, 0.5, 0.2, 0.1)
    """Factors on the learning rate, each for an equal part of the training (the authors' four, 30 epochs each)."""
    precision: Precision = "float32"
    """bfloat16: convolutions and matrix products of the training in bfloat16, weights and planners in float32."""
    onednn: bool = True
    """Convolutions on a CPU by oneDNN; off, those of the paper's VIN (one or two channels) take a fifth off a step."""
    threads: int = 1
    """Threads of torch on a CPU; 0 leaves them as they are. Small maps gain little from more, a busy machine makes them
    wait for each other (measured: 97 s an epoch with 2 threads on 2 busy cores, 4 s with 1), and bits depend on it."""
    validation_maps: int | None = None
    """Training maps held out to choose the best epoch, at most a fifth of all; 256 if not given. More than there are is
    an error."""
    cuda_graph: bool = True
    """On a GPU: capture an optimizer step in a CUDA graph once and replay it, where all of it allows that (imitation on
    maps, a planner that iterates, adam, one process)."""
    checkpoint_seconds: float = 20.0
    """Seconds between checkpoints inside an epoch; each epoch ends with one."""
    tensorboard: bool = True
    """Write TensorBoard event files too, if tensorboard is installed."""

    def __post_init__(self) -> None:
        for name, choices in (
            ("method", Method),
            ("supervision", Supervision),
            ("loss", Loss),
            ("optimizer", Optimizer),
            ("schedule", Schedule),
            ("precision", Precision),
        ):
            if getattr(self, name) not in get_args(choices):
                raise unknown_name(name, getattr(self, name), get_args(choices))
        if not 0 <= self.label_noise < 1:
            raise InputError(f"--training.label-noise must lie in [0, 1), got {self.label_noise}.")
        if self.label_noise and self.loss != "tied-label":
            raise InputError(f"--training.label-noise is an option of the loss tied-label, got the loss {self.loss}.")
        if self.loss == "tied-label" and self.supervision == "states":
            raise InputError(
                "--training.loss tied-label needs whole maps: --training.supervision all-cells or demonstrations."
            )
        if self.cost_steps < 0:
            raise InputError(f"--training.cost-steps must not be negative, got {self.cost_steps}.")
        for name in ("epochs", "batch_size", "validation_maps", "states_per_example", "starts", "trial_epochs"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise InputError(f"--training.{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}.")
        if not self.stages or min(self.stages) <= 0:
            raise InputError(f"--training.stages must be one or more positive factors, got {self.stages}.")
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"--training.weight-decay must not be negative, got {self.weight_decay}.")
        if not 0 < self.decay_until <= 1:
            raise InputError(f"--training.decay-until must lie in (0, 1], got {self.decay_until}.")
        if self.weight_decay and self.optimizer != "adam":
            raise InputError(f"--training.weight-decay is an option of adam, got the optimizer {self.optimizer}.")
        if self.largest_gradient < 0:
            raise InputError(f"--training.largest-gradient must not be negative, got {self.largest_gradient}.")
        if not self.learning_rate > 0:
            raise InputError(f"--training.learning-rate must be positive, got {self.learning_rate}.")


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a training, but the file of maps."""

    policy: ArchitectureConfig = field(default_factory=NormalizedConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = 0
    """Of the maps, the initial weights and the order of the maps."""
    init: str = ""
    """Weights to begin with, of the same policy: a shipped name or the folder of a run; "authors": drawn as their code
    draws those of the paper's network (its seed is 0); fresh ones if not given."""
    reinforcement: ReinforcementConfig = field(default_factory=ReinforcementConfig)
    control: ControlTrainingConfig = field(default_factory=ControlTrainingConfig)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries; that of the policy names its architecture, that of the data holds the motion model."""
        data = {**dataclasses.asdict(self.data), "motion": motion_model(self.data.motion).to_json()}
        return {**dataclasses.asdict(self), "policy": config_to_json(self.policy), "data": data}
