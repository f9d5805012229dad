"""The ids of the environments, without Gymnasium: `torchvin list` prints them, `torchvin.envs` registers them."""

from typing import Any

#: id -> (options of `GridWorldEnv`), with the name of each option as Gymnasium's `make` takes it.
GRID_IDS: dict[str, dict[str, Any]] = {
    "torchvin/GridWorld-v0": {"kind": "gridworld", "height": 8, "motion": "octile"},
    "torchvin/Maze-v0": {"kind": "maze", "height": 15, "motion": "news"},
}
#: id -> (options of `PointMassEnv`).
POINT_MASS_IDS: dict[str, dict[str, Any]] = {"torchvin/PointMass-v0": {"kind": "obstacles", "side": 16}}
#: id -> (options of `MujocoPointMassEnv`, which needs the extra `torchvin[mujoco]`).
MUJOCO_IDS: dict[str, dict[str, Any]] = {"torchvin/PointMassMujoco-v0": {"kind": "obstacles", "side": 16}}
#: id -> (options of `WebNavEnv`).
WEB_IDS: dict[str, dict[str, Any]] = {"torchvin/WebNav-v0": {"corpus": "generated"}}
IDS = {**GRID_IDS, **POINT_MASS_IDS, **MUJOCO_IDS, **WEB_IDS}
