"""Every path is legal and as cheap as an independent Dijkstra's, by every motion model and on every kind of map."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

import torchvin
from robots import cost_of, graph_of, optimum
from torchvin.errors import InputError, ShapeError
from torchvin.evaluation.path import follow_policy
from torchvin.maps.formats import MapFile
from torchvin.mdp.motion import motion_model
from torchvin.navigation.path_planner import PathPlanner, plan_path, true_moves
from torchvin.planning.kernels import grid_search as kernel
from torchvin.pretrained.store import load_policy

ROOT2 = math.sqrt(2)
#: weights -> the rule that they learned, said again by hand
RULES = {
    "maze-15": {"moves": 4, "diagonal": 1.0, "corners": True},
    "maze-15-moore": {"moves": 8, "diagonal": 1.0, "corners": True},
    "maze-15-octile": {"moves": 8, "diagonal": ROOT2, "corners": True},
    "gridworld-16-shortest-path": {"moves": 8, "diagonal": ROOT2, "corners": True},
    "gridworld-16-shortest-path-no-corners": {"moves": 8, "diagonal": ROOT2, "corners": False},
    "maze-15-drive": {"drive": True},
}


def random_map(rng, share=0.3):
    height, width = rng.integers(2, 24, size=2)
    blocked = rng.random((height, width)) < share
    blocked.flat[rng.integers(blocked.size)] = False
    return blocked


def random_states(rng, blocked, rule, count):
    cells = np.argwhere(~blocked)
    for _ in range(count):
        cell = tuple(map(int, cells[rng.integers(len(cells))]))
        yield (int(rng.integers(4)), *cell) if rule.get("drive") else cell


@pytest.fixture(scope="module", params=RULES)
def planner(request):
    return PathPlanner(request.param)


@pytest.mark.parametrize("seed", range(12))
def test_paths_are_legal_and_optimal(planner, seed):
    rule, rng = RULES[planner.name], np.random.default_rng(seed)
    blocked = random_map(rng)
    graph = graph_of(blocked, rule)
    starts = list(random_states(rng, blocked, rule, 6))
    goals = list(random_states(rng, blocked, rule, 2)) * 3  # also a goal again and again
    for start, goal in zip(starts, goals, strict=True):
        best = optimum(graph, start, goal)
        if math.isinf(best):
            with pytest.raises(InputError, match="unreachable"):
                planner.plan(blocked, start, goal)
            continue
        planned = planner.plan(blocked, start, goal)
        assert planned.found
        assert (planned.path[0], planned.path[-1]) == (start, goal)
        assert cost_of(graph, planned.path) == pytest.approx(best)
        assert planned.cost == pytest.approx(best)
        assert planned.optimal_cost == pytest.approx(best)
        assert cost_of(graph, planned.optimal_path) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("weights", [name for name, rule in RULES.items() if not rule.get("drive")])
def test_entry_costs_are_taken_without_training(weights, seed):
    rule, rng = RULES[weights], np.random.default_rng(seed)
    blocked = random_map(rng, share=0.2)
    entry = np.exp(rng.normal(size=blocked.shape) * (4 if seed % 2 else 1))
    graph, planner = graph_of(blocked, rule, entry), PathPlanner(weights)
    for start, goal in zip(*(list(random_states(rng, blocked, rule, 4)) for _ in range(2)), strict=True):
        best = optimum(graph, start, goal)
        if math.isfinite(best):
            planned = planner.plan(blocked, start, goal, entry_cost=entry)
            assert cost_of(graph, planned.path) == pytest.approx(best)
            assert planned.cost == pytest.approx(best)
            assert planned.optimal_cost == pytest.approx(best)


@pytest.mark.parametrize("weights", [name for name, rule in RULES.items() if not rule.get("drive")])
def test_the_table_is_what_the_network_says(weights):
    """A search with the table and a plan of every cell by the network agree: cost of each state, and available moves."""
    policy, rng = load_policy(weights), np.random.default_rng(0)
    planner = PathPlanner(policy)
    assert planner.searches
    blocked = rng.random((31, 40)) < 0.3
    blocked[15, 20] = False
    cells = np.argwhere(~blocked)
    by_network = follow_policy(policy, torch.from_numpy(blocked), (15, 20), (15, 20))
    by_search = planner.plan(blocked, (15, 20), (15, 20), values=True)
    assert by_search.value is not None
    rows, cols = cells.T
    torch.testing.assert_close(by_search.value[rows, cols], by_network.value[rows, cols].double(), rtol=1e-6, atol=1e-6)


def test_weights_that_iterate_plan_every_cell():
    planner = PathPlanner("gridworld-16")
    assert not planner.searches
    planned = planner.plan(np.zeros((9, 9), dtype=bool), (0, 0), (8, 3))
    assert planned.cost == pytest.approx(5 + 3 * ROOT2)
    assert planned.iterations > 0
    with pytest.raises(InputError, match="learned no costs of cells"):
        planner.plan(np.zeros((9, 9), dtype=bool), (0, 0), (8, 3), entry_cost=np.ones((9, 9)))


def test_a_changed_cell_changes_the_path():
    planner, blocked = PathPlanner(), np.zeros((40, 40), dtype=bool)
    for _ in range(4):  # until all paths to the goal are kept
        assert planner.plan(blocked, (20, 0), (20, 39)).cost == pytest.approx(39)
    blocked[:, 20] = True
    blocked[0, 20] = False
    expected = optimum(graph_of(blocked, RULES["gridworld-16-shortest-path"]), (20, 0), (20, 39))
    assert planner.plan(blocked, (20, 0), (20, 39)).cost == pytest.approx(expected)
    blocked[20, 20] = False  # one cell: the search is kept, the paths are not
    kept = planner._on(blocked, None)
    for _ in range(4):
        assert planner.plan(blocked, (20, 0), (20, 39)).cost == pytest.approx(39)
    assert planner._on(blocked, None) is kept
    blocked[0, 20] = blocked[20, 20] = True
    with pytest.raises(InputError, match="unreachable"):
        planner.plan(blocked, (20, 0), (20, 39))


def test_many_starts_to_one_goal_share_one_solution(monkeypatch):
    planner, solved = PathPlanner(), []
    original = kernel.grid_search

    def counting(*arguments):
        search = original(*arguments)

        class Counted:
            def __getattr__(self, name):
                return getattr(search, name)

            def solve(self, goals):
                solved.append(goals)
                search.solve(goals)

        return Counted()

    monkeypatch.setattr("torchvin.navigation.kept_map.grid_search", counting)
    blocked = np.zeros((12, 12), dtype=bool)
    for index in range(20):
        planned = planner.plan(blocked, (index % 12, 3), (11, 11))
        assert planned.cost == pytest.approx(planned.optimal_cost)
    assert solved == [[143]]


def test_a_move_that_the_map_refuses_ends_the_path():
    """Weights that learned to cut corners, on a map where moves may not: the agent stays where it is."""
    policy = load_policy("gridworld-16-shortest-path")
    policy.task = {**policy.task, "motion": load_policy("gridworld-16-shortest-path-no-corners").motion.to_json()}
    blocked = np.array([[0, 1, 0], [0, 0, 0]], dtype=bool)
    planned = PathPlanner(policy).plan(blocked, (0, 0), (0, 2))
    assert not planned.found
    assert planned.path == [(0, 0)]
    assert math.isinf(planned.cost)
    assert planned.optimal_cost == pytest.approx(4)


def test_without_comparison_no_optimum_is_computed():
    planned = PathPlanner().plan(np.zeros((5, 5), dtype=bool), (0, 0), (4, 4), compare=False)
    assert planned.found
    assert math.isnan(planned.optimal_cost)
    assert planned.optimal_path == []


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"start": (5, 0)}, InputError, "outside the 5x5 map"),
        ({"start": (0, 0, 0)}, InputError, r"start must be \(row, col\)"),
        ({"goal": (2, 2)}, InputError, "lies on an obstacle"),
        ({"entry_cost": np.zeros((5, 5))}, InputError, "above 0"),
        ({"entry_cost": np.full((5, 5), np.nan)}, InputError, "finite"),
        ({"corner_cutting": False, "weights": "maze-15"}, InputError, "contradicts maze-15"),
    ],
)
def test_bad_input(change, error, message):
    refuses(change, error, message)


@pytest.mark.without_type_hook  # which would refuse these first
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"map": np.zeros((5, 5))}, InputError, "array of bool"),
        ({"map": np.zeros((2, 5, 5), dtype=bool)}, ShapeError, r"\[H, W\]"),
        ({"entry_cost": np.ones((4, 5))}, ShapeError, "shape of the map"),
        ({"entry_cost": [["a"]]}, InputError, "entry_cost"),
    ],
)
def test_bad_types(change, error, message):
    refuses(change, error, message)


def refuses(change, error, message):
    blocked = np.zeros((5, 5), dtype=bool)
    blocked[2, 2] = True
    call = {"map": blocked, "start": (0, 0), "goal": (4, 4), **change}
    with pytest.raises(error, match=message):
        plan_path(call.pop("map"), call.pop("start"), call.pop("goal"), **call)


def test_top_level_takes_files_arrays_tensors_and_maps(tmp_path):
    blocked = np.zeros((4, 6), dtype=bool)
    blocked[1, 1] = True
    np.save(tmp_path / "map.npy", blocked)
    torchvin.write_map(tmp_path / "map.yaml", MapFile(torch.from_numpy(blocked), resolution=0.1))
    answers = [
        torchvin.plan_path(given, (0, 1), (2, 1)).cost
        for given in (blocked, torch.from_numpy(blocked), MapFile(torch.from_numpy(blocked)), tmp_path / "map.npy")
    ]
    assert answers == pytest.approx([2 * ROOT2] * 4)
    # a robot's map: no corners
    assert torchvin.plan_path(str(tmp_path / "map.yaml"), (0, 1), (2, 1)).cost == pytest.approx(4)
    assert torchvin.plan_path(tmp_path / "map.yaml", (0, 1), (2, 1), corner_cutting=True).cost == pytest.approx(
        2 * ROOT2
    )


def test_motion_models_as_tables():
    assert true_moves(motion_model("differential-drive")) is None
    moves = true_moves(torchvin.GridMotion(4))
    assert moves.available[0] == 0b1111
    assert moves.available[0b000010000] == 0  # the cell itself is blocked
    assert moves.available[0b000000010] == 0b1110  # the cell above is
    search = kernel.grid_search(np.array([[0, 0, 0], [0, 1, 0]], dtype=bool), moves)
    assert search.walk(np.array([0, 1, 2, 5], dtype=np.int32)) == (4, 3.0)
    assert search.walk(np.array([0, 1, 4, 5], dtype=np.int32)) == (2, 1.0)  # the third is blocked
    assert search.walk(np.array([0, 2], dtype=np.int32)) == (1, 0.0)  # no move leads there


def test_the_search_without_a_compiler_agrees(monkeypatch):
    rng = np.random.default_rng(3)
    moves = true_moves(torchvin.GridMotion(8, corner_cutting=False))
    for _ in range(20):
        blocked = random_map(rng)
        entry = np.exp(rng.normal(size=blocked.shape))
        start, goal = (int(cell) for cell in rng.choice(np.flatnonzero(~blocked), 2))
        answers = []
        for extension in (kernel.cpu.extension, None):
            with monkeypatch.context() as patch:
                patch.setattr(kernel.cpu, "extension", extension)
                search = kernel.grid_search(blocked, moves, entry)
            cost, cells, _ = search.find(start, [goal])
            search.solve([goal])
            assert search.follow(start)[0] == pytest.approx(cost)
            if math.isfinite(cost):
                for path in (cells, search.follow(start)[1]):
                    assert (path[0], path[-1]) == (start, goal)
                    assert (
                        cost
                        == pytest.approx(
                            sum(
                                (ROOT2 if abs(two - one) not in (1, blocked.shape[1]) else 1.0) * entry.flat[two]
                                for one, two in pairwise(path)
                            )
                        )
                        or blocked.shape[1] <= 2
                    )
            answers.append((cost, search.solution()[0], *search.walk(cells)))
        for one, other in zip(*answers, strict=True):
            np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("weights", RULES)
def test_many_tasks_at_once_are_the_single_ones(weights):
    rule, rng = RULES[weights], np.random.default_rng(1)
    blocked = random_map(rng, share=0.05)
    goals = list(random_states(rng, blocked, rule, 3)) * 4
    graph, planner = graph_of(blocked, rule), PathPlanner(weights)
    drawn = zip(random_states(rng, blocked, rule, 12), goals, strict=True)
    tasks = [task for task in drawn if math.isfinite(optimum(graph, *task))]
    assert len(tasks) > 6
    for task, planned in zip(tasks, planner.plan_many(blocked, tasks), strict=True):
        assert (planned.path[0], planned.path[-1]) == task
        assert cost_of(graph, planned.path) == pytest.approx(optimum(graph, *task))
    with pytest.raises(InputError, match="outside"):
        planner.plan_many(blocked, [(tasks[0][0], (*tasks[0][1][:-2], 99, 99))])
