"""`torchvin bench pipeline`: the steps around the planner: drawing and solving maps, scoring, one decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from scipy.sparse.csgraph import dijkstra

from torchvin.bench.timer import Timer
from torchvin.bench.timing import median_seconds
from torchvin.data.dataset import solve_maps
from torchvin.evaluation.scorer import evaluate
from torchvin.experts.grid import move_graph
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.pretrained.store import load_policy

#: step -> what it is, for maps of `side` x `side` and K = `iterations`
STEPS = {
    "maps_per_second": "data generation [maps/s]",
    "rollouts_per_second": "evaluation [rollouts/s]",
    "decision_microseconds": "one decision on one map [us]",
    "dijkstra_microseconds": "scipy's Dijkstra on the same map, graph not counted [us]",
}


@dataclass(frozen=True)
class Pipeline(Timer):
    """Steps around the planner: drawing and solving maps, scoring, one decision, a search for comparison."""

    name: ClassVar[str] = "pipeline"

    side: int = 28
    """Rows and columns of the maps."""
    maps: int = 300
    """Number of maps."""
    iterations: int = 36
    """K of the decision."""

    def measure(self) -> dict[str, Any]:
        """One row per step."""
        steps = measure(side=self.side, num_maps=self.maps, iterations=self.iterations)
        return {"rows": [{"name": name, "value": value} for name, value in steps.items()]}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per step."""
        columns: list[Column[Mapping[str, Any]]] = [
            Column("step", lambda row: STEPS[row["name"]]),
            Column("this machine", lambda row: f"{row['value']:,.0f}"),
        ]
        return [table_of(columns, content["rows"], title=f"{self.side}x{self.side}, K = {self.iterations}")]


def measure(*, side: int = 28, num_maps: int = 300, iterations: int = 36) -> dict[str, float]:
    """Rates and times on maps of `side` x `side`.

    Returns:
        maps_per_second: drawn, solved by the expert, demonstrated.
        rollouts_per_second: evaluation, 7 rollouts per map, planning included.
        decision_microseconds: from the planes of one map and one state to action logits, K = `iterations`.
        dijkstra_microseconds: scipy's distances to the goal on the same map, its graph given.
    """
    dataset = solve_maps(*generate_gridworld(num_maps, side, seed=1))
    generation = median_seconds(lambda: solve_maps(*generate_gridworld(num_maps, side, seed=1)))
    policy = load_policy("gridworld-28")
    scoring = median_seconds(lambda: evaluate(policy, dataset))
    rollouts = int((dataset.starts[..., 0] >= 0).sum())
    planes, state = dataset[:1].planes(), dataset.starts[:1, :1]
    with torch.inference_mode():
        decision = median_seconds(lambda: policy(planes, state, num_iterations=iterations), least_calls=200)
    graph, goal = move_graph(dataset.blocked[:1], dataset.moves)[0], int(dataset.goal[0, 0] * side + dataset.goal[0, 1])
    search = median_seconds(lambda: dijkstra(graph, indices=goal), least_calls=50)
    return {
        "maps_per_second": num_maps / generation,
        "rollouts_per_second": rollouts / scoring,
        "decision_microseconds": 1e6 * decision,
        "dijkstra_microseconds": 1e6 * search,
    }
