"""Trainings from reward and their scores: by our own PPO, and by the algorithms of Stable-Baselines3."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.data.draw import draw_maps
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.evaluation.scorer import evaluate
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.motion import GridMotion
from torchvin.pretrained.store import save_policy
from torchvin.reproduce.book import ScoreBook, Training
from torchvin.reproduce.trainings import is_finished

SIDES = (8, 16)
#: Sizes of maps that no training sees.
TRANSFER = (28, 64)
_VALIDATION_MAPS = 500


@dataclass(frozen=True)
class Network:
    """A row of the table.

    Attributes:
        policy: of a `Row`.
        suffix: of its presets and runs.
        any_size: whether it takes maps of any size.
        library: algorithm of Stable-Baselines3; None: our own PPO.
    """

    policy: str
    suffix: str
    any_size: bool = True
    library: str | None = None


NETWORKS = {
    "VIN": Network("vin", ""),
    "VIN, 4 moves": Network("vin-news", "-news"),
    "CNN": Network("cnn", "-cnn", any_size=False),
    "CNN, 4 moves": Network("cnn-news", "-news-cnn", any_size=False),
    "VIN, TRPO + curriculum, 4 moves": Network("vin-trpo", "-trpo", library="trpo"),
    "VIN, PPO of SB3": Network("vin-sb3-ppo", "-sb3-ppo", library="ppo"),
    "VIN, DQN of SB3": Network("vin-sb3-dqn", "-sb3-dqn", library="dqn"),
}
#: A quick training, beside the shipped weights of the same network.
POLICIES = {**{name: network.policy for name, network in NETWORKS.items()}, "VIN, trained here": "vin-quick"}


@dataclass(frozen=True)
class Measured:
    """One training on one size of maps.

    Attributes:
        network: row of the table.
        side, on: rows and columns of the maps of the training, and of these.
        training: of the policy.
        scores: where every step costs 1.
        by_length: share of rollouts whose path is a shortest one in length, diagonals sqrt(2).
    """

    network: str
    side: int
    on: int
    training: Training
    scores: Scores
    by_length: float

    @property
    def steps(self) -> int:
        """Environment steps of the training."""
        config = self.training.record["config"]
        if "environment_steps" in self.training.record:
            return int(self.training.record["environment_steps"])
        learned = config["reinforcement"]
        per_epoch = learned["rollouts"] * learned["maps"] * learned["horizon"]
        return int(config["training"]["epochs"] * per_epoch)


@lru_cache(maxsize=8)  # every training is scored on the same maps, which take longer to draw than to plan on
def fresh_maps(side: int, maps: int, seed: int, moves: GridMotion) -> MapDataset:
    """Maps that no training sees, by the authors' generator one after the other, a stream per size and motion model."""
    blocked, goal = generate_gridworld(maps, side, seed=(2_000 + side, moves.num_actions, seed), moves=moves)
    return solve_maps(blocked, goal, moves=moves, seed=side)


def measure(
    book: ScoreBook, network: str, side: int, on: int, training: Training, number: int, seed: int = 0
) -> Measured:
    """Score a training on fresh maps of side `on`, twice: optimal in steps, and in length."""
    actions = int(training.record["config"]["policy"]["num_actions"])
    both = []
    for what, moves in (
        ("steps", GridMotion(actions, diagonal_cost=1.0)),
        ("length", GridMotion(actions)),
    ):
        maps = fresh_maps(on, number, seed, moves)
        both.append(book.score(training, maps, f"fresh maps {seed} by {what}"))
    return Measured(network, side, on, training, both[0], both[1].optimal_rate)


#: Steps of the trainings with Stable-Baselines3, by algorithm and side.
LIBRARY_STEPS = {
    ("ppo", 8): 300_000,
    ("ppo", 16): 600_000,
    ("dqn", 8): 60_000,
    ("dqn", 16): 200_000,
    ("trpo", 8): 400_000,
    ("trpo", 16): 600_000,
}
#: K of the paper by side (as recalled, unverified), for the row with its algorithm.
PAPER_ITERATIONS = {8: 10, 16: 20}
#: Agents that act at once.
AGENTS = {"ppo": 256, "dqn": 64, "trpo": 64}
#: Share of successful episodes from which the curriculum of TRPO goes on.
_WIDEN_AT = 0.9
_DQN_DISCOUNT = 0.9


def train_with_library(
    algorithm: str, name: str, side: int, seed: int, out: Path, command: str, steps: int | None = None
) -> Path:
    """Train a VIN with an algorithm of Stable-Baselines3 and keep it as a run; nothing if the run is finished.

    Args:
        algorithm: ppo, dqn, or trpo: 4 moves and a curriculum that widens the distance between start and goal.
        name: of the run, without its seed.
        side: of the maps.
        seed: of the training.
        out: folder of the runs.
        command: that asked for it, for the record.
        steps: in the environment; those of the page if not given.

    Raises: InputError if Stable-Baselines3 is not installed.
    """
    run = out / f"{name}-s{seed}"
    if is_finished(run):
        return run
    try:
        from torchvin.integrations.stable_baselines3 import MapVecEnv
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: needs {error.name}; pip install torchvin[rl], or score the finished runs with --no-train."
        ) from error
    steps = steps or LIBRARY_STEPS[algorithm, side]
    motion = "news" if algorithm == "trpo" else "octile"
    env = MapVecEnv(AGENTS[algorithm], height=side, motion=motion, **_options_of(algorithm))
    env.seed(seed)
    model, callback = _model(algorithm, env, side, seed)
    began = time.monotonic()
    model.learn(steps, callback=callback)
    _keep(run, model.policy.network, side, motion, seed, steps, time.monotonic() - began, command)
    return run


def _options_of(algorithm: str) -> dict[str, Any]:
    """Starts near the goal for TRPO. Its sub-sampling, and the n-step returns of DQN, take one array as observation."""
    if algorithm == "ppo":
        return {}
    return {"observation": "image", **({"longest": 2} if algorithm == "trpo" else {})}


def _model(algorithm: str, env: Any, side: int, seed: int) -> tuple[Any, Any]:
    """The algorithm with its settings, and its curriculum."""
    from torchvin.integrations.stable_baselines3 import VINPolicy, VINQPolicy

    if algorithm == "trpo":
        from sb3_contrib import TRPO

        # Each product with the Hessian is one double backward pass per parameter through all samples: every fourth step
        # of the rollout and 8 products have to be enough.
        options = {
            "n_steps": 24,
            "batch_size": 4 * env.num_envs,
            "target_kl": 0.03,
            "n_critic_updates": 4,
            "sub_sampling_factor": 4,
            "cg_max_steps": 8,
            "policy_kwargs": {"num_iterations": PAPER_ITERATIONS[side]},
        }
        return TRPO(VINPolicy, env, seed=seed, learning_rate=0.005, **options), curriculum(env)
    if algorithm == "ppo":
        from stable_baselines3 import PPO

        options = {"n_steps": 24, "batch_size": 4 * env.num_envs, "n_epochs": 4, "ent_coef": 0.003}
        return PPO(VINPolicy, env, seed=seed, learning_rate=0.005, **options), None
    from stable_baselines3 import DQN
    from stable_baselines3.common.utils import LinearSchedule

    # Moves differ so little in value that a discount of 0.99 hides it behind the error of the fit: at 0.9 one step
    # more costs a tenth. The planner has the same discount.
    plan = {"architecture_kwargs": {"discount": _DQN_DISCOUNT}}
    replay = {"buffer_size": 50_000, "learning_starts": 3_000, "target_update_interval": 3_000, "batch_size": 256}
    explore = {"exploration_fraction": 0.04, "exploration_final_eps": 0.1, "train_freq": 1, "gradient_steps": 2}
    learn = {
        "gamma": _DQN_DISCOUNT,
        "n_steps": 3,
        "learning_rate": LinearSchedule(0.002, 0.0, 1.0),
        **replay,
        **explore,
    }
    return DQN(VINQPolicy, env, seed=seed, policy_kwargs=plan, **learn), None


def curriculum(env: Any) -> Any:
    """A callback of Stable-Baselines3: starts move one step away whenever 90 % of a rollout's episodes succeed."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Curriculum(BaseCallback):  # type: ignore[misc] # the library is left out of type checks
        """Counts the episodes of each rollout."""

        def __init__(self) -> None:
            super().__init__()
            self.successes: list[bool] = []

        def _on_step(self) -> bool:
            infos: Sequence[dict[str, Any]] = self.locals["infos"]
            self.successes += [bool(info["is_success"]) for info in infos if "is_success" in info]
            return True

        def _on_rollout_end(self) -> None:
            if self.successes and sum(self.successes) >= _WIDEN_AT * len(self.successes):
                env.env.episodes.longest += 1
            self.successes = []

    return Curriculum()


def _keep(run: Path, network: Any, side: int, motion: str, seed: int, steps: int, seconds: float, command: str) -> None:
    """Write a network as a run that `torchvin eval` reads, scored on validation maps."""
    from dataclasses import asdict

    from torchvin.architectures.registry import config_to_json

    moves = GridMotion(network.config.num_actions, diagonal_cost=1.0)
    validation = draw_maps("gridworld", _VALIDATION_MAPS, side, side, seed=(seed, 5), moves=moves)
    task = {**validation.description(), "learned_from": "reward"}
    record = {
        "command": f"{command} ({run.name})",
        "data": "generated",
        "config": {"policy": config_to_json(network.config), "seed": seed, "data": {"height": side, "width": side}},
        "environment_steps": steps,
        "seconds": round(seconds, 1),
        "validation": asdict(evaluate(network, validation).scores),
    }
    network.eval()
    save_policy(run, network, task=task, record=record)
    (run / "history.csv").write_text("epoch,success_rate\n")
