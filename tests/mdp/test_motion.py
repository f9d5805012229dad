import math

import pytest
import torch

from torchvin.errors import InputError, ShapeError
from torchvin.mdp import motion as table
from torchvin.mdp.motion import GridMotion
from torchvin.mdp.transitions import transitions

N, S, E, W, NE, NW, SE, SW = range(8)


def test_the_order_offsets_and_costs_are_the_authors():
    moves = GridMotion()
    assert moves.names == ("N", "S", "E", "W", "NE", "NW", "SE", "SW")
    assert moves.offsets == ((-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1))
    assert moves.costs == (1.0, 1.0, 1.0, 1.0, *[math.sqrt(2.0)] * 4)
    assert moves.corner_cutting
    assert (moves.names, moves.offsets) == (table.NAMES, table.OFFSETS)


def test_the_four_connected_moves_are_the_first_four():
    moves = GridMotion(num_actions=4)
    assert moves.names == ("N", "S", "E", "W")
    assert moves.offsets == ((-1, 0), (1, 0), (0, 1), (0, -1))
    assert moves.costs == (1.0,) * 4
    assert moves.tie_break_order == (N, S, E, W)


def test_ties_are_broken_diagonals_first():
    assert GridMotion().tie_break_order == (NE, NW, SE, SW, N, S, E, W)


@pytest.mark.parametrize("number", [0, 3, 5, 9])
def test_other_numbers_of_actions_are_refused(number):
    with pytest.raises(InputError, match=f"num_actions must be 4 or 8, got {number}"):
        GridMotion(num_actions=number)


def test_from_the_middle_of_a_free_map_each_action_leads_to_its_neighbour(draw):
    blocked = draw(".....", ".....", ".....")[None]  # 3x5, so rows and columns cannot be mistaken
    from_centre = transitions(blocked, GridMotion()).successor[0, :, 1 * 5 + 2].tolist()
    assert from_centre == [2, 12, 8, 6, 3, 1, 13, 11]  # row * 5 + col


def test_a_move_off_the_map_stays_put(draw):
    blocked = draw("....", "....", "....")[None]
    destinations = transitions(blocked, GridMotion()).successor[0]
    top_left, top_right, bottom_left, bottom_right = 0, 3, 8, 11
    assert destinations[:, top_left].tolist() == [0, 4, 1, 0, 0, 0, 5, 0]
    assert destinations[:, top_right].tolist() == [3, 7, 3, 2, 3, 3, 3, 6]
    assert destinations[:, bottom_left].tolist() == [4, 8, 9, 8, 5, 8, 8, 8]
    assert destinations[:, bottom_right].tolist() == [7, 11, 11, 10, 11, 6, 11, 11]


def test_a_move_into_an_obstacle_stays_put(draw):
    blocked = draw(".#.", "...", "##.")[None]
    destinations = transitions(blocked, GridMotion()).successor[0]
    assert destinations[:, 4].tolist() == [4, 4, 5, 3, 2, 0, 8, 4]


def test_no_move_leads_out_of_an_obstacle(draw):
    blocked = draw("...", ".#.", "...")[None]
    assert not GridMotion().allowed(blocked)[0, :, 1, 1].any()
    assert transitions(blocked, GridMotion()).successor[0, :, 4].tolist() == [4] * 8


def test_cutting_a_corner_and_squeezing_between_obstacles_are_legal_by_default(draw):
    corner = draw(".#", "..")[None]
    squeeze = draw(".#", "#.")[None]
    assert GridMotion().allowed(corner)[0, SE, 0, 0]
    assert GridMotion().allowed(squeeze)[0, SE, 0, 0]
    assert GridMotion().allowed(squeeze)[0, NW, 1, 1]


def test_corner_cutting_can_be_banned(draw):
    banned = GridMotion(corner_cutting=False)
    for rows in (".#/..", "../#.", ".#/#."):
        blocked = draw(rows)[None]
        assert not banned.allowed(blocked)[0, SE, 0, 0], rows
        assert not banned.allowed(blocked)[0, NW, 1, 1], rows
        mirrored = blocked.flip(2)
        assert not banned.allowed(mirrored)[0, SW, 0, 1], rows
        assert not banned.allowed(mirrored)[0, NE, 1, 0], rows
    assert banned.allowed(draw("../..")[None])[0, SE, 0, 0]


def test_banning_corners_leaves_straight_moves_alone(draw):
    blocked = draw("..#.", ".#..", "....")[None]
    straight = slice(0, 4)
    assert torch.equal(
        GridMotion().allowed(blocked)[:, straight], GridMotion(corner_cutting=False).allowed(blocked)[:, straight]
    )


def test_four_moves_are_the_first_four_of_eight(random_maps):
    blocked, _ = random_maps(0, 3, 5, 7)
    assert torch.equal(GridMotion(num_actions=4).allowed(blocked), GridMotion().allowed(blocked)[:, :4])


def test_every_allowed_move_has_its_reverse(random_maps):
    blocked, _ = random_maps(1, 4, 6, 5)
    opposite = [S, N, W, E, SW, SE, NW, NE]
    for corner_cutting in (True, False):
        moves = GridMotion(corner_cutting=corner_cutting)
        allowed, destinations = moves.allowed(blocked).flatten(2), transitions(blocked, moves).successor
        for index, action, cell in allowed.nonzero().tolist():
            assert allowed[index, opposite[action], destinations[index, action, cell]]


@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_map_without_a_batch_axis_is_refused(draw):
    with pytest.raises(ShapeError, match=r"blocked must have shape \[B, H, W\], got \[2, 2\]"):
        GridMotion().allowed(draw("../.."))
