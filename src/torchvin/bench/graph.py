"""`torchvin bench graph`: value iteration on a large graph, beside a loop of `scatter_reduce` and SciPy's Dijkstra."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from torchvin.bench.machine import forget_peak_memory, peak_megabytes
from torchvin.bench.timer import Timer
from torchvin.bench.timing import median_seconds
from torchvin.errors import InputError
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of
from torchvin.planning.gradient import Gradient
from torchvin.planning.graph import Graph
from torchvin.planning.graph_value_iteration import graph_value_iteration


@dataclass(frozen=True)
class GraphTimer(Timer):
    """Value iteration on a random directed graph to convergence: time and memory, forward and backward.

    Shortest paths to one node with costs between 0.5 and 1.5, float32. The loop is what one writes with PyTorch
    alone: gather, add, `scatter_reduce` by maximum, as many updates as ours needs. Dijkstra (SciPy) has no gradient.
    """

    name: ClassVar[str] = "graph"

    nodes: int = 1_000_000
    """Number of nodes."""
    edges: int = 10_000_000
    """Number of edges, each between two random nodes."""
    seed: int = 0
    """Of the graph."""
    repeats: int = 3
    """Least number of calls that a time is the median of, beside one to warm up."""

    def check(self) -> None:
        """See `Timer.check`."""
        super().check()
        if self.nodes < 2 or self.edges < 1 or self.repeats < 1:
            raise InputError("--nodes must be at least 2, --edges and --repeats at least 1.")

    def measure(self) -> dict[str, Any]:
        """One row per way to plan."""
        graph, cost = random_graph(self.nodes, self.edges, self.seed)
        goal = torch.full((1, self.nodes), -torch.inf)
        goal[0, 0] = 0.0
        reward = -cost[None]
        plan = graph_value_iteration(
            graph, num_iterations=10_000, edge_reward=reward, stop_reward=goal, gradient="implicit"
        )
        made = plan.num_iterations

        def ours(reward: Tensor, gradient: Gradient) -> Tensor:
            return graph_value_iteration(
                graph,
                num_iterations=made,
                edge_reward=reward,
                stop_reward=goal,
                gradient=gradient,
                tolerance=0.0,
            ).value

        ways: dict[str, Callable[[Tensor], Tensor]] = {
            "torchvin, implicit": lambda reward: ours(reward, "implicit"),
            "torchvin, unroll": lambda reward: ours(reward, "unroll"),
            "scatter_reduce loop": lambda reward: scatter_loop(graph, reward[0], goal[0], made)[None],
        }
        rows = []
        with progress_bar("measuring", len(ways) + 1) as advance:
            for name, run in ways.items():
                rows.append({"planner": name, **self._row(run, reward, plan.value)})
                advance(1)
            rows.append(self._dijkstra(graph, cost, plan.value))
            advance(1)
        return {"rows": rows, "nodes": self.nodes, "edges": self.edges, "iterations": made}

    def _row(self, run: Callable[[Tensor], Tensor], reward: Tensor, expected: Tensor) -> dict[str, Any]:
        error = float((run(reward) - expected).nan_to_num(0.0, 0.0, 0.0).abs().max())
        forward = median_seconds(lambda: run(reward), least_seconds=0.0, least_calls=self.repeats)
        forget_peak_memory()
        before = peak_megabytes()

        def both() -> None:
            leaf = reward.clone().requires_grad_()
            value = run(leaf)
            torch.autograd.grad(value.where(value.isfinite(), 0).sum(), leaf)

        seconds = median_seconds(both, least_seconds=0.0, least_calls=self.repeats)
        return {
            "forward_s": forward,
            "forward_backward_s": seconds,
            "megabytes": peak_megabytes() - before,
            "largest_difference": error,
        }

    def _dijkstra(self, graph: Graph, cost: Tensor, expected: Tensor) -> dict[str, Any]:
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        parts = (cost.double().numpy(), graph.targets.numpy(), graph.offsets.numpy())
        against = csr_matrix(csr_matrix(parts, shape=(self.nodes, self.nodes)).T)
        forget_peak_memory()
        before = peak_megabytes()
        found: list[np.ndarray] = []
        seconds = median_seconds(
            lambda: found.append(dijkstra(against, indices=0)), least_seconds=0.0, least_calls=self.repeats
        )
        difference = (torch.from_numpy(-found[0]) - expected[0]).nan_to_num(0.0, 0.0, 0.0).abs().max()
        return {
            "planner": "SciPy's Dijkstra",
            "forward_s": seconds,
            "forward_backward_s": None,
            "megabytes": peak_megabytes() - before,
            "largest_difference": float(difference),
        }

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per way to plan."""
        ours = content["rows"][0]
        columns: list[Column[Mapping[str, Any]]] = [
            Column("planner", lambda row: row["planner"]),
            Column("forward [s]", lambda row: f"{row['forward_s']:.3f}"),
            Column("of ours", lambda row: f"{row['forward_s'] / ours['forward_s']:.1f}"),
            Column("forward and backward [s]", lambda row: _seconds(row["forward_backward_s"])),
            Column("of ours ", lambda row: _ratio(row["forward_backward_s"], ours["forward_backward_s"])),
            Column("memory [MB]", lambda row: f"{row['megabytes']:.0f}"),
            Column("largest difference", lambda row: f"{row['largest_difference']:.1e}"),
        ]
        size = f"{content['nodes']:,} nodes, {content['edges']:,} edges"
        title = f"{size}, {content['iterations']} updates to the fixed point"
        return [table_of(columns, content["rows"], title=title)]


def random_graph(nodes: int, edges: int, seed: int) -> tuple[Graph, Tensor]:
    """Edges between random nodes, and a cost of each."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.bincount(rng.integers(nodes, size=edges), minlength=nodes).cumsum()])
    targets = torch.from_numpy(rng.integers(nodes, size=edges))
    return Graph(torch.from_numpy(offsets), targets), torch.from_numpy(rng.uniform(0.5, 1.5, edges).astype(np.float32))


def scatter_loop(graph: Graph, reward: Tensor, goal: Tensor, num_iterations: int) -> Tensor:
    """The loop that one writes without a kernel."""
    value = goal
    for _ in range(num_iterations):
        q_values = reward + value[graph.targets]
        value = goal.scatter_reduce(0, graph.sources, q_values, "amax", include_self=True)
    return value


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _ratio(value: float | None, ours: float) -> str:
    return "-" if value is None else f"{value / ours:.1f}"
