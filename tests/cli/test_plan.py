"""`torchvin plan` moves as its weights moved."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from torchvin.cli.main import main
from torchvin.experts.grid import shortest_paths
from torchvin.maps.formats import MapFile, write_map
from torchvin.mdp.motion import GridMotion
from torchvin.pretrained.store import load_policy, save_policy


@pytest.mark.parametrize(("corner_cutting", "cost"), [(True, 2**0.5), (False, 2.0)])
def test_the_motion_model_of_the_weights_is_used(tmp_path, capsys, corner_cutting, cost):
    (tmp_path / "corner.map").write_text("type octile\nheight 3\nwidth 3\nmap\n..@\n...\n...\n")
    policy = load_policy("gridworld-16-shortest-path")
    motion = GridMotion(8, corner_cutting)
    save_policy(tmp_path / "weights", policy, task={**policy.task, "motion": motion.to_json()})
    assert load_policy(tmp_path / "weights").motion == motion
    command = ["plan", "--map", str(tmp_path / "corner.map"), "--start", "0,1", "--goal", "1,2", "--json"]
    main([*command, "--weights", str(tmp_path / "weights")])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["optimal_cost"] == pytest.approx(cost)


def test_the_exit_status_says_that_the_policy_did_not_arrive(tmp_path, capsys):
    np.save(tmp_path / "long.npy", np.zeros((32, 64), dtype=bool))
    command = ["plan", "--map", str(tmp_path / "long.npy"), "--start", "0,0", "--goal"]
    weights = ["--weights", "gridworld-28-paper"]
    assert main([*command, "31,63", *weights]) == 3
    assert "the policy did not arrive" in capsys.readouterr().out
    assert main([*command, "31,63", *weights, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["found"] is False
    assert main([*command, "31,63"]) == 0


def test_an_optimal_path_is_not_below_zero_percent_above(tmp_path, capsys):
    np.save(tmp_path / "free.npy", np.zeros((9, 9), dtype=bool))
    for goal in ("8,7", "3,8", "8,3", "7,8"):
        assert main(["plan", "--map", str(tmp_path / "free.npy"), "--start", "0,0", "--goal", goal]) == 0
        assert "(0.00 % above)" in capsys.readouterr().out


def plan_squeeze(tmp_path, capsys, name, *options):
    """Plan from corner to corner of a map whose only way squeezes between two obstacles; its status and output."""
    squeeze = MapFile(torch.tensor([[False, True], [True, False]]), resolution=0.05)
    write_map(tmp_path / name, squeeze)
    status = main(["plan", "--map", str(tmp_path / name), "--start", "0,0", "--goal", "1,1", *options])
    return status, capsys.readouterr()


def test_corners_are_passed_by_the_papers_agent_and_not_by_a_robot(tmp_path, capsys):
    status, said = plan_squeeze(tmp_path, capsys, "squeeze.map")
    assert status == 0
    assert "diagonal moves may pass the corner of an obstacle (gridworld-16-shortest-path)" in said.out
    status, said = plan_squeeze(tmp_path, capsys, "squeeze.map", "--corner-cutting", "no")
    assert status == 2
    assert "unreachable" in said.err
    status, said = plan_squeeze(tmp_path, capsys, "squeeze.yaml")
    assert status == 2
    assert "unreachable" in said.err
    assert plan_squeeze(tmp_path, capsys, "squeeze.yaml", "--corner-cutting", "yes")[0] == 0


def test_a_rule_that_contradicts_the_weights_is_refused(tmp_path, capsys):
    weights = ["--weights", "gridworld-16-shortest-path"]
    status, said = plan_squeeze(tmp_path, capsys, "squeeze.map", *weights, "--corner-cutting", "no")
    assert status == 2
    assert "--corner-cutting no contradicts gridworld-16-shortest-path" in said.err
    # weights that are named keep their rule on a ROS map too
    assert plan_squeeze(tmp_path, capsys, "squeeze.yaml", *weights)[0] == 0


@pytest.mark.parametrize("seed", range(6))
def test_paths_without_corner_cutting_are_optimal_and_pass_no_corner(tmp_path, capsys, seed):
    blocked = np.random.default_rng(seed).random((23, 37)) < 0.25
    blocked[11, 18] = False
    maps, goal = torch.from_numpy(blocked)[None], torch.tensor([[11, 18]])
    distance = shortest_paths(maps, goal, GridMotion(8, corner_cutting=False)).distance[0]
    start = divmod(int(distance.where(distance.isfinite(), torch.tensor(-1.0)).argmax()), 37)
    write_map(tmp_path / "room.yaml", MapFile(torch.from_numpy(blocked), resolution=0.05))
    command = ["plan", "--map", str(tmp_path / "room.yaml"), "--start", f"{start[0]},{start[1]}", "--goal", "11,18"]
    assert main([*command, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["motion"]["corner_cutting"] is False
    assert plan["cost"] == pytest.approx(float(distance[start]))
    path = plan["path"]
    assert len(path) > 3
    for (row, col), (next_row, next_col) in zip(path, path[1:], strict=False):
        assert max(abs(row - next_row), abs(col - next_col)) == 1
        assert not any(blocked[cell] for cell in ((next_row, next_col), (row, next_col), (next_row, col)))


def test_a_plan_does_not_import_the_compiler(tmp_path):
    """`torch._dynamo` takes longer to import than torch, and far longer than a plan."""
    write_map(tmp_path / "free.map", MapFile(torch.zeros(5, 7, dtype=torch.bool)))
    program = (
        "import sys; from torchvin.cli.main import main; "
        f"status = main(['plan', '--map', {str(tmp_path / 'free.map')!r}, '--start', '0,0', '--goal', '4,6']); "
        "print(status, 'torch._dynamo' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "0 False"
