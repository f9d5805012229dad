"""The ids of the environments in Gymnasium's registry."""

from typing import Any

#: id -> (options of `GridWorldEnv`), with the name of each option as Gymnasium's `make` takes it.
IDS: dict[str, dict[str, Any]] = {
    "torchvin/GridWorld-v0": {"kind": "gridworld", "height": 8, "motion": "moore"},
    "torchvin/Maze-v0": {"kind": "maze", "height": 15, "motion": "news"},
}


def register() -> None:
    """Register every id, single and vectorized. Calling it again changes nothing."""
    import gymnasium

    for name, options in IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="torchvin.envs.gridworld:GridWorldEnv",
                vector_entry_point="torchvin.envs.vector:GridWorldVectorEnv",
                kwargs=dict(options),
            )
