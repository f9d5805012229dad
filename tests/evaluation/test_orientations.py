"""Scoring an agent with orientations, and maps with terrain: a policy that copies the expert is perfect."""

import pytest
import torch

from copycat import Copycat
from torchvin import NormalizedConfig
from torchvin.data.draw import draw_maps
from torchvin.errors import InputError
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.scorer import evaluate, greedy_actions, success_by_length
from torchvin.experts.grid import preferred_action
from torchvin.mdp.motion import DifferentialDrive, GridMotion

DRIVE = DifferentialDrive()


@pytest.fixture(scope="module")
def mazes():
    return draw_maps("maze", 6, 9, 11, seed=1, moves=DRIVE)


def test_a_policy_that_copies_the_expert_reaches_every_goal_at_the_best_cost(mazes):
    expert = preferred_action(mazes.optimal_actions, DRIVE)
    scores = evaluate(Copycat(expert, 3), mazes).scores
    assert (scores.success_rate, scores.optimal_rate, scores.trajectory_difference) == (1, 1, 0)
    assert (scores.all_states_success_rate, scores.all_states_optimal_rate) == (1, 1)
    assert (scores.prediction_loss, scores.set_error, scores.all_states_set_error) == (0, 0, 0)
    assert scores.rollouts == 6 * 7
    assert torch.equal(greedy_actions(Copycat(expert, 3), mazes, 0, torch.device("cpu")), expert.long() % 255 % 3)


def test_a_policy_that_only_turns_reaches_the_goal_from_its_cell_alone(mazes):
    scores = evaluate(Copycat(torch.zeros_like(mazes.optimal_actions), 3), mazes).scores
    states = (mazes.optimal_actions != 0).sum().item()
    # Turning left alone arrives from the headings one and two to the right (twice the states allows 3 for 1, 5 for 2).
    assert scores.all_states_success_rate == pytest.approx(6 * 3 / states, abs=6 / states)
    assert 0 < scores.all_states_success_rate < 0.05


def test_success_by_length_counts_every_state_once(mazes):
    expert = preferred_action(mazes.optimal_actions, DRIVE)
    counts, rates = success_by_length(Copycat(expert, 3), mazes)
    assert counts.sum() == (mazes.optimal_actions != 0).sum()
    assert counts[1] >= 6 * 2  # the goal's own cell, one turn away on either side
    assert (rates[counts > 0] == 1).all()


def test_with_terrain_the_optimum_is_a_cost_and_not_a_number_of_moves():
    dataset = draw_maps("gridworld", 20, 12, 12, seed=3, moves=GridMotion(4), terrain_costs=(1.0, 2.0, 5.0))
    plain = draw_maps("gridworld", 20, 12, 12, seed=3, moves=GridMotion(4))
    assert torch.equal(dataset.blocked, plain.blocked)
    expert = evaluate(Copycat(preferred_action(dataset.optimal_actions, GridMotion(4)), 4), dataset).scores
    blind = evaluate(Copycat(preferred_action(plain.optimal_actions, GridMotion(4)), 4), dataset).scores
    assert (expert.all_states_success_rate, expert.all_states_optimal_rate) == (1, 1)
    assert blind.all_states_success_rate > 0.95  # it arrives
    assert blind.all_states_optimal_rate < 0.7  # but pays more


def test_logits_without_orientations_are_refused(mazes):
    policy = Copycat(torch.zeros(6, 1, 9, 11), 3)
    with pytest.raises(InputError, match="has 3 actions, the maps have 3 moves in each of 4 orientations"):
        evaluate(policy, mazes)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (NormalizedConfig(), "the maps have 3 moves, the policy 8 actions; set --policy.num-actions"),
        (NormalizedConfig(num_actions=3), "4 orientations, the policy 1; set --policy.num-orientations"),
        (
            NormalizedConfig(num_actions=3, num_orientations=4, num_terrains=2),
            "1 classes of terrain, the policy 2; set --policy.num-terrains",
        ),
    ],
)
def test_a_policy_for_other_maps_is_refused(mazes, config, message):
    with pytest.raises(InputError, match=message):
        check_fit(config, mazes)
    check_fit(NormalizedConfig(num_actions=3, num_orientations=4), mazes)
