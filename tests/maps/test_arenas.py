"""Arenas: what is drawn, what a policy sees of it, what is refused."""

import pytest
import torch

from torchvin.errors import InputError
from torchvin.maps.arenas import Arenas, cell_centres, cell_of, encode_arenas, joined
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.mdp.point_mass import clearance


@pytest.mark.parametrize(
    "config",
    [
        ArenaConfig(),
        ArenaConfig(places="top-to-bottom"),
        ArenaConfig(obstacles=6),
        ArenaConfig(kind="maze"),
        ArenaConfig(obstacles=0),
    ],
    ids=str,
)
def test_starts_and_goals_are_free_and_one_seed_draws_the_same(config):
    arenas = generate_arenas(12, config, seed=3)
    assert (clearance(arenas.start, arenas.obstacles) >= 0.09).all()
    assert (clearance(arenas.goal, arenas.obstacles) >= 0.09).all()
    again = generate_arenas(12, config, seed=3)
    assert torch.equal(arenas.obstacles, again.obstacles)
    assert torch.equal(arenas.goal, again.goal)
    assert torch.equal(generate_arenas(15, config, seed=3)[:12].start, arenas.start)
    other = generate_arenas(12, config, seed=4)
    assert not torch.equal(arenas.start, other.start)


def test_the_authors_places():
    arenas = generate_arenas(20, ArenaConfig(places="top-to-bottom"), seed=0)
    assert (arenas.start[:, 1] == 0.75).all()
    assert (arenas.goal[:, 1] == -0.75).all()


def test_a_maze_of_four_rooms_a_side_has_nine_walls():
    """A tree of 16 rooms has 15 open walls of 24."""
    arenas = generate_arenas(5, ArenaConfig(kind="maze"), seed=0)
    assert ((arenas.obstacles[..., 0] < 2).sum(dim=1) == 9).all()


def test_the_image_says_which_share_of_each_cell_the_body_cannot_enter():
    """A disc that covers a quarter of the arena, and its goal at the top left."""
    obstacles = torch.tensor([[[0.5, -0.5, 0.5, -0.5, 0.25]]], dtype=torch.float64)
    planes = encode_arenas(obstacles, torch.tensor([[-0.99, 0.99]], dtype=torch.float64), 16, radius=0.05)
    assert planes[0, 0, 12, 12] == 1.0  # row 12 is y = -0.56
    assert planes[0, 0, :8].sum() == 0
    assert planes[0, 0].sum().item() * (2 / 16) ** 2 == pytest.approx(torch.pi * 0.3**2, rel=0.03)
    assert planes[0, 1].nonzero().tolist() == [[0, 0]]
    assert planes[0, 1, 0, 0] == 10.0


def test_cells_and_places_belong_together():
    centres = cell_centres(16)
    rows, cols = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    assert torch.equal(cell_of(centres, 16), torch.stack([rows, cols], dim=-1))


def test_arenas_are_chosen_and_joined():
    few, more = generate_arenas(3, seed=0), generate_arenas(2, ArenaConfig(obstacles=5), seed=1)
    both = joined([few, more])
    assert len(both) == 5
    assert both.obstacles.shape == (5, 5, 5)
    assert torch.equal(both[3:].obstacles, more.obstacles)
    assert torch.equal(both[torch.tensor([0])].goal, few.goal[:1])


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("start", 1.5, "a start lies outside the arena"),
        ("goal", float("nan"), "a goal lies outside the arena"),
        ("obstacles", float("inf"), "all finite, the radius positive"),
        ("obstacles", -1.0, "all finite, the radius positive"),
    ],
)
def test_arenas_that_make_no_sense_are_refused(part, value, message):
    parts = {
        "obstacles": torch.zeros(1, 1, 5).double() + 0.1,
        "start": torch.zeros(1, 2).double(),
        "goal": torch.zeros(1, 2).double(),
    }
    parts[part] = torch.full_like(parts[part], value)
    with pytest.raises(InputError, match=message):
        Arenas(**parts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "mazes"}, "unknown kind 'mazes'"),
        ({"places": "somewhere"}, "unknown places"),
        ({"obstacles": -1}, "number of obstacles must lie between 0 and 30"),
        ({"rooms": 1}, "rooms per side must lie between 2 and 6"),
        ({"room_for_body": 1.0}, "room_for_body must lie between"),
    ],
)
@pytest.mark.usefixtures("_unchecked_shapes")
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        ArenaConfig(**options)
    with pytest.raises(InputError, match="number of arenas must be at least 1, got 0"):
        generate_arenas(0)


def test_where_nothing_fits_it_is_said(monkeypatch):
    from torchvin.maps.generators import arenas

    monkeypatch.setattr(arenas, "_MOST_ROUNDS", 3)
    with pytest.raises(InputError, match="in which no way leads from start to goal"):
        generate_arenas(4, ArenaConfig(obstacles=30), seed=0)
