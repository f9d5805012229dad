"""Partial view: what is seen is remembered, and nothing else is used."""

import torch

from torchvin import GridMotion, Policy, PolicyOutput, load_policy, shortest_paths
from torchvin.data.draw import draw_maps
from torchvin.evaluation.partial_view import evaluate_partial_view, in_view
from torchvin.experts.grid import preferred_action


class Expert(Policy):
    """Plans exactly on what it is shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, observation, states=None, *, num_iterations=None, initial_value=None):
        blocked, goal = observation[:, 0] == 1, observation[:, 1].flatten(1).argmax(dim=1)
        width = observation.shape[3]
        self.shown.append((blocked.clone(), states[:, 0].clone()))
        paths = shortest_paths(blocked, torch.stack([goal // width, goal % width], dim=1), MOVES)
        actions = preferred_action(paths.optimal_actions, MOVES)[
            torch.arange(len(blocked)), states[:, 0, 0], states[:, 0, 1]
        ]
        return PolicyOutput(logits=torch.eye(9)[actions.long().clamp(max=8)][:, None, :8], plan=None)


MOVES = GridMotion(diagonal_cost=1.0)


def test_with_a_view_of_everything_an_exact_planner_is_optimal():
    maps = draw_maps("gridworld", 30, 8, 8, seed=0, moves=MOVES)
    scores = evaluate_partial_view(Expert(), maps, radius=8)
    assert (scores.success_rate, scores.extra_steps) == (1.0, 0.0)


def test_an_exact_planner_arrives_with_a_small_view_and_walks_further():
    maps = draw_maps("gridworld", 60, 16, 16, seed=0, moves=MOVES)
    expert = Expert()
    scores = evaluate_partial_view(expert, maps, radius=1)
    assert scores.success_rate > 0.97
    assert scores.extra_steps > 0.05
    first, cells = expert.shown[0]
    assert not (first & ~in_view(cells, 1, 16, 16)).any()  # nothing beyond the view
    assert expert.shown[3][0].sum() > 0


def test_a_network_that_learned_on_known_maps_plans_through_the_unknown():
    maps = draw_maps("gridworld", 100, 8, 8, seed=1, moves=MOVES)
    assert evaluate_partial_view(load_policy("gridworld-8"), maps, radius=2).success_rate > 0.95
