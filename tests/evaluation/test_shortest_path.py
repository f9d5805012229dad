"""Shortest-path policies through the scorer, the path planner and the command line."""

import json

import numpy as np
import pytest
import torch

from torchvin import CNNConfig, InputError, ShortestPathConfig, build_policy, evaluate, load_policy
from torchvin.cli.main import main
from torchvin.data.draw import draw_maps
from torchvin.data.npz import write_npz
from torchvin.evaluation.path import follow_policy
from torchvin.mdp.motion import GridMotion
from torchvin.pretrained.store import save_policy

NEWS = GridMotion(num_actions=4)


@pytest.fixture
def policy():
    return load_policy("maze-15")


def test_the_shipped_weights_plan_in_mazes_far_larger_than_those_they_learned_from(policy):
    for kind in ("maze", "perfect-maze"):
        scores = evaluate(policy, draw_maps(kind, 3, 71, 101, seed=5, moves=NEWS)).scores
        assert scores.all_states_optimal_rate == 1.0


def test_the_shipped_weights_of_the_grid_world_keep_to_the_bar():
    policy = load_policy("gridworld-16-shortest-path")
    for side, number in ((8, 200), (16, 200), (28, 100), (100, 4)):
        scores = evaluate(policy, draw_maps("gridworld", number, side, side, seed=6)).scores
        assert scores.all_states_success_rate >= 0.9999
        assert scores.all_states_optimal_rate >= 0.999


def test_the_scorer_gives_both_solvers_the_same_scores(policy):
    maps = draw_maps("maze", 20, 15, 15, seed=3, moves=NEWS)
    exact = evaluate(policy, maps)
    policy.planner.set_solver({"solve": "iterate"})
    assert evaluate(policy, maps, num_iterations=120).scores == exact.scores
    few = evaluate(policy, maps, num_iterations=5).scores
    assert few.all_states_success_rate < exact.scores.all_states_success_rate


@pytest.mark.parametrize("solve", ["exact", "iterate"])
def test_a_path_through_a_maze_is_optimal(policy, solve):
    maps = draw_maps("perfect-maze", 1, 41, 31, seed=0, moves=NEWS)
    start = maps.starts[0, 0].tolist()
    goal = maps.goal[0].tolist()
    policy.planner.set_solver({"solve": solve})
    planned = follow_policy(policy, maps.blocked[0], tuple(start), tuple(goal), moves=NEWS)
    assert planned.found
    assert planned.cost == planned.optimal_cost == len(planned.path) - 1
    assert planned.path == planned.optimal_path
    assert (planned.iterations == 0) == (solve == "exact")
    assert planned.seconds > 0


@pytest.fixture
def files(tmp_path):
    maps = draw_maps("maze", 4, 9, 9, seed=0, moves=NEWS)
    write_npz(tmp_path / "maps.npz", maps)
    np.save(tmp_path / "maze.npy", maps.blocked[0].numpy())
    return tmp_path, maps


def answer(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 0
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def test_eval_and_plan_take_the_solver(capsys, files):
    folder, maps = files
    common = ("eval", "--weights", "maze-15", "--data", folder / "maps.npz", "--json")
    exact, iterated = answer(capsys, *common), answer(capsys, *common, "--solve", "iterate")
    assert exact["all_states_optimal_rate"] == iterated["all_states_optimal_rate"] == 1.0
    start, goal = (",".join(map(str, state)) for state in (maps.starts[0, 0].tolist(), maps.goal[0].tolist()))
    task = ("plan", "--map", folder / "maze.npy", "--start", start, "--goal", goal, "--weights", "maze-15", "--json")
    first, second = answer(capsys, *task), answer(capsys, *task, "--solve", "iterate")
    assert first["found"]
    assert first["cost"] == first["optimal_cost"] == second["cost"]
    assert first["iterations"] == exact["iterations"] == 0
    assert second["iterations"] > 0 < iterated["iterations"]


def test_other_designs_have_no_solver(capsys, files):
    folder, _ = files
    task = ["plan", "--map", folder / "maze.npy", "--start", "1,1", "--goal", "1,3", "--solve", "exact"]
    task += ["--weights", "gridworld-16"]
    np.save(folder / "maze.npy", np.zeros((5, 5), dtype=bool))
    assert main([str(part) for part in task]) == 2
    assert "--solve exact: these weights have one way to plan; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["plan", "eval"])
def test_value_updates_are_not_counted_where_there_are_none(capsys, files, verb):
    folder, _ = files
    what = ["--map", folder / "maze.npy", "--start", "1,1", "--goal", "1,1"] if verb == "plan" else []
    what += ["--data", folder / "maps.npz"] if verb == "eval" else []
    task = [verb, *what, "--weights", "maze-15", "--iterations", "9"]
    assert main([str(part) for part in task]) == 2
    expected = "--iterations 9 counts value updates, and these weights plan by a graph search; add --solve iterate"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            ShortestPathConfig(num_actions=3, num_orientations=4),
            "say nothing of how their agent with 4 orientations moves",
        ),
        (ShortestPathConfig(num_terrains=3), "trained for 3 classes of terrain, and a map file has none"),
    ],
)
def test_weights_that_a_map_file_does_not_fit_are_refused(capsys, files, config, message):
    folder, _ = files
    torch.manual_seed(0)
    save_policy(folder / "other", build_policy(config))
    task = ["plan", "--map", folder / "maze.npy", "--start", "1,1", "--goal", "1,1", "--weights", folder / "other"]
    assert main([str(part) for part in task]) == 2
    assert message in capsys.readouterr().err


def test_a_policy_that_does_not_plan_has_no_path():
    policy = build_policy(CNNConfig(height=8, width=8))
    with pytest.raises(InputError, match="a CNN does not plan; choose weights of a VIN"):
        follow_policy(policy, torch.zeros(8, 8, dtype=torch.bool), (0, 0), (1, 1))
