"""A run that version 0.1 wrote down, killed inside its second epoch, goes on and ends where 0.1 would have ended.

The folder was made by version 0.1: 40 maps of 8x8, batches of 8, three epochs; `finished.safetensors` is its end.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from torchvin import InputError, RunConfig, TrainingConfig, train
from torchvin.pretrained.format_1 import upgrade_names
from torchvin.tasks.gridworld import training_maps
from torchvin.training.config import DataConfig

FOLDER = Path(__file__).parent / "run_of_version_0_1"
OPTIONS = TrainingConfig(epochs=3, batch_size=8, validation_maps=8, checkpoint_seconds=0.0, tensorboard=False)
CONFIG = RunConfig(data=DataConfig(height=8, width=8, maps=40), training=OPTIONS)


@pytest.fixture
def run(tmp_path):
    for name in ("run.json", "checkpoint.safetensors"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_it_goes_on_and_ends_where_it_would_have_ended(run):
    trained = train(CONFIG, training_maps(CONFIG, None), run, resume=True)
    assert [row["epoch"] for row in trained.history] == [1, 2, 3]
    expected = load_file(FOLDER / "finished.safetensors")
    for name, value in trained.policy.state_dict().items():
        old = next(old for old in expected if upgrade_names(old, "normalized") == name)
        torch.testing.assert_close(value, expected[old], rtol=1e-4, atol=1e-6)


def test_a_run_without_the_newer_options_goes_on_and_with_other_values_does_not(run):
    described = json.loads((run / "run.json").read_text())
    for name in ("kind", "mechanism", "terrain_costs"):
        del described["data"][name]
    del described["policy"]["num_orientations"]
    (run / "run.json").write_text(json.dumps(described))
    train(CONFIG, training_maps(CONFIG, None), run, resume=True)
    described["data"]["kind"] = "maze"
    (run / "run.json").write_text(json.dumps(described))
    with pytest.raises(InputError, match=r"another run: data\.kind \(maze then, gridworld now\)"):
        train(CONFIG, training_maps(CONFIG, None), run, resume=True)
