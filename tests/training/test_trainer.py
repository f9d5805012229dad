"""What an epoch is: every example once, in a new order; precision, threads and schedule as the config says."""

import dataclasses
import json
import os
import subprocess
import sys
from itertools import chain

import pytest
import torch
from safetensors.torch import load_file

from torchvin import InputError, RunConfig, TrainingConfig, build_policy, load_policy, train
from torchvin.architectures.registry import WEB_MODULES, architecture_of
from torchvin.errors import TrainingError
from torchvin.training.presets import PRESETS, preset
from torchvin.training.starts import START_STRIDE
from toy import ToyConfig, ToyPolicy, ToyTask

OPTIONS = TrainingConfig(epochs=4, batch_size=8, tensorboard=False)
CONFIG = RunConfig(policy=ToyConfig(), training=OPTIONS)


def options(**changes):
    return dataclasses.replace(CONFIG, training=dataclasses.replace(OPTIONS, **changes))


class Watching(ToyTask):
    """Notes what holds during each step."""

    def __init__(self, look):
        super().__init__()
        self.look, self.noted = look, []

    def loss(self, model, chosen, device):
        self.noted.append(self.look())
        return super().loss(model, chosen, device)


def test_an_epoch_has_every_example_once_in_an_order_of_its_own(tmp_path):
    """Mutants: no shuffle; same order each epoch."""
    task = ToyTask()
    train(options(epochs=3), task, tmp_path)
    epochs = [list(chain(*task.seen[5 * epoch : 5 * epoch + 5])) for epoch in range(3)]
    for order in epochs:
        assert sorted(order) == list(range(40))
        assert order != sorted(order)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_steps_have_the_precision_of_the_config(tmp_path, precision):
    """Mutant: bfloat16 ignored."""
    task = Watching(lambda: torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu"))
    train(options(epochs=1, precision=precision), task, tmp_path)
    assert set(task.noted) == {torch.bfloat16 if precision == "bfloat16" else False}


def test_steps_have_the_threads_of_the_config(tmp_path):
    """Mutant: threads ignored."""
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            task = Watching(torch.get_num_threads)
            train(options(epochs=1, threads=threads), task, tmp_path / str(threads))
            assert set(task.noted) == {threads}
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("onednn", [True, False])
def test_onednn_is_as_the_config_says_while_training_and_as_before_after(tmp_path, onednn):
    task = Watching(lambda: torch.backends.mkldnn.enabled)
    train(options(epochs=1, onednn=onednn), task, tmp_path)
    assert set(task.noted) == {onednn}
    assert torch.backends.mkldnn.enabled


def test_the_one_cycle_rises_for_three_tenths_of_the_steps_and_ends_at_nothing(tmp_path):
    """Mutant: one-cycle twice too long."""
    history = train(options(epochs=10, learning_rate=0.01), ToyTask(), tmp_path).history
    rates = [row["learning_rate"] for row in history]
    assert max(rates) == rates[2] == pytest.approx(0.01, rel=0.01)
    assert rates[-1] < 1e-4


def test_the_authors_recipe_is_theirs():
    """Mutants: batch 12 -> 16; K = 35 for 36 at 28x28."""
    for side, iterations in ((8, 10), (16, 20), (28, 36)):
        config = preset(f"gridworld-{side}-paper")
        recipe = config.training
        assert (recipe.batch_size, recipe.states_per_example, recipe.epochs) == (12, 10, 120)
        assert (recipe.optimizer, recipe.learning_rate, recipe.stages) == (
            "rmsprop-authors",
            0.01,
            (1.0, 0.5, 0.2, 0.1),
        )
        assert (recipe.supervision, recipe.repeat_states, recipe.loss) == ("states", True, "single-label")
        assert build_policy(config.policy).default_iterations(side, side) == iterations


def test_a_log_that_is_no_terminal_has_one_line_per_epoch(tmp_path, capsys):
    train(CONFIG, ToyTask(), tmp_path)
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 4
    assert lines[2].startswith("epoch 3/4  loss ")
    assert "accuracy " in lines[2]


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    class Diverging(ToyTask):
        def loss(self, model, chosen, device):
            total, count = super().loss(model, chosen, device)
            return total * torch.inf, count

    with pytest.raises(TrainingError, match=r"the loss is inf in epoch 0: .*lower --training\.learning-rate"):
        train(CONFIG, Diverging(), tmp_path)


def test_what_comes_back_is_what_is_loaded(tmp_path):
    trained = train(CONFIG, ToyTask(), tmp_path, record={"command": "by hand"})
    loaded = load_policy(tmp_path)
    assert (trained.policy.config, trained.policy.task) == (loaded.config, loaded.task)
    assert json.loads(json.dumps(trained.policy.record)) == loaded.record
    assert loaded.record["command"] == "by hand"
    assert not trained.policy.training


def of_my_own(config):
    """A network that no architecture builds: one layer more."""
    policy = ToyPolicy(config.hidden_channels)
    policy.layers.append(torch.nn.Linear(2, 2))
    return policy


def test_a_network_of_ones_own_is_loaded_again(tmp_path):
    trained = train(CONFIG, ToyTask(), tmp_path / "run", build=of_my_own)
    rows = torch.randn(3, 4)
    for loaded in (load_policy(tmp_path / "run"), load_policy(tmp_path / "run", build=of_my_own)):
        assert torch.equal(loaded(rows).logits, trained.policy(rows).logits)
    code = f"import toy, torchvin; torchvin.load_policy({str(tmp_path / 'run')!r})"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(sys.modules["toy"].__file__)}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "give that function, load_policy(..., build=" in other.stderr
    assert "of_my_own" in other.stderr


# Several starts


def test_a_training_goes_on_from_the_start_whose_loss_fell_lowest(tmp_path):
    config = dataclasses.replace(options(starts=3, trial_epochs=1), seed=5)
    begun = []

    def build(policy):
        built = build_policy(policy)
        begun.append({name: value.clone() for name, value in built.state_dict().items()})
        return built

    train(config, ToyTask(), tmp_path / "run", build=build)
    losses = []
    for start in range(3):
        lines = (tmp_path / "run" / "starts" / str(start) / "history.csv").read_text().splitlines()
        losses.append(float(dict(zip(lines[0].split(","), lines[1].split(","), strict=True))["loss"]))
    best = losses.index(min(losses))
    assert len(set(losses)) == 3
    assert all(torch.equal(value, begun[3][name]) for name, value in begun[best].items())
    record = json.loads((tmp_path / "run" / "config.json").read_text())["record"]
    assert record["start_seed"] == 5 + best * START_STRIDE


def test_a_start_that_diverges_has_lost_and_finished_trials_are_not_run_again(tmp_path):
    config = options(starts=2, trial_epochs=1, epochs=1)
    built = []

    def build(policy):
        built.append(build_policy(policy))
        if len(built) == 1:
            next(built[0].parameters()).data.fill_(torch.nan)
        return built[-1]

    train(config, ToyTask(), tmp_path / "run", build=build)
    record = json.loads((tmp_path / "run" / "config.json").read_text())["record"]
    assert record["start_seed"] == START_STRIDE
    assert len(built) == 3
    train(config, ToyTask(), tmp_path / "run", build=build, resume=True)
    assert len(built) == 5, "only the trial that diverged is tried again"


def test_a_training_fails_if_all_its_starts_diverge(tmp_path):
    def build(policy):
        built = build_policy(policy)
        next(built.parameters()).data.fill_(torch.nan)
        return built

    with pytest.raises(TrainingError, match="diverged"):
        train(options(starts=2, trial_epochs=1), ToyTask(), tmp_path / "run", build=build)


def test_starts_and_given_weights_exclude_each_other(tmp_path):
    with pytest.raises(InputError, match=r"leave out --training\.starts 2"):
        train(dataclasses.replace(options(starts=2), init="gridworld-8"), ToyTask(), tmp_path / "run")


#: Both start the processes through torch.distributed; without a GPU they talk by gloo.
LAUNCHERS = {
    "torchrun": ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"],
    "accelerate launch": [
        *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
        *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"),
    ],
}


@pytest.mark.parametrize("launcher", ["torchrun", pytest.param("accelerate launch", marks=pytest.mark.slow)])
def test_two_processes_train_the_model_of_one(tmp_path, launcher):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    arguments = ["-m", "torchvin", "train", "--preset", "gridworld-8", "--data.maps", "151", "--training.epochs", "2"]
    arguments += ["--training.batch-size", "25", "--training.no-tensorboard", "--out"]
    launch = [sys.executable, *LAUNCHERS[launcher]]
    one, two = tmp_path / "one", tmp_path / "two"
    subprocess.run([sys.executable, *arguments, str(one)], check=True, env=environment, capture_output=True, timeout=90)
    subprocess.run([*launch, *arguments, str(two)], check=True, env=environment, capture_output=True, timeout=90)
    first, second = (load_file(folder / "model.safetensors") for folder in (one, two))
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-4, atol=1e-6)
    assert not all(torch.equal(first[name], second[name]) for name in first)  # so there really were two


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_builds(name):
    config = preset(name)
    policy = build_policy(config.policy)
    if architecture_of(config.policy).name in WEB_MODULES:
        return  # tests/policies/test_web.py asks it about pages
    height, width = (config.data.height, config.data.width) if policy.planner is None else (6, 7)
    terrain = config.policy.cell_pixels**2 or config.policy.num_terrains
    planes = torch.zeros(1, terrain + config.policy.num_orientations, height, width)
    logits = policy(planes).logits
    assert logits.shape == (1, config.policy.num_orientations * config.policy.num_actions, height, width)
