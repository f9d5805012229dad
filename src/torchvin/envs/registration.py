"""The ids of the environments in Gymnasium's registry."""

from collections.abc import Mapping
from typing import Any

from torchvin.mdp.environment_ids import GRID_IDS, MUJOCO_IDS, POINT_MASS_IDS, WEB_IDS

#: Ids with their options -> the classes of the single and of the vector environment.
_CLASSES: tuple[tuple[Mapping[str, Any], str, str | None], ...] = (
    (GRID_IDS, "torchvin.envs.gridworld:GridWorldEnv", "torchvin.envs.vector:GridWorldVectorEnv"),
    (POINT_MASS_IDS, "torchvin.envs.point_mass:PointMassEnv", "torchvin.envs.point_mass:PointMassVectorEnv"),
    (MUJOCO_IDS, "torchvin.envs.mujoco:MujocoPointMassEnv", None),
    (WEB_IDS, "torchvin.envs.webnav:WebNavEnv", None),
)


def register() -> None:
    """Register every id, single and vectorized. Calling it again changes nothing."""
    import gymnasium

    for ids, single, vector in _CLASSES:
        for name, options in ids.items():
            if name not in gymnasium.registry:
                gymnasium.register(id=name, entry_point=single, vector_entry_point=vector, kwargs=dict(options))
