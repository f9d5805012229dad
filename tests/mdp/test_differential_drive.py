"""The mechanism with orientations, in all that follows from the action table."""

import heapq
import math

import pytest
import torch

from torchvin.data.dataset import solve_maps
from torchvin.errors import InputError, ShapeError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set, preferred_action, shortest_paths
from torchvin.maps.observe import encode
from torchvin.mdp.motion import HEADINGS, MOTION_MODELS, DifferentialDrive, GridMotion, motion_model
from torchvin.mdp.rollout import rollout
from torchvin.mdp.transitions import transitions
from torchvin.spaces import StateSpace

DRIVE = DifferentialDrive()
LEFT, RIGHT, FORWARD = range(3)
AHEAD = {"N": (-1, 0), "E": (0, 1), "S": (1, 0), "W": (0, -1)}


def by_hand(blocked, orientation, row, col, action):
    """Where an action leads, straight from the rules."""
    height, width = len(blocked), len(blocked[0])
    if blocked[row][col]:
        return orientation, row, col
    if action == LEFT:
        return (orientation - 1) % 4, row, col
    if action == RIGHT:
        return (orientation + 1) % 4, row, col
    down, right = AHEAD[HEADINGS[orientation]]
    if 0 <= row + down < height and 0 <= col + right < width and not blocked[row + down][col + right]:
        return orientation, row + down, col + right
    return orientation, row, col


def states(height, width):
    return [(o, row, col) for o in range(4) for row in range(height) for col in range(width)]


def test_turning_right_goes_once_around_the_compass():
    assert HEADINGS == ("N", "E", "S", "W")
    assert [DRIVE.effects[o][RIGHT][0] for o in range(4)] == [1, 2, 3, 0]
    assert [DRIVE.effects[o][LEFT][0] for o in range(4)] == [3, 0, 1, 2]
    assert (DRIVE.num_actions, DRIVE.num_orientations, DRIVE.state_length) == (3, 4, 3)
    assert (DRIVE.names, DRIVE.costs) == (("left", "right", "forward"), (1.0, 1.0, 1.0))


def test_destinations_and_allowed_are_those_of_a_loop_by_hand(random_maps):
    blocked, _ = random_maps(4, 5, 4, 6)
    destinations, allowed = transitions(blocked, DRIVE).successor, DRIVE.allowed(blocked)
    assert (destinations.shape, allowed.shape) == ((5, 3, 4 * 24), (5, 12, 4, 6))
    for index in range(5):
        rows = blocked[index].tolist()
        for flat, (o, row, col) in enumerate(states(4, 6)):
            for action in range(3):
                there = by_hand(rows, o, row, col, action)
                assert destinations[index, action, flat] == there[0] * 24 + there[1] * 6 + there[2]
                assert allowed[index, o * 3 + action, row, col] == (there != (o, row, col))


def backwards(rows, goal):
    """Moves to each state by brute force: a heap over the reversed table."""
    into = {}
    for state in states(len(rows), len(rows[0])):
        for action in range(3):
            there = by_hand(rows, *state, action)
            if there != state:
                into.setdefault(there, []).append(state)
    distance = {goal: 0}
    heap = [(0, goal)]
    while heap:
        so_far, here = heapq.heappop(heap)
        for before in into.get(here, []):
            if so_far + 1 < distance.get(before, math.inf):
                distance[before] = so_far + 1
                heapq.heappush(heap, (so_far + 1, before))
    return distance


def test_the_expert_is_brute_force(random_maps):
    blocked, cells = random_maps(5, 6, 5, 7)
    goal = torch.cat([torch.arange(6)[:, None] % 4, cells], dim=1)
    paths = shortest_paths(blocked, goal, DRIVE)
    assert (paths.distance.shape, paths.optimal_actions.shape) == ((6, 4, 5, 7), (6, 4, 5, 7))
    for index in range(6):
        rows, target = blocked[index].tolist(), tuple(goal[index].tolist())
        distance = backwards(rows, target)
        for state in states(5, 7):
            assert paths.distance[index][state].item() == distance.get(state, math.inf)
            best = 0
            for action in range(3):
                there = by_hand(rows, *state, action)
                if there != state != target and distance.get(there, math.inf) + 1 == distance.get(state, -1):
                    best |= 1 << action
            assert paths.optimal_actions[index][state] == best


def test_the_expert_prefers_going_forward():
    every = torch.arange(8).to(torch.uint8)
    assert preferred_action(every, DRIVE).tolist() == [255, 0, 1, 0, 2, 2, 2, 2]


def test_a_walk_along_the_expert_arrives_at_the_cost_of_the_distance(random_maps):
    blocked, cells = random_maps(6, 8, 6, 9)
    goal = torch.cat([torch.arange(8)[:, None] % 4, cells], dim=1)
    paths = shortest_paths(blocked, goal, DRIVE)
    actions = preferred_action(paths.optimal_actions, DRIVE)
    can = (paths.optimal_actions != 0).flatten(1)
    starts = torch.where(can, torch.arange(can.shape[1]), -1)
    limit = torch.full_like(starts, can.shape[1])
    rollouts = rollout(actions, blocked, goal, starts, limit=limit, moves=DRIVE, record=True)
    assert torch.equal(rollouts.reached, can)
    torch.testing.assert_close(rollouts.cost[can], paths.distance.flatten(1)[can], rtol=0, atol=1e-9)
    assert torch.equal(rollouts.num_steps[can].double(), rollouts.cost[can])
    last = (rollouts.path >= 0).sum(dim=-1) - 1
    ends = rollouts.path.gather(2, last.clamp(min=0)[..., None])[..., 0]
    assert torch.equal(ends[can], StateSpace(6, 9, 4).flatten(goal)[:, None].expand_as(ends)[can])


def test_a_data_set_has_an_answer_for_every_orientation(random_maps):
    blocked, cells = random_maps(7, 4, 6, 5, density=0.1)
    goal = torch.cat([torch.tensor([[0], [1], [2], [3]]), cells], dim=1)
    dataset = solve_maps(blocked, goal, moves=DRIVE, num_demonstrations=3)
    assert dataset.optimal_actions.shape == dataset.demonstrated.shape == (4, 4, 6, 5)
    assert dataset.starts.shape == (4, 3, 3)
    assert dataset.space.num_states == 120
    planes = dataset.planes()
    assert planes.shape == (4, 5, 6, 5)
    for index, (o, row, col) in enumerate(goal.tolist()):
        assert planes[index, 1:].nonzero().tolist() == [[o, row, col]]
    shown = dataset.demonstrated != NOT_SHOWN
    chosen = action_set(dataset.optimal_actions, 3).gather(
        -1, dataset.demonstrated.masked_fill(~shown, 0)[..., None].long()
    )
    assert chosen[..., 0][shown].all()
    assert torch.equal(dataset[1:3].optimal_actions, dataset.optimal_actions[1:3])


def test_mechanisms_are_found_by_name():
    assert motion_model("news") == GridMotion(num_actions=4)
    assert motion_model("moore") == GridMotion(diagonal_cost=1.0)  # as GPPN and Neural A* have it
    assert motion_model("octile") == GridMotion()
    assert motion_model("differential-drive") == DRIVE
    assert all(known.costs and len(known.names) == known.num_actions for known in MOTION_MODELS.values())
    with pytest.raises(InputError, match=r"unknown motion model 'differential'\. Did you mean 'differential-drive'"):
        motion_model("differential")


@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_goal_without_an_orientation_is_refused():
    free = torch.zeros(1, 3, 4, dtype=torch.bool)
    with pytest.raises(ShapeError, match=r"goal must have shape \[1, 3\], got \[1, 2\]"):
        shortest_paths(free, torch.tensor([[0, 0]]), DRIVE)
    with pytest.raises(ShapeError, match=r"goal must have shape \[1, 3\], got \[1, 2\]"):
        encode(free, torch.tensor([[0, 0]]), num_orientations=4)
    with pytest.raises(InputError, match="a goal lies off its 3x4 map"):
        shortest_paths(free, torch.tensor([[4, 0, 0]]), DRIVE)
