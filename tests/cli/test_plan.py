"""`torchvin plan` moves as its weights moved."""

import json

import numpy as np
import pytest

from torchvin.cli.main import main
from torchvin.cli.plan import NOT_ARRIVED
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
    assert main([*command, "31,63", *weights]) == NOT_ARRIVED
    assert "the policy did not arrive" in capsys.readouterr().out
    assert main([*command, "31,63", *weights, "--json"]) == NOT_ARRIVED
    assert json.loads(capsys.readouterr().out)["found"] is False
    assert main([*command, "31,63"]) == 0


def test_an_optimal_path_is_not_below_zero_percent_above(tmp_path, capsys):
    np.save(tmp_path / "free.npy", np.zeros((9, 9), dtype=bool))
    for goal in ("8,7", "3,8", "8,3", "7,8"):
        assert main(["plan", "--map", str(tmp_path / "free.npy"), "--start", "0,0", "--goal", goal]) == 0
        assert "(0.00 % above)" in capsys.readouterr().out
