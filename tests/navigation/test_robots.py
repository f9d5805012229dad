"""Radius, clearance, metres, smoothing: each against geometry by brute force."""

import csv
import json
import math

import numpy as np
import pytest
import torch

from robots import along, cost_of, distance_from_obstacles, graph_of, optimum
from torchvin.cli.main import main
from torchvin.errors import InputError
from torchvin.maps.formats import MapFile, write_map
from torchvin.maps.treatment import Treatment
from torchvin.maps.world import WorldFrame
from torchvin.navigation.clearance import clearance, inflate
from torchvin.navigation.path_planner import PathPlanner
from torchvin.navigation.robot_map import robot_map
from torchvin.navigation.smoothing import LineOfSight, line_clearance, pull_string

ROBOT = {"moves": 8, "diagonal": math.sqrt(2), "corners": False}


def brute_clearance(blocked):
    return np.array(
        [
            [distance_from_obstacles(blocked, [(row, col)]) for col in range(blocked.shape[1])]
            for row in range(len(blocked))
        ]
    )


@pytest.mark.parametrize("seed", range(5))
def test_clearance_is_exact(seed):
    rng = np.random.default_rng(seed)
    blocked = rng.random(rng.integers(1, 15, size=2)) < (0.05, 0.1, 0.3, 0.6, 0.0)[seed]
    np.testing.assert_allclose(clearance(blocked), brute_clearance(blocked), atol=1e-12)
    for radius in (0.3, 0.5, 0.8, 1.0, 1.58113883, 2.5):
        expected = blocked | (brute_clearance(blocked) < radius - 1e-9)
        np.testing.assert_array_equal(inflate(blocked, radius), expected)


@pytest.mark.parametrize("seed", range(10))
def test_no_point_of_a_path_is_nearer_than_the_radius(seed):
    rng = np.random.default_rng(seed)
    blocked = rng.random((40, 50)) < 0.01
    radius = float(rng.uniform(0.2, 3))
    robot = robot_map(MapFile(torch.from_numpy(blocked), resolution=0.1), radius=radius * 0.1)
    graph, planner = graph_of(robot.blocked, ROBOT), PathPlanner(corner_cutting=False)
    cells, planned_any = [tuple(map(int, cell)) for cell in np.argwhere(~robot.blocked)], 0
    for _ in range(6):
        start, goal = (cells[index] for index in rng.integers(len(cells), size=2))
        best = optimum(graph, start, goal)
        if math.isinf(best):
            continue
        planned = planner.plan(robot.blocked, start, goal)
        assert cost_of(graph, planned.path) == pytest.approx(best)
        assert distance_from_obstacles(blocked, along(planned.path)) >= min(radius, 0.5) - 1e-9
        if radius > 0.5:
            assert distance_from_obstacles(blocked, along(planned.path)) >= radius - 1e-6
        sight = LineOfSight(robot.obstacles, radius=robot.radius)
        waypoints = pull_string(planned.states, sight)
        assert len(waypoints) <= len(planned.states)
        assert (
            distance_from_obstacles(blocked, along(waypoints, per_step=300)) >= min(radius, 0.5) - 1e-5 or radius > 0.5
        )
        if radius > 0.5:
            assert distance_from_obstacles(blocked, along(waypoints, per_step=300)) >= radius - 1e-5
        planned_any += 1
    assert planned_any


def test_lines_are_measured_exactly():
    rng = np.random.default_rng(0)
    for _ in range(200):
        start, end = rng.integers(0, 12, size=(2, 2)).astype(float)
        square = rng.integers(0, 12, size=2).astype(float)
        points = start + (end - start) * np.linspace(0, 1, 4001)[:, None]
        outside = np.maximum(np.abs(points - square) - 0.5, 0)
        expected = np.hypot(*outside.T).min()
        found = line_clearance(start, end, square[None])
        if found < 0:
            assert expected < 1e-3
        else:
            assert found == pytest.approx(expected, abs=2e-3)


def test_a_line_may_touch_a_corner_only_where_corners_may_be_cut():
    blocked = np.zeros((4, 4), dtype=bool)
    blocked[0, 1] = True
    assert not LineOfSight(blocked).clear((0, 0), (1, 1))
    assert LineOfSight(blocked, corner_cutting=True).clear((0, 0), (1, 1))
    assert not LineOfSight(blocked, corner_cutting=True).clear((0, 0), (0, 3))


def test_smoothing_does_not_raise_costs():
    entry = np.ones((9, 9))
    entry[3:6, 3:6] = 20.0
    planned = PathPlanner().plan(np.zeros((9, 9), dtype=bool), (4, 0), (4, 8), entry_cost=entry)
    sight = LineOfSight(np.zeros((9, 9), dtype=bool), entry_cost=entry)
    waypoints = pull_string(planned.states, sight).tolist()
    assert len(waypoints) > 2  # straight through would be dear
    assert all(entry[row, col] == 1 for row, col in along(waypoints) for row, col in [(round(row), round(col))])


@pytest.mark.parametrize("yaw", [0.0, math.pi / 2, -0.3])
def test_cells_go_to_metres_and_back(yaw):
    frame = WorldFrame(height=30, resolution=0.05, origin=(-3.2, 1.7, yaw))
    cells = np.argwhere(np.ones((30, 20), dtype=bool))
    points = frame.to_world(cells)
    assert [frame.to_cell(x, y) for x, y in points] == [tuple(cell) for cell in cells.tolist()]
    # y is up: the row above lies one cell further along the map's y axis
    step = frame.to_world(np.array([[0, 0]])) - frame.to_world(np.array([[1, 0]]))
    np.testing.assert_allclose(step, [[-0.05 * math.sin(yaw), 0.05 * math.cos(yaw)]], atol=1e-12)
    corner = frame.to_world(np.array([[29, 0]])) - np.array([[-3.2, 1.7]])
    assert np.hypot(*corner[0]) == pytest.approx(0.05 * math.sqrt(0.5))


@pytest.fixture
def rooms(tmp_path):
    """Two rooms at 0.05 m per cell with a door of 0.4 m and one of 0.6 m, turned and moved in the world."""
    blocked = np.zeros((60, 80), dtype=bool)
    blocked[[0, -1]], blocked[:, [0, -1]], blocked[:, 30] = True, True, True
    blocked[10:18, 30] = blocked[40:52, 30] = False
    write_map(tmp_path / "rooms.yaml", MapFile(torch.from_numpy(blocked), 0.05, (-1.0, -2.0, 0.4)))
    return tmp_path / "rooms.yaml", blocked


def run(capsys, *command):
    status = main([*map(str, command)])
    said = capsys.readouterr()
    return status, json.loads(said.out.splitlines()[-1]) if status == 0 else said.err


def test_a_robot_of_a_quarter_metre_takes_the_wider_door(rooms, tmp_path, capsys):
    path, blocked = rooms
    frame = WorldFrame(60, 0.05, (-1.0, -2.0, 0.4))
    (start, goal), command = frame.to_world(np.array([[14, 10], [14, 60]])).tolist(), ["plan", "--map", path, "--world"]
    ends = [f"--start={start[0]:.4f},{start[1]:.4f}", f"--goal={goal[0]:.4f},{goal[1]:.4f}"]
    status, narrow = run(capsys, *command, *ends, "--json")
    assert status == 0
    assert [14, 30] in narrow["path"]
    options = ["--radius", 0.25, "--smooth", "--csv", tmp_path / "path.csv", "--out", tmp_path / "path.png", "--json"]
    status, plan = run(capsys, *command, *ends, *options)
    assert status == 0
    assert any(40 <= row < 52 and col == 30 for row, col in plan["path"])
    assert distance_from_obstacles(blocked, along(plan["path"])) * 0.05 >= 0.25 - 1e-9
    assert distance_from_obstacles(blocked, along(plan["waypoints"], per_step=200)) * 0.05 >= 0.25 - 1e-6
    np.testing.assert_allclose(plan["path_world"], frame.to_world(np.array(plan["path"])), atol=1e-6)
    assert plan["path_world"][0] == pytest.approx(start, abs=1e-6)
    assert plan["length_metres"] == pytest.approx(0.05 * plan["length"])
    with (tmp_path / "path.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [[int(row["row"]), int(row["col"])] for row in rows] == plan["path"]
    np.testing.assert_allclose([[float(row["x"]), float(row["y"])] for row in rows], plan["path_world"])
    assert [[int(row["row"]), int(row["col"])] for row in rows if row["waypoint"] == "1"] == plan["waypoints"]
    assert (tmp_path / "path.png").stat().st_size > 10_000
    # 0.6 m is too narrow for a radius of 0.31 m
    status, error = run(capsys, *command, *ends, "--radius", 0.31)
    assert status == 2
    assert "unreachable" in error


def test_clearance_cost_keeps_away_from_walls(rooms, capsys):
    path, blocked = rooms
    command = ["plan", "--map", path, "--start", "4,4", "--goal", "55,4", "--json"]
    near, far = run(capsys, *command)[1], run(capsys, *command, "--clearance-cost", 3)[1]
    assert np.mean(clearance(blocked)[tuple(np.array(far["path"]).T)]) > np.mean(
        clearance(blocked)[tuple(np.array(near["path"]).T)]
    )
    assert far["cost"] > near["cost"]
    assert far["cost"] == pytest.approx(far["optimal_cost"])


def test_unknown_and_graded_cells_are_blocked_free_or_cost(tmp_path, capsys):
    """One row of 9 cells with unknown ones in the middle, and a way round them that is longer."""
    blocked, unknown = np.zeros((7, 9), dtype=bool), np.zeros((7, 9), dtype=bool)
    unknown[0:5, 4] = True
    write_map(
        tmp_path / "seen.yaml", MapFile(torch.from_numpy(blocked | unknown), 0.1, unknown=torch.from_numpy(unknown))
    )
    command = ["plan", "--map", tmp_path / "seen.yaml", "--start", "0,0", "--goal", "0,8", "--json"]
    status, plan = run(capsys, *command)
    assert (status, plan["cells"]) == (0, {"free": 58, "unknown": 5, "graded": 0, "occupied": 0})
    assert plan["cost"] == pytest.approx(optimum(graph_of(unknown, ROBOT), (0, 0), (0, 8)))
    assert run(capsys, *command, "--unknown", "free")[1]["cost"] == pytest.approx(8)
    assert run(capsys, *command, "--unknown", "cost:3")[1]["cost"] == pytest.approx(10)
    # the way round; a cell that may be entered is no corner that may not be passed
    graph = graph_of(np.zeros((7, 9), dtype=bool), ROBOT, 1 + 299 * unknown)
    assert run(capsys, *command, "--unknown", "cost:300")[1]["cost"] == pytest.approx(optimum(graph, (0, 0), (0, 8)))
    status, error = run(capsys, "plan", "--map", tmp_path / "seen.yaml", "--start", "0,4", "--goal", "0,8")
    assert status == 2
    assert "unknown space" in error
    assert "--unknown free" in error


def test_grey_is_a_cost_where_asked(tmp_path, capsys):
    grade = np.zeros((3, 9))
    grade[1, 3:6] = 0.5
    np.save(tmp_path / "grey.npy", grade)
    command = ["plan", "--map", tmp_path / "grey.npy", "--start", "1,0", "--goal", "1,8", "--json", "--grades"]
    graph = graph_of(np.zeros((3, 9), dtype=bool), {**ROBOT, "corners": True}, 1 + 4 * grade)
    assert run(capsys, *command, "cost:4")[1]["cost"] == pytest.approx(optimum(graph, (1, 0), (1, 8)))
    assert run(capsys, *command, "cost:0.1")[1]["cost"] == pytest.approx(8 + 3 * 0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--radius", "-1"], "--radius must be a number, 0 or more"),
        (["--radius", "0.2", "--weights", "gridworld-16-shortest-path"], "cannot pass the corner"),
        (["--radius", "0.2", "--corner-cutting", "yes"], "cannot pass the corner"),
        (["--radius", "9"], "no cell is as far from obstacles"),
        (["--unknown", "maybe"], "--unknown must be blocked, free or cost:X"),
        (["--unknown", "cost:-1"], "X a number above 0"),
        (["--grades", "free"], "--grades must be blocked or cost:X"),
        (["--resolution", "0.1"], "says 0.05 m per cell"),
        (["--start", "1.5,2.5"], "for metres add --world"),
        (["--world", "--start", "1;2"], "--start must be X,Y in metres"),
        (["--world", "--start", "nan,2"], "--start must be X,Y in metres"),
        (["--world", "--start", "99,99"], "outside the 60x80 map"),
        (["--start", "1,2", "--radius", "0.25"], "the robot's radius is 0.25 m"),
        (["--scenario", "x.scen"], "leave --start, --goal and --world out"),
        (["--task", "0", "--scenario", "x.scen"], "leave --start"),
    ],
)
def test_options_that_make_no_sense_are_refused(rooms, capsys, options, message):
    path, _ = rooms
    given = {"--start": "14,10", "--goal": "14,60"} | dict(zip(options[::1], options[1::1], strict=False))
    ends = [part for flag in ("--start", "--goal") if flag not in options for part in (flag, given[flag])]
    status, error = run(capsys, "plan", "--map", path, *ends, *options)
    assert status == 2
    assert message in error


def test_a_radius_needs_metres(tmp_path, capsys):
    np.save(tmp_path / "map.npy", np.zeros((20, 20), dtype=bool))
    command = ["plan", "--map", tmp_path / "map.npy", "--start", "5,5", "--goal", "14,14", "--json"]
    status, error = run(capsys, *command, "--radius", 0.2)
    assert status == 2
    assert "add --resolution METRES" in error
    status, plan = run(capsys, *command, "--radius", 0.2, "--resolution", 0.1)
    assert (status, plan["radius_cells"]) == (0, pytest.approx(2))
    assert plan["motion"]["corner_cutting"] is False
    assert plan["path_world"][0] == pytest.approx([0.55, 1.45])


def test_a_task_of_a_scenario_by_its_number(tmp_path, capsys):
    (tmp_path / "a.map").write_text("type octile\nheight 2\nwidth 5\nmap\n.....\n.....\n")
    lines = ["version 1", "0\ta.map\t5\t2\t0\t0\t4\t0\t4", "0\ta.map\t5\t2\t4\t1\t1\t1\t3"]
    (tmp_path / "a.scen").write_text("\n".join(lines) + "\n")
    plan = run(capsys, "plan", "--scenario", tmp_path / "a.scen", "--task", 2, "--json")[1]
    assert (plan["start"], plan["goal"], plan["cost"]) == ([1, 4], [1, 1], 3.0)
    assert run(capsys, "plan", "--scenario", tmp_path / "a.scen", "--json")[1]["cost"] == 4.0
    status, error = run(capsys, "plan", "--scenario", tmp_path / "a.scen", "--task", 3)
    assert status == 2
    assert "between 1 and 2, got 3" in error


def test_the_profile_says_where_the_time_went(rooms, capsys):
    path, _ = rooms
    plan = run(capsys, "plan", "--map", path, "--start", "14,10", "--goal", "14,60", "--profile", "--json")[1]
    assert {"map file", "weights", "plan", "optimum to compare"} <= plan["profile"].keys()
    assert all(seconds >= 0 for seconds in plan["profile"].values())
    assert plan["seconds"] >= plan["profile"]["plan"]


def test_treatment_leaves_obstacles_alone():
    blocked, unknown = torch.tensor([[True, True, False]]), torch.tensor([[False, True, False]])
    robot = robot_map(MapFile(blocked, unknown=unknown), unknown=Treatment(passable=True, cost=2.0))
    assert robot.blocked.tolist() == [[True, False, False]]
    assert robot.entry_cost.tolist() == [[1.0, 2.0, 1.0]]
    with pytest.raises(InputError, match="0 or more"):
        robot_map(MapFile(blocked, unknown=unknown), clearance_cost=-1.0)
