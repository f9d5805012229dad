"""The Triton kernel for graphs against the reference: on a GPU where there is one, else in Triton's interpreter."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from torchvin.errors import InputError
from torchvin.planning.graph import Graph
from torchvin.planning.graph_value_iteration import graph_value_iteration
from torchvin.planning.kernels.graph import triton
from torchvin.planning.kernels.triton import launches

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed"),
    pytest.mark.without_type_hook,
]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def random_graph(nodes, edges, *, uncertain):
    random = torch.Generator().manual_seed(nodes)
    source, target = torch.randint(nodes, (2, edges), generator=random)
    graph = Graph.from_edge_index(torch.stack([source, target]), nodes)
    if not uncertain:
        return graph.to(DEVICE)
    outcomes = torch.arange(0, 2 * edges + 1, 2)
    outcomes[1:-1] -= torch.randint(0, 2, (edges - 1,), generator=random)  # one to three of each edge
    targets = torch.randint(nodes, (2 * edges,), generator=random)
    share = torch.rand(2 * edges, generator=random, dtype=torch.float64) / 3
    return Graph(graph.offsets, targets[outcomes[:-1]], outcomes, targets, share).to(DEVICE)


def rewards(graph, queries, *, shared, ties=False):
    random = torch.Generator().manual_seed(queries)

    def draw(rows, columns):
        if ties:
            return torch.randint(-3, 1, (rows, columns), generator=random).double().to(DEVICE)
        return torch.randn(rows, columns, generator=random, dtype=torch.float64).to(DEVICE)

    edge = draw(1 if shared else queries, graph.num_edges)
    edge[:, 3] = -torch.inf
    return {
        "node_reward": draw(queries, graph.num_nodes),
        "edge_reward": edge,
        "stop_reward": draw(queries, graph.num_nodes),
    }


def plan(graph, given, backend, **options):
    leaves = {name: part.clone().requires_grad_() for name, part in given.items()}
    start = torch.linspace(-1, 1, graph.num_nodes, dtype=torch.float64, device=DEVICE)
    start = (
        start.expand(len(next(iter(given.values()))), -1).clone().requires_grad_(options.get("gradient") != "implicit")
    )
    made = graph_value_iteration(graph, **leaves, initial_value=start, backend=backend, **{"discount": 0.5, **options})
    finite = made.value.where(made.value.isfinite(), 0)
    torch.sin(3 * finite).sum().backward()
    grads = [part.grad for part in (*leaves.values(), start) if part.requires_grad]
    return made, grads


def assert_same(graph, given, **options):
    ours, grads = plan(graph, given, "triton", **options)
    theirs, expected = plan(graph, given, "reference", **options)
    torch.testing.assert_close(ours.value, theirs.value)
    torch.testing.assert_close(ours.residual, theirs.residual)
    assert (ours.num_iterations, ours.solved) == (theirs.num_iterations, theirs.solved)
    for mine, reference in zip(grads, expected, strict=True):
        torch.testing.assert_close(mine, reference)


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
@pytest.mark.parametrize(("uncertain", "shared"), [(False, False), (True, True)])
def test_values_and_gradients_are_the_references(gradient, uncertain, shared):
    graph = random_graph(150, 400, uncertain=uncertain)  # more nodes than a program takes
    given = rewards(graph, 2, shared=shared)
    assert_same(graph, given, num_iterations=torch.tensor([3, 1], device=DEVICE), gradient=gradient)
    assert_same(graph, given, num_iterations=2, gradient=gradient)


@pytest.mark.parametrize("given", ["node_reward", "edge_reward", "stop_reward"])
def test_rewards_may_be_missing(given):
    graph = random_graph(20, 30, uncertain=False)  # some nodes have no edges
    assert (graph.offsets.diff() == 0).any()
    alone = {given: rewards(graph, 2, shared=False)[given]}
    assert_same(graph, alone, num_iterations=3)


def test_at_a_tie_the_first_edge_is_taken_and_stopping_before_all():
    graph = random_graph(20, 120, uncertain=False)
    assert_same(graph, rewards(graph, 2, shared=False, ties=True), num_iterations=4)


@pytest.mark.parametrize("uncertain", [False, True])
def test_the_fixed_point_and_its_gradient_are_the_references(uncertain):
    graph = random_graph(20, 60, uncertain=uncertain)
    assert_same(graph, rewards(graph, 2, shared=True), num_iterations=60, gradient="implicit", tolerance=1e-12)


def test_no_update_gives_back_the_start():
    graph = random_graph(5, 9, uncertain=False)
    start = torch.zeros(1, 5, device=DEVICE)
    made = graph_value_iteration(
        graph, num_iterations=0, node_reward=torch.ones(1, 5, device=DEVICE), initial_value=start, backend="triton"
    )
    assert torch.equal(made.value, start)
    assert made.value.data_ptr() != start.data_ptr()


def test_an_update_is_one_launch_and_its_gradient_another(monkeypatch):
    launched, run = [], launches.run

    def counted(program, *arguments, **options):
        launched.append(program.fn.__name__)
        run(program, *arguments, **options)

    monkeypatch.setattr(launches, "run", counted)
    graph = random_graph(10, 30, uncertain=False)
    plan(graph, rewards(graph, 3, shared=False), "triton", num_iterations=4)
    assert launched == ["update_kernel"] * 4 + ["gradient_kernel"] * 4


def test_without_gradient_no_choices_are_kept(monkeypatch):
    kept, run = [], launches.run

    def watched(program, grid, device, arguments, **options):
        kept.append(options["KEEP"])
        run(program, grid, device, arguments, **options)

    monkeypatch.setattr(launches, "run", watched)
    graph = random_graph(10, 30, uncertain=False)
    graph_value_iteration(graph, num_iterations=2, node_reward=torch.zeros(1, 10, device=DEVICE), backend="triton")
    assert kept == [False, False]


def test_auto_never_takes_the_interpreter(monkeypatch):
    def refuse(*_):
        raise AssertionError("Triton was chosen")

    monkeypatch.setattr(triton, "iterate", refuse)
    graph = random_graph(5, 9, uncertain=False).to("cpu")
    assert graph_value_iteration(graph, num_iterations=1, node_reward=torch.zeros(1, 5)).value.shape == (1, 5)


def test_the_programs_compile_for_an_h100():
    """What the interpreter runs need not be what the compiler takes; and the interpreter changes the whole process."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    script = Path(__file__).with_name("compile_graph_programs.py")
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["update_kernel", "gradient_kernel"] * 2


@pytest.mark.skipif(DEVICE == "cuda", reason="a GPU can run it")
def test_without_a_gpu_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(InputError, match="backend 'triton' cannot run: the tensor is on cpu"):
        graph_value_iteration(
            random_graph(5, 9, uncertain=False), num_iterations=1, node_reward=torch.zeros(1, 5), backend="triton"
        )
