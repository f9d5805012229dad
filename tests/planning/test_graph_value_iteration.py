"""Value iteration on graphs: against a loop in Python, shortest paths of SciPy, the grid planner, finite differences."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from graphs import random_graph
from torchvin import InputError, ShapeError, value_iteration
from torchvin.planning.graph import Graph
from torchvin.planning.graph_value_iteration import GraphValueIteration, graph_value_iteration
from torchvin.planning.kernels.cpu import kernel as cpu

BACKENDS = ["reference", pytest.param("cpu", marks=pytest.mark.skipif(cpu.extension is None, reason="not compiled"))]
INF = math.inf


def by_hand(graph, node, edge, stop, discount, value, count):
    """One query, in Python."""
    value = list(value)
    for _ in range(count):
        after = []
        for s in range(graph.num_nodes):
            options = [] if stop is None else [float(stop[s])]
            for e in range(int(graph.offsets[s]), int(graph.offsets[s + 1])):
                if graph.outcomes is None:
                    expected = value[int(graph.targets[e])]
                else:
                    span = range(int(graph.outcomes[e]), int(graph.outcomes[e + 1]))
                    expected = sum(
                        float(graph.outcome_probabilities[m]) * value[int(graph.outcome_targets[m])] for m in span
                    )
                options.append(float(node[s]) + float(edge[e]) + discount * expected)
            after.append(max(options, default=0.0))
        value = after
    return value


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize("queries", [1, 3, 17])
@pytest.mark.parametrize("stops", [False, True])
def test_it_is_the_loop(backend, uncertain, queries, stops):
    graph = random_graph(queries, uncertain=uncertain)
    random = torch.Generator().manual_seed(1)
    node, stop, value = (torch.randn(queries, 30, generator=random, dtype=torch.float64) for _ in range(3))
    edge = torch.randn(queries, 90, generator=random, dtype=torch.float64)
    limits = torch.randint(0, 7, (queries,), generator=random)
    plan = graph_value_iteration(
        graph,
        num_iterations=limits,
        node_reward=node,
        edge_reward=edge,
        stop_reward=stop if stops else None,
        discount=0.9,
        initial_value=value,
        backend=backend,
    )
    for b in range(queries):
        expected = by_hand(graph, node[b], edge[b], stop[b] if stops else None, 0.9, value[b].tolist(), int(limits[b]))
        assert plan.value[b].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), steps=st.sampled_from([0, 1, 3, 12]))
def test_k_updates_are_shortest_paths_of_at_most_k_edges(backend, seed, steps):
    graph = random_graph(seed)
    cost = torch.rand(90, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    goal = seed % 30
    start = torch.full((1, 30), -INF, dtype=torch.float64)
    start[0, goal] = 0.0
    plan = graph_value_iteration(
        graph, num_iterations=steps, edge_reward=-cost[None], stop_reward=start, initial_value=start, backend=backend
    )
    distance = [INF] * 30  # Bellman and Ford, K rounds
    distance[goal] = 0.0
    for _ in range(steps):
        before = list(distance)
        for source, target, length in zip(graph.sources.tolist(), graph.targets.tolist(), cost.tolist(), strict=True):
            distance[source] = min(distance[source], before[target] + length)
    assert (-plan.value[0]).tolist() == pytest.approx(distance)
    if steps == 12:
        full = graph_value_iteration(
            graph, num_iterations=40, edge_reward=-cost[None], stop_reward=start, gradient="implicit", backend=backend
        )
        matrix = np.full((30, 30), INF)
        np.minimum.at(matrix, (graph.sources.numpy(), graph.targets.numpy()), cost.numpy())
        matrix[np.isinf(matrix)] = 0
        assert full.solved
        assert (-full.value[0]).tolist() == pytest.approx(dijkstra(csr_matrix(matrix.T), indices=goal).tolist())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint", "implicit"])
@pytest.mark.parametrize(("uncertain", "shared"), [(False, False), (True, True)])
def test_gradients_agree_with_finite_differences(backend, gradient, uncertain, shared):
    graph = random_graph(3, nodes=5, edges=12, uncertain=uncertain)
    random = torch.Generator().manual_seed(4)
    node, stop = (torch.randn(2, 5, generator=random, dtype=torch.float64, requires_grad=True) for _ in range(2))
    edge = torch.randn(1 if shared else 2, 12, generator=random, dtype=torch.float64, requires_grad=True)
    value = torch.randn(2, 5, generator=random, dtype=torch.float64, requires_grad=gradient != "implicit")
    count = 24 if gradient == "implicit" else torch.tensor([5, 2])

    def run(node, edge, stop, value):
        plan = graph_value_iteration(
            graph,
            num_iterations=count,
            node_reward=node,
            edge_reward=edge,
            stop_reward=stop,
            discount=0.5,
            initial_value=value,
            gradient=gradient,
            tolerance=0.0 if gradient == "implicit" else 1e-6,
            backend=backend,
        )
        return plan.value, plan.q_values

    every_entry = backend == "cpu" and gradient == "unroll"  # else along random directions, which takes a tenth
    assert torch.autograd.gradcheck(run, (node, edge, stop, value), atol=1e-6, fast_mode=not every_entry)


@pytest.mark.skipif(cpu.extension is None, reason="not compiled")
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_at_a_tie_both_backends_choose_the_same(seed):
    graph = random_graph(seed)
    random = torch.Generator().manual_seed(seed)
    edge = torch.randint(-2, 1, (4, 90), generator=random).double()
    stop = torch.randint(-3, 1, (4, 30), generator=random).double()
    grads = []
    for backend in ("cpu", "reference"):
        parts = edge.clone().requires_grad_(), stop.clone().requires_grad_()
        plan = graph_value_iteration(
            graph, num_iterations=6, edge_reward=parts[0], stop_reward=parts[1], discount=0.5, backend=backend
        )
        plan.value.where(plan.value.isfinite(), 0).sum().backward()
        grads += [(plan.value, parts[0].grad, parts[1].grad)]
    for ours, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.skipif(cpu.extension is None, reason="not compiled")
@pytest.mark.parametrize("queries", [1, 5, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stops", [False, True])
def test_every_instruction_set_gives_the_numbers_of_the_reference(monkeypatch, queries, dtype, stops):
    graph = random_graph(1, nodes=20, edges=500)  # more edges per node than a register holds
    random = torch.Generator().manual_seed(2)
    edge = torch.randint(-3, 1, (queries, 500), generator=random).to(dtype)
    node = torch.randint(-1, 2, (queries, 20), generator=random).to(dtype)
    stop = torch.randint(-9, 1, (queries, 20), generator=random).to(dtype)
    edge[:, graph.sources == 3] = -torch.inf

    def run(backend):
        parts = [part.clone().requires_grad_() for part in (edge, node, stop)]
        plan = graph_value_iteration(
            graph,
            num_iterations=5,
            edge_reward=parts[0],
            node_reward=parts[1],
            stop_reward=parts[2] if stops else None,
            discount=0.5,
            backend=backend,
        )
        plan.value.where(plan.value.isfinite(), 0).sum().backward()
        return plan.value.detach(), [part.grad for part in parts[: 2 + stops]]

    value, grads = run("reference")
    for name in cpu.extension.instruction_sets():
        monkeypatch.setenv("TORCHVIN_INSTRUCTION_SET", name)
        ours, our_grads = run("cpu")
        assert torch.equal(ours, value), name
        for mine, theirs in zip(our_grads, grads, strict=True):
            assert torch.equal(mine, theirs), name


def test_the_grid_planned_both_ways_is_the_same():
    random = torch.Generator().manual_seed(5)
    height, width, moves = 6, 7, [(-1, 0), (1, 0), (0, 1), (0, -1)]
    q_reward = torch.randn(2, 4, height, width, generator=random, dtype=torch.float64)
    kernel = torch.zeros(4, 1, 3, 3, dtype=torch.float64)
    index, action = [], []
    for a, (down, right) in enumerate(moves):
        kernel[a, 0, 1 + down, 1 + right] = 0.9
        for row in range(height):
            for col in range(width):
                on_map = 0 <= row + down < height and 0 <= col + right < width
                # Outside the map the grid reads zeros: one more node without edges, of value 0.
                index.append((row * width + col, (row + down) * width + col + right if on_map else height * width))
                action.append(a)
    graph, order = Graph.from_edge_index(torch.tensor(index).T, height * width + 1, return_order=True)
    sources, actions = graph.sources, torch.tensor(action)[order]
    results = []
    for on_grid in (True, False):
        reward = q_reward.clone().requires_grad_()
        if on_grid:
            value = value_iteration(reward, kernel, num_iterations=9).value.flatten(1)
        else:
            edge_reward = reward.flatten(2)[:, actions, sources]
            plan = graph_value_iteration(graph, num_iterations=9, edge_reward=edge_reward, discount=0.9)
            value = plan.value[:, :-1]
        value.square().sum().backward()
        results.append((value.detach(), reward.grad))
    torch.testing.assert_close(results[0], results[1])


def test_a_union_plans_each_graph_as_alone():
    graphs = [random_graph(seed, nodes=10 + seed, edges=40) for seed in range(3)]
    rewards = [torch.randn(1, 40, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    together = Graph.union(graphs)
    assert together.sizes == (10, 11, 12)
    plan = graph_value_iteration(together, num_iterations=5, edge_reward=torch.cat(rewards, dim=1), discount=0.9)
    for part, graph, reward in zip(plan.value.split(together.sizes, dim=1), graphs, rewards, strict=True):
        alone = graph_value_iteration(graph, num_iterations=5, edge_reward=reward, discount=0.9)
        torch.testing.assert_close(part, alone.value)


def test_a_union_of_uncertain_graphs_plans_each_as_alone():
    graphs = [random_graph(seed, uncertain=True) for seed in range(2)]
    reward = torch.randn(1, 60, dtype=torch.float64)
    plan = graph_value_iteration(Graph.union(graphs), num_iterations=4, node_reward=reward, discount=0.9)
    alone = graph_value_iteration(graphs[1], num_iterations=4, node_reward=reward[:, 30:], discount=0.9)
    torch.testing.assert_close(plan.value[:, 30:], alone.value)


def test_one_edge_reward_for_all_queries_is_that_of_each():
    graph, reward = random_graph(0), torch.randn(1, 90)
    stop = torch.randn(5, 30)
    shared = graph_value_iteration(graph, num_iterations=6, edge_reward=reward, stop_reward=stop)
    each = graph_value_iteration(graph, num_iterations=6, edge_reward=reward.expand(5, -1), stop_reward=stop)
    assert torch.equal(shared.value, each.value)


def test_what_cannot_move_or_stop_has_the_value_zero():
    graph = Graph.from_edge_index(torch.tensor([[0], [1]]), 3)
    plan = graph_value_iteration(graph, num_iterations=2, edge_reward=torch.ones(1, 1))
    assert plan.value.tolist() == [[1.0, 0.0, 0.0]]


def test_the_fixed_point_says_whether_it_was_reached():
    graph = Graph.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 2)
    reward = torch.ones(1, 2)
    assert graph_value_iteration(
        graph, num_iterations=999, edge_reward=reward, discount=0.9, gradient="implicit"
    ).solved
    assert not graph_value_iteration(
        graph, num_iterations=5, edge_reward=reward, discount=0.9, gradient="implicit"
    ).solved
    assert not graph_value_iteration(graph, num_iterations=999, edge_reward=reward, gradient="implicit").solved


def test_graphs_come_from_scipy_networkx_and_edge_index():
    networkx = pytest.importorskip("networkx")
    matrix = csr_matrix([[0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [4.0, 0.0, 0.0]])
    graph, weight = Graph.from_scipy(matrix)
    assert (graph.sources.tolist(), graph.targets.tolist(), weight.tolist()) == ([0, 1, 2], [1, 2, 0], [2.0, 3.0, 4.0])
    other = networkx.DiGraph()
    other.add_weighted_edges_from([("c", "a", 4.0), ("a", "b", 2.0)])
    made, lengths = Graph.from_networkx(other)
    assert (made.sources.tolist(), made.targets.tolist(), lengths.tolist()) == ([0, 1], [1, 2], [4.0, 2.0])
    both, _ = Graph.from_networkx(networkx.path_graph(3))
    assert both.num_edges == 4
    unordered, order = Graph.from_edge_index(torch.tensor([[2, 0, 2], [0, 1, 1]]), 3, return_order=True)
    assert (unordered.targets.tolist(), order.tolist()) == ([1, 0, 1], [1, 0, 2])


def test_the_layer_takes_k_at_its_call():
    layer = GraphValueIteration(num_iterations=3, discount=0.5)
    graph = random_graph(0)
    reward = torch.randn(2, 30)
    assert layer(graph, node_reward=reward, num_iterations=9).num_iterations == 9
    assert "num_iterations=3" in repr(layer)
    expected = graph_value_iteration(graph, num_iterations=3, node_reward=reward, discount=0.5)
    assert torch.equal(layer(graph, node_reward=reward).value, expected.value)


def test_autocast_plans_in_float32():
    graph = random_graph(0)
    with torch.autocast("cpu", torch.bfloat16):
        plan = graph_value_iteration(graph, num_iterations=3, node_reward=torch.randn(1, 30).bfloat16(), discount=0.9)
    assert plan.value.dtype == torch.float32


@pytest.mark.without_type_hook
@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # a trace holds for the sizes that it was made with
def test_a_trace_holds_the_reference():
    graph = random_graph(0)
    reward = torch.randn(2, 90)

    class Net(torch.nn.Module):
        def forward(self, reward):
            return GraphValueIteration(num_iterations=3, discount=0.9)(graph, edge_reward=reward).value

    traced = torch.jit.trace(Net(), reward, check_trace=False)
    torch.testing.assert_close(traced(reward), Net()(reward))


@pytest.mark.usefixtures("_unchecked_shapes")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_iterations": -1}, "must not be negative"),
        ({"num_iterations": torch.tensor([1.5])}, "one whole number, or one per query"),
        ({"num_iterations": torch.tensor([-1])}, "must not be negative"),
        ({"discount": 0.0}, r"discount must lie in \(0, 1\]"),
        ({"discount": 1.5}, r"discount must lie in \(0, 1\]"),
        ({"tolerance": -1.0}, "tolerance must not be negative"),
        ({"gradient": "unrol"}, "Did you mean 'unroll'"),
        ({"backend": "gpu"}, "unknown backend"),
        ({"edge_reward": None}, "nothing to plan for"),
        ({"edge_reward": torch.full((1, 90), math.nan)}, r"must not be NaN or \+inf"),
        ({"edge_reward": torch.ones(1, 90, dtype=torch.int64)}, "must hold floating-point numbers"),
        ({"node_reward": torch.zeros(1, 30, dtype=torch.float64)}, "one dtype"),
    ],
)
def test_bad_input_says_what_to_do(options, message):
    arguments = {"num_iterations": 3, "edge_reward": torch.zeros(1, 90), **options}
    with pytest.raises(InputError, match=message):
        graph_value_iteration(random_graph(0), **arguments)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"node_reward must have shape \[2, 30\], got \[2, 31\]"):
        graph_value_iteration(random_graph(0), num_iterations=1, node_reward=torch.zeros(2, 31))


@pytest.mark.usefixtures("_unchecked_shapes")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Graph(torch.tensor([0, 1]), torch.tensor([5])), "a node that does not exist"),
        (lambda: Graph(torch.tensor([0, 2]), torch.tensor([0])), "must be whole numbers that ascend from 0 to 1"),
        (lambda: Graph(torch.tensor([0, 1]), torch.tensor([0]), torch.tensor([0, 1])), "some are missing"),
        (
            lambda: Graph(
                torch.tensor([0, 1]),
                torch.tensor([0]),
                torch.tensor([0, 2]),
                torch.tensor([0, 0]),
                torch.tensor([0.9, 0.9]),
            ),
            "sum to at most 1",
        ),
        (lambda: Graph.from_edge_index(torch.tensor([[0], [3]]), 2), "a node that does not exist"),
        (lambda: Graph.from_edge_index(torch.zeros(3, 2, dtype=torch.int64)), r"whole numbers \[2, E\]"),
        (lambda: Graph.from_scipy(csr_matrix((2, 3))), "must be square"),
        (lambda: Graph.union([]), "at least one graph"),
        (lambda: Graph.union([random_graph(0), random_graph(0, uncertain=True)]), "all certain, or all uncertain"),
    ],
)
def test_graphs_that_do_not_fit_together_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
