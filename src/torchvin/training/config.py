"""A training in numbers: typed, checked, saved resolved beside the weights. The docstring of a field is its --help."""

import dataclasses
import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from torchvin.architectures.cnn import CNNConfig
from torchvin.architectures.dynamic import DynamicConfig
from torchvin.architectures.fcn import FCNConfig
from torchvin.architectures.gppn import GPPNConfig
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.paper import PAPER_ITERATIONS_PER_SIDE, PaperConfig
from torchvin.architectures.registry import config_to_json
from torchvin.architectures.shortest_path import ShortestPathConfig
from torchvin.architectures.terrain import TerrainConfig
from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
from torchvin.architectures.terrain_cnn import TerrainCNNConfig
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.data.generators import GENERATORS
from torchvin.errors import InputError, unknown_name
from torchvin.mdp.motion import motion_model
from torchvin.mdp.rewards import RewardConfig
from torchvin.policies.config import ArchitectureConfig

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
        if self.kind not in GENERATORS:
            raise unknown_name("kind of data", self.kind, GENERATORS)
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
    """Learning from reward (method reinforcement): PPO on many maps at once, fresh ones in every rollout."""

    maps: int = 1024
    """Maps that are played on at once in a rollout."""
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
        for name in ("discount", "gae", "slip", "by_distance"):
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

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries; that of the policy names its architecture, that of the data holds the motion model."""
        data = {**dataclasses.asdict(self.data), "motion": motion_model(self.data.motion).to_json()}
        return {**dataclasses.asdict(self), "policy": config_to_json(self.policy), "data": data}


#: The authors' recipe for the VIN: 12 maps of 10 states a step, RMSProp in four stages of 30 epochs.
AUTHORS = TrainingConfig(
    supervision="states",
    repeat_states=True,
    loss="single-label",
    epochs=120,
    batch_size=12,
    optimizer="rmsprop-authors",
    learning_rate=0.01,
    schedule="stages",
    onednn=False,
)
#: The same from the best of a few initial weights: how far a start will come shows in its first epochs.
AUTHORS_BEST_START = replace(AUTHORS, starts=8)
#: A better recipe for the paper's network: the same optimizer, but every cell of 12 whole maps teaches in each step.
ALL_CELLS = replace(AUTHORS, supervision="all-cells", repeat_states=False, epochs=60)
#: The same from weights that plan on smaller maps: 28x28 maps from nothing took longer and ended at 95 % success.
ALL_CELLS_AGAIN = replace(ALL_CELLS, epochs=12, stages=(0.2, 0.1, 0.05))
#: The authors' recipe for the FCN: theirs for the VIN, at 8x8 its first two stages alone.
FCN_AUTHORS = replace(AUTHORS, validation_maps=64, onednn=True)
FCN_AUTHORS_8 = replace(FCN_AUTHORS, epochs=60, stages=AUTHORS.stages[:2])
#: The authors' recipe for the CNN: 128 states of any maps a step, their RMSProp in two stages of 20 epochs.
CNN_AUTHORS = replace(
    FCN_AUTHORS, states_per_example=1, batch_size=128, epochs=40, stages=(1.0, 0.2), precision="bfloat16"
)
#: PPO on a thousand maps at once, from the best of three initial weights: one of three learns several times as slowly.
FROM_REWARD = TrainingConfig(
    method="reinforcement",
    starts=3,
    trial_epochs=5,
    batch_size=256,
    learning_rate=0.005,
    weight_decay=1.0,
    schedule="stages",
    stages=(1.0, 1.0, 1.0, 1.0, 0.5, 0.1),
)
#: GPPN's recipe (ICML 2018); its labels are one optimal action, drawn, where ours are the set of them.
GPPN_RECIPE = TrainingConfig(
    epochs=30,
    optimizer="rmsprop",
    learning_rate=1e-3,
    epsilon=1e-6,
    largest_gradient=40.0,
    schedule="constant",
)
#: K a side of the normalized design: longer is the path of one state in 3,000 at 15x15, of one in 200 at 28x28 (NEWS).
MAZE_ITERATIONS = 4.0
#: For the design shortest_path: where moves lead from states beside the goal, then costs and gates from all states.
TWO_PHASES = TrainingConfig(curriculum=CurriculumConfig(steps=100), loss="uniform-set", epochs=10, validation_maps=128)
#: Motion model of the mazes -> the end of the names of presets and weights; NEWS is the one without a name.
MAZE_SUFFIXES = {"news": "", "moore": "-moore", "differential-drive": "-drive", "octile": "-octile"}
MAZES_15 = DataConfig(kind="maze", height=15, width=15, maps=10_000, motion="news")


def _paper_table() -> dict[str, RunConfig]:
    """Table 1 of the paper: three networks at three sizes, 5,000 maps each unless a file is named."""
    presets = {}
    for side in (8, 16, 28):
        data = DataConfig(height=side, width=side)
        paper = PaperConfig(iterations_per_side=PAPER_ITERATIONS_PER_SIDE[side])
        presets[f"gridworld-{side}-paper"] = RunConfig(paper, data, AUTHORS)
        presets[f"gridworld-{side}-paper-best-start"] = RunConfig(paper, data, AUTHORS_BEST_START)
        presets[f"gridworld-{side}-paper-authors-start"] = RunConfig(paper, data, AUTHORS, init="authors")
        every_cell = RunConfig(paper, data, ALL_CELLS_AGAIN, init="gridworld-16-paper-all-cells")
        presets[f"gridworld-{side}-paper-all-cells"] = every_cell if side == 28 else RunConfig(paper, data, ALL_CELLS)
        cnn, fcn = CNNConfig(height=side, width=side), FCNConfig(height=side, width=side)
        presets[f"gridworld-{side}-cnn"] = RunConfig(cnn, data, CNN_AUTHORS)
        presets[f"gridworld-{side}-fcn"] = RunConfig(fcn, data, FCN_AUTHORS_8 if side == 8 else FCN_AUTHORS)
    return presets


def _mazes() -> dict[str, RunConfig]:
    """Mazes with every motion model of the GPPN paper, and with the VIN paper's 8 moves.

    Without a suffix: the shortest-path design (the preset maze-15 is NEWS); -normalized: that design, on 10,000 mazes.
    """
    presets = {}
    for name, suffix in MAZE_SUFFIXES.items():
        moves = motion_model(name)
        actions, orientations = moves.num_actions, moves.num_orientations
        policy = NormalizedConfig(actions, num_orientations=orientations, iterations_per_side=MAZE_ITERATIONS)
        shortest = ShortestPathConfig(actions, num_orientations=orientations)
        for side in (15, 28):
            data = DataConfig(kind="maze", height=side, width=side, maps=10_000, motion=name)
            presets[f"maze-{side}{suffix}-normalized"] = RunConfig(policy, data, TrainingConfig(epochs=10))
            presets[f"maze-{side}{suffix}"] = RunConfig(shortest, replace(data, maps=3000), TWO_PHASES)
    return presets


def _reinforcement() -> dict[str, RunConfig]:
    """From reward alone: 8 moves, and with -news the 4 moves of the paper; -cnn: the paper's network without a plan.

    Beyond the paper, at 8x8: moves that slip, and fields of rewards.
    """
    presets = {}
    for side, epochs in ((8, 30), (16, 45)):
        learn = replace(FROM_REWARD, epochs=epochs)
        for motion, suffix in (("octile", ""), ("news", "-news")):
            actions = motion_model(motion).num_actions
            data = DataConfig(height=side, width=side, motion=motion)
            presets[f"gridworld-{side}-rl{suffix}"] = RunConfig(NormalizedConfig(actions), data, learn)
            slower = replace(learn, learning_rate=0.0005, weight_decay=0.0, starts=1)
            presets[f"gridworld-{side}-rl{suffix}-cnn"] = RunConfig(CNNConfig(actions, side, side), data, slower)
    eight = presets["gridworld-8-rl"]
    stays = replace(eight.reinforcement, slip=0.2, rewards=RewardConfig(collisions="stays"))
    presets["gridworld-8-rl-slip"] = replace(eight, reinforcement=stays)
    fields = replace(eight.reinforcement, goals=3, rewards=RewardConfig(step=-0.02, step_cost="length"))
    presets["gridworld-8-rl-fields"] = replace(
        eight,
        policy=NormalizedConfig(num_terrains=2),
        data=replace(eight.data, terrain_costs=(1.0, 5.0)),
        reinforcement=fields,
    )
    return presets


#: Overhead images: nothing but the demonstrated paths teaches.
DEMONSTRATED = TrainingConfig(
    supervision="demonstrations", loss="tied-label", epochs=24, batch_size=8, learning_rate=0.004
)
TERRAIN_16 = DataConfig(kind="terrain", maps=4000)


def _terrain() -> dict[str, RunConfig]:
    """The VIN on overhead images and its two baselines, with the same encoder."""
    reactive = replace(DEMONSTRATED, loss="single-label", learning_rate=0.002, epochs=8)
    return {
        "terrain-16": RunConfig(TerrainConfig(), TERRAIN_16, DEMONSTRATED),
        "terrain-16-classifier": RunConfig(TerrainClassifierConfig(), TERRAIN_16, replace(DEMONSTRATED, epochs=8)),
        "terrain-16-cnn": RunConfig(TerrainCNNConfig(), TERRAIN_16, reactive),
    }


def _webnav() -> dict[str, RunConfig]:
    """Walks on a web: planning on its pages, on its categories, and the baseline without planning."""
    learn = TrainingConfig(epochs=1, learning_rate=0.005)
    policies: dict[str, ArchitectureConfig] = {
        "webnav": WebNavConfig(),
        "webnav-categories": WebNavConfig(planner="categories", link_cost=0.005),
        "webnav-reactive": WebReactiveConfig(),
    }
    small = replace(learn, epochs=6)  # -small: for webs of few queries, such as FOLDOC
    presets = {name: RunConfig(policy, training=learn) for name, policy in policies.items()}
    return presets | {f"{name}-small": RunConfig(policy, training=small) for name, policy in policies.items()}


#: name -> training. Without a suffix: the normalized design, K = 2 a side. From 16x16 on twice the hidden channels
#: learn the few obstacle patterns that 32 miss; 15 epochs of 4,000 maps of 28x28 take less than a minute.
PRESETS: dict[str, RunConfig] = {
    "gridworld-8": RunConfig(data=DataConfig(height=8, width=8)),
    "gridworld-16": RunConfig(
        policy=NormalizedConfig(hidden_channels=64),
        data=DataConfig(height=16, width=16),
        training=TrainingConfig(batch_size=16),
    ),
    "gridworld-28": RunConfig(
        policy=NormalizedConfig(hidden_channels=64),
        data=DataConfig(height=28, width=28, maps=4000),
        training=TrainingConfig(epochs=15, batch_size=24),
    ),
    **_mazes(),
    "gridworld-16-shortest-path": RunConfig(ShortestPathConfig(), DataConfig(), replace(TWO_PHASES, epochs=15)),
    "maze-15-gppn": RunConfig(GPPNConfig(), MAZES_15, GPPN_RECIPE),
    "maze-15-vin": RunConfig(
        PaperConfig(num_actions=4, num_q=600, kernel_size=5, iterations_per_side=2.0), MAZES_15, GPPN_RECIPE
    ),
    "maze-15-dynamic": RunConfig(DynamicConfig(), MAZES_15, TrainingConfig(epochs=30)),
    **_paper_table(),
    **_reinforcement(),
    **_terrain(),
    **_webnav(),
}


def preset(name: str) -> RunConfig:
    """The preset of that name.

    Raises: InputError with the nearest name that exists.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
