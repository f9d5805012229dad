"""The ids of the environments, without Gymnasium: `torchvin list` prints them, `torchvin.envs` registers them."""

from typing import Any

#: id -> (options of `GridWorldEnv`), with the name of each option as Gymnasium's `make` takes it.
IDS: dict[str, dict[str, Any]] = {
    "torchvin/GridWorld-v0": {"kind": "gridworld", "height": 8, "motion": "octile"},
    "torchvin/Maze-v0": {"kind": "maze", "height": 15, "motion": "news"},
}

#: The same of `WebNavEnv`.
WEB_IDS: dict[str, dict[str, Any]] = {"torchvin/WebNav-v0": {"corpus": "generated"}}
