"""`torchvin train`: options that decide which other options there are."""

import json

import pytest

from torchvin.architectures.cnn import CNNConfig
from torchvin.architectures.gppn import GPPNConfig
from torchvin.cli.main import main
from torchvin.cli.train import defaults
from torchvin.pretrained.store import load_policy


def test_an_architecture_takes_the_task_of_the_preset():
    preset = defaults(["--preset", "maze-15-drive"]).config
    chosen = defaults(["--preset", "maze-15-drive", "--architecture", "gppn"]).config
    assert isinstance(chosen.policy, GPPNConfig)
    assert (chosen.policy.num_actions, chosen.policy.num_orientations) == (3, 4)
    assert (chosen.data, chosen.training) == (preset.data, preset.training)
    sized = defaults(["--preset=gridworld-28", "--architecture=cnn"]).config.policy
    assert isinstance(sized, CNNConfig)
    assert (sized.height, sized.width) == (28, 28)


def test_its_options_are_those_of_the_command_line(tmp_path):
    command = ["train", "--preset", "gridworld-8", "--architecture", "gppn", "--policy.hidden-channels", "7"]
    command += ["--data.maps", "60", "--training.epochs", "1", "--training.validation-maps", "20"]
    main([*command, "--out", str(tmp_path / "run")])
    config = load_policy(tmp_path / "run").config
    assert isinstance(config, GPPNConfig)
    assert config.hidden_channels == 7


def test_an_unknown_architecture_is_refused(capsys):
    assert main(["train", "--architecture", "gpnp", "--out", "nowhere"]) == 2
    assert "unknown architecture 'gpnp'. Did you mean 'gppn'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("preset", "numbers", "sentence"),
    [
        ("gridworld-8-rl-slip", ["validation_return_share"], "% of the best expected return"),
        (
            "gridworld-8-rl",
            ["validation_success_rate", "validation_all_states_success_rate"],
            "of all states reach the",
        ),
    ],
)
def test_each_task_says_how_well_it_went_by_its_own_measure(preset, numbers, sentence, tmp_path, capsys):
    """The two tasks from reward have different reports: success, and the share of the best expected return."""
    tiny = "--reinforcement.maps 32 --reinforcement.horizon 4 --reinforcement.rollouts 1 --training.starts 1"
    options = f"--training.epochs 1 --training.batch-size 32 --training.validation-maps 10 {tiny}".split()
    command = ["train", "--preset", preset, "--out", str(tmp_path / "run"), *options]
    assert main([*command, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"maps", "epochs", "seconds", "data_seconds", "weights"} < set(outcome)
    assert all(outcome[number] <= 1 + 1e-6 for number in numbers)
    assert main([*command, "--resume"]) == 0
    assert sentence in capsys.readouterr().out
