"""`torchvin bench planners`: what each planner costs, at its own K."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from torchvin.architectures.dynamic import DynamicConfig
from torchvin.architectures.gppn import GPPNConfig
from torchvin.architectures.hierarchical import HierarchicalConfig
from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.paper import PaperConfig
from torchvin.architectures.registry import build_policy
from torchvin.architectures.shortest_path import ShortestPathConfig
from torchvin.bench.timer import Timer
from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.mdp.motion import GridMotion
from torchvin.policies.config import ArchitectureConfig
from torchvin.training.imitation.losses import optimal_set_loss
from torchvin.types import PolicyOutput

_NORMALIZED = NormalizedConfig(num_actions=4)
#: row of the table -> what is built; a name that ends in a precision is planned in it.
CONFIGS: dict[str, ArchitectureConfig] = {
    "normalized": _NORMALIZED,
    "normalized, implicit": dataclasses.replace(_NORMALIZED, gradient="implicit"),
    "normalized, soft": dataclasses.replace(_NORMALIZED, temperature=0.1),
    "paper (num_q 10, F 3)": PaperConfig(num_actions=4, iterations_per_side=2.0),
    "paper (num_q 600, F 5)": PaperConfig(num_actions=4, num_q=600, kernel_size=5, iterations_per_side=2.0),
    "hierarchical": HierarchicalConfig(num_actions=4, hidden_channels=32),
    "gppn (F 9)": GPPNConfig(),
    "gppn (F 9), bfloat16": GPPNConfig(),
    "dynamic": DynamicConfig(),
    "shortest_path": ShortestPathConfig(num_actions=4),
}
_CALLS = 4


@dataclass(frozen=True)
class Planners(Timer):
    """Cost of each planner: weights, time per map of a plan and of a training step.

    Mazes with 4 moves, fresh weights (the time of a fixed point depends on them). The time is processor time, the least
    of some calls: other work on the machine counts little.
    """

    name: ClassVar[str] = "planners"

    side: int = 15
    """Rows and columns of the mazes."""
    batch: int = 32
    """Mazes that are planned at once."""

    def measure(self) -> dict[str, Any]:
        """One row per planner."""
        dataset = solve_maps(*generate_mazes(self.batch, self.side, seed=0), moves=GridMotion(4))
        rows = []
        with progress_bar("measuring", len(CONFIGS)) as advance:
            for name, config in CONFIGS.items():
                rows.append(measure(name, config, dataset))
                advance(1)
        return {"rows": rows}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per planner."""
        columns: list[Column[Mapping[str, Any]]] = [
            Column("planner", lambda row: row["planner"]),
            Column("weights", lambda row: f"{row['weights']:,}"),
            Column("value updates", lambda row: str(row["updates"])),
            Column("plan [ms per map]", lambda row: f"{row['forward_ms_per_map']:.2f}"),
            Column("training step [ms per map]", lambda row: f"{row['training_ms_per_map']:.2f}"),
        ]
        return [table_of(columns, content["rows"], title=f"{self.batch} mazes of {self.side}x{self.side}")]


def measure(name: str, config: ArchitectureConfig, dataset: MapDataset) -> dict[str, Any]:
    """One row: a planner with fresh weights on the maps of a data set."""
    torch.manual_seed(0)
    policy, observation, cells = build_policy(config), dataset.planes(), dataset.optimal_actions != 0

    def plan() -> PolicyOutput:
        with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in name):
            output: PolicyOutput = policy(observation)
        return output

    def step() -> None:
        policy.zero_grad()
        loss = optimal_set_loss(plan().logits.float(), dataset.optimal_actions, cells) / cells.sum()
        loss.backward()  # type: ignore[no-untyped-call]

    policy.eval()
    with torch.no_grad():
        forward, planned = least_seconds(plan), plan().plan
    assert planned is not None
    policy.train()
    return {
        "planner": name,
        "weights": sum(parameter.numel() for parameter in policy.parameters()),
        "updates": planned.num_iterations,
        "forward_ms_per_map": round(1e3 * forward / len(dataset), 3),
        "training_ms_per_map": round(1e3 * least_seconds(step) / len(dataset), 3),
    }


def least_seconds(run: Callable[[], object], calls: int = _CALLS) -> float:
    """Processor time of the fastest call, after one to warm up."""
    run()
    times = []
    for _ in range(calls):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)
