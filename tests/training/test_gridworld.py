"""Imitation on grid worlds: a network learns in seconds, from every supervision, and what it learned from is kept."""

import dataclasses
import math

import pytest
import torch

from torchvin import (
    GridMotion,
    InputError,
    NormalizedConfig,
    PaperConfig,
    build_policy,
    evaluate,
    generate_gridworld,
    load_policy,
    solve_maps,
    train,
)
from torchvin.cli.main import main
from torchvin.tasks.gridworld import GridWorldTask, split_validation, training_maps
from torchvin.training.config import DataConfig, RunConfig, TrainingConfig
from torchvin.training.initialize import initialize_from
from torchvin.training.presets import preset

SMALL = RunConfig(
    data=DataConfig(height=8, width=8, maps=200),
    training=TrainingConfig(epochs=3, validation_maps=20, tensorboard=False),
)


def maps(number=200, side=8, seed=(0, 1), **options):
    return solve_maps(*generate_gridworld(number, side, seed=seed), **options)


def test_a_network_learns_to_plan_on_8x8_maps_in_seconds(tmp_path):
    config = dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, epochs=12))
    trained = train(config, maps(1500), tmp_path / "run")
    scores = evaluate(trained.policy, maps(500, seed=99)).scores
    assert scores.all_states_success_rate > 0.98
    assert scores.all_states_optimal_rate > 0.97


def test_a_training_begins_with_the_weights_it_is_given(tmp_path):
    begun = build_policy(NormalizedConfig())
    initialize_from(begun, "gridworld-8")
    expected = load_policy("gridworld-8").state_dict()
    assert all(value.equal(expected[name]) for name, value in begun.state_dict().items())
    one_small_step = dataclasses.replace(SMALL.training, epochs=1, learning_rate=1e-9, schedule="constant")
    config = dataclasses.replace(
        SMALL, training=dataclasses.replace(one_small_step, validation_maps=8), init="gridworld-8"
    )
    assert train(config, maps(40), tmp_path / "run").validation.scores.all_states_success_rate == 1.0


@pytest.mark.parametrize(
    ("init", "message"),
    [("gridworld-16-paper", "weights of another policy: .* should be"), ("gridwold-16", "gridworld-16")],
)
def test_weights_that_do_not_fit_are_refused(init, message):
    with pytest.raises(InputError, match=message):
        initialize_from(build_policy(NormalizedConfig()), init)


@pytest.mark.parametrize("supervision", ["all-cells", "demonstrations", "states"])
@pytest.mark.parametrize("loss", ["optimal-set", "single-label"])
@pytest.mark.parametrize("policy", [NormalizedConfig(), PaperConfig()], ids=["normalized", "paper"])
def test_every_kind_of_imitation_lowers_the_loss(tmp_path, supervision, loss, policy):
    options = dataclasses.replace(SMALL.training, supervision=supervision, loss=loss)
    history = train(dataclasses.replace(SMALL, policy=policy, training=options), maps(), tmp_path / "run").history
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize("name", ["gridworld-8-paper", "gridworld-8-cnn"])
def test_a_run_of_the_table_resumes(tmp_path, name):
    """A field that JSON knows no type for (a tuple) must not look like another run."""
    whole = preset(name)
    short = dataclasses.replace(whole.training, epochs=1, validation_maps=6, tensorboard=False)
    config = dataclasses.replace(whole, data=dataclasses.replace(whole.data, maps=30), training=short)
    first = train(config, maps(30), tmp_path / "run").policy.state_dict()
    again = train(config, maps(30), tmp_path / "run", resume=True).policy.state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_maps_and_policy_must_have_the_same_moves(tmp_path):
    config = dataclasses.replace(SMALL, policy=NormalizedConfig(num_actions=4))
    with pytest.raises(InputError, match="the maps have 8 moves, the policy 4 actions"):
        train(config, maps(), tmp_path / "run")


def test_other_maps_are_another_run(tmp_path):
    """Mutant: `--resume` with other maps accepted."""
    options = dataclasses.replace(SMALL.training, epochs=1)
    config = dataclasses.replace(SMALL, training=options)
    train(config, maps(60), tmp_path)
    with pytest.raises(InputError, match="holds another run: maps_sha256"):
        train(config, maps(60, seed=8), tmp_path, resume=True)


def test_the_weights_say_what_they_learned_from(tmp_path, capsys):
    """60 maps of 8x8 without corners, from a file, by a preset for 5,000 maps of 16x16 with corners."""
    folder = tmp_path / "run"
    task = ["data", "--out", str(tmp_path / "maps.npz"), "--size", "8", "--maps", "60", "--no-corner-cutting"]
    assert main(task) == 0
    options = ["--training.epochs", "1", "--training.no-tensorboard"]
    assert (
        main(
            ["train", "--preset", "gridworld-16", "--data", str(tmp_path / "maps.npz"), "--out", str(folder), *options]
        )
        == 0
    )
    policy = load_policy(folder)
    assert policy.motion == GridMotion(corner_cutting=False)
    assert policy.task["data"] == {"maps": 48, "height": 8, "width": 8}
    assert policy.record["config"]["data"] == {"source": "maps.npz", "maps": 48, "height": 8, "width": 8}
    assert policy.record["maps"] == 48


def test_more_validation_maps_than_maps_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"--training\.validation-maps 61 is more than the 60 maps .* give at most 12"):
        GridWorldTask(maps(60), dataclasses.replace(SMALL.training, validation_maps=61))
    assert len(split_validation(maps(60), None, 0)[1]) == 12
    assert len(split_validation(maps(60), 5, 0)[1]) == 5
    with pytest.raises(InputError, match="at least 2 maps"):
        split_validation(maps(1), None, 0)


def test_a_policy_with_orientations_learns_to_plan_in_a_few_epochs(tmp_path):
    from torchvin.data.draw import draw_maps
    from torchvin.mdp.motion import DifferentialDrive

    dataset = draw_maps("maze", 300, 7, 7, seed=0, moves=DifferentialDrive())
    policy = NormalizedConfig(num_actions=3, num_orientations=4, iterations_per_side=4.0)
    config = RunConfig(policy, DataConfig(height=7, width=7), TrainingConfig(epochs=8, batch_size=8, tensorboard=False))
    trained = train(config, dataset, tmp_path)
    assert trained.validation.scores.all_states_success_rate > 0.9


@pytest.mark.parametrize(
    "name", ["maze-15-normalized", "maze-15-moore-normalized", "maze-15-drive", "maze-28-drive", "maze-28-octile"]
)
def test_the_maps_of_a_preset_are_of_its_kind_and_motion_model(name):
    config = preset(name)
    dataset = training_maps(dataclasses.replace(config, data=dataclasses.replace(config.data, maps=2)), None)
    assert dataset.moves.num_actions == config.policy.num_actions
    assert dataset.moves.num_orientations == config.policy.num_orientations
    assert dataset.size == (config.data.height, config.data.width)
    diagonal = {"news": None, "differential-drive": None, "moore": 1.0, "octile": math.sqrt(2)}[config.data.motion]
    assert diagonal is None or dataset.moves.costs[4:] == (diagonal,) * 4


def test_of_two_epochs_with_the_same_success_the_one_with_fewer_errors_is_better(monkeypatch):
    """Mutant: best epoch by the wrong sign."""
    task, policy = GridWorldTask(maps(60), SMALL.training), load_policy("gridworld-8")
    scored = evaluate(policy, task.validation)
    keys = []
    for error in (0.01, 0.02):
        scores = dataclasses.replace(scored.scores, all_states_set_error=error)
        scripted = dataclasses.replace(scored, scores=scores)
        monkeypatch.setattr("torchvin.tasks.gridworld.evaluate", lambda *_, scripted=scripted: scripted)
        keys.append(task.validate(policy).key)
    assert keys[0] > keys[1]
