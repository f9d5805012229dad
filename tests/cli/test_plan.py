"""`torchvin plan` moves as its weights moved."""

import json

import pytest

from torchvin.cli.main import main
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
