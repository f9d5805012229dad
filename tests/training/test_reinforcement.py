"""Learning from reward: the parts by hand, a tiny training that learns, and one that is killed and goes on."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from torchvin import InputError, NormalizedConfig, RunConfig, TrainingConfig, load_policy, train
from torchvin.data.map_source import GeneratedMaps, GivenMaps
from torchvin.mdp.worlds import make_worlds
from torchvin.tasks.registry import as_task, training_data
from torchvin.tasks.reinforcement import ReinforcementTask, scored_motion
from torchvin.training.config import DataConfig, ReinforcementConfig
from torchvin.training.presets import PRESETS
from torchvin.training.reinforcement import Rollout, collect, generalized_advantages, ppo_loss
from torchvin.training.replay import Replay
from torchvin.training.run import CHECKPOINT_FILE

SMALL = RunConfig(
    policy=NormalizedConfig(hidden_channels=8),
    data=DataConfig(height=5, width=5, maps=50),
    training=TrainingConfig(
        method="reinforcement",
        epochs=3,
        batch_size=32,
        learning_rate=0.02,
        schedule="constant",
        validation_maps=10,
        tensorboard=False,
    ),
    reinforcement=ReinforcementConfig(maps=64, horizon=6, rollouts=2, exploration=0.0),
)


def small(training=None, **reinforcement):
    return dataclasses.replace(
        SMALL,
        training=dataclasses.replace(SMALL.training, **(training or {})),
        reinforcement=dataclasses.replace(SMALL.reinforcement, **reinforcement),
    )


def learn(config, out, **options):
    return train(config, training_data(config, None), out, **options)


def test_advantages_by_hand():
    reward = torch.tensor([[1.0, 2.0, 4.0]])
    value = torch.tensor([[0.5, 1.0, 2.0, 8.0]])
    end = torch.tensor([[False, True, False]])
    discount, gae = 0.5, 0.25
    errors = [1 + 0.5 * 1 - 0.5, 2 - 1.0, 4 + 0.5 * 8 - 2]
    expected = [errors[0] + 0.125 * errors[1], errors[1], errors[2]]
    assert generalized_advantages(reward, value, end, discount=discount, gae=gae).tolist() == [expected]


def test_the_loss_by_hand():
    options = ReinforcementConfig(clip=0.2, entropy=0.1, value_weight=0.5)
    logits = torch.tensor([[[0.0, 0.0]], [[1.0, -1.0]]])
    log_probs = logits.log_softmax(dim=2)
    actions = torch.tensor([[0], [1]])
    old = log_probs.gather(2, actions[..., None])[..., 0] - torch.tensor([[0.5], [-0.5]])  # ratios e^0.5 and e^-0.5
    rollout = Rollout(
        states=torch.zeros(2, 1, dtype=torch.int64),
        actions=actions,
        log_probs=old,
        advantages=torch.tensor([[1.0], [-2.0]]),
        returns=torch.tensor([[1.0], [3.0]]),
        summary=torch.zeros(3),
        failed=torch.tensor([-1, -1]),
    )
    value = torch.tensor([[0.0], [1.0]])
    entropy = -(log_probs.exp() * log_probs).sum()
    gain = 1.2 * 1.0 + 0.8 * -2.0  # both ratios are clipped: the gain can only be made smaller
    expected = 0.5 * (1 + 4) - gain - 0.1 * entropy
    assert torch.isclose(ppo_loss(logits, value, rollout, torch.arange(2), options), expected)


def test_a_rollout_acts_in_the_world(draw):
    """A policy that always goes east, on a corridor: every third step reaches the goal and begins again."""
    worlds = make_worlds(draw("....")[None], torch.tensor([[0, 3]]))
    east = torch.full((1, 1, 8), -50.0)
    east[..., 2] = 50.0
    options = ReinforcementConfig(maps=1, horizon=12)
    random = torch.Generator().manual_seed(0)
    rollout = collect(lambda states: (east, torch.zeros(1, 1)), worlds, options, random)
    assert (rollout.actions == 2).all()
    states = rollout.states[0].tolist()
    for before, after in zip(states, states[1:], strict=False):
        assert after == before + 1 or (before == 2 and after in (0, 1, 2))
    ended, reached, reward = rollout.summary.tolist()
    assert ended == reached == states.count(2)
    assert reward <= 1.0
    assert rollout.advantages.mean().abs() < 1e-6
    near = collect(lambda states: (east, torch.zeros(1, 1)), worlds, options, random, longest=1)
    assert (near.states == 2).all()


def test_actions_are_sampled_with_the_probabilities_of_the_policy(draw):
    worlds = make_worlds(draw("...")[None].expand(4000, -1, -1), torch.tensor([[0, 2]]).expand(4000, -1))
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0, 0.5, 0.0, 0.0, 0.0])
    answer = lambda states: (logits.expand(len(states), 1, 8), torch.zeros(len(states), 1))  # noqa: E731
    rollout = collect(answer, worlds, ReinforcementConfig(horizon=5), torch.Generator().manual_seed(0))
    shares = rollout.actions.flatten().bincount(minlength=8) / 20000
    assert (shares - logits.softmax(0)).abs().max() < 0.012
    assert torch.allclose(rollout.log_probs, logits.log_softmax(0)[rollout.actions])


@pytest.mark.parametrize(("logit", "failed"), [(50.0, [-1, 0]), (0.0, [-1, -1])])
def test_a_collision_counts_as_failed_where_it_was_meant(draw, logit, failed):
    """Always east: on the first map to the goal, on the second into a wall; of 8 even actions none is meant."""
    worlds = make_worlds(torch.stack([draw("..."), draw(".#.")]), torch.tensor([[0, 2], [0, 2]]))
    east = torch.zeros(2, 1, 8)
    east[..., 2] = logit
    answer = lambda states: (east, torch.zeros(2, 1))  # noqa: E731
    starts = torch.tensor([-1, 0])
    rollout = collect(answer, worlds, ReinforcementConfig(horizon=40), torch.Generator().manual_seed(0), starts=starts)
    assert rollout.summary[0] > rollout.summary[1] > 0  # episodes end in both ways
    assert (rollout.states[1] == 0).all()  # each begins where it must
    assert rollout.failed.tolist() == failed


def test_a_slip_is_no_failure(draw):
    worlds = make_worlds(draw(".....")[None], torch.tensor([[0, 4]]))
    east = torch.full((1, 1, 8), -50.0)
    east[..., 2] = 50.0
    options = ReinforcementConfig(horizon=60, slip=0.5)
    rollout = collect(lambda states: (east, torch.zeros(1, 1)), worlds, options, torch.Generator().manual_seed(0))
    assert rollout.summary[0] > rollout.summary[1]  # it collided, but not by its own choice
    assert rollout.failed.tolist() == [-1]


def test_a_share_of_the_actions_is_explored_and_no_failure(draw):
    worlds = make_worlds(draw("...")[None].expand(2000, -1, -1), torch.tensor([[0, 2]]).expand(2000, -1))
    east = torch.zeros(2000, 1, 8)
    east[..., 2] = 20.0
    answer = lambda states: (east, torch.zeros(2000, 1))  # noqa: E731
    random = torch.Generator().manual_seed(0)
    rollout = collect(answer, worlds, ReinforcementConfig(horizon=5), random, exploration=0.4)
    shares = rollout.actions.flatten().bincount(minlength=8) / 10000
    expected = torch.full((8,), 0.05)
    expected[2] = 0.65
    assert (shares - expected).abs().max() < 0.015
    explored = rollout.actions != 2
    assert (rollout.log_probs[explored] < -19).all()  # what the policy says of them, not how often they are tried
    assert (rollout.failed == -1).all()
    assert rollout.summary[1] < rollout.summary[0]


def test_exploration_fades_as_the_weight_decay():
    config = small({"epochs": 10, "decay_until": 0.5}, rollouts=2)
    task = as_task(training_data(config, None), config)
    assert isinstance(task, ReinforcementTask)
    assert [task.fading(number) for number in (0, 5, 10, 15)] == [1.0, 0.5, 0.0, 0.0]


def test_failed_maps_come_again_in_turn_until_they_are_learned():
    def worlds_of(*goals):
        return make_worlds(torch.zeros(len(goals), 1, 9, dtype=torch.bool), torch.tensor([[0, goal] for goal in goals]))

    replay = Replay(share=0.5)
    first = worlds_of(1, 2, 3, 4)
    assert replay.put_in(first).tolist() == [-1] * 4
    replay.keep(first, torch.tensor([7, -1, 6, 5]))
    second = worlds_of(5, 6, 7, 8)
    assert replay.put_in(second).tolist() == [7, 6, -1, -1]
    assert second.goal[:, 1].tolist() == [1, 3, 7, 8]
    replay.keep(second, torch.tensor([-1, 8, -1, 0]))  # the first is learned; the second failed again, and a new one
    third = worlds_of(1, 1, 1, 1)
    assert replay.put_in(third).tolist() == [5, 8, -1, -1]  # what has waited goes first
    assert third.goal[:, 1].tolist() == [4, 3, 1, 1]
    copy = Replay(share=1.0)
    copy.set_tensors(replay.tensors())
    assert copy.put_in(worlds_of(1, 1, 1)).tolist() == [5, 8, 0]
    for _ in range(9):
        replay.keep(worlds_of(2, 2), torch.tensor([1, 1]))
    assert len(replay.starts) == 2  # never more than a rollout has maps
    assert Replay(share=0.5).tensors() == {}


def test_it_learns(tmp_path):
    config = small({"epochs": 20, "learning_rate": 0.03, "validation_maps": 50}, rollouts=2, maps=128)
    trained = learn(config, tmp_path / "run")
    scores = trained.validation.scores
    assert trained.history[0]["success_rate"] < 0.7
    assert scores.all_states_success_rate > 0.95
    assert trained.history[-1]["steps"] == 20 * 2 * 128 * 6
    loaded = load_policy(tmp_path / "run")
    assert loaded.task["learned_from"] == "reward"
    assert not [name for name, _ in loaded.named_parameters() if "critic" in name]
    assert loaded.motion.costs == (1.0,) * 8  # a step is a step


def test_killed_in_the_middle_of_a_rollout_it_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    config = small({"checkpoint_seconds": 0.0, "learning_rate": 0.2}, curriculum=1)
    whole = learn(config, tmp_path / "whole")
    steps, loss = [], ReinforcementTask.loss

    def cut(self, *arguments):
        steps.append(1)
        if len(steps) == 12:  # the fourth batch of the second rollout of the second epoch has been saved
            raise KeyboardInterrupt
        return loss(self, *arguments)

    monkeypatch.setattr(ReinforcementTask, "loss", cut)
    with pytest.raises(KeyboardInterrupt):
        learn(config, tmp_path / "cut")
    saved = load_file(tmp_path / "cut" / CHECKPOINT_FILE)
    assert (
        max(len(value) for name, value in saved.items() if name.endswith("replay.starts")) > 0
    )  # maps wait to come again
    resumed = learn(config, tmp_path / "cut", resume=True)
    assert len(steps) == 12 + 3 * 2 * 4 - 11
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, resumed.policy.state_dict()[name]), name
    without_time = [{name: row[name] for name in row if name != "seconds"} for row in whole.history]
    assert without_time == [{name: row[name] for name in row if name != "seconds"} for row in resumed.history]


def test_learned_weights_are_not_lost_when_a_training_begins_with_them(tmp_path):
    """The planner's V is 12 times the return: a value that is not fitted first destroys the plan in one epoch."""
    config = dataclasses.replace(PRESETS["gridworld-8-rl"], init="gridworld-8-rl")
    short = {"starts": 1, "epochs": 1, "validation_maps": 50, "schedule": "constant", "tensorboard": False}
    config = dataclasses.replace(
        config,
        training=dataclasses.replace(config.training, **short),
        reinforcement=dataclasses.replace(config.reinforcement, maps=256, rollouts=2),
    )
    trained = learn(config, tmp_path / "run")
    assert trained.history[0]["success_rate"] > 0.98
    assert trained.history[0]["loss"] < 0.1  # 5 with a value of the wrong scale


def test_every_rollout_has_maps_of_its_own_and_validation_has_others():
    task = as_task(training_data(SMALL, None), SMALL)
    source, seen = task.source, []
    for number in range(3):
        blocked, goal = source.draw(64, np.random.default_rng((0, 6, number)))
        seen.append({blocked[index].numpy().tobytes() + goal[index].numpy().tobytes() for index in range(64)})
    assert seen[0] != seen[1]
    order = torch.cat([task.order(0, epoch) for epoch in range(2)])
    assert sorted(order.tolist()) == list(range(2 * len(task)))  # numbers count on from epoch to epoch
    first = order[: 2 * 64].tolist()
    assert sorted(first[:64]) == list(range(64))  # one pass over the first rollout, then the other
    assert first != sorted(first)


def test_maps_of_a_data_set_can_be_played_on():
    from torchvin.data.draw import draw_maps

    dataset = draw_maps("rooms", 5, 9, 9, seed=0)
    task = as_task(dataset, small())
    assert isinstance(task.source, GivenMaps)
    blocked, goal = task.source.draw(30, np.random.default_rng(0))
    known = {maps.numpy().tobytes() for maps in dataset.blocked}
    assert {maps.numpy().tobytes() for maps in blocked} == known
    assert not blocked[torch.arange(30), goal[:, 0], goal[:, 1]].any()


def test_what_is_scored_costs_what_is_paid():
    from torchvin import DifferentialDrive, GridMotion

    assert scored_motion(GridMotion(), "step") == GridMotion(diagonal_cost=1.0)
    assert scored_motion(GridMotion(), "length") == GridMotion()
    assert scored_motion(DifferentialDrive(), "step") == DifferentialDrive()


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("gridworld") and "-rl" in name])
def test_every_preset_builds_its_task(name):
    config = PRESETS[name]
    config = dataclasses.replace(config, training=dataclasses.replace(config.training, validation_maps=20))
    task = as_task(training_data(config, None), config)
    task.check(config.policy)
    assert isinstance(task.source, GeneratedMaps)


@pytest.mark.parametrize(
    ("training", "reinforcement", "message"),
    [
        ({"batch_size": 48}, {}, "--training.batch-size 48 must divide the 128 maps of a rollout"),
        ({"method": "guessing"}, {}, "unknown method 'guessing'"),
        ({}, {"maps": 0}, "--reinforcement.maps must be at least 1, got 0"),
        ({}, {"discount": 1.5}, r"--reinforcement.discount must lie in \[0, 1\], got 1.5"),
        ({}, {"clip": float("nan")}, "--reinforcement.clip must not be negative, got nan"),
        ({}, {"value_weight": -1.0}, "--reinforcement.value-weight must not be negative"),
    ],
)
@pytest.mark.usefixtures("_unchecked_shapes")
def test_bad_options_are_refused(training, reinforcement, message):
    with pytest.raises(InputError, match=message):
        as_task(training_data(SMALL, None), small(training, **reinforcement))


def test_a_network_with_other_actions_and_a_foreign_checkpoint_are_refused(tmp_path):
    with pytest.raises(InputError, match="the maps have 8 moves, the policy 4 actions"):
        learn(dataclasses.replace(SMALL, policy=NormalizedConfig(4)), tmp_path / "other")
    learn(small({"epochs": 1}), tmp_path / "mine")
    imitation = dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, method="imitation"))
    with pytest.raises(InputError, match=r"holds another run: .*training.method"):
        learn(imitation, tmp_path / "mine", resume=True)
    with pytest.raises(InputError, match=r"holds another run: reinforcement\.gae"):
        learn(small(gae=0.5), tmp_path / "mine", resume=True)
    (tmp_path / "mine" / "checkpoint.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a checkpoint of this training"):
        learn(small({"epochs": 2}), tmp_path / "mine", resume=True)


def test_weight_decay_shrinks_the_reward_model_only_and_fades():
    from torchvin import build_policy
    from torchvin.training.optimizers import build_optimizer, fade_decay

    options = TrainingConfig(weight_decay=0.8, decay_until=0.5, learning_rate=0.1)
    policy = build_policy(NormalizedConfig(hidden_channels=8))
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    optimizer = build_optimizer(options, policy)
    for parameter in policy.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, value in policy.state_dict().items():
        assert torch.allclose(value, before[name] * (0.92 if ".reward." in name else 1.0))
    for progress, expected in ((0.0, 0.8), (0.25, 0.4), (0.5, 0.0), (1.0, 0.0)):
        fade_decay(options, optimizer, progress)
        assert [group["weight_decay"] for group in optimizer.param_groups] == [pytest.approx(expected), 0.0]
    with pytest.raises(InputError, match=r"--training\.weight-decay is an option of adam"):
        TrainingConfig(weight_decay=0.1, optimizer="rmsprop")
    with pytest.raises(InputError, match=r"--training\.decay-until must lie in"):
        TrainingConfig(decay_until=0.0)


def test_a_training_with_weight_decay_resumes_to_the_same_bits(tmp_path, monkeypatch):
    config = small({"checkpoint_seconds": 0.0, "weight_decay": 1.0, "epochs": 2}, slip=0.1, by_distance=0.5)
    whole = learn(config, tmp_path / "whole")
    steps, loss = [], ReinforcementTask.loss

    def cut(self, *arguments):
        steps.append(1)
        if len(steps) == 5:
            raise KeyboardInterrupt
        return loss(self, *arguments)

    monkeypatch.setattr(ReinforcementTask, "loss", cut)
    with pytest.raises(KeyboardInterrupt):
        learn(config, tmp_path / "cut")
    resumed = learn(config, tmp_path / "cut", resume=True)
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, resumed.policy.state_dict()[name]), name


def test_fields_of_rewards_are_learned_and_scored_by_their_return(tmp_path):
    config = dataclasses.replace(
        PRESETS["gridworld-8-rl-fields"], seed=1, data=dataclasses.replace(SMALL.data, terrain_costs=(1.0, 5.0))
    )
    config = dataclasses.replace(
        config,
        training=dataclasses.replace(SMALL.training, epochs=1),
        reinforcement=dataclasses.replace(config.reinforcement, maps=64, horizon=6),
    )
    trained = learn(config, tmp_path / "run")
    assert trained.validation.share <= 1.0 + 1e-6
    assert trained.validation.optimal_return > 0.3
    source = training_data(config, None)
    worlds = source.worlds(20, np.random.default_rng(0), config.reinforcement.rewards)
    assert worlds.planes.shape == (20, 3, 5, 5)
    goals = worlds.planes[:, 2].flatten(1)
    assert {round(value, 2) for value in goals.unique().tolist()} == {0.0, 2.5, 5.0, 10.0}
    assert (goals.argmax(1) == worlds.goal[:, 0] * 5 + worlds.goal[:, 1]).all()
    with pytest.raises(InputError, match="the maps have 8 moves and 2 classes of terrain, the policy 8 actions and 1"):
        learn(dataclasses.replace(config, policy=NormalizedConfig()), tmp_path / "other")
