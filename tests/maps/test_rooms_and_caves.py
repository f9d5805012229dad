import pytest
import torch
from scipy.ndimage import label

from torchvin.errors import InputError
from torchvin.maps.generators.caves import generate_caves
from torchvin.maps.generators.goals import draw_goal
from torchvin.maps.generators.rooms import ROOM_SIDES, generate_rooms
from torchvin.maps.generators.scattered import generate_scattered
from torchvin.mdp.motion import GridMotion

GENERATORS = [generate_rooms, generate_caves]
ALL = [*GENERATORS, generate_scattered]


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (15, 31), (40, 9)])
def test_maps_are_one_piece_with_a_border_and_a_free_goal(generate, height, width):
    blocked, goal = generate(20, height, width, seed=2)
    assert (blocked.shape, goal.shape) == ((20, height, width), (20, 2))
    assert blocked[:, [0, -1], :].all()
    assert blocked[:, :, [0, -1]].all()
    assert not blocked[torch.arange(20), goal[:, 0], goal[:, 1]].any()
    assert all(label(~one)[1] == 1 for one in blocked.numpy())


@pytest.mark.parametrize("generate", ALL)
def test_one_seed_gives_one_set_of_maps_and_the_first_of_a_longer_run(generate):
    blocked, goal = generate(3, 12, seed=4)
    longer = generate(9, 12, seed=[4])
    assert torch.equal(blocked, longer[0][:3])
    assert torch.equal(goal, longer[1][:3])
    assert not torch.equal(blocked, generate(3, 12, seed=5)[0])


def test_rooms_are_no_smaller_than_the_smallest_and_doors_are_single_cells():
    blocked, _ = generate_rooms(30, 41, 33, seed=0)
    for one in blocked.numpy():
        walls = [row for row in range(41) if one[row].mean() > 0.6]
        assert walls[0] == 0
        assert walls[-1] == 40
        assert min(b - a - 1 for a, b in zip(walls, walls[1:], strict=False)) >= ROOM_SIDES[0]


def test_caves_are_wide_where_mazes_are_narrow():
    blocked, _ = generate_caves(20, 40, seed=0)
    free = ~blocked
    open_squares = free[:, 1:, 1:] & free[:, :-1, 1:] & free[:, 1:, :-1] & free[:, :-1, :-1]
    assert open_squares.sum() > 0.7 * free.sum()


@pytest.mark.parametrize("generate", ALL)
def test_bad_numbers_are_refused(generate):
    with pytest.raises(InputError, match="need at least one map"):
        generate(0, 12)
    with pytest.raises(InputError, match="need at least one map"):
        generate(1, 12, 3)
    with pytest.raises(InputError, match="a seed must not be negative"):
        generate(1, 12, seed=-1)


def test_a_map_without_a_place_for_a_goal_is_refused(draw):
    import numpy as np

    with pytest.raises(InputError, match="there is no place for a goal"):
        draw_goal(draw("###", "#.#", "###").numpy(), np.random.default_rng(0))


def test_scattered_cells_have_their_share_up_to_the_edge_and_a_goal_that_a_move_leads_to():
    blocked, goal = generate_scattered(300, 12, seed=0, density=(0.3, 0.3))
    assert blocked.float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert blocked[:, 0].float().mean().item() == pytest.approx(0.3, abs=0.03)
    maps = torch.arange(300)
    assert GridMotion(4).allowed(blocked)[maps, :, goal[:, 0], goal[:, 1]].any(dim=1).all()
    dense, goal = generate_scattered(50, 4, seed=0, density=(0.85, 0.9))
    assert not dense[torch.arange(50), goal[:, 0], goal[:, 1]].any()
    with pytest.raises(InputError, match=r"bounds 0 <= low <= high <= 0\.9"):
        generate_scattered(1, 8, density=(0.5, 0.95))
