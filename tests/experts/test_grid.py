import heapq
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchvin.errors import InputError, ShapeError
from torchvin.experts import grid as shortest_path
from torchvin.experts.grid import action_set, preferred_action, shortest_paths
from torchvin.mdp.motion import GridMotion

STEPS = [(-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1)]
MOVES = [GridMotion(n, corner_cutting) for n in (4, 8) for corner_cutting in (True, False)]


def neighbours(blocked, row, col, moves):
    """(action, cost, row, col) of each legal move, straight from the rules."""
    height, width = len(blocked), len(blocked[0])

    def free(r, c):
        return 0 <= r < height and 0 <= c < width and not blocked[r][c]

    for action, (down, right) in enumerate(STEPS[: moves.num_actions]):
        if not free(row, col) or not free(row + down, col + right):
            continue
        if not moves.corner_cutting and down and right and not (free(row + down, col) and free(row, col + right)):
            continue
        yield action, math.hypot(down, right), row + down, col + right


def textbook_dijkstra(blocked, goal, moves):
    """Distances from the goal (the graph is symmetric), with a heap and nothing else."""
    distance = [[math.inf] * len(blocked[0]) for _ in blocked]
    distance[goal[0]][goal[1]] = 0.0
    heap = [(0.0, *goal)]
    while heap:
        so_far, row, col = heapq.heappop(heap)
        if so_far > distance[row][col]:
            continue
        for _, cost, next_row, next_col in neighbours(blocked, row, col, moves):
            if so_far + cost < distance[next_row][next_col]:
                distance[next_row][next_col] = so_far + cost
                heapq.heappush(heap, (so_far + cost, next_row, next_col))
    return distance


def brute_force_sets(blocked, goal, moves, distance):
    """Bits of the moves whose cost plus the distance left is the distance."""
    sets = [[0] * len(blocked[0]) for _ in blocked]
    for row in range(len(blocked)):
        for col in range(len(blocked[0])):
            if (row, col) == goal or math.isinf(distance[row][col]):
                continue
            for action, cost, next_row, next_col in neighbours(blocked, row, col, moves):
                if abs(cost + distance[next_row][next_col] - distance[row][col]) < 1e-9:
                    sets[row][col] |= 1 << action
    return sets


@pytest.mark.parametrize("moves", MOVES, ids=str)
@pytest.mark.parametrize(("height", "width"), [(1, 9), (7, 5), (6, 11), (13, 3)])
def test_distances_and_sets_are_those_of_a_textbook_dijkstra(random_maps, moves, height, width):
    blocked, goal = random_maps(height * width, 12, height, width, density=0.35)
    paths = shortest_paths(blocked, goal, moves)
    assert (paths.distance.dtype, paths.optimal_actions.dtype) == (torch.float64, torch.uint8)
    for index in range(len(blocked)):
        rows, target = blocked[index].tolist(), tuple(goal[index].tolist())
        distance = textbook_dijkstra(rows, target, moves)
        torch.testing.assert_close(
            paths.distance[index], torch.tensor(distance, dtype=torch.float64), rtol=0, atol=1e-9
        )
        assert paths.optimal_actions[index].tolist() == brute_force_sets(rows, target, moves, distance)


@given(
    rows=st.integers(1, 6).flatmap(
        lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    place=st.integers(0, 35),
    moves=st.sampled_from(MOVES),
)
def test_any_map_is_solved_as_by_a_textbook_dijkstra(rows, place, moves):
    goal = (place % len(rows), place // len(rows) % len(rows[0]))
    rows[goal[0]][goal[1]] = False
    paths = shortest_paths(torch.tensor([rows]), torch.tensor([goal]), moves)
    distance = textbook_dijkstra(rows, goal, moves)
    torch.testing.assert_close(paths.distance[0], torch.tensor(distance, dtype=torch.float64), rtol=0, atol=1e-9)
    assert paths.optimal_actions[0].tolist() == brute_force_sets(rows, goal, moves, distance)


def test_a_move_a_tenth_longer_than_the_best_is_not_optimal():
    """A map on which two ways differ by no more than 10 - 7 * sqrt(2) = 0.1: close, but no tie."""
    blocked = torch.rand(30, 30, generator=torch.Generator().manual_seed(2)) < 0.35
    blocked[0, 0] = False
    rows, goal = blocked.tolist(), (0, 0)
    distance = textbook_dijkstra(rows, goal, GridMotion())
    paths = shortest_paths(blocked[None], torch.tensor([goal]))
    assert paths.optimal_actions[0].tolist() == brute_force_sets(rows, goal, GridMotion(), distance)
    excess = [
        cost + distance[next_row][next_col] - distance[row][col]
        for row, col in paths.distance[0].isfinite().nonzero().tolist()
        for _, cost, next_row, next_col in neighbours(rows, row, col, GridMotion())
    ]
    assert 0.09 < min(more for more in excess if more > 1e-9) < 0.11


def test_the_four_connected_set_holds_the_first_four_actions_only(random_maps):
    blocked, goal = random_maps(2, 10, 8, 6)
    assert shortest_paths(blocked, goal, GridMotion(num_actions=4)).optimal_actions.max() < 16


def test_a_cell_that_cannot_reach_the_goal_is_infinitely_far_and_has_no_action(draw):
    blocked = draw("..#.", "..#.", "..##")[None]
    paths = shortest_paths(blocked, torch.tensor([[0, 0]]))
    assert paths.distance[0, :, 3].tolist() == [math.inf] * 3
    assert paths.distance[0, :, 2].tolist() == [math.inf] * 3
    assert paths.optimal_actions[0, :, 2:].tolist() == [[0, 0]] * 3


def test_at_the_goal_the_distance_is_0_and_there_is_no_action(draw):
    paths = shortest_paths(draw("...", "...")[None], torch.tensor([[1, 2]]))
    assert paths.distance[0, 1, 2] == 0
    assert paths.optimal_actions[0, 1, 2] == 0
    assert (paths.optimal_actions[0] == 0).sum() == 1


def test_squeezing_between_two_obstacles_is_the_shortest_path_unless_banned(draw):
    blocked = draw(".#", "#.")[None]
    goal = torch.tensor([[0, 0]])
    assert shortest_paths(blocked, goal).distance[0, 1, 1].item() == pytest.approx(math.sqrt(2), abs=1e-12)
    assert shortest_paths(blocked, goal, GridMotion(corner_cutting=False)).distance[0, 1, 1].item() == math.inf


def test_from_a_goal_on_an_obstacle_nothing_can_be_reached(draw):
    paths = shortest_paths(draw(".#.", "...")[None], torch.tensor([[0, 1]]))
    assert not paths.optimal_actions.any()
    assert paths.distance[0, 1].isinf().all()


@pytest.mark.parametrize("at_once", [1, 60, 10_000])
def test_a_map_is_solved_alone_as_in_any_batch(random_maps, monkeypatch, at_once):
    blocked, goal = random_maps(3, 9, 5, 8)
    together = shortest_paths(blocked, goal)
    monkeypatch.setattr(shortest_path, "_STATES_AT_ONCE", at_once)
    chunked = shortest_paths(blocked, goal)
    assert torch.equal(together.distance, chunked.distance)
    assert torch.equal(together.optimal_actions, chunked.optimal_actions)
    for index in range(9):
        alone = shortest_paths(blocked[index : index + 1], goal[index : index + 1])
        assert torch.equal(alone.distance[0], together.distance[index])
        assert torch.equal(alone.optimal_actions[0], together.optimal_actions[index])


def test_ties_on_a_long_map_are_still_told_from_differences():
    """A path of 4,000 diagonal steps: the float error of its cost must not hide an optimal action or add one."""
    side = 4000
    blocked = torch.zeros(1, 3, side, dtype=torch.bool)
    paths = shortest_paths(blocked, torch.tensor([[1, 0]]))
    west, northwest, southwest = 1 << 3, 1 << 5, 1 << 7
    assert paths.optimal_actions[0, 1, 1:].eq(west).all()
    assert paths.optimal_actions[0, 0, 2:].eq(west | southwest).all()
    assert paths.optimal_actions[0, 2, 2:].eq(west | northwest).all()


def test_an_empty_batch_has_an_empty_solution():
    paths = shortest_paths(torch.zeros(0, 3, 4, dtype=torch.bool), torch.zeros(0, 2, dtype=torch.int64))
    assert paths.distance.shape == (0, 3, 4)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"blocked must have shape \[B, H, W\], got \[3, 4\]"):
        shortest_paths(torch.zeros(3, 4, dtype=torch.bool), torch.tensor([[0, 0]]))
    with pytest.raises(ShapeError, match=r"goal must have shape \[1, 2\], got \[2, 2\]"):
        shortest_paths(torch.zeros(1, 3, 4, dtype=torch.bool), torch.tensor([[0, 0], [0, 0]]))


@pytest.mark.parametrize("goal", [[0, 4], [3, 0], [-1, 0], [0, -1]])
def test_a_goal_off_the_map_is_refused_rather_than_taken_for_a_cell_of_the_next_row(goal):
    with pytest.raises(InputError, match="off"):
        shortest_paths(torch.zeros(1, 3, 4, dtype=torch.bool), torch.tensor([goal]))


@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_map_that_is_not_bool_is_refused():
    with pytest.raises(InputError, match="blocked must be a bool tensor"):
        shortest_paths(torch.tensor([[[0, 1, 0]]], dtype=torch.uint8), torch.tensor([[0, 0]]))


@pytest.mark.parametrize("number", [4, 8])
def test_the_bits_of_every_set_unpack_to_its_actions(number):
    sets = torch.arange(1 << number).to(torch.uint8).view(2, -1)
    unpacked = action_set(sets, number)
    assert unpacked.shape == (2, 1 << (number - 1), number)
    weights = 2 ** torch.arange(number)
    assert torch.equal((unpacked * weights).sum(-1), sets.long())


def test_the_preferred_action_is_a_diagonal_one_where_there_is_one():
    every = torch.arange(256).to(torch.uint8)
    order = [4, 5, 6, 7, 0, 1, 2, 3]
    expected = [next((action for action in order if number >> action & 1), 255) for number in range(256)]
    assert preferred_action(every).tolist() == expected
    assert preferred_action(every).dtype == torch.uint8


def test_the_preferred_action_of_four_is_the_first():
    every = torch.arange(16).to(torch.uint8)
    expected = [next((action for action in range(4) if number >> action & 1), 255) for number in range(16)]
    assert preferred_action(every, GridMotion(num_actions=4)).tolist() == expected


def test_paths_whose_costs_differ_by_five_millionths_are_not_ties():
    """Mutant: ties x10. Two ways around an obstacle, one of them through a cell that costs 5e-6 more."""
    blocked = torch.tensor([[[False, False, False], [False, True, False], [False, False, False]]])
    entry_cost = torch.ones(1, 3, 3, dtype=torch.float64)
    goal, moves = torch.tensor([[1, 2]]), GridMotion(num_actions=4)
    north, south = 1 << 0, 1 << 1
    assert shortest_paths(blocked, goal, moves, entry_cost).optimal_actions[0, 1, 0] == north | south
    entry_cost[0, 2, 1] += 5e-6
    assert shortest_paths(blocked, goal, moves, entry_cost).optimal_actions[0, 1, 0] == north
    entry_cost[0, 2, 1] = 1 + 5e-8
    assert shortest_paths(blocked, goal, moves, entry_cost).optimal_actions[0, 1, 0] == north | south
