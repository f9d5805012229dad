"""A run that an earlier version wrote down lacks the options that came since; it goes on as if it had the defaults."""

import json

import pytest
from torchvin.policies.builders import PolicyConfig

from torchvin.data.draw import draw_maps
from torchvin.errors import InputError
from torchvin.mdp.motion import DifferentialDrive
from torchvin.tasks.gridworld import training_maps
from torchvin.training.config import DataConfig, RunConfig, TrainingConfig, preset
from torchvin.training.trainer import RUN_FILE, train

SHORT = TrainingConfig(epochs=1, tensorboard=False)


def test_a_run_without_the_newer_options_goes_on_and_with_other_values_does_not(tmp_path):
    config = RunConfig(data=DataConfig(height=8, width=8, maps=20), training=SHORT)
    dataset = training_maps(config, None)
    train(config, dataset, tmp_path)
    run = json.loads((tmp_path / RUN_FILE).read_text())
    for name in ("kind", "mechanism", "terrain_costs"):
        del run["data"][name]
    del run["policy"]["num_orientations"]
    (tmp_path / RUN_FILE).write_text(json.dumps(run))
    train(config, dataset, tmp_path, resume=True)
    run["data"]["kind"] = "maze"
    (tmp_path / RUN_FILE).write_text(json.dumps(run))
    with pytest.raises(InputError, match=r"another run: data\.kind \(maze then, gridworld now\) differ"):
        train(config, dataset, tmp_path, resume=True)


def test_a_policy_with_orientations_learns_to_plan_in_a_few_epochs(tmp_path):
    dataset = draw_maps("maze", 300, 7, 7, seed=0, moves=DifferentialDrive())
    policy = PolicyConfig(num_actions=3, num_q=4, num_orientations=4, iterations_per_side=4.0)
    config = RunConfig(policy, DataConfig(height=7, width=7), TrainingConfig(epochs=8, batch_size=8, tensorboard=False))
    trained = train(config, dataset, tmp_path)
    assert trained.validation.scores.all_states_success_rate > 0.9


@pytest.mark.parametrize("name", ["maze-15-normalized", "maze-15-moore-normalized", "maze-15-drive", "maze-28-drive"])
def test_the_maps_of_a_preset_are_of_its_kind_and_mechanism(name):
    from dataclasses import replace

    config = preset(name)
    dataset = training_maps(replace(config, data=replace(config.data, maps=2)), None)
    assert dataset.moves.num_actions == config.policy.num_actions
    assert dataset.moves.num_orientations == config.policy.num_orientations
    assert dataset.size == (config.data.height, config.data.width)
