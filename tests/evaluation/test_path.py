import math

import pytest
import torch
from torch import nn

from torchvin.errors import InputError
from torchvin.evaluation.path import check_task, follow_policy
from torchvin.mdp.motion import OFFSETS, GridMotion
from torchvin.planning.planners.grid import GridPlanner
from torchvin.planning.value_iteration import ValueIteration
from torchvin.policies.attention import StateAttention
from torchvin.policies.heads import ScaleHead
from torchvin.policies.vin import VIN

N, S, E, W, NE, NW, SE, SW = range(8)
SNAKE = (".....", "####.", ".....", ".####", ".....")


class Constant(nn.Module):
    """Returns one tensor whatever comes, if anything."""

    def __init__(self, tensor):
        super().__init__()
        self.register_buffer("tensor", tensor)

    def forward(self, *_):
        return self.tensor


class WithoutStay(nn.Module):
    """The eight moves of the true model; its parameter tells the policy's dtype."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, q_values):
        return self.scale * q_values[:, :8]


@pytest.fixture
def true_policy(true_model):
    """The true model of a map as a policy that plans a quarter of the map's longer side first."""

    def policy(blocked, goal):
        model = true_model(blocked[None], torch.tensor([goal]))
        return VIN(
            planner=GridPlanner(
                reward=Constant(model.q_reward),
                iteration=ValueIteration(transition=Constant(model.kernel), num_iterations=1),
                iterations_per_side=0.25,
            ),
            attention=StateAttention(),
            head=WithoutStay(),
        )

    return policy


def test_planning_goes_on_until_the_policy_arrives(draw, true_policy):
    blocked = draw(*SNAKE)
    planned = follow_policy(true_policy(blocked, (4, 4)), blocked, (0, 0), (4, 4))
    expected = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 4), (2, 3), (2, 2), (2, 1), (3, 0), (4, 1), (4, 2), (4, 3), (4, 4)]
    assert planned.found
    assert planned.path == planned.optimal_path == expected
    assert planned.cost == pytest.approx(8 + 4 * math.sqrt(2))
    assert planned.cost == pytest.approx(planned.optimal_cost)
    assert 12 <= planned.iterations <= 25
    assert planned.value.shape == planned.actions.shape == (5, 5)
    assert planned.value[0, 0].item() == pytest.approx(-planned.cost)


def test_a_given_k_is_kept_and_a_path_not_found_has_no_cost(draw, true_policy):
    blocked = draw(*SNAKE)
    planned = follow_policy(true_policy(blocked, (4, 4)), blocked, (0, 0), (4, 4), num_iterations=3)
    assert planned.iterations == 3
    assert not planned.found
    assert planned.cost == math.inf
    assert planned.path[0] == (0, 0)
    assert planned.optimal_path[-1] == (4, 4)
    assert planned.optimal_cost == pytest.approx(8 + 4 * math.sqrt(2))


def test_planning_stops_at_a_plan_that_no_longer_changes(draw, policy_of_actions):
    blocked = draw("...", "...")
    planned = follow_policy(policy_of_actions(torch.full((1, 2, 3), W)), blocked, (0, 1), (1, 2))
    assert not planned.found
    assert planned.path == [(0, 1), (0, 0)]
    assert planned.iterations <= 6


def test_from_the_goal_the_path_is_the_goal(draw, true_policy):
    blocked = draw("...", "...")
    planned = follow_policy(true_policy(blocked, (1, 1)), blocked, (1, 1), (1, 1))
    assert planned.found
    assert planned.path == planned.optimal_path == [(1, 1)]
    assert planned.cost == planned.optimal_cost == 0


class Neighbours(nn.Module):
    """Moves lead to their neighbours, at a discount of a half: V is 2^-distance."""

    def __init__(self):
        super().__init__()
        kernel = torch.zeros(8, 1, 3, 3)
        for action, (row, col) in enumerate(OFFSETS):
            kernel[action, 0, 1 + row, 1 + col] = 0.5
        self.register_buffer("kernel", kernel)

    def forward(self):
        return self.kernel


class AtTheGoal(nn.Module):
    """A reward of 1 at the goal for every action."""

    def forward(self, planes):
        return (planes[:, 1:] > 0).to(planes.dtype).expand(-1, 8, -1, -1)


def test_a_path_longer_than_float32_can_tell_is_planned_in_float64(draw):
    """Values of 2^-distance are 0 in float32 beyond some 150 steps; the weights stay in float32."""
    length = 400
    policy = VIN(
        planner=GridPlanner(
            reward=AtTheGoal(),
            iteration=ValueIteration(transition=Neighbours(), num_iterations=1),
            iterations_per_side=1.0,
        ),
        attention=StateAttention(),
        head=ScaleHead(num_actions=8),
    )
    planned = follow_policy(policy, draw("." * length), (0, 0), (0, length - 1))
    assert planned.found
    assert planned.cost == planned.optimal_cost == length - 1
    assert planned.value.dtype == torch.float64
    assert {parameter.dtype for parameter in policy.parameters()} == {torch.float32}


def test_values_that_are_not_finite_are_refused(draw, policy_of_logits):
    with pytest.raises(InputError, match="the policy's values are not finite at K = 4: its weights diverged"):
        follow_policy(
            policy_of_logits(torch.full((1, 8, 2, 3), math.nan)), draw("...", "..."), (0, 0), (1, 2), num_iterations=4
        )


def test_more_actions_than_the_environment_has_are_bad_input(draw, policy_of_actions):
    with pytest.raises(InputError, match="8"):
        follow_policy(
            policy_of_actions(torch.full((1, 2, 3), SE)),
            draw("...", "..."),
            (0, 0),
            (1, 2),
            moves=GridMotion(num_actions=4),
        )


def test_the_optimal_cost_of_a_task(draw):
    blocked = draw(".#.", "...", "...")
    assert check_task(blocked, (0, 0), (0, 2)) == pytest.approx(2 * math.sqrt(2))
    assert check_task(blocked, (0, 0), (0, 2), GridMotion(num_actions=4)) == 4
    assert check_task(blocked, (0, 0), (0, 2), GridMotion(corner_cutting=False)) == 4


@pytest.mark.parametrize(
    ("start", "goal", "message"),
    [
        ((3, 0), (0, 0), r"the start \(3, 0\) lies outside the 3x4 map; give row,col from 0,0 to 2,3"),
        ((0, -1), (0, 0), r"the start \(0, -1\) lies outside the 3x4 map"),
        ((0, 0), (0, 4), r"the goal \(0, 4\) lies outside the 3x4 map"),
        ((0, 2), (0, 0), r"the start \(0, 2\) lies on an obstacle; choose a free cell"),
        ((0, 0), (1, 2), r"the goal \(1, 2\) lies on an obstacle; choose a free cell"),
        ((0, 0), (0, 3), r"the goal \(0, 3\) is unreachable from the start \(0, 0\): obstacles separate them"),
    ],
)
def test_a_task_without_a_path_is_refused(draw, start, goal, message):
    with pytest.raises(InputError, match=message):
        check_task(draw("..#.", "..#.", "..#."), start, goal)
