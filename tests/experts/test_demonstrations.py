import pytest
import torch

from torchvin.errors import InputError
from torchvin.experts import demonstrations
from torchvin.experts.demonstrations import NOT_SHOWN, demonstrate, visits
from torchvin.experts.grid import action_set, preferred_action, shortest_paths
from torchvin.mdp.motion import GridMotion


def solved(blocked, goal, moves=None):
    paths = shortest_paths(blocked, goal, moves)
    return paths, preferred_action(paths.optimal_actions, moves)


@pytest.mark.parametrize("moves", [GridMotion(), GridMotion(num_actions=4), GridMotion(corner_cutting=False)], ids=str)
def test_starts_are_distinct_cells_that_reach_the_goal(random_maps, moves):
    blocked, goal = random_maps(4, 20, 7, 10)
    paths, labels = solved(blocked, goal, moves)
    starts, _ = demonstrate(blocked, goal, labels, num_demonstrations=5, seed=1, moves=moves)
    assert starts.shape == (20, 5, 2)
    assert starts.dtype == torch.int64
    for index in range(20):
        present = [tuple(start) for start in starts[index].tolist() if start != [-1, -1]]
        assert len(present) == len(set(present)) == min(5, int((paths.optimal_actions[index] != 0).sum()))
        for row, col in present:
            assert paths.distance[index, row, col].isfinite()
            assert (row, col) != tuple(goal[index].tolist())


@pytest.mark.parametrize("moves", [GridMotion(), GridMotion(num_actions=4), GridMotion(corner_cutting=False)], ids=str)
def test_exactly_the_paths_from_the_starts_are_shown_and_every_label_is_optimal(random_maps, moves):
    blocked, goal = random_maps(5, 10, 9, 6)
    paths, labels = solved(blocked, goal, moves)
    starts, shown = demonstrate(blocked, goal, labels, num_demonstrations=3, seed=2, moves=moves)
    for index in range(10):
        expected = torch.full((9, 6), NOT_SHOWN, dtype=torch.uint8)
        for row, col in starts[index].tolist():
            while row >= 0 and [row, col] != goal[index].tolist():
                expected[row, col] = labels[index, row, col]
                down, right = moves.offsets[int(labels[index, row, col])]
                row, col = row + down, col + right
        assert torch.equal(shown[index], expected)
    is_shown = shown != NOT_SHOWN
    optimal = action_set(paths.optimal_actions).gather(3, shown.clamp(max=7).long()[..., None])[..., 0]
    assert optimal[is_shown].all()


def test_a_map_with_fewer_cells_than_demonstrations_has_fewer_starts(draw):
    blocked = torch.stack([draw("..#", "###"), draw("...", "...")])
    goal = torch.tensor([[0, 0], [0, 0]])
    _, labels = solved(blocked, goal)
    starts, shown = demonstrate(blocked, goal, labels, num_demonstrations=4)
    assert starts[0].tolist() == [[0, 1], [-1, -1], [-1, -1], [-1, -1]]
    assert (starts[1] >= 0).all()
    assert (shown[0] != NOT_SHOWN).nonzero().tolist() == [[0, 1]]


def test_one_seed_gives_one_choice_of_starts_and_another_seed_another(random_maps):
    blocked, goal = random_maps(6, 10, 8, 8)
    _, labels = solved(blocked, goal)
    first, again, other = (demonstrate(blocked, goal, labels, seed=seed)[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_seven_paths_are_shown_by_default(random_maps):
    blocked, goal = random_maps(6, 2, 8, 8)
    assert demonstrate(blocked, goal, solved(blocked, goal)[1])[0].shape == (2, 7, 2)


def test_solving_in_small_chunks_changes_nothing(random_maps, monkeypatch):
    blocked, goal = random_maps(7, 9, 6, 7)
    _, labels = solved(blocked, goal)
    whole = demonstrate(blocked, goal, labels)
    monkeypatch.setattr(demonstrations, "_STATES_AT_ONCE", 90)
    chunked = demonstrate(blocked, goal, labels)
    assert torch.equal(whole[0], chunked[0])
    assert torch.equal(whole[1], chunked[1])


@pytest.mark.parametrize("number", [0, -1])
def test_no_demonstrations_at_all_are_refused(random_maps, number):
    blocked, goal = random_maps(6, 2, 5, 5)
    with pytest.raises(InputError, match=f"the number of demonstrations must be at least 1, got {number}"):
        demonstrate(blocked, goal, solved(blocked, goal)[1], num_demonstrations=number)


def test_visits_are_counted_along_the_labels_and_none_at_the_goal():
    labels = torch.tensor([[[2, 2, 255], [255, 4, 255]]], dtype=torch.uint8)  # east, east; from below north-east
    blocked, goal = torch.zeros(1, 2, 3, dtype=torch.bool), torch.tensor([[0, 2]])
    starts = torch.tensor([[0, 1, 4, 2, -1]])  # two along the row, one from below, the goal itself, none
    assert visits(labels, blocked, goal, starts).tolist() == [[[1, 2, 0], [0, 1, 0]]]
