"""The steps around the planner: drawing and solving maps, scoring, one decision."""

import torch
from scipy.sparse.csgraph import dijkstra

from torchvin.bench.timing import median_seconds
from torchvin.data.dataset import solve_maps
from torchvin.evaluation.scorer import evaluate
from torchvin.experts.grid import move_graph
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.pretrained.store import load_policy


def measure(*, side: int = 28, num_maps: int = 300, iterations: int = 36) -> dict[str, float]:
    """Rates and times on maps of `side` x `side`.

    Returns:
        maps_per_second: drawn, solved by the expert, demonstrated.
        rollouts_per_second: evaluation, 7 rollouts a map, planning included.
        decision_microseconds: from the planes of one map and one state to action logits, K = `iterations`.
        dijkstra_microseconds: scipy's distances to the goal on the same map, its graph being there already.
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
