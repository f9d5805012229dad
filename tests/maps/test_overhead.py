"""Synthetic terrain seen from above: seeds, scale, light, and slope to obstacle cells."""

import math

import numpy as np
import pytest
import torch

from torchvin.errors import InputError
from torchvin.experts.grid import shortest_paths
from torchvin.maps.generators import overhead
from torchvin.maps.generators.overhead import Sun, generate_overhead, hidden_slope, largest_region, lunar_lambert
from torchvin.maps.slope import slope_of_elevation, slope_of_normals, steep_cells


def test_a_seed_decides_and_the_first_maps_of_a_longer_run_are_those_of_a_shorter_one():
    short, long, other = generate_overhead(2, 5, 7), generate_overhead(3, 5, 7), generate_overhead(2, 5, 7, seed=1)
    assert [tuple(part.shape) for part in short] == [(2, 5, 7), (2, 2), (2, 40, 56)]
    assert all(torch.equal(one, more[:2]) for one, more in zip(short, long, strict=True))
    assert not torch.equal(short[2], other[2])


def test_goals_are_free_and_reached_from_much_of_the_map():
    blocked, goal, _ = generate_overhead(20, 8, seed=3)
    reached = shortest_paths(blocked, goal).distance.isfinite().flatten(1).float().mean(dim=1)
    assert not blocked[torch.arange(20), goal[:, 0], goal[:, 1]].any()
    assert reached.min() >= 0.3
    assert 0.15 < blocked.float().mean() < 0.5


def test_what_is_blocked_is_what_the_hidden_slope_says():
    assert torch.equal(torch.from_numpy(hidden_slope(3, 6, seed=5) > 10), generate_overhead(3, 6, seed=5)[0])


def test_another_sun_is_another_image_of_the_same_ground():
    one, other = (generate_overhead(2, 6, sun_elevation=angles) for angles in ((30.0, 60.0), (10.0, 15.0)))
    assert torch.equal(one[0], other[0])
    assert not torch.equal(one[2], other[2])


def test_light_is_brighter_towards_the_sun_and_flat_ground_is_evenly_lit():
    ramp = np.outer(np.ones(8), np.arange(8.0)) * 0.2  # rises to the right
    sun = Sun(azimuth=0.0, elevation=math.radians(40))  # on the right
    away = lunar_lambert(ramp, sun)
    facing = lunar_lambert(-ramp, sun)
    assert facing.min() > away.max()
    flat = lunar_lambert(np.zeros((4, 4)), Sun(1.0, math.radians(90)))
    assert np.allclose(flat, 1.0)


def test_a_wall_throws_a_shadow_away_from_the_sun():
    ground = np.zeros((5, 30))
    ground[:, 15] = 4.5
    dark = overhead.shadowed(ground, Sun(azimuth=0.0, elevation=math.radians(45)))
    assert dark[2].nonzero()[0].tolist() == [11, 12, 13, 14]  # 4.5 m high, so 4 whole pixels long


def test_albedo_does_not_come_from_elevation():
    flat = overhead.render(np.zeros((40, 40)), Sun(0.3, 1.0), np.random.default_rng(0))
    assert flat.std() > 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_maps": 0, "height": 8}, "at least one map and 4 cells"),
        ({"num_maps": 1, "height": 3}, "at least one map and 4 cells"),
        ({"num_maps": 1, "height": 8, "sun_elevation": (0.0, 10.0)}, "the sun's elevation must lie in"),
        ({"num_maps": 1, "height": 8, "seed": -1}, "a seed must not be negative"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        generate_overhead(**arguments)


def test_slopes_of_a_plane_are_those_of_its_normal():
    rows, cols = np.mgrid[:6, :6]
    plane = 2.0 * (0.3 * rows + 0.1 * cols)  # 2 m per pixel
    normal = np.broadcast_to(np.array([-0.1, -0.3, 1.0]), (6, 6, 3))
    assert np.allclose(slope_of_elevation(plane, 2.0), slope_of_normals(normal))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slope_of_elevation(np.full((4, 4), np.nan), 1.0), "16 pixels of the elevation hold no data"),
        (lambda: slope_of_elevation(np.zeros((4, 4)), 0.0), "pixel size must be a positive number"),
        (lambda: slope_of_elevation(np.zeros((1, 4)), 1.0), "at least 2 pixels per side"),
        (lambda: slope_of_normals(np.zeros((2, 2, 3))), "4 pixels of the normal map have no direction"),
        (lambda: steep_cells(np.zeros((4, 6)), 4, 10.0), "do not divide into cells of 4x4"),
    ],
)
def test_slopes_that_cannot_be_known_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_no_region_is_large_enough_where_all_is_steep():
    assert len(largest_region(np.ones((4, 4), dtype=bool))) == 0
