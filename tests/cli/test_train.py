"""`torchvin train`: options that decide which other options there are."""

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
