"""The maps that the table is scored on are maps that no training saw."""

from dataclasses import replace

import pytest

from torchvin.reproduce.gridworld import fresh_maps
from torchvin.tasks.gridworld import training_maps
from torchvin.training.presets import preset

MAPS = 100
CHANCE = {8: 5, 16: 0, 28: 0}  # maps with few obstacles occur twice by chance: 1 of 100 at 8x8


def as_bytes(maps):
    return [
        blocked.tobytes() + goal.tobytes()
        for blocked, goal in zip(maps.blocked.numpy(), maps.goal.numpy(), strict=True)
    ]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("side", [8, 16, 28])
def test_fresh_maps_share_no_map_with_a_training_of_the_same_seed(side, seed):
    config = preset(f"gridworld-{side}-paper")
    config = replace(config, seed=seed, data=replace(config.data, maps=MAPS))
    shared = set(as_bytes(fresh_maps(side, MAPS, seed))) & set(as_bytes(training_maps(config, None)))
    assert len(shared) <= CHANCE[side]
