"""%Suc and %Opt of the GPPN paper against a count by hand: follow the policy backwards from the goal, map by map."""

import dataclasses
from fractions import Fraction

import pytest
import torch

from copycat import Copycat
from torchvin.data.dataset import solve_maps
from torchvin.data.draw import draw_maps
from torchvin.evaluation.scorer import evaluate
from torchvin.experts.grid import preferred_action
from torchvin.mdp.motion import MOTION_MODELS, GridMotion
from torchvin.mdp.transitions import transitions


def distances(successors, goal):
    """Moves to the goal of every state that arrives, by the lists of states that each state may go to next."""
    found, edge = {goal: 0}, [goal]
    while edge:
        edge = [
            state
            for state, following in enumerate(successors)
            if state not in found and any(other in found and found[other] == found[edge[0]] for other in following)
        ]
        found |= dict.fromkeys(edge, max(found.values()) + 1)
    return found


def rates_by_hand(dataset, actions):
    """Mean over maps of the shares of open states, as `_compute_stats` of the paper's code counts; unit costs."""
    table = transitions(dataset.blocked, dataset.moves).successor
    success, optimal = [], []
    for index in range(len(dataset)):
        is_open = (~dataset.blocked[index]).flatten().repeat(dataset.moves.num_orientations)
        goal = int(dataset.space.flatten(dataset.goal[index]))
        policy = actions[index].flatten().tolist()
        ours = distances([[int(table[index, policy[state], state])] for state in range(len(policy))], goal)
        best = distances(table[index].T.tolist(), goal)
        states = [state for state in range(len(policy)) if is_open[state]]
        success.append(Fraction(sum(state in ours for state in states), len(states)))
        optimal.append(Fraction(sum(ours.get(state) == best.get(state) for state in states), len(states)))
    return float(sum(success) / len(success)), float(sum(optimal) / len(optimal))


@pytest.mark.parametrize("name", ["news", "moore", "differential-drive"])
def test_the_rates_are_those_of_the_papers_code(name):
    moves = MOTION_MODELS[name]
    dataset = draw_maps("scattered", 8, 7, 6, seed=3, moves=moves)
    expert = preferred_action(dataset.optimal_actions, moves).long()
    random = torch.Generator().manual_seed(0)
    wrong = torch.rand(expert.shape, generator=random) < 0.25
    drawn = torch.randint(moves.num_actions, expert.shape, generator=random)
    actions = torch.where(wrong | (expert >= moves.num_actions), drawn, expert)
    scores = evaluate(Copycat(actions, moves.num_actions), dataset).scores
    by_hand = rates_by_hand(dataset, actions)
    assert (scores.open_states_success_rate, scores.open_states_optimal_rate) == pytest.approx(by_hand, abs=1e-12)
    assert scores.open_states_success_rate != scores.all_states_success_rate


def test_an_open_cell_without_a_path_is_a_failure_and_optimal(policy_of_actions, draw):
    dataset = solve_maps(draw("...#.", "...#.")[None], torch.tensor([[0, 0]]), moves=GridMotion(4))
    scores = evaluate(policy_of_actions(preferred_action(dataset.optimal_actions), 4), dataset).scores
    assert (scores.all_states_success_rate, scores.all_states_optimal_rate) == (1, 1)
    assert (scores.open_states_success_rate, scores.open_states_optimal_rate) == (6 / 8, 1)


def test_a_path_of_any_length_is_a_success(policy_of_actions, draw):
    """Around a 3x3 map: from (0, 1) to the cell beside it 8 states where 2 suffice, from (0, 2) 7 where 3 do."""
    dataset = solve_maps(draw("...", ".#.", "...")[None], torch.tensor([[0, 0]]), moves=GridMotion(4))
    north, south, east, west = range(4)
    around = [[north, east, south], [north, north, south], [north, west, west]]
    scores = evaluate(policy_of_actions(torch.tensor([around]), 4), dataset).scores
    assert scores.open_states_success_rate == 1
    assert scores.all_states_success_rate == 5 / 7


def test_maps_count_alike_whatever_their_open_states(policy_of_actions, draw):
    maps = torch.stack([draw("....", "...."), draw("..##", "####")])
    dataset = solve_maps(maps, torch.tensor([[0, 0], [0, 0]]), moves=GridMotion(4))
    stuck = torch.zeros(2, 2, 4, dtype=torch.int64)  # north: arrives from (1, 0) of the first map alone
    scores = evaluate(policy_of_actions(stuck, 4), dataset).scores
    assert scores.open_states_success_rate == (2 / 8 + 1 / 2) / 2
    assert scores.all_states_success_rate == 1 / 8


def test_scores_of_before_have_none(policy_of_actions):
    dataset = solve_maps(torch.zeros(1, 2, 2, dtype=torch.bool), torch.tensor([[0, 0]]))
    scores = evaluate(policy_of_actions(preferred_action(dataset.optimal_actions)), dataset).scores
    former = {name: value for name, value in dataclasses.asdict(scores).items() if not name.startswith("open_states")}
    assert type(scores)(**former).open_states_success_rate != scores.open_states_success_rate
