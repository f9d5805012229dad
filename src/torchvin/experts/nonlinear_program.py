"""The same trajectories by a general solver: CasADi and IPOPT, one body after the other (extra `torchvin[control]`).

`experts.trajectory` is the expert that training uses. This one checks it: another method, the same costs.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.experts.trajectory import Trajectories, TrajectoryOptimizer
from torchvin.mdp.point_mass import HALF_SIDE

_MOST_ITERATIONS = 200


class NonlinearProgram:
    """Costs, bounds and distances of a `TrajectoryOptimizer` as a nonlinear program, warm-started in the same way.

    Args:
        expert: whose arenas, body and costs are taken. The distance `least` from obstacles is a constraint, comfort a
            cost.

    Raises: InputError if CasADi is not installed.
    """

    def __init__(self, expert: TrajectoryOptimizer) -> None:
        try:
            import casadi
        except ModuleNotFoundError as error:
            raise InputError("this solver needs CasADi: pip install torchvin[control].") from error
        self.expert, self.casadi = expert, casadi
        self._build()

    def _build(self) -> None:
        """The program with start, goal and obstacles as parameters."""
        casadi, expert = self.casadi, self.expert
        config, body, horizon = expert.config, expert.body, expert.config.horizon
        number = expert.arenas.obstacles.shape[1]
        decay, gain = 1.0, 0.0  # of the speed over a control step, and what a force adds to it
        moves_speed, moves_force = 0.0, 0.0  # how far they carry the body
        step = body.time_step / (body.mass + body.time_step * body.damping)
        for _ in range(body.substeps):
            decay, gain = decay * (1 - step * body.damping), gain * (1 - step * body.damping) + step
            moves_speed, moves_force = moves_speed + body.time_step * decay, moves_force + body.time_step * gain
        force, position = casadi.SX.sym("force", 2, horizon), casadi.SX.sym("position", 2, horizon)
        speed = casadi.SX.sym("speed", 2, horizon)
        start, goal = casadi.SX.sym("start", 4), casadi.SX.sym("goal", 2)
        obstacles = casadi.SX.sym("obstacles", 5, number)
        cost, linked, distances = 0.0, [], []
        before, speed_before = start[:2], start[2:]
        for index in range(horizon):
            here, speed_here, push = position[:, index], speed[:, index], force[:, index]
            linked.append(here - before - moves_speed * speed_before - moves_force * push)
            linked.append(speed_here - decay * speed_before - gain * push)
            cost += config.distance_weight / 2 * casadi.sumsqr(here - goal)
            cost += config.force_weight / 2 * casadi.sumsqr(push)
            if index:
                cost += config.change_weight / 2 * casadi.sumsqr(push - force[:, index - 1])
            for each in range(number):
                room = _distance(casadi, here, obstacles[:, each]) - body.radius
                distances.append(room)
                cost += 5.0 * casadi.fmax(config.comfort - room, 0) ** 2
            before, speed_before = here, speed_here
        unknowns = casadi.vertcat(casadi.vec(force), casadi.vec(position), casadi.vec(speed))
        given = casadi.vertcat(start, goal, casadi.vec(obstacles))
        constraints = casadi.vertcat(*linked, *distances)
        options = {"ipopt.max_iter": _MOST_ITERATIONS, "ipopt.print_level": 0, "ipopt.sb": "yes", "print_time": 0}
        problem = {"x": unknowns, "f": cost, "g": constraints, "p": given}
        self._solver: Any = casadi.nlpsol("push", "ipopt", problem, {**options, "ipopt.tol": 1e-4})
        inside = HALF_SIDE - body.radius - config.least
        limits = [body.max_force] * (2 * horizon) + [inside] * (2 * horizon) + [np.inf] * (2 * horizon)
        self._limits = np.array(limits)
        self._least = np.array([0.0] * (4 * horizon) + [config.least] * (number * horizon))
        self._most = np.array([0.0] * (4 * horizon) + [np.inf] * (number * horizon))

    def __call__(self, which: Int[Tensor, "N"], state: Float[Tensor, "N 4"]) -> Trajectories:
        """Trajectories from any states of the arenas `which`, one after the other."""
        expert, horizon = self.expert, self.expert.config.horizon
        route = expert.timed_route(which, state).numpy().astype(np.float64)
        forces = []
        for index, arena in enumerate(which.tolist()):
            speed = np.diff(route[index], axis=0, prepend=state[index : index + 1, :2].numpy())
            speed /= expert.body.control_step
            first = np.concatenate([np.zeros(2 * horizon), route[index].ravel(), speed.ravel()])
            obstacles = expert.arenas.obstacles[arena].numpy().ravel()
            given = np.concatenate([state[index].numpy(), expert.arenas.goal[arena].numpy(), obstacles])
            found = self._solver(
                x0=first, p=given, lbx=-self._limits, ubx=self._limits, lbg=self._least, ubg=self._most
            )
            forces.append(np.array(found["x"])[: 2 * horizon, 0].reshape(horizon, 2))
        return expert.simulate(which, state, torch.from_numpy(np.stack(forces)))


def _distance(casadi: Any, place: Any, capsule: Any) -> Any:
    """Distance of a place from the surface of a capsule."""
    along, away = capsule[2:4] - capsule[:2], place - capsule[:2]
    share = casadi.fmin(casadi.fmax(casadi.dot(along, away) / (casadi.sumsqr(along) + 1e-9), 0), 1)
    return casadi.sqrt(casadi.sumsqr(away - share * along) + 1e-9) - capsule[4]
