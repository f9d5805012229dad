"""`torchvin bench environments`: how fast many maps are acted on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.registry import build_policy
from torchvin.bench.timer import Timer
from torchvin.bench.timing import median_seconds
from torchvin.errors import InputError
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.generators.gridworld_batch import draw_gridworlds
from torchvin.mdp.worlds import make_worlds
from torchvin.policies.kept_plan import KeptPlans

_SECONDS = 1.0  # of each measurement


@dataclass(frozen=True)
class Environments(Timer):
    """Time of a step on many maps: of the worlds, of the vector environment, and of a policy that keeps its plans.

    Actions are random, so episodes are short and maps change often. The environment chooses among as many maps as there
    are agents.
    """

    name: ClassVar[str] = "environments"

    side: int = 16
    """Rows and columns of the maps."""
    agents: int = 1024
    """Agents that are stepped together."""

    def check(self) -> None:
        """See `Timer.check`."""
        super().check()
        if self.agents < 1:
            raise InputError(f"--agents must be at least 1, got {self.agents}.")

    def measure(self) -> dict[str, Any]:
        """One row per call."""
        calls = {**self._worlds(), **self._environment(), **self._policy()}
        rows = []
        for what, call in calls.items():
            seconds = median_seconds(call, least_seconds=_SECONDS)
            rows.append({"call": what, "ms": round(1e3 * seconds, 3), "per_second": round(self.agents / seconds)})
        return {"agents": self.agents, "side": self.side, "rows": rows}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per call."""
        columns: list[Column[Mapping[str, Any]]] = [
            Column("call", lambda row: row["call"]),
            Column("time [ms]", lambda row: f"{row['ms']:.3f}"),
            Column("agents per second", lambda row: f"{row['per_second']:,}"),
        ]
        title = f"{content['agents']} agents on {content['side']}x{content['side']} maps"
        return [table_of(columns, content["rows"], title=title)]

    def _worlds(self) -> dict[str, Callable[[], object]]:
        random = np.random.default_rng(0)
        worlds = make_worlds(*draw_gridworlds(self.agents, self.side, self.side, random))
        state = worlds.draw_starts(torch.Generator().manual_seed(0))
        action = torch.from_numpy(random.integers(8, size=self.agents))
        return {
            "draw maps": lambda: draw_gridworlds(self.agents, self.side, self.side, random),
            "make their worlds": lambda: make_worlds(worlds.blocked, worlds.goal),
            "step of the worlds": lambda: worlds.step(state, action),
        }

    def _environment(self) -> dict[str, Callable[[], object]]:
        from torchvin.envs.vector import GridWorldVectorEnv

        random, calls = np.random.default_rng(0), {}
        for copy, what in ((True, "step of the environment"), (False, "the same, without copies of the planes")):
            env = GridWorldVectorEnv(self.agents, height=self.side, num_maps=self.agents, copy=copy)
            env.reset(seed=0)
            actions = random.integers(8, size=(64, self.agents))
            calls[what] = stepper(env, actions)
        return calls

    def _policy(self) -> dict[str, Callable[[], object]]:
        torch.manual_seed(0)
        policy = build_policy(NormalizedConfig())
        plans = KeptPlans(policy.eval())
        worlds = make_worlds(*draw_gridworlds(self.agents, self.side, self.side, np.random.default_rng(1)))
        states = torch.ones(self.agents, 2, dtype=torch.int64)

        def anew() -> None:
            plans.forget()
            plans(worlds.planes, states)

        return {"policy, plans anew": anew, "policy, plans kept": lambda: plans(worlds.planes, states)}


def stepper(env: Any, actions: np.ndarray) -> Callable[[], object]:
    """A call that does the next of some actions."""
    number = -1

    def step() -> None:
        nonlocal number
        number = (number + 1) % len(actions)
        env.step(actions[number])

    return step
