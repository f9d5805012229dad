"""The policies for Stable-Baselines3: every algorithm, save and load, one plan per map, and what is refused."""

import gymnasium
import numpy as np
import pytest
import torch

pytest.importorskip("stable_baselines3", reason="the policies need the extra [rl]: pip install torchvin[rl]")
contrib = pytest.importorskip("sb3_contrib", reason="TRPO needs the extra [rl]: pip install torchvin[rl]")

from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy

from torchvin import GridMotion, InputError, evaluate, load_policy
from torchvin.data.draw import draw_maps
from torchvin.integrations.stable_baselines3 import CNNPolicy, GridSpace, MapVecEnv, VINPolicy, VINQPolicy

ID = "torchvin/GridWorld-v0"
SHORT = {"n_steps": 16, "batch_size": 16, "n_epochs": 1}
SMALL = {"architecture_kwargs": {"hidden_channels": 8}, "num_iterations": 6}


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.policy.named_parameters()}


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [(PPO, SHORT), (A2C, {"n_steps": 8}), (contrib.TRPO, {"n_steps": 16, "batch_size": 16, "n_critic_updates": 1})],
    ids=["ppo", "a2c", "trpo"],
)
def test_each_algorithm_moves_every_weight(algorithm, options):
    """TRPO leaves out parameters whose name contains "value": those of the planner must not be among them."""
    model = algorithm(VINPolicy, ID, seed=0, policy_kwargs=SMALL, **options)
    before = weights(model)
    model.learn(32)
    moved = {name for name, value in weights(model).items() if not torch.equal(value, before[name])}
    assert {name.split(".")[0] for name in before} == {"features_extractor", "value_net"}
    assert moved == set(before)
    of_planner = [name for name in before if "planner" in name]
    assert {"reward", "iteration"} <= {name.split(".")[3] for name in of_planner}
    assert not [name for name in of_planner if "value" in name]


@pytest.mark.parametrize(
    "options",
    [
        {"observation": "image"},
        {"motion": "news"},
        {"motion": "differential-drive"},
        {"height": 7, "width": 10, "num_maps": 4},
    ],
    ids=str,
)
def test_it_takes_every_form_of_observation(options):
    model = PPO(VINPolicy, gymnasium.make(ID, **options), policy_kwargs=SMALL, **SHORT)
    assert model.learn(16).num_timesteps == 16


@pytest.mark.parametrize("policy", [VINPolicy, CNNPolicy, VINQPolicy])
def test_saved_and_loaded_it_acts_the_same(policy, tmp_path):
    options = {} if policy is CNNPolicy else {"policy_kwargs": SMALL}
    algorithm = DQN if policy is VINQPolicy else PPO
    arguments = {"learning_starts": 8} if algorithm is DQN else SHORT
    model = algorithm(policy, ID, seed=1, **arguments, **options).learn(24)
    model.save(tmp_path / "model")
    loaded = algorithm.load(tmp_path / "model")
    observation = MapVecEnv(12, height=8).reset()
    actions, _ = model.predict(observation, deterministic=True)
    np.testing.assert_array_equal(actions, loaded.predict(observation, deterministic=True)[0])
    model.policy.save(tmp_path / "policy")
    alone = policy.load(tmp_path / "policy")
    np.testing.assert_array_equal(actions, alone.predict(observation, deterministic=True)[0])


def test_a_map_is_planned_once_while_it_is_acted_on():
    env = MapVecEnv(8, height=8, rewards={"collisions": "stays"})
    model = PPO(VINPolicy, env, **SHORT, policy_kwargs=SMALL)
    kept = model.policy.features_extractor._kept
    observation = env.reset()
    model.predict(observation)
    assert kept.planned == 8
    observation, _, over, _ = env.step(np.zeros(8, dtype=np.int64))
    model.predict(observation)
    assert kept.planned == over.sum() < 8


def test_it_is_the_network_and_its_evaluation_agrees_with_our_scorer():
    """Shipped weights as an SB3 policy: its success in SB3's episodes is that of our scorer on fresh maps."""
    moves = GridMotion(diagonal_cost=1.0)
    dataset = draw_maps("gridworld", 300, 8, 8, seed=11, moves=moves)
    scores = evaluate(load_policy("gridworld-8"), dataset).scores
    env = MapVecEnv(32, height=8, motion=moves)
    env.seed(5)
    model = PPO(VINPolicy, env, **SHORT, policy_kwargs={"weights": "gridworld-8"})
    successes = []

    def count(local, _):
        if local["done"]:
            successes.append(local["info"]["is_success"])

    mean, _ = evaluate_policy(model, env, n_eval_episodes=300, callback=count, warn=False)
    assert abs(np.mean(successes) - scores.success_rate) <= 2 * scores.interval()
    assert mean > 0.9


def test_a_q_policy_reads_the_plan_as_q():
    model = DQN(VINQPolicy, ID, policy_kwargs={"weights": "gridworld-8"})
    observation = MapVecEnv(5, height=8).reset()
    tensors = {name: torch.from_numpy(part) for name, part in observation.items()}
    with torch.no_grad():
        model.q_net.q_net.gain.fill_(0.5)
        model.q_net.q_net.offset.fill_(-3.0)
        q_values = model.q_net(tensors)
        output = load_policy("gridworld-8")(tensors["planes"], tensors["state"][:, None])
    flat = tensors["state"][:, :1] * 8 + tensors["state"][:, 1:]
    state_values = 0.5 * output.plan.value.flatten(1).gather(1, flat) - 3.0
    assert torch.allclose(q_values.amax(1, keepdim=True), state_values, atol=1e-5)  # the best action has V
    differences = output.logits[:, 0] - output.logits[:, 0].amax(1, keepdim=True)
    assert torch.allclose(q_values - state_values, differences, atol=1e-4)  # float32 of values up to some hundreds


def test_the_vector_adapter_follows_the_conventions_of_sb3():
    env = MapVecEnv(6, height=8, max_episode_steps=3, rewards={"collisions": "stays"})
    env.seed(0)
    env.reset()
    for _ in range(3):
        observation, reward, over, infos = env.step(np.zeros(6, dtype=np.int64))
    assert over.all()
    assert reward.shape == (6,)
    cut = [info["TimeLimit.truncated"] for info in infos]
    assert any(cut)
    for info, truncated in zip(infos, cut, strict=True):
        assert info["terminal_observation"]["planes"].shape == (2, 8, 8)
        assert truncated == (not info["is_success"])
    assert observation["state"].shape == (6, 2)
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False] * 6


def make_space(**entries):
    return spaces.Dict(entries)


PLANES = spaces.Box(0.0, 10.0, (2, 8, 8), np.float32)
STATE = spaces.Box(0, 7, (2,), np.int64)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (make_space(planes=PLANES), "the observation has no entry 'state', only planes"),
        (make_space(state=STATE), "the observation has no entry 'planes'"),
        (make_space(planes=STATE, state=STATE), "planes must be a Box with 3 axes"),
        (make_space(planes=PLANES, state=spaces.Discrete(64)), "state must be a Box with 1 axes, got Discrete"),
        (make_space(planes=PLANES, state=spaces.Box(0, 7, (4,), np.int64)), "got 4 numbers"),
        (spaces.Box(0, 1, (5,), np.float32), "an observation must be a Box with 3 axes"),
        (spaces.Box(0, 1, (2, 8, 8), np.float32), "at least 2 planes, obstacles first and goal last, got 1"),
    ],
)
def test_an_observation_that_is_no_grid_is_refused(space, message):
    with pytest.raises(InputError, match=message):
        GridSpace.of(space)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "normalised"}, "unknown architecture 'normalised'"),
        ({"architecture": "cnn"}, "does not plan; use CNNPolicy"),
        ({"architecture_kwargs": {"hidden": 8}}, "has no option hidden"),
        ({"weights": "maze-15"}, "the network has 4 actions, the environment 8"),
        ({"weights": "gridworld-9"}, "unknown weights"),
        ({"net_arch": [64]}, "policy_kwargs: net_arch is decided by this policy"),
    ],
)
def test_bad_options_of_the_policy_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        PPO(VINPolicy, ID, policy_kwargs=options)


def test_numbers_that_are_not_finite_are_refused():
    model = PPO(VINPolicy, ID, **SHORT, policy_kwargs=SMALL)
    observation = MapVecEnv(2, height=8).reset()
    observation["planes"][0, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN or infinity"):
        model.predict(observation)


@pytest.mark.slow
def test_ppo_learns_8x8_maps():
    model = PPO(
        VINPolicy,
        MapVecEnv(256, height=8),
        n_steps=24,
        batch_size=1024,
        n_epochs=4,
        learning_rate=0.005,
        ent_coef=0.003,
        seed=0,
    ).learn(150_000)
    dataset = draw_maps("gridworld", 1000, 8, 8, seed=11, moves=GridMotion(diagonal_cost=1.0))
    assert evaluate(model.policy.network, dataset).scores.success_rate > 0.97


def test_the_target_of_dqn_follows_weights_that_change_without_a_trace():
    """`polyak_update` writes through `parameter.data`; a plan that was kept would be one of former weights."""
    from stable_baselines3.common.utils import polyak_update

    env = MapVecEnv(4, height=8)
    env.seed(0)
    model = DQN(VINQPolicy, env, seed=0)
    observation, _ = model.policy.obs_to_tensor(env.reset())
    with torch.no_grad():
        before = model.q_net_target(observation)
        for parameter in model.q_net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), 1.0)
        torch.testing.assert_close(model.q_net_target(observation), model.q_net(observation))
        assert not torch.allclose(before, model.q_net_target(observation))
