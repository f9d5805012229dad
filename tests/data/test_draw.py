from dataclasses import replace

import pytest
import torch

from torchvin.cli.main import main
from torchvin.data.draw import GENERATORS, draw_maps, with_orientation
from torchvin.data.npz import read_npz, write_npz
from torchvin.errors import InputError
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.maps.generators.seeds import generator
from torchvin.mdp.motion import MOTION_MODELS, DifferentialDrive, GridMotion
from torchvin.tasks.gridworld import training_maps
from torchvin.training.presets import preset


@pytest.mark.parametrize("moves", MOTION_MODELS.values(), ids=MOTION_MODELS)
@pytest.mark.parametrize("kind", GENERATORS)
def test_every_kind_can_be_drawn_for_every_mechanism(kind, moves):
    if kind == "terrain" and moves.num_orientations > 1:
        pytest.skip("images have no orientations; tests/data/test_overhead.py says that this is refused")
    dataset = draw_maps(kind, 4, 9, 12, seed=1, moves=moves)
    assert (len(dataset), dataset.size, dataset.moves) == (4, (9, 12), moves)
    assert dataset.goal.shape == (4, moves.state_length)
    assert kind in ("scattered", "terrain") or dataset.blocked[:, [0, -1], :].all()
    assert (dataset.optimal_actions != 0).flatten(1).any(dim=1).all()
    longer = draw_maps(kind, 7, 9, 12, seed=1, moves=moves)
    assert torch.equal(longer.blocked[:4], dataset.blocked)
    assert torch.equal(longer.goal[:4], dataset.goal)
    assert not torch.equal(draw_maps(kind, 4, 9, 12, seed=2, moves=moves).blocked, dataset.blocked)


def test_the_authors_maps_are_those_of_their_generator():
    blocked, goal = generate_gridworld(5, 8, seed=(3, 1))
    dataset = draw_maps("gridworld", 5, 8, 8, seed=(3, 1))
    assert torch.equal(dataset.blocked, blocked)
    assert torch.equal(dataset.goal, goal)


def test_goals_have_every_orientation():
    goal = draw_maps("maze", 60, 7, 7, seed=0, moves=DifferentialDrive()).goal
    assert set(goal[:, 0].tolist()) == {0, 1, 2, 3}
    with pytest.raises(InputError, match="this motion model has no orientations"):
        with_orientation(torch.zeros(1, 2, dtype=torch.int64), GridMotion(), 0)


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown kind of data 'mazes'\. Did you mean 'maze'"):
        draw_maps("mazes", 1, 9, 9)


@pytest.mark.parametrize("costs", [(1.0,), (1.0, 2.5)])
@pytest.mark.parametrize("moves", [DifferentialDrive(), GridMotion(4)], ids=str)
def test_a_data_set_comes_back_as_it_was_written(tmp_path, moves, costs):
    dataset = draw_maps("maze", 3, 7, 9, seed=1, moves=moves, terrain_costs=costs)
    write_npz(tmp_path / "maps.npz", dataset)
    again = read_npz(tmp_path / "maps.npz")
    assert (again.moves, again.terrain_costs) == (moves, costs)
    for name in ("blocked", "goal", "optimal_actions", "demonstrated", "starts"):
        assert torch.equal(getattr(again, name), getattr(dataset, name))
    assert (again.terrain is None) is (len(costs) == 1)
    assert len(costs) == 1 or torch.equal(again.terrain, dataset.terrain)


@pytest.fixture
def spoil(tmp_path):
    """Write a file of version 2 with some arrays changed (None: left out), and read it."""
    import numpy as np

    def read(**changes):
        path = tmp_path / "maps.npz"
        write_npz(path, draw_maps("maze", 2, 7, 7, moves=DifferentialDrive(), terrain_costs=(1.0, 2.0)))
        with np.load(path) as stored:
            arrays = {**stored, **{name: np.array(value) for name, value in changes.items() if value is not None}}
        np.savez(path, **{name: array for name, array in arrays.items() if changes.get(name, array) is not None})
        return read_npz(path)

    return read


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mechanism": "hovercraft"}, "unknown motion model 'hovercraft'"),
        ({"mechanism": 3}, "mechanism must be one value"),
        ({"num_actions": 4}, "the motion model has 3 actions, got 4"),
        ({"mechanism": None, "num_actions": 4}, r"goal must be int32 \[M, 2\], got int32 \[2, 3\]"),
        ({"terrain": None}, "it has terrain_costs but no terrain"),
        ({"terrain_costs": None}, "it has terrain but no terrain_costs"),
        ({"terrain_costs": [1.0]}, "the terrain has a class 1, but there are costs for 1 classes"),
        ({"terrain_costs": [1.0, -1.0]}, "needs a positive cost"),
    ],
)
def test_a_file_of_version_2_is_checked_before_it_is_believed(spoil, changes, message):
    assert len(spoil()) == 2
    with pytest.raises(InputError, match=message):
        spoil(**changes)


def identities(dataset):
    return {
        blocked.tobytes() + goal.tobytes()
        for blocked, goal in zip(dataset.blocked.numpy(), dataset.goal.numpy(), strict=True)
    }


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", ["gridworld-16", "maze-15", "maze-15-drive"])
def test_the_command_never_draws_the_maps_of_a_training_with_the_same_seed(tmp_path, name, seed):
    config = preset(name)
    config = replace(config, seed=seed, data=replace(config.data, maps=60))
    data = config.data
    options = ["--kind", data.kind, "--size", str(data.height), "--motion", data.motion, "--maps", "60"]
    assert main(["data", "--out", str(tmp_path / "maps.npz"), "--seed", str(seed), *options]) == 0
    drawn = identities(read_npz(tmp_path / "maps.npz"))
    assert len(drawn) == 60
    assert not drawn & identities(training_maps(config, None))


def test_no_seed_leads_into_the_stream_of_another():
    """NumPy takes 2^32 + 5 for (5, 1), the training stream of seed 5."""
    with pytest.raises(InputError, match=r"a seed must be below 2\^32 = 4294967296, got 4294967301"):
        generator(2**32 + 5)
    with pytest.raises(InputError, match=r"a seed must be below 2\^32"):
        generator((2**32, 1))
