"""Overhead images with their maps: planes, files, symmetries, and nothing of the elevation among what is seen."""

import dataclasses

import numpy as np
import pytest
import torch

from torchvin.data.draw import draw_maps
from torchvin.data.npz import read_npz, write_npz
from torchvin.data.overhead import OverheadDataset, with_images
from torchvin.data.symmetries import NUM_SYMMETRIES, transformed
from torchvin.errors import InputError
from torchvin.experts.grid import shortest_paths
from torchvin.maps.observe import encode_image
from torchvin.mdp.motion import DifferentialDrive, GridMotion


@pytest.fixture(scope="module")
def terrain():
    return draw_maps("terrain", 4, 5, 7, seed=2)


def test_the_planes_are_the_pixels_and_the_goal_and_nothing_else(terrain):
    planes = terrain.planes()
    assert planes.shape == (4, 65, 5, 7)
    image = torch.nn.functional.pixel_shuffle(planes[:, :64], 8)[:, 0]
    assert torch.equal((image * 255).round().byte(), terrain.image)
    assert planes[:, 64].flatten(1).count_nonzero(dim=1).tolist() == [1] * 4
    blind = dataclasses.replace(terrain, blocked=~terrain.blocked, optimal_actions=terrain.optimal_actions * 0)
    assert torch.equal(blind.planes(), planes)


def test_a_slice_keeps_the_images(terrain):
    part = terrain[torch.tensor([2, 0])]
    assert isinstance(part, OverheadDataset)
    assert torch.equal(part.image, terrain.image[[2, 0]])
    assert part.cell_pixels == 8


def test_the_description_says_what_is_seen(terrain):
    described = terrain.description()
    assert described["name"] == "terrain"
    assert described["observation"] == {"planes": ["image", "goal"], "cell_pixels": 8}


def test_a_file_holds_all_of_it(terrain, tmp_path):
    write_npz(tmp_path / "t.npz", terrain)
    again = read_npz(tmp_path / "t.npz")
    assert isinstance(again, OverheadDataset)
    assert again.source == "terrain"
    for field in dataclasses.fields(terrain):
        one, other = getattr(terrain, field.name), getattr(again, field.name)
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda image: image[:, :-1], "do not fit maps of 5x7 cells"),
        (lambda image: image[:2], "image must be uint8"),
        (lambda image: image.astype(np.float32), "image must be uint8"),
    ],
)
def test_a_damaged_file_is_refused(terrain, tmp_path, change, message):
    write_npz(tmp_path / "t.npz", terrain)
    arrays = dict(np.load(tmp_path / "t.npz"))
    np.savez(tmp_path / "t.npz", **{**arrays, "image": change(arrays["image"])})
    with pytest.raises(InputError, match=message):
        read_npz(tmp_path / "t.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "t.npz").read_bytes()[:500])
    with pytest.raises(InputError, match=r"cut\.npz"):
        read_npz(tmp_path / "cut.npz")


def test_images_need_a_whole_number_of_pixels_and_no_orientations(terrain):
    with pytest.raises(InputError, match="does not divide into cells of 3x3"):
        encode_image(terrain.image, terrain.goal, 3)
    with pytest.raises(InputError, match="same number of pixels along both sides"):
        with_images(terrain, terrain.image[:, :, :-7])
    with pytest.raises(InputError, match="have no orientations"):
        draw_maps("terrain", 2, 5, 5, moves=DifferentialDrive())


@pytest.mark.parametrize("symmetry", range(NUM_SYMMETRIES))
@pytest.mark.parametrize("actions", [4, 8])
def test_a_turned_data_set_is_that_of_the_turned_ground(symmetry, actions):
    maps = draw_maps("terrain", 2, 5, 7, seed=1, moves=GridMotion(actions))
    turned = transformed(maps, symmetry)
    solved = shortest_paths(turned.blocked, turned.goal, turned.moves)
    assert torch.equal(turned.optimal_actions, solved.optimal_actions)
    rows, cols = turned.goal.unbind(1)
    assert not turned.blocked[torch.arange(2), rows, cols].any()
    shown = turned.demonstrated != 255
    assert torch.equal(shown.sum(), (maps.demonstrated != 255).sum())
    chosen = (turned.optimal_actions.long() >> turned.demonstrated.long().clamp(max=7)) & 1
    assert chosen[shown].all()
    at_starts = turned.demonstrated.flatten(1).gather(1, turned.space.flatten(turned.starts).clamp(min=0))
    assert (at_starts != 255).all()
    assert turned.image.shape[1:] == (8 * turned.size[0], 8 * turned.size[1])


def test_four_quarter_turns_and_two_mirrors_change_nothing(terrain):
    once = transformed(terrain, 5)
    back = transformed(transformed(once, 4), 1)  # mirror, then turn back
    for name in ("blocked", "goal", "starts", "optimal_actions", "demonstrated", "image"):
        turned = terrain
        for _ in range(4):
            turned = transformed(turned, 1)
        assert torch.equal(getattr(turned, name), getattr(terrain, name))
    assert back.size in ((5, 7), (7, 5))


def test_only_grid_moves_turn(terrain):
    with pytest.raises(InputError, match="a number from 0 to 7, got 8"):
        transformed(terrain, 8)
    with pytest.raises(InputError, match="grid moves and one class of terrain"):
        transformed(draw_maps("maze", 2, 9, 9, moves=DifferentialDrive()), 1)
