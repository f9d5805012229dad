"""The page of learning from reward, of tiny trainings: rows, tables, page, curves."""

from dataclasses import replace

import numpy as np
import pytest

from torchvin import InputError, load_policy
from torchvin.reproduce import rl, rl_beyond, rl_scores
from torchvin.reproduce.trainings import train_run
from torchvin.training.presets import preset


def tiny(name):
    config = preset(name)
    return replace(
        config,
        training=replace(config.training, epochs=2, starts=1, batch_size=32, validation_maps=20, tensorboard=False),
        reinforcement=replace(config.reinforcement, maps=32, horizon=4, rollouts=1),
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(rl, "FULL_MAPS", 20)
    monkeypatch.setattr(rl, "TRANSFER_MAPS", {28: 3, 64: 1})
    monkeypatch.setattr(rl_beyond, "VIEWS", {8: 20})
    monkeypatch.setattr(rl_beyond, "RETURN_MAPS", 20)
    monkeypatch.setattr(rl_beyond, "available", lambda: ["gridworld-16-rl"])
    monkeypatch.setattr(rl_beyond, "load_policy", lambda _: load_policy("gridworld-16"))
    return tmp_path


def test_the_full_page_is_made_of_finished_runs(folder):
    for name in ("gridworld-8-rl", "gridworld-8-rl-cnn", "gridworld-8-rl-slip"):
        train_run(f"{name}-s0", tiny(name), folder, command="test")
    train_run("gridworld-8-rl-s1", replace(tiny("gridworld-8-rl"), seed=1), folder, command="test")
    page = rl.RL(budget="full", out=folder, train=False)
    outcome = page.run()
    found = {(row.task, row.policy, row.metric): row for row in outcome.rows}
    vin = found["gridworld-8-rl", "vin", "success_rate"]
    assert (vin.n, vin.seeds, vin.split, vin.published) == (20, 2, "test", None)
    assert found["gridworld-8-rl", "cnn", "optimal_rate"].seeds == 1
    assert found["gridworld-8-rl-slip", "vin", "return_share"].value <= 1.0 + 1e-6
    view = found["gridworld-8-view-3", "vin", "success_rate"]
    assert view.value > 0.8
    assert {path.name for path in outcome.files} == {"rl.md", "rl.csv", "rl_learning.png"}
    text = (folder / "rl.md").read_text()
    assert "| VIN | 8x8 | 8x8 |" in text
    assert "(90.9 %)" in text
    assert "256" in text  # environment steps: 2 epochs of 32 maps and 4 steps
    again = rl.RL(budget="full", out=folder, train=False).run()  # from the book
    assert again.rows == outcome.rows


def test_without_a_run_the_page_says_so(folder):
    with pytest.raises(InputError, match="holds no finished run; leave out --no-train"):
        rl.RL(budget="full", out=folder, train=False).run()
    with pytest.raises(InputError, match="--sizes must be among 8, 16, got 28"):
        rl.RL(out=folder, sizes=(28,)).run()


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "trpo"])
def test_trainings_of_the_library_are_kept_as_runs(folder, algorithm, monkeypatch):
    pytest.importorskip("sb3_contrib", reason="needs the extra [rl]: pip install torchvin[rl]")
    monkeypatch.setattr(rl_scores, "_VALIDATION_MAPS", 20)
    monkeypatch.setattr(rl_scores, "AGENTS", {"ppo": 2, "dqn": 2, "trpo": 4})
    suffix = {network.library: network.suffix for network in rl_scores.NETWORKS.values()}[algorithm]
    name = f"gridworld-8-rl{suffix}"
    run = rl_scores.train_with_library(algorithm, name, 8, 0, folder, "test", steps=40)
    policy = load_policy(run)
    assert policy.record["environment_steps"] == 40
    assert policy.config.num_actions == (4 if algorithm == "trpo" else 8)
    rows = rl.RL(budget="full", out=folder, train=False).run().rows
    assert [row for row in rows if row.policy == f"vin-{'' if algorithm == 'trpo' else 'sb3-'}{algorithm}"]


def test_the_curriculum_widens_when_a_rollout_succeeds():
    pytest.importorskip("stable_baselines3", reason="needs the extra [rl]: pip install torchvin[rl]")
    from torchvin.integrations.stable_baselines3 import MapVecEnv

    env = MapVecEnv(4, height=8, longest=2)
    callback = rl_scores.curriculum(env)
    for successes, expected in (([True] * 9 + [False], 3), ([True, False], 3), ([], 3), ([True], 4)):
        callback.locals = {"infos": [{"is_success": np.bool_(success)} for success in successes] + [{}]}
        callback._on_step()
        callback._on_rollout_end()
        assert env.env.episodes.longest == expected
