"""The fixed point on a graph, best values first: against the updates, and when it is found that way."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import random_graph, road_map
from torchvin.planning.graph import Graph
from torchvin.planning.graph_value_iteration import graph_value_iteration
from torchvin.planning.kernels.cpu import kernel as cpu
from torchvin.planning.kernels.graph import cpu as graph_kernel
from torchvin.planning.kernels.graph.options import Options

pytestmark = pytest.mark.skipif(cpu.extension is None, reason="not compiled")


def costs_and_stops(graph, seed, queries):
    """Costs with ties and zeros, few of them far from the others or infinite; a fifth of the nodes are stops."""
    random = torch.Generator().manual_seed(seed)
    edge = -torch.randint(0, 6, (queries, graph.num_edges), generator=random).double() / 4
    edge = torch.where(torch.rand(edge.shape, generator=random) < 0.05, edge * 1e5, edge)
    edge[torch.rand(edge.shape, generator=random) < 0.05] = -torch.inf
    stop = torch.randint(0, 40, (queries, graph.num_nodes), generator=random).double()
    stop[torch.rand(stop.shape, generator=random) < 0.8] = -torch.inf
    return edge, stop


def fixed_point(graph, edge, stop, *, count=400, **options):
    parts = edge.clone().requires_grad_(), stop.clone().requires_grad_()
    plan = graph_value_iteration(graph, num_iterations=count, edge_reward=parts[0], stop_reward=parts[1], **options)
    plan.value.where(plan.value.isfinite(), 0).sum().backward()
    return plan, *(part.grad for part in parts)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    queries=st.sampled_from([1, 3, 9]),
    discount=st.sampled_from([1.0, 0.75]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_the_fixed_point_is_that_of_the_updates(seed, queries, discount, dtype):
    graph = random_graph(seed) if seed % 2 else road_map(6)
    edge, stop = (part.to(dtype) for part in costs_and_stops(graph, seed, queries))
    edge[edge == 0] = -0.125  # a circle of free edges has no gradient
    searched, *grads = fixed_point(graph, edge, stop, discount=discount, gradient="implicit", backend="cpu")
    updated, *expected = fixed_point(graph, edge, stop, discount=discount, backend="reference")
    assert searched.solved
    assert torch.equal(searched.value, updated.value)
    for ours, theirs in zip(grads, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_fixed_point_is_searched_where_values_fall_along_paths_and_updates_would_be_many():
    def searches(graph, edge, stop, count=1000, discount=1.0, start=-torch.inf):
        options = Options(discount, count, None, 0.0, True)
        return graph_kernel.solve((None, edge, stop, torch.full_like(stop, start), graph, options), keep=False)

    road, web = road_map(8), random_graph(0, nodes=50, edges=1000)
    cost, corner = -torch.ones(16, road.num_edges), torch.full((16, 64), -torch.inf)
    corner[:, 0] = 0.0
    assert searches(road, cost, corner)[2] == 16  # 14 edges to the far corner, 15 updates, and one that changes nothing
    assert searches(road, cost, corner, count=15) is None
    assert searches(road, -cost, corner) is None  # gains
    assert searches(road, cost, corner - 100, discount=0.9) is None  # less is lost farther away
    assert searches(road, cost, corner, start=0.0) is None
    assert searches(road, cost[:1], corner[:1])[2] == 16
    few = costs_and_stops(web, 0, 16)
    assert searches(web, *few) is None  # side by side is faster
    assert searches(web, few[0][:4], few[1][:4]) is not None


def test_few_iterations_of_the_fixed_point_are_those_iterations():
    road = road_map(8)
    edge, stop = costs_and_stops(road, 1, 2)
    for count in (1, 3, 6):
        short = graph_value_iteration(
            road, num_iterations=count, edge_reward=edge, stop_reward=stop, gradient="implicit", tolerance=0.0
        )
        updates = graph_value_iteration(road, num_iterations=count, edge_reward=edge, stop_reward=stop)
        assert torch.equal(short.value, updates.value)


def test_the_gradient_of_a_circle_is_its_sum():
    graph = Graph.from_edge_index(torch.tensor([[0, 1, 2], [1, 0, 0]]), 3)
    reward = torch.tensor([[2.0, 1.0, -5.0]], dtype=torch.float64, requires_grad=True)
    plan = graph_value_iteration(
        graph, num_iterations=9999, edge_reward=reward, discount=0.9, gradient="implicit", backend="cpu"
    )
    plan.value[0, 2].backward()  # -5 + 0.9 (2 + 0.9 (1 + 0.9 (2 + ...
    once = 1 / (1 - 0.81)
    assert reward.grad.tolist() == [pytest.approx([0.9 * once, 0.81 * once, 1.0])]


def test_a_circle_of_free_edges_has_a_finite_gradient():
    graph = Graph.from_edge_index(torch.tensor([[0, 1, 1], [1, 0, 2]]), 3)
    reward = torch.zeros(1, 3, requires_grad=True)
    stop = torch.tensor([[-torch.inf, -torch.inf, 0.0]])
    plan = graph_value_iteration(
        graph, num_iterations=99, edge_reward=reward, stop_reward=stop, gradient="implicit", backend="cpu"
    )
    assert plan.value.tolist() == [[0.0, 0.0, 0.0]]
    plan.value.sum().backward()  # the first of equals leads from node 1 back to node 0
    assert reward.grad.tolist() == [[2.0, 2.0, 0.0]]
