"""Push a body to a goal: episodes, rewards, seeds, bad input, and the same task on MuJoCo."""

import gymnasium
import numpy as np
import pytest
import torch

import torchvin.envs
from torchvin.envs.point_mass import PointMassEnv, PointMassVectorEnv
from torchvin.errors import InputError
from torchvin.maps.arenas import Arenas
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.mdp.point_mass import PointMass

FEW = {"num_maps": 4}


def arena(*, obstacle, start, goal):
    numbers = ([[obstacle]], [start], [goal])
    return Arenas(*(torch.tensor(part, dtype=torch.float64) for part in numbers))


def episode(env, seed, actions):
    observation, info = env.reset(seed=seed)
    record = [observation["state"].tobytes(), observation["planes"].tobytes(), info]
    for action in actions:
        observation, *rest = env.step(action)
        record += [observation["state"].tobytes(), *rest]
    return record


def test_the_same_seed_and_actions_give_the_same_episode_bit_for_bit():
    actions = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype(np.float32)
    first, second = (episode(PointMassEnv(**FEW), 3, actions) for _ in range(2))
    assert first == second
    assert first != episode(PointMassEnv(**FEW), 4, actions)


@pytest.mark.parametrize("options", [FEW, {"num_maps": 0}], ids=str)
def test_each_of_many_does_what_it_does_alone(options):
    number, random = 5, np.random.default_rng(1)
    actions = random.uniform(-1, 1, (25, number, 2)).astype(np.float32)
    many = PointMassVectorEnv(number, max_episode_steps=10, **options)
    singles = [PointMassEnv(max_episode_steps=10, **options) for _ in range(number)]
    together, _ = many.reset(seed=7)
    alone = [env.reset(seed=7 + index)[0] for index, env in enumerate(singles)]
    over = [False] * number
    for step, action in enumerate(actions):
        for index in range(number):
            assert np.array_equal(together["state"][index], alone[index]["state"]), step
            assert np.array_equal(together["planes"][index], alone[index]["planes"])
        together, reward, terminated, truncated, _ = many.step(action)
        for index, env in enumerate(singles):
            if over[index]:
                alone[index], _ = env.reset()
                over[index] = False
                assert reward[index] == 0.0
                continue
            alone[index], single, *ends, _ = env.step(action[index])
            assert single == reward[index]
            assert ends == [terminated[index], truncated[index]]
            over[index] = any(ends)


def test_an_episode_lasts_its_steps_and_never_ends_before():
    env = PointMassEnv(max_episode_steps=3, **FEW)
    env.reset(seed=0)
    ends = [env.step([0.0, 0.0])[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    with pytest.raises(InputError, match="call reset first"):
        env.step([0.0, 0.0])


def test_the_reward_is_distance_force_and_collision():
    env = PointMassEnv(arenas=arena(obstacle=(0.0, 0.0, 0.0, 0.0, 0.2), start=(-0.4, 0.0), goal=(0.6, 0.0)))
    observation, info = env.reset(seed=0)
    assert observation["state"].tolist() == pytest.approx([-0.4, 0.0, 0.0, 0.0, 1.0, 0.0])
    assert info["reachable"]
    observation, reward, *_, info = env.step([1.0, 0.0])
    assert reward == pytest.approx(-info["distance"] - 0.01)
    for _ in range(30):
        observation, reward, *_, info = env.step([1.0, 0.0])
    assert info["collisions"] > 0
    assert reward == pytest.approx(-info["distance"] - 0.01 - 1.0)
    assert observation["state"][0] < -0.2  # it did not pass


def test_success_is_arrival_without_a_touch():
    env = PointMassEnv(arenas=arena(obstacle=(0.8, 0.8, 0.8, 0.8, 0.1), start=(-0.5, 0.0), goal=(-0.45, 0.0)))
    assert env.reset(seed=0)[1]["is_success"]
    env = PointMassEnv(arenas=arena(obstacle=(-0.5, 0.17, -0.5, 0.17, 0.1), start=(-0.5, 0.0), goal=(-0.45, 0.0)))
    env.reset(seed=0)
    for _ in range(6):
        *_, info = env.step([0.0, 1.0])
    assert info["distance"] < 0.1
    assert not info["is_success"]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ([np.nan, 0.0], "two finite numbers"),
        ([0.0, np.inf], "two finite numbers"),
        ([0.0], "two forces; expected shape"),
        (0.5, "two forces; expected shape"),
        (["a", "b"], "two finite numbers"),
    ],
)
def test_a_bad_action_is_refused_and_changes_nothing(action, message):
    env = PointMassEnv(**FEW)
    before, _ = env.reset(seed=0)
    with pytest.raises(InputError, match=message):
        env.step(action)
    assert env.episodes.state[0, :2].tolist() == pytest.approx(before["state"][:2].tolist())
    vector = PointMassVectorEnv(2, **FEW)
    vector.reset(seed=0)
    with pytest.raises(InputError):
        vector.step(np.array([[0.0, 0.0], [np.nan, 0.0]]))


def test_an_action_out_of_bounds_is_clipped():
    envs = [PointMassEnv(**FEW) for _ in range(2)]
    for env in envs:
        env.reset(seed=0)
    far, clipped = envs[0].step([40.0, -3.0]), envs[1].step([1.0, -1.0])
    assert far[0]["state"].tolist() == clipped[0]["state"].tolist()
    assert far[1] == clipped[1]


def test_a_start_in_an_obstacle_is_refused():
    overlapping = arena(obstacle=(0.0, 0.0, 0.0, 0.0, 0.2), start=(0.22, 0.0), goal=(0.6, 0.0))
    with pytest.raises(InputError, match=r"the start of arena 0 is 0\.020 from an obstacle .* radius of 0\.05"):
        PointMassEnv(arenas=overlapping)
    with pytest.raises(InputError, match="the start of arena 0"):
        PointMassVectorEnv(2, arenas=overlapping)


def test_a_goal_out_of_reach_is_said_in_the_information():
    env = PointMassEnv(arenas=arena(obstacle=(-1.2, 0.0, 1.2, 0.0, 0.1), start=(0.0, 0.5), goal=(0.0, -0.5)))
    assert env.reset(seed=0)[1]["reachable"] is False
    *_, info = env.step([0.0, -1.0])
    assert not info["reachable"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "labyrinth"}, "unknown kind 'labyrinth'"),
        ({"height": 8}, "unknown option of the environment 'height'"),
        ({"side": 2}, "side must be a whole number from 4 on, got 2"),
        ({"max_episode_steps": 0}, "max_episode_steps must be a whole number from 1 on"),
        ({"goal_radius": -1.0}, "goal_radius must be a finite number that is not negative"),
        ({"body": {"weight": 1.0}}, "the body has no weight; it has radius, mass"),
        ({"body": {"mass": 0.0}}, "mass of the body must be a positive number"),
        ({"render_mode": "video"}, "unknown render mode 'video'"),
    ],
)
@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_bad_option_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        PointMassEnv(**options)


def test_constants_of_the_body_can_be_given():
    heavy, light = (PointMassEnv(body={"mass": mass}, **FEW) for mass in (2.0, 0.2))
    moved = []
    for env in (heavy, light):
        env.reset(seed=0)
        moved.append(env.step([1.0, 0.0])[0]["state"][2])
    assert moved[1] > 5 * moved[0] > 0
    assert PointMassEnv(body=PointMass(radius=0.1), **FEW).episodes.body.radius == 0.1


def test_a_picture_shows_body_goal_and_obstacle():
    env = gymnasium.make(
        "torchvin/PointMass-v0",
        render_mode="rgb_array",
        arenas=arena(obstacle=(0.0, 0.0, 0.0, 0.0, 0.2), start=(-0.5, 0.5), goal=(0.5, -0.5)),
    )
    env.reset(seed=0)
    pixels = env.render()
    assert pixels.shape == (320, 320, 3)
    assert pixels[160, 160].tolist() == [120, 120, 120]
    assert pixels[80, 80].tolist() == [214, 39, 40]  # y is up
    assert pixels[240, 240].tolist() == [60, 170, 80]
    many = gymnasium.make_vec("torchvin/PointMass-v0", num_envs=2, render_mode="rgb_array", num_maps=2)
    many.reset(seed=0)
    assert [image.shape for image in many.render()] == [(320, 320, 3)] * 2


def test_mujoco_moves_the_body_in_the_same_way():
    """Also through contacts with obstacles and walls."""
    pytest.importorskip("mujoco")
    touches = 0
    for seed in range(2):
        envs = [
            gymnasium.make(name, num_maps=4).unwrapped
            for name in ("torchvin/PointMass-v0", "torchvin/PointMassMujoco-v0")
        ]
        pushes = np.random.default_rng(seed).uniform(-1, 1, (4, 2)).repeat(10, axis=0)
        actions = [*pushes, *np.tile([1.0, 0.6], (60, 1))]  # at last at full force into a wall, and along it
        for env in envs:
            env.reset(seed=seed)
        for action in actions:
            (ours, _, _, _, info), (theirs, _, _, _, other) = (env.step(action) for env in envs)
            np.testing.assert_allclose(ours["state"], theirs["state"], atol=2e-5)
            assert info["collisions"] == other["collisions"]
        touches += info["collisions"]
    assert touches > 20


def test_contacts_are_as_soft_as_those_of_mujoco_by_default():
    """The authors' file says nothing of contacts, so theirs are MuJoCo's."""
    mujoco = pytest.importorskip("mujoco")
    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
    body = PointMass()
    first, last, depth = model.geom_solimp[0, :3]
    assert body.softness == pytest.approx((1 - first, 1 - last))
    assert body.soft_depth == pytest.approx(depth)
    assert body.contact_time == pytest.approx(model.geom_solref[0, 0])


def test_a_shipped_pool_is_that_of_its_seed():
    first, second = (PointMassEnv(num_maps=3, map_seed=seed).episodes.pool for seed in (0, 1))
    assert not torch.equal(first.start, second.start)
    assert len(generate_arenas(3)) == len(first)
    assert torchvin.envs.IDS["torchvin/PointMass-v0"]["side"] == 16
