"""The graph search, compiled and by SciPy: distances, trees, gradients, threads."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from torchvin.planning.kernels.cpu import kernel as cpu
from torchvin.planning.kernels.graph_search import (
    back_compiled,
    back_numpy,
    edges,
    shortest_paths,
    solve_compiled,
    solve_scipy,
)
from torchvin.planning.models.latent_mdp import LatentMDP

SOLVERS = [solve_scipy] + ([solve_compiled] if cpu.extension else [])


@st.composite
def problems(draw):
    """Costs with ties, zeros and closed moves; one or more goals at different costs; any moves within two cells."""
    batch, orientations, actions = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    random = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    smallest = draw(st.sampled_from([0.0, 1e-9, 0.5, 1.0]))  # 0 and 1e-9: too many buckets, so a heap
    cost = smallest + torch.randint(0, 4, (batch, orientations * actions, height, width), generator=random) / 2
    cost[torch.rand(cost.shape, generator=random) < draw(st.sampled_from([0.0, 0.3]))] = torch.inf
    goal_cost = torch.randint(0, 20, (batch, orientations, height, width), generator=random) / 4
    goal_cost[torch.rand(goal_cost.shape, generator=random) < draw(st.sampled_from([0.5, 0.9, 1.0]))] = torch.inf
    steps = torch.stack(
        [
            torch.randint(orientations, (orientations * actions,), generator=random),
            *(torch.randint(-2, 3, (orientations * actions,), generator=random) for _ in range(2)),
        ],
        dim=1,
    )
    return cost.double(), goal_cost.double(), steps


def expected_distance(cost, goal_cost, steps):
    """Bellman-Ford, written out."""
    batch, orientations, height, width = goal_cost.shape
    actions = cost.shape[1] // orientations
    distance = goal_cost.clone()
    for _ in range(goal_cost[0].numel()):
        for b, o, row, col in np.ndindex(batch, orientations, height, width):
            for a in range(actions):
                to, down, right = steps[o * actions + a].tolist()
                if 0 <= row + down < height and 0 <= col + right < width:
                    through = cost[b, o * actions + a, row, col] + distance[b, to, row + down, col + right]
                    distance[b, o, row, col] = min(distance[b, o, row, col], through)
    return distance


def leads_to(state, choice, steps, shape):
    """The flat state that a choice leads to."""
    _, orientations, height, width = shape
    orientation, cell = divmod(state, height * width)
    to, down, right = steps[orientation * (len(steps) // orientations) + choice].tolist()
    return to * height * width + cell + down * width + right


@pytest.mark.parametrize("solve", SOLVERS)
@given(problem=problems())
def test_distances_are_those_of_bellman_ford(solve, problem):
    cost, goal_cost, steps = problem
    distance, _, _ = solve(cost, goal_cost, steps)
    torch.testing.assert_close(distance, expected_distance(cost, goal_cost, steps), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("solve", SOLVERS)
@given(problem=problems())
def test_choices_form_a_tree_and_order_is_from_its_root(solve, problem):
    cost, goal_cost, steps = problem
    distance, choice, order = solve(cost, goal_cost, steps)
    actions = cost.shape[1] // goal_cost.shape[1]
    for b in range(len(cost)):
        seen = []
        far, chosen = distance[b].flatten().tolist(), choice[b].flatten().tolist()
        for state in order[b].flatten().tolist():
            if state < 0:
                break
            if chosen[state] == actions:
                assert far[state] == goal_cost[b].flatten()[state]
            else:
                after = leads_to(state, chosen[state], steps, goal_cost.shape)
                assert after in seen
                orientation, cell = divmod(state, goal_cost[0, 0].numel())
                price = cost[b].flatten(1)[orientation * actions + chosen[state], cell].item()
                assert far[state] == pytest.approx(price + far[after], rel=1e-12)
            seen.append(state)
        assert sorted(seen) == [state for state, d in enumerate(far) if math.isfinite(d)]
        assert all(chosen[state] == 255 for state, d in enumerate(far) if not math.isfinite(d))


@given(problem=problems())
def test_the_sparse_graph_has_the_same_distances(problem):
    cost, goal_cost, steps = problem
    kernel = torch.zeros(len(steps), goal_cost.shape[1], 5, 5, dtype=torch.float64)
    for channel, (to, down, right) in enumerate(steps.tolist()):
        kernel[channel, to, 2 + down, 2 + right] = 1.0
    mdp = LatentMDP(cost, goal_cost, kernel)
    assert mdp.steps == tuple(map(tuple, steps.tolist()))
    graph, stops = mdp.graph(len(cost) - 1)
    between = dijkstra(graph)  # [from, to]
    best = (between + stops).min(axis=1)
    ours = shortest_paths(cost, goal_cost, steps)[-1].flatten().numpy()
    np.testing.assert_allclose(ours, best, rtol=1e-12)


@pytest.fixture
def unique_problem():
    """Costs without ties, so that the tree is unique."""
    random = torch.Generator().manual_seed(0)
    cost = 0.5 + torch.rand(3, 6, 5, 7, generator=random, dtype=torch.float64)
    goal_cost = torch.full((3, 2, 5, 7), torch.inf, dtype=torch.float64)
    goal_cost[:, 0, 2, 3], goal_cost[:, 1, 0, 6] = 0.1, 0.7
    steps = torch.tensor([[0, -1, 0], [0, 0, 1], [1, 0, 0], [1, 1, 0], [1, 0, -1], [0, 0, 0]])
    return cost, goal_cost, steps


def test_gradients_are_those_of_finite_differences(unique_problem):
    cost, goal_cost, steps = unique_problem
    goal_cost = goal_cost.clamp(max=1e3)  # finite, so that it can be differentiated; far too dear to stop elsewhere
    inputs = cost.requires_grad_(), goal_cost.requires_grad_()
    assert torch.autograd.gradcheck(lambda c, g: shortest_paths(c, g, steps), inputs)


@pytest.mark.skipif(cpu.extension is None, reason="compares with the compiled pass")
def test_the_passes_back_agree(unique_problem):
    cost, goal_cost, steps = unique_problem
    distance, choice, order = solve_compiled(cost, goal_cost, steps)
    by_scipy = solve_scipy(cost, goal_cost, steps)
    assert torch.equal(choice, by_scipy[1])
    grad = torch.randn(distance.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours = back_compiled(grad, choice, order, steps, cost.shape, goal_cost.shape)
    theirs = back_numpy(grad, choice, by_scipy[2], steps, cost.shape, goal_cost.shape)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


def test_without_a_compiler_scipy_answers(unique_problem, monkeypatch):
    cost, goal_cost, steps = unique_problem
    answers = []
    for extension in (cpu.extension, None):
        monkeypatch.setattr(cpu, "extension", extension)
        free = cost.clone().requires_grad_()
        distance = shortest_paths(free, goal_cost, steps)
        distance.sum().backward()
        answers.append((distance.detach(), free.grad))
    torch.testing.assert_close(answers[0], answers[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bad", [-1.0, math.nan])
@pytest.mark.parametrize("solve", SOLVERS)
def test_a_negative_cost_is_refused(solve, bad):
    cost, goal_cost = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    cost[0, 0, 1, 1] = bad
    with pytest.raises(ValueError, match="costs must not be negative or NaN"):
        solve(cost, goal_cost, torch.tensor([[0, 0, 1]]))


@pytest.mark.skipif(cpu.extension is None, reason="of the compiled solver")
def test_threads_change_no_bit():
    random = torch.Generator().manual_seed(2)
    cost = 0.1 + torch.rand(8, 4, 80, 90, generator=random)
    goal_cost = torch.where(torch.rand(8, 1, 80, 90, generator=random) < 0.01, 0.0, torch.inf)
    steps = torch.tensor([[0, -1, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]])
    answers = []
    for threads in (1, 2):
        arrays = [torch.empty(goal_cost.shape, dtype=dtype) for dtype in (torch.float64, torch.uint8, torch.int32)]
        cpu.extension.shortest_paths(steps, cost, goal_cost, threads, *arrays)
        answers.append(arrays)
    assert all(torch.equal(one, two) for one, two in zip(*answers, strict=True))


def test_edges_leave_out_what_is_closed_or_off_the_map():
    cost = torch.tensor([[[1.0, torch.inf, 3.0]]])
    source, target, action, costs = edges(cost, torch.tensor([[0, 0, 1]]), 1)
    assert (source.tolist(), target.tolist(), action.tolist(), costs.tolist()) == ([0], [1], [0], [1.0])


@pytest.mark.sanitizers
@pytest.mark.skipif(sys.platform != "linux", reason="sanitizers are run on Linux")
@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="needs a C++ compiler")
@pytest.mark.parametrize(
    ("name", "more"),
    [("shortest_path", []), ("grid_search", []), ("graph_iteration", ["graph_solve", "graph_update_plain"])],
)
def test_sanitizers_find_nothing(tmp_path, name, more):
    """The C++ test (tests/cpp) under the address and undefined-behaviour sanitizers."""
    tests = Path(__file__).parents[2]
    sources = tests.parent / "src/torchvin/planning/kernels/cpu/cpp"
    test = tests / "cpp" / f"test_{name}.cpp"
    flags = ["-std=c++17", "-O1", "-g", "-Wno-psabi", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    flags.append(f"-I{sources}")
    program = tmp_path / "test"
    compiler = os.environ.get("CXX", "g++")
    parts = [sources / f"{part}.cpp" for part in (name, *more)]
    command = [compiler, *flags, test, *parts, "-pthread", "-o", program]
    subprocess.run([str(part) for part in command], check=True)
    result = subprocess.run([str(program)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "all cases agree" in result.stdout
