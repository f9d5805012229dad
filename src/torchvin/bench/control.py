"""`torchvin bench control`: how fast bodies are pushed, by policies, the environment and the solvers."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from torchvin.architectures.registry import build_policy
from torchvin.bench.environments import stepper
from torchvin.bench.timer import Timer
from torchvin.bench.timing import median_seconds
from torchvin.errors import InputError
from torchvin.evaluation.control import GOAL_RADIUS
from torchvin.experts.trajectory import Trajectories, TrajectoryOptimizer, at_rest
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.arenas import encode_arenas
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.policies.force import ForcePolicy
from torchvin.training.presets import PRESETS

_SECONDS = 1.0  # of each measurement
_STREAM = 9_000


@dataclass(frozen=True)
class Control(Timer):
    """Time of a step of the environment, of a policy that pushes, and of one optimized trajectory by each solver.

    Solvers are also compared by success and cost, on the same arenas.
    """

    name: ClassVar[str] = "control"

    agents: int = 1000
    """Bodies that are stepped together."""
    arenas: int = 40
    """Arenas on which solvers are compared."""

    def check(self) -> None:
        """See `Timer.check`."""
        super().check()
        for name in ("agents", "arenas"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} must be at least 1, got {getattr(self, name)}.")

    def measure(self) -> dict[str, Any]:
        """One row per call, and one per solver and kind of arenas."""
        rows = []
        for what, (call, number) in {**self._environment(), **self._policies()}.items():
            seconds = median_seconds(call, least_seconds=_SECONDS)
            rows.append({"call": what, "ms": round(1e3 * seconds, 3), "per_second": round(number / seconds)})
        return {"agents": self.agents, "rows": rows, "solvers": self._solvers()}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """The calls, and the solvers."""
        calls: list[Column[Mapping[str, Any]]] = [
            Column("call", lambda row: row["call"]),
            Column("time [ms]", lambda row: f"{row['ms']:.3f}"),
            Column("bodies per second", lambda row: f"{row['per_second']:,}"),
        ]
        solvers: list[Column[Mapping[str, Any]]] = [
            Column("solver", lambda row: row["solver"]),
            Column("obstacles", lambda row: str(row["obstacles"])),
            Column("success [%]", lambda row: f"{100 * row['success_rate']:.1f}"),
            Column("mean cost", lambda row: f"{row['cost']:.3f}"),
            Column("per trajectory [ms]", lambda row: f"{row['ms']:.1f}"),
        ]
        return [
            table_of(calls, content["rows"], title=f"{content['agents']} bodies"),
            table_of(solvers, content["solvers"], title=f"{self.arenas} arenas"),
        ]

    def _environment(self) -> dict[str, tuple[Callable[[], object], int]]:
        from torchvin.envs.point_mass import PointMassVectorEnv

        random, calls = np.random.default_rng(0), {}
        for copy, what in ((True, "step of the environment"), (False, "the same, without copies of the planes")):
            env = PointMassVectorEnv(self.agents, copy=copy)
            env.reset(seed=0)
            actions = random.uniform(-1, 1, (64, self.agents, 2)).astype(np.float32)
            calls[what] = (stepper(env, actions), self.agents)
        return calls

    def _policies(self) -> dict[str, tuple[Callable[[], object], int]]:
        """One step for one body: with a plan, and with the plan of an earlier step."""
        calls: dict[str, tuple[Callable[[], object], int]] = {}
        for name in ("control", "control-normalized", "control-paper", "control-cnn"):
            torch.manual_seed(0)
            policy = build_policy(PRESETS[name].policy).eval()
            assert isinstance(policy, ForcePolicy)
            calls[f"{name}, one body, looks and pushes"] = (_policy_step(policy, look=True), 1)
            calls[f"{name}, one body, pushes"] = (_policy_step(policy, look=False), 1)
        return calls

    def _solvers(self) -> list[dict[str, Any]]:
        rows = []
        for number in (3, 6):
            arenas = generate_arenas(self.arenas, ArenaConfig(obstacles=number), seed=_STREAM)
            expert = TrajectoryOptimizer(arenas)
            which, start = torch.arange(len(arenas)), at_rest(arenas.start)
            for solver, solve in _known_solvers(expert).items():
                seconds = median_seconds(partial(solve, which, start), least_calls=1, least_seconds=_SECONDS)
                found = solve(which, start)
                rows.append(
                    {
                        "solver": solver,
                        "obstacles": number,
                        "success_rate": found.successful(arenas.goal, GOAL_RADIUS).double().mean().item(),
                        "cost": _cost(found, expert),
                        "ms": round(1e3 * seconds / len(arenas), 2),
                    }
                )
        return rows


def _known_solvers(expert: TrajectoryOptimizer) -> dict[str, Callable[..., Trajectories]]:
    """Ours, and IPOPT where CasADi is installed."""
    from torchvin.experts.nonlinear_program import NonlinearProgram

    found: dict[str, Callable[..., Trajectories]] = {"ours, all at once": expert}
    with suppress(InputError):
        found["CasADi, IPOPT"] = NonlinearProgram(expert)
    return found


def _cost(found: Trajectories, expert: TrajectoryOptimizer) -> float:
    """The mean cost that both solvers minimize, without that of comfort."""
    config, goal = expert.config, expert.arenas.goal
    far = (found.state[:, 1:, :2] - goal[:, None]).square().sum(dim=(1, 2))
    push, change = found.force.square().sum(dim=(1, 2)), found.force.diff(dim=1).square().sum(dim=(1, 2))
    cost = (config.distance_weight * far + config.force_weight * push + config.change_weight * change) / 2
    return round(cost.mean().item(), 4)


@torch.no_grad()
def _policy_step(policy: ForcePolicy, *, look: bool) -> Callable[[], object]:
    arenas = generate_arenas(1, seed=_STREAM)
    planes, state = encode_arenas(arenas.obstacles, arenas.goal), torch.zeros(1, 1, 6)
    seen, _ = policy.look(planes)

    @torch.no_grad()
    def step() -> object:
        return policy.force(policy.look(planes)[0] if look else seen, state)

    return step
