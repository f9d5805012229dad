import math

import pytest
import torch

from torchvin.mdp.motion import GridMotion
from torchvin.mdp.rollout import rollout

N, S, E, W, NE, NW, SE, SW = range(8)
STAY = 255


def actions_of(*rows: list[int]) -> torch.Tensor:
    return torch.tensor([rows])


def test_a_walk_follows_the_actions_to_the_goal_and_pays_for_each_move(draw):
    blocked = draw("....", ".##.", "....")[None]
    actions = actions_of([E, E, SE, W], [N, N, N, S], [N, N, N, N])
    rollouts = rollout(
        actions, blocked, torch.tensor([[2, 3]]), torch.tensor([[0]]), limit=torch.tensor([[12]]), record=True
    )
    assert rollouts.reached.tolist() == [[True]]
    assert rollouts.num_steps.tolist() == [[4]]
    assert rollouts.cost.item() == pytest.approx(3 + math.sqrt(2), abs=1e-12)
    assert rollouts.path[0, 0].tolist() == [0, 1, 2, 7, 11]
    assert rollouts.cost.dtype == torch.float64


def test_a_refused_move_counts_as_a_step_stays_put_and_costs_nothing(draw):
    blocked = draw("..#.")[None]
    east = torch.full((1, 1, 4), E)
    rollouts = rollout(
        east, blocked, torch.tensor([[0, 3]]), torch.tensor([[0]]), limit=torch.tensor([[5]]), record=True
    )
    assert rollouts.reached.tolist() == [[False]]
    assert rollouts.num_steps.tolist() == [[5]]
    assert rollouts.cost.tolist() == [[1.0]]
    assert rollouts.path[0, 0].tolist() == [0, 1, 1, 1, 1, 1]


def test_a_move_off_the_map_does_not_wrap_around_to_the_next_row(draw):
    blocked = draw("...", "...")[None]
    east = torch.full((1, 2, 3), E)
    rollouts = rollout(east, blocked, torch.tensor([[1, 0]]), torch.tensor([[2]]), limit=torch.tensor([[4]]))
    assert not rollouts.reached.item()


@pytest.mark.parametrize(("limit", "reached"), [(2, False), (3, True), (4, True)])
def test_the_goal_must_be_reached_within_the_limit(draw, limit, reached):
    blocked = draw("....")[None]
    east = torch.full((1, 1, 4), E)
    rollouts = rollout(east, blocked, torch.tensor([[0, 3]]), torch.tensor([[0]]), limit=torch.tensor([[limit]]))
    assert rollouts.reached.item() is reached
    assert rollouts.num_steps.item() == min(limit, 3)


def test_each_walk_has_its_own_limit(draw):
    blocked = draw("....")[None]
    east = torch.full((1, 1, 4), E)
    rollouts = rollout(
        east, blocked, torch.tensor([[0, 3]]), torch.tensor([[0, 0, 1]]), limit=torch.tensor([[2, 3, 2]])
    )
    assert rollouts.reached.tolist() == [[False, True, True]]
    assert rollouts.num_steps.tolist() == [[2, 3, 2]]


def test_a_walk_that_starts_at_the_goal_is_there_without_a_step(draw):
    blocked = draw("..")[None]
    east = torch.full((1, 1, 2), E)
    rollouts = rollout(
        east, blocked, torch.tensor([[0, 1]]), torch.tensor([[1, 1]]), limit=torch.tensor([[0, 9]]), record=True
    )
    assert rollouts.reached.tolist() == [[True, True]]
    assert rollouts.num_steps.tolist() == [[0, 0]]
    assert rollouts.cost.tolist() == [[0.0, 0.0]]
    assert rollouts.path.tolist() == [[[1], [1]]]


def test_an_absent_start_reaches_nothing_in_no_steps(draw):
    blocked = draw("...")[None]
    east = torch.full((1, 1, 3), E)
    rollouts = rollout(
        east, blocked, torch.tensor([[0, 2]]), torch.tensor([[-1, 0]]), limit=torch.tensor([[9, 9]]), record=True
    )
    assert rollouts.reached.tolist() == [[False, True]]
    assert rollouts.num_steps.tolist() == [[0, 2]]
    assert rollouts.cost.tolist() == [[0.0, 2.0]]
    assert rollouts.path.tolist() == [[[-1, -1, -1], [0, 1, 2]]]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_255_stays(draw, dtype):
    blocked = draw("...")[None]
    actions = torch.tensor([[[E, STAY, E]]], dtype=dtype)
    rollouts = rollout(
        actions, blocked, torch.tensor([[0, 2]]), torch.tensor([[0]]), limit=torch.tensor([[4]]), record=True
    )
    assert not rollouts.reached.item()
    assert rollouts.path[0, 0].tolist() == [0, 1, 1, 1, 1]
    assert rollouts.cost.item() == 1.0


def test_paths_of_several_lengths_are_filled_up(draw):
    blocked = draw("....", "....")[None]
    actions = actions_of([E, E, E, STAY], [NE, NE, NE, N])
    rollouts = rollout(
        actions,
        blocked,
        torch.tensor([[0, 3]]),
        torch.tensor([[0, 6, 7, 3]]),
        limit=torch.full((1, 4), 8),
        record=True,
    )
    assert rollouts.path[0].tolist() == [[0, 1, 2, 3], [6, 3, -1, -1], [7, 3, -1, -1], [3, -1, -1, -1]]
    assert rollouts.cost[0].tolist() == pytest.approx([3.0, math.sqrt(2), 1.0, 0.0])


def test_paths_are_not_kept_unless_asked(draw):
    blocked = draw("..")[None]
    rollouts = rollout(
        torch.full((1, 1, 2), E), blocked, torch.tensor([[0, 1]]), torch.tensor([[0]]), limit=torch.tensor([[1]])
    )
    assert rollouts.path is None


def test_maps_of_a_batch_do_not_meet(draw):
    blocked = torch.stack([draw("...", "..."), draw(".#.", "...")])
    actions = torch.full((2, 2, 3), E)
    goal, starts, limit = torch.tensor([[0, 2], [0, 2]]), torch.tensor([[0, 3], [0, 3]]), torch.full((2, 2), 6)
    both = rollout(actions, blocked, goal, starts, limit=limit, record=True)
    for index in range(2):
        one = slice(index, index + 1)
        alone = rollout(actions[one], blocked[one], goal[one], starts[one], limit=limit[one], record=True)
        assert torch.equal(both.reached[one], alone.reached)
        assert torch.equal(both.path[one], alone.path)
    assert both.reached.tolist() == [[True, False], [False, False]]


def test_the_moves_of_the_environment_decide_what_is_legal(draw):
    blocked = draw(".#", "..")[None]
    southeast = torch.full((1, 2, 2), SE)
    goal, starts, limit = torch.tensor([[1, 1]]), torch.tensor([[0]]), torch.tensor([[3]])
    assert rollout(southeast, blocked, goal, starts, limit=limit).reached.item()
    banned = GridMotion(corner_cutting=False)
    assert not rollout(southeast, blocked, goal, starts, limit=limit, moves=banned).reached.item()


def test_one_recorded_walk_is_the_same_alone_and_among_others(draw):
    blocked = draw("....", ".##.", "....")[None]
    actions = torch.tensor([[[1, 3, 3, 3], [1, 0, 0, 0], [2, 2, 2, 0]]])
    goal, starts, limit = torch.tensor([[2, 3]]), torch.tensor([[3, 0, 5, -1]]), torch.tensor([[9, 4, 9, 9]])
    together = rollout(actions, blocked, goal, starts, limit=limit, record=True)
    unrecorded = rollout(actions, blocked, goal, starts, limit=limit)
    for name in ("reached", "num_steps", "cost"):
        assert torch.equal(getattr(together, name), getattr(unrecorded, name)), name
    for index in range(4):
        one = slice(index, index + 1)
        alone = rollout(actions, blocked, goal, starts[:, one], limit=limit[:, one], record=True)
        for name in ("reached", "num_steps", "cost"):
            assert torch.equal(getattr(alone, name), getattr(together, name)[:, one]), name
        path = together.path[0, index]
        assert alone.path[0, 0].tolist() == path[: alone.path.shape[2]].tolist()
        assert (path[alone.path.shape[2] :] == -1).all()
