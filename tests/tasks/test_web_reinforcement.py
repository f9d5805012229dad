"""WebNav from reward: it learns, begins with learned weights, resumes, and never looks at a test query."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from torchvin import InputError, NormalizedConfig, build_policy, load_policy, train
from torchvin.architectures.webnav import WebNavConfig
from torchvin.architectures.webnav_reactive import WebReactiveConfig
from torchvin.cli.main import main
from torchvin.data.corpora.generated import generate_web
from torchvin.data.corpora.web import build_web
from torchvin.evaluation.web import draw_episodes, evaluate_web
from torchvin.policies.web.observation import Pages
from torchvin.pretrained.store import load_record
from torchvin.tasks.registry import as_task
from torchvin.tasks.web_reinforcement import WALKERS, WebReinforcementTask
from torchvin.tasks.webnav import WebNavTask
from torchvin.training.config import ReinforcementConfig, RunConfig, TrainingConfig
from torchvin.training.presets import PRESETS

SMALL = RunConfig(
    WebReactiveConfig(vectors="none", hidden_channels=16),
    training=TrainingConfig(
        method="reinforcement",
        epochs=2,
        batch_size=16,
        learning_rate=0.005,
        schedule="constant",
        tensorboard=False,
        validation_maps=8,
    ),
    reinforcement=ReinforcementConfig(maps=32, horizon=6, passes=2, rollouts=1, exploration=0.1),
)


def small(policy=None, training=None, **reinforcement):
    return dataclasses.replace(
        SMALL,
        policy=policy or SMALL.policy,
        training=dataclasses.replace(SMALL.training, **(training or {})),
        reinforcement=dataclasses.replace(SMALL.reinforcement, **reinforcement),
    )


@pytest.fixture(scope="module")
def web():
    return build_web(generate_web(60, seed=1), "none")


def test_the_method_decides_what_a_web_is_for(web):
    assert isinstance(as_task(web, SMALL), WebReinforcementTask)
    assert isinstance(as_task(web, small(training={"method": "imitation"})), WebNavTask)


def test_it_learns_from_reward_alone(tmp_path, web):
    config = small(training={"epochs": 12, "learning_rate": 0.02}, exploration=0.0, maps=64)
    trained = train(config, web, tmp_path / "run")
    rewards = [row["reward"] for row in trained.history]
    assert max(rewards[-3:]) > rewards[0] + 0.15
    assert trained.history[-1]["steps"] == 12 * 64 * WALKERS * 6
    loaded = load_policy(tmp_path / "run")
    assert loaded.task["learned_from"] == "reward"
    assert loaded.record["maps"] == 12 * 64
    assert not [name for name, _ in loaded.named_parameters() if "critic" in name]


@pytest.mark.parametrize("planner", ["pages", "categories"])
def test_policies_that_plan_begin_with_learned_weights(tmp_path, web, planner):
    policy = WebNavConfig(planner=planner, vectors="none", hidden_channels=16)
    before = train(small(policy, {"method": "imitation"}), web, tmp_path / "imitation").policy
    config = dataclasses.replace(small(policy, {"epochs": 1}, maps=16), init=str(tmp_path / "imitation"))
    after = train(config, web, tmp_path / "run").policy
    pages, episodes = Pages(web), draw_episodes(web, "test")
    reached = [evaluate_web(one, pages, episodes, greedy_only=True).success.mean() for one in (before, after)]
    assert reached[1] > reached[0] - 0.1
    weights = before.state_dict()
    assert any(not torch.equal(value, weights[name]) for name, value in after.state_dict().items())


def test_the_critic_is_fitted_before_anything_is_learned(web):
    task = as_task(web, SMALL)
    policy = build_policy(SMALL.policy)
    for phase in task.phases(policy):
        phase.before(policy, resumed=False)
    task.rollout = task.collect(policy, 0, torch.device("cpu"))
    value = task.critic(
        torch.zeros(32, WALKERS * 6), task.distance(task.rollout.states), task.left(task.rollout.states)
    )
    error = (value - task.rollout.returns).square().mean()
    assert error < 0.8 * task.rollout.returns.var()


def test_killed_in_the_middle_of_a_rollout_it_goes_on_to_the_same_bits(tmp_path, monkeypatch, web):
    config = small(training={"checkpoint_seconds": 0.0})
    whole = train(config, web, tmp_path / "whole")
    steps, loss = [], WebReinforcementTask.loss

    def cut(self, *arguments):
        steps.append(1)
        if len(steps) == 7:  # the third batch of the second rollout
            raise KeyboardInterrupt
        return loss(self, *arguments)

    monkeypatch.setattr(WebReinforcementTask, "loss", cut)
    with pytest.raises(KeyboardInterrupt):
        train(config, web, tmp_path / "cut")
    resumed = train(config, web, tmp_path / "cut", resume=True)
    assert len(steps) == 7 + 2
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, resumed.policy.state_dict()[name]), name


def test_every_query_comes_before_any_comes_again_and_none_is_of_a_test_target(web):
    task = as_task(web, SMALL)
    total = len(task.imitation.queries)
    drawn = np.concatenate([task._queries_of(number) for number in range(-(-2 * total // 32))])
    assert sorted(drawn[:total].tolist()) == list(range(total))
    assert sorted(drawn[total : 2 * total].tolist()) == list(range(total))
    assert drawn[:total].tolist() != drawn[total : 2 * total].tolist()
    told = set(task.imitation.queries.target.tolist())
    assert not told & set(web.queries("test").target.tolist())
    assert not told & set(web.queries("validation").target.tolist())


def test_what_a_rollout_says_is_what_its_batches_see(web):
    """Before a step is made the ratio of new to old probabilities is 1 in every state, also where pages were visited."""
    for policy in (SMALL.policy, WebNavConfig(vectors="none"), WebNavConfig(vectors="none", planner="categories")):
        config = small(policy)
        task, network = as_task(web, config), build_policy(policy)
        for phase in task.phases(network):
            phase.before(network, resumed=False)
        task.rollout = task.collect(network, 0, torch.device("cpu"))
        chosen = torch.tensor([5, 0, 17])
        logits, _ = task.answer(network, chosen)
        taken = logits.log_softmax(dim=2).gather(2, task.rollout.actions[chosen][..., None])[..., 0]
        torch.testing.assert_close(taken, task.rollout.log_probs[chosen], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("webnav") and "-rl" in name])
def test_presets_learn_from_reward_after_imitation(name):
    config = PRESETS[name]
    assert config.training.method == "reinforcement"
    assert config.init == name.replace("-rl", "").replace("-small", "")
    assert config.policy == PRESETS[config.init].policy
    assert config.reinforcement.maps * config.reinforcement.passes % config.training.batch_size == 0


def test_what_does_not_fit_is_refused(web):
    with pytest.raises(InputError, match="webnav or webnav_reactive"):
        as_task(web, SMALL).check(NormalizedConfig())
    with pytest.raises(InputError, match="must divide the 64 maps of a rollout"):
        as_task(web, small(training={"batch_size": 48}))


def test_the_command_line_learns_from_reward(tmp_path, capsys):
    command = ["train", "--preset", "webnav-reactive-rl", "--init", "", "--policy.vectors", "none", "--json"]
    small = ["--training.epochs", "1", "--training.validation-maps", "8", "--reinforcement.rollouts", "1"]
    assert main([*command, *small, "--reinforcement.maps", "32", "--out", str(tmp_path / "run")]) == 0
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 <= outcome["validation_success_rate"] <= 1
    assert load_record(tmp_path / "run")["config"]["training"]["method"] == "reinforcement"
