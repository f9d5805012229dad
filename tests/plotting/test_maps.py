"""Pictures of maps: what is drawn where, asked of matplotlib."""

import dataclasses

import pytest
import torch
from matplotlib.figure import Figure

from torchvin import build_policy, load_policy
from torchvin.architectures.fcn import FCNConfig
from torchvin.architectures.gppn import GPPNConfig
from torchvin.errors import InputError
from torchvin.evaluation.path import follow_policy
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.plotting import maps as pictures
from torchvin.plotting.figure import figure
from torchvin.plotting.tasks import furthest_start

#: What a reader sees: columns grow to the right, rows downwards.
COMPASS = {
    "N": (0, -1), "S": (0, 1), "E": (1, 0), "W": (-1, 0), "NE": (1, -1), "NW": (-1, -1), "SE": (1, 1), "SW": (-1, 1)
}  # fmt: skip


@pytest.fixture
def axis():
    return Figure().subplots()


@pytest.fixture
def planned():
    blocked = torch.zeros(5, 6, dtype=torch.bool)
    blocked[2, 1:5] = True
    return blocked, follow_policy(load_policy("gridworld-8"), blocked, (4, 0), (0, 5))


@pytest.mark.parametrize("motion", [GridMotion(), GridMotion(num_actions=4)])
def test_the_arrow_of_every_action_points_where_its_name_says(axis, motion):
    blocked = torch.zeros(1, motion.num_actions + 1, dtype=torch.bool)
    actions = torch.arange(motion.num_actions + 1)[None] % motion.num_actions
    pictures.draw_map(axis, blocked)
    arrows = pictures.draw_policy(axis, blocked, actions, (0, motion.num_actions), motion)
    right, down = zip(*(COMPASS[name] for name in motion.names), strict=True)
    assert pytest.approx(right) == arrows.U / pictures.ARROW
    assert pytest.approx(down) == arrows.V / pictures.ARROW
    assert axis.yaxis.get_inverted()  # so that V < 0 is up
    assert not axis.xaxis.get_inverted()
    assert arrows.get_offsets().tolist() == [[col, 0] for col in range(motion.num_actions)]


def test_obstacles_and_the_goal_have_no_arrow(axis):
    blocked = torch.tensor([[False, True, False]])
    arrows = pictures.draw_policy(axis, blocked, torch.zeros(1, 3, dtype=torch.int64), (0, 2))
    assert arrows.get_offsets().tolist() == [[0, 0]]


def test_an_agent_with_orientations_has_no_single_arrow(axis):
    blocked = torch.zeros(2, 2, dtype=torch.bool)
    with pytest.raises(InputError, match="arrows show one action per cell, and a DifferentialDrive has 4"):
        pictures.draw_policy(axis, blocked, torch.zeros(2, 2, dtype=torch.int64), (0, 0), DifferentialDrive())


def test_a_path_runs_through_columns_and_rows(axis):
    pictures.draw_path(axis, [(0, 1), (2, 3)], "path")
    assert axis.lines[0].get_xydata().tolist() == [[1, 0], [3, 2]]


def test_obstacles_are_dark_and_carry_no_number(axis):
    blocked = torch.tensor([[False, True]])
    pictures.draw_map(axis, blocked, torch.tensor([[1.0, 2.0]]), "value V")
    values, shade = axis.images
    assert values.get_array().mask.tolist() == [[False, True]]
    assert shade.get_array().mask.tolist() == [[True, False]]


def legend_of(call, monkeypatch):
    """The texts of the legend of the figure that `call` draws, and where it stands."""
    found = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: found.append(self) or path.touch())
    call()
    (legend,) = found[0].legends
    assert all(axis.get_legend() is None for axis in found[0].axes)  # nothing lies on a map
    return [text.get_text() for text in legend.get_texts()]


def test_the_legend_says_start_goal_path_and_optimal_and_covers_no_map(planned, tmp_path, monkeypatch):
    blocked, plan = planned
    texts = legend_of(lambda: pictures.plot_plan(blocked, plan, tmp_path / "plan.png"), monkeypatch)
    assert texts == ["optimal path, cost 7.83", "path of the policy, cost 7.83", "start", "goal"]
    lost = dataclasses.replace(plan, found=False)
    texts = legend_of(lambda: pictures.plot_plan(blocked, lost, tmp_path / "plan.png"), monkeypatch)
    assert "path of the policy, does not arrive" in texts


def test_any_planner_with_a_reward_image_can_be_drawn_and_others_are_refused(planned, tmp_path):
    blocked, plan = planned
    pictures.plot_network(load_policy("gridworld-8"), blocked, plan, str(tmp_path / "network.png"))
    assert (tmp_path / "network.png").stat().st_size > 10_000
    for config, name in ((GPPNConfig(num_actions=8), "GatedPlanner"), (FCNConfig(height=5, width=6), "FCN")):
        with pytest.raises(InputError, match=f"a {name} has no image of its reward to draw"):
            pictures.plot_network(build_policy(config), blocked, plan, tmp_path / "other.png")


def test_the_furthest_start_is_that_of_the_costliest_path():
    blocked = torch.tensor([[False] * 4, [True, True, True, False], [False] * 4])
    assert furthest_start(blocked, (0, 0), GridMotion(num_actions=4)) == (2, 0)
    with pytest.raises(InputError, match=r"no other cell can reach the goal \(0, 0\)"):
        furthest_start(torch.tensor([[False, True]]), (0, 0))


def test_a_figure_is_whole_or_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), figure(tmp_path / "x.png", 2, 2):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="a picture needs a suffix, one of"), figure("x", 2, 2):
        pass
