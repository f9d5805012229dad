import math

import pytest
import torch

from torchvin import NormalizedConfig, build_policy
from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.errors import InputError
from torchvin.evaluation import scorer as rollout
from torchvin.evaluation.scorer import evaluate, greedy_actions
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.mdp.motion import GridMotion

N, S, E, W, NE, NW, SE, SW = range(8)

# On an open 3x3 map with the goal in the corner (0, 2), from (0, 0): the optimal path has 3 states, so the limit is 6.
GOAL = (0, 2)
BEST = [[E, E, N], [E, NE, N], [NE, N, N]]
SIX_STATES = [[S, E, N], [S, NE, N], [E, NE, N]]  # (0,0) (1,0) (2,0) (2,1) (1,2) (0,2)
SEVEN_STATES = [[S, E, N], [S, NE, N], [E, E, N]]  # (0,0) (1,0) (2,0) (2,1) (2,2) (1,2) (0,2)
STUCK = [[N] * 3] * 3


def open_maps(count, labels=(), starts=((0, 0),)):
    """`count` open 3x3 maps; `labels` maps cells to demonstrated actions."""
    blocked = torch.zeros(count, 3, 3, dtype=torch.bool)
    goal = torch.tensor([GOAL] * count)
    demonstrated = torch.full((count, 3, 3), NOT_SHOWN, dtype=torch.uint8)
    for (row, col), action in dict(labels).items():
        demonstrated[:, row, col] = action
    return MapDataset(
        blocked,
        goal,
        shortest_paths(blocked, goal).optimal_actions,
        demonstrated,
        torch.tensor([starts] * count),
        GridMotion(),
    )


def tables(*actions):
    return torch.tensor(actions)


def test_twice_the_number_of_states_is_a_success_and_one_more_is_not(policy_of_actions):
    dataset = open_maps(1)
    for actions, rate in ((SIX_STATES, 1.0), (SEVEN_STATES, 0.0)):
        assert evaluate(policy_of_actions(tables(actions)), dataset).scores.success_rate == rate


def test_the_scores_of_two_maps_worked_out_by_hand(policy_of_actions):
    labels = {(0, 0): E, (0, 1): E}
    scores = evaluate(policy_of_actions(tables(SIX_STATES, SEVEN_STATES)), open_maps(2, labels)).scores
    assert (scores.maps, scores.rollouts) == (2, 2)
    assert scores.success_rate == 1 / 2
    assert scores.optimal_rate == 0
    assert scores.trajectory_difference == 3  # five steps for two, and the failure does not count
    assert scores.prediction_loss == 2 / 4  # right in (0, 1), wrong in (0, 0)
    assert scores.set_error == 2 / 4
    assert scores.all_states_success_rate == 15 / 16  # all but (0, 0) of the second map
    assert scores.all_states_optimal_rate == 9 / 16
    assert scores.all_states_set_error == 7 / 16


def test_a_perfect_policy_scores_perfectly(policy_of_actions):
    scores = evaluate(policy_of_actions(tables(BEST)), open_maps(1, {(0, 0): E, (0, 1): E})).scores
    assert (scores.success_rate, scores.optimal_rate, scores.trajectory_difference) == (1, 1, 0)
    assert (scores.prediction_loss, scores.set_error) == (0, 0)
    assert (scores.all_states_success_rate, scores.all_states_optimal_rate, scores.all_states_set_error) == (1, 1, 0)


def test_a_policy_that_never_arrives_has_no_trajectory_difference(policy_of_actions):
    scores = evaluate(policy_of_actions(tables(STUCK)), open_maps(1, {(0, 0): E})).scores
    assert (scores.success_rate, scores.optimal_rate, scores.prediction_loss, scores.set_error) == (0, 0, 1, 1)
    assert math.isnan(scores.trajectory_difference)


def test_a_walk_that_gets_stuck_after_the_cost_of_the_optimum_is_not_optimal(policy_of_actions):
    west_then_stuck = [[W, W, N], [N, N, N], [N, N, N]]  # from (0, 1) the goal is one step away, the other way
    scores = evaluate(policy_of_actions(tables(west_then_stuck)), open_maps(1, starts=((0, 1),))).scores
    assert (scores.success_rate, scores.optimal_rate) == (0, 0)


def test_at_a_tie_the_other_optimal_action_is_wrong_for_the_label_but_right_for_the_set(policy_of_actions):
    labels = {(2, 1): NE, (1, 1): NE, (1, 0): NE, (2, 2): N}  # BEST goes N in (2, 1) and E in (1, 0): as short
    scores = evaluate(policy_of_actions(tables(BEST)), open_maps(1, labels)).scores
    assert scores.prediction_loss == 2 / 4
    assert scores.set_error == 0
    assert scores.optimal_rate == 1


def test_every_start_of_a_map_is_one_rollout(policy_of_actions):
    dataset = open_maps(1, starts=((0, 0), (2, 0), (1, 1), (2, 2)))
    scores = evaluate(policy_of_actions(tables(SIX_STATES)), dataset).scores
    assert scores.rollouts == 4
    assert scores.success_rate == 1
    assert scores.optimal_rate == 2 / 4
    assert scores.trajectory_difference == (3 + 1 + 0 + 0) / 4


def test_absent_starts_and_starts_at_the_goal_are_no_rollouts(policy_of_actions):
    dataset = open_maps(1, starts=((0, 1), (-1, -1), GOAL))
    scores = evaluate(policy_of_actions(tables(BEST)), dataset).scores
    assert (scores.rollouts, scores.success_rate) == (1, 1)


def test_cells_that_cannot_reach_the_goal_do_not_count(policy_of_actions, draw):
    blocked = draw("..#.", "..#.", "..#.")[None]
    dataset = solve_maps(blocked, torch.tensor([[0, 0]]))
    scores = evaluate(policy_of_actions(preferred_action(dataset.optimal_actions)), dataset).scores
    assert scores.rollouts == 5
    assert (scores.all_states_success_rate, scores.all_states_set_error) == (1, 0)


@pytest.mark.parametrize(
    "moves", [GridMotion(), GridMotion(num_actions=4), GridMotion(corner_cutting=False), GridMotion(4, False)], ids=str
)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (6, 13)])
def test_the_expert_scores_perfectly_on_random_maps(policy_of_actions, moves, height, width):
    dataset = solve_maps(*generate_gridworld(30, height, width, seed=1, moves=moves), moves=moves)
    expert = preferred_action(dataset.optimal_actions, moves)
    scores = evaluate(policy_of_actions(expert, moves.num_actions), dataset).scores
    assert (scores.success_rate, scores.optimal_rate, scores.trajectory_difference) == (1, 1, 0)
    assert (scores.prediction_loss, scores.set_error) == (0, 0)
    assert (scores.all_states_success_rate, scores.all_states_optimal_rate, scores.all_states_set_error) == (1, 1, 0)
    assert scores.rollouts == int((dataset.starts[..., 0] >= 0).sum())


def test_an_expert_that_breaks_ties_the_other_way_is_optimal_with_a_prediction_loss(policy_of_actions):
    dataset = solve_maps(*generate_gridworld(50, 16, seed=1))
    table = torch.full((256,), 255)
    for action in reversed(range(8)):  # straight moves first
        table[(torch.arange(256) >> action) & 1 != 0] = action
    scores = evaluate(policy_of_actions(table[dataset.optimal_actions.long()]), dataset).scores
    assert (scores.success_rate, scores.optimal_rate, scores.set_error) == (1, 1, 0)
    assert 0.05 < scores.prediction_loss < 0.6


@pytest.mark.parametrize("cells_at_once", [1, 64 * 7, 10**6])
def test_the_size_of_a_batch_changes_no_score_and_progress_counts_every_map(monkeypatch, cells_at_once):
    torch.manual_seed(0)
    policy, dataset = build_policy(NormalizedConfig()), solve_maps(*generate_gridworld(20, 8, seed=4))
    whole = evaluate(policy, dataset).scores
    monkeypatch.setattr(rollout, "_STATES_AT_ONCE", cells_at_once)
    done = []
    assert evaluate(policy, dataset, on_progress=done.append).scores == whole
    assert sum(done) == 20
    assert len(done) == {1: 20, 64 * 7: 3, 10**6: 1}[cells_at_once]


def test_the_number_of_iterations_is_that_of_the_call_or_of_the_size_of_the_map(monkeypatch):
    policy, dataset = build_policy(NormalizedConfig()), solve_maps(*generate_gridworld(2, 6, 9))
    assert evaluate(policy, dataset).iterations == 18
    planned = []
    forward = policy.planner.forward
    monkeypatch.setattr(
        policy.planner, "forward", lambda *args, **kw: planned.append(kw["num_iterations"]) or forward(*args, **kw)
    )
    assert evaluate(policy, dataset, num_iterations=5).iterations == 5
    assert evaluate(policy, dataset, num_iterations=0).iterations == 0
    assert planned == [5, 0]  # one plan a batch, none within a rollout


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_refused(policy_of_logits, value):
    logits = torch.zeros(2, 8, 3, 3)
    logits[1, 3, 2, 2] = value
    policy = policy_of_logits(logits).train()
    with pytest.raises(InputError, match="the policy's logits are not finite at K = 6: its weights diverged, or"):
        evaluate(policy, open_maps(2))
    assert policy.training


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_the_policy_is_as_before(training):
    policy, dataset = build_policy(NormalizedConfig()).train(training), solve_maps(*generate_gridworld(2, 8))
    seen = []
    policy.head.register_forward_hook(
        lambda module, inputs, output: seen.append((module.training, output.requires_grad))
    )
    evaluate(policy, dataset)
    assert all(module.training is training for module in policy.modules())
    assert seen == [(False, False)]


def test_a_part_that_was_frozen_in_evaluation_mode_stays_so():
    policy = build_policy(NormalizedConfig()).train()
    policy.planner.reward.eval()
    evaluate(policy, solve_maps(*generate_gridworld(2, 8)))
    assert policy.training
    assert not policy.planner.reward.training


def test_evaluation_leaves_no_gradients():
    policy = build_policy(NormalizedConfig())
    evaluate(policy, solve_maps(*generate_gridworld(2, 8)))
    assert all(parameter.grad is None for parameter in policy.parameters())
    assert torch.is_grad_enabled()


def test_a_policy_in_float64_is_scored_in_float64():
    policy = build_policy(NormalizedConfig()).double()
    dataset = solve_maps(*generate_gridworld(2, 8))
    assert evaluate(policy, dataset).scores.rollouts == 14
    assert greedy_actions(policy, dataset, 3, torch.device("cpu")).dtype == torch.int64


def test_more_actions_than_the_environment_has_are_bad_input(policy_of_actions):
    dataset = solve_maps(*generate_gridworld(2, 8), moves=GridMotion(num_actions=4))
    with pytest.raises(InputError, match="8"):
        evaluate(policy_of_actions(torch.full((2, 8, 8), 6)), dataset)
