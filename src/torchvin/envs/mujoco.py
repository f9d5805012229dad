"""The same task on MuJoCo (extra `torchvin[mujoco]`): the same arenas, observations, actions and policies."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchvin.envs.point_mass import PointMassEnv
from torchvin.envs.pushes import PointMassOptions, Pushes
from torchvin.errors import InputError
from torchvin.mdp.point_mass import HALF_SIDE, PointMass

_WALLS = ((1, 0), (-1, 0), (0, 1), (0, -1))
_FAR = 5.0  # obstacles further from the middle than this only pad the arrays


class MujocoPushes(Pushes):
    """Bodies whose dynamics MuJoCo computes. Arguments as in `Pushes`.

    Raises: InputError if MuJoCo is not installed.
    """

    def __init__(self, options: PointMassOptions, num_agents: int) -> None:
        try:
            import mujoco
        except ModuleNotFoundError as error:
            raise InputError("this environment needs MuJoCo: pip install torchvin[mujoco].") from error
        super().__init__(options, num_agents)
        self._mujoco = mujoco
        self._models: list[Any] = [None] * num_agents

    def begin(self, agents: np.ndarray, randoms: Sequence[np.random.Generator]) -> None:
        super().begin(agents, randoms)
        for agent in agents.tolist():
            self._models[agent] = self._mujoco.MjModel.from_xml_string(world(self.obstacles[agent].numpy(), self.body))

    def pushed(self, force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        after, touched = np.empty_like(self.state), np.zeros(self.num_agents, dtype=bool)
        for agent, model in enumerate(self._models):
            data = self._mujoco.MjData(model)
            data.qpos[:], data.qvel[:] = self.state[agent, :2], self.state[agent, 2:]
            data.ctrl[:] = force[agent]
            for _ in range(self.body.substeps):
                self._mujoco.mj_step(model, data)
                touched[agent] |= data.ncon > 0
            after[agent, :2], after[agent, 2:] = data.qpos, data.qvel
        return after, touched


class MujocoPointMassEnv(PointMassEnv):
    """`PointMassEnv` with MuJoCo's dynamics. Options as there.

    Raises: InputError also if MuJoCo is not installed.
    """

    def make_episodes(self, options: PointMassOptions) -> Pushes:
        return MujocoPushes(options, 1)


def world(obstacles: np.ndarray, body: PointMass) -> str:
    """The world as MuJoCo's XML, after the authors' file: two slide joints, two motors, no gravity, no friction.

    Args:
        obstacles: capsules (x0, y0, x1, y1, radius), [P, 5].
        body: constants.
    """
    soft = f'condim="1" margin="{body.margin}" solref="{body.contact_time} 1"'
    hard = f'solimp="{1 - body.softness[0]} {1 - body.softness[1]} {body.soft_depth}"'
    shapes = []
    for x0, y0, x1, y1, radius in obstacles.tolist():
        if abs(x0) > _FAR:
            continue
        if (x0, y0) == (x1, y1):
            shape = f'type="sphere" size="{radius}" pos="{x0} {y0} 0"'
        else:
            shape = f'type="capsule" size="{radius}" fromto="{x0} {y0} 0 {x1} {y1} 0"'
        shapes.append(f'<geom {shape} contype="1" conaffinity="2" {soft} {hard}/>')
    for x, y in _WALLS:
        place = f'pos="{x * HALF_SIDE} {y * HALF_SIDE} 0" zaxis="{-x} {-y} 0" size="2 2 1"'
        shapes.append(f'<geom type="plane" {place} contype="1" conaffinity="2" {soft} {hard}/>')
    joints = "".join(
        f'<joint name="{name}" type="slide" axis="{axis}" damping="{body.damping}"/>'
        for name, axis in (("x", "1 0 0"), ("y", "0 1 0"))
    )
    motors = "".join(
        f'<motor joint="{name}" ctrllimited="true" ctrlrange="{-body.max_force} {body.max_force}"/>' for name in "xy"
    )
    return (
        f'<mujoco><option timestep="{body.time_step}" gravity="0 0 0" integrator="Euler" iterations="20"/><worldbody>'
        f'<body>{joints}<geom type="sphere" size="{body.radius}" mass="{body.mass}" contype="2" conaffinity="1" '
        f'condim="1" solref="{body.contact_time} 1" {hard}/></body>{"".join(shapes)}</worldbody>'
        f"<actuator>{motors}</actuator></mujoco>"
    )
