"""Every id: Gymnasium's own check, with every observation, motion model and way to render."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import torchvin.envs
from torchvin.envs.render import as_text
from torchvin.mdp.environment_ids import GRID_IDS, POINT_MASS_IDS

FORMS = [
    {},
    {"observation": "image"},
    {"motion": "news", "slip": 0.2},
    {"motion": "differential-drive", "observation": "image"},
    {"num_maps": 3, "rewards": {"collisions": "stays", "step_cost": "length"}},
    {"height": 9, "width": 12},
]


@pytest.mark.parametrize("name", GRID_IDS)
@pytest.mark.parametrize("options", FORMS, ids=str)
@pytest.mark.filterwarnings("ignore:.*has no window:UserWarning")
def test_gymnasium_accepts_it(name, options):
    check_env(gymnasium.make(name, **options).unwrapped)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("torchvin/PointMass-v0", {}),
        ("torchvin/PointMass-v0", {"kind": "maze", "side": 32, "num_maps": 2}),
        ("torchvin/PointMass-v0", {"num_maps": 0, "body": {"damping": 0.0}}),
        ("torchvin/PointMassMujoco-v0", {"num_maps": 2}),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*has no window:UserWarning")
def test_gymnasium_accepts_the_body_that_is_pushed(name, options):
    if "Mujoco" in name:
        pytest.importorskip("mujoco")
    check_env(gymnasium.make(name, **options).unwrapped)


@pytest.mark.parametrize("name", GRID_IDS)
def test_the_same_seed_and_actions_give_the_same_episode(name):
    def episode(seed):
        env = gymnasium.make(name)
        observation, info = env.reset(seed=seed)
        record = [observation["planes"].tobytes(), observation["state"].tolist(), info]
        for action in np.random.default_rng(5).integers(env.action_space.n, size=30):
            observation, reward, terminated, truncated, info = env.step(action)
            record += [observation["planes"].tobytes(), observation["state"].tolist(), reward, terminated, info]
            if terminated or truncated:
                observation, info = env.reset()
        return record

    assert episode(3) == episode(3)
    assert episode(3) != episode(4)


def test_importing_the_package_registers_the_ids_with_their_vector_form():
    for name in GRID_IDS:
        assert gymnasium.spec(name).vector_entry_point == "torchvin.envs.vector:GridWorldVectorEnv"
    for name in POINT_MASS_IDS:
        assert gymnasium.spec(name).vector_entry_point == "torchvin.envs.point_mass:PointMassVectorEnv"
    assert all(name in gymnasium.registry for name in torchvin.envs.IDS)
    torchvin.envs.register()  # again: no warning that an id is overridden


def test_text_and_image_show_the_map():
    env = gymnasium.make("torchvin/GridWorld-v0", render_mode="ansi")
    observation, _ = env.reset(seed=0)
    lines = env.render().splitlines()
    row, col = observation["state"]
    assert lines[row][col] == "A"
    blocked, goal = observation["planes"]
    assert lines[goal.argmax() // 8][goal.argmax() % 8] == "G"
    assert [[cell == "#" for cell in line] for line in lines] == (blocked == 1).tolist()
    image = gymnasium.make("torchvin/GridWorld-v0", render_mode="rgb_array")
    image.reset(seed=0)
    pixels = image.render()
    assert pixels.shape == (320, 320, 3)
    assert (pixels[0, 0] == (48, 48, 48)).all()
    centre = pixels[row * 40 + 20, col * 40 + 20]
    assert (centre == (214, 39, 40)).all()


def test_a_heading_is_shown():
    env = gymnasium.make("torchvin/Maze-v0", motion="differential-drive", render_mode="ansi").unwrapped
    observation, _ = env.reset(seed=1)
    orientation, row, col = observation["state"]
    assert as_text(env.episodes, 0).splitlines()[row][col] == "^>v<"[orientation]


def test_an_episode_is_truncated_after_its_steps_and_terminated_at_the_goal():
    env = gymnasium.make("torchvin/GridWorld-v0", max_episode_steps=3, rewards={"collisions": "stays"})
    env.reset(seed=0)
    for step in range(3):
        *_, terminated, truncated, info = env.step(0)
        if terminated:
            pytest.fail("seed 0 begins far from its goal")
        assert truncated == (step == 2)
    assert info["steps"] == 3
    assert not info["is_success"]


def test_the_optimum_in_the_information_is_that_of_the_expert():
    from torchvin import shortest_paths

    env = gymnasium.make("torchvin/GridWorld-v0", height=16).unwrapped
    for seed in range(5):
        observation, info = env.reset(seed=seed)
        worlds, (row, col) = env.episodes.worlds, observation["state"]
        distance = shortest_paths(worlds.blocked, worlds.goal).distance
        assert info["optimal_cost"] == pytest.approx(distance[0, row, col].item())
        assert 0 < info["optimal_steps"] <= info["optimal_cost"]


def test_maps_come_from_a_file(tmp_path):
    from torchvin.data.draw import draw_maps
    from torchvin.data.npz import write_npz

    dataset = draw_maps("rooms", 4, 9, 11, seed=0)
    write_npz(tmp_path / "maps.npz", dataset)
    env = gymnasium.make("torchvin/GridWorld-v0", maps=tmp_path / "maps.npz")
    seen = {env.reset(seed=seed)[0]["planes"][0].tobytes() for seed in range(20)}
    assert seen <= {blocked.float().numpy().tobytes() for blocked in dataset.blocked}
    assert len(seen) > 1


def test_starts_may_be_near_the_goal_for_a_curriculum():
    env = gymnasium.make("torchvin/GridWorld-v0", height=16, longest=3).unwrapped
    assert {env.reset(seed=seed)[1]["optimal_steps"] for seed in range(30)} == {1, 2, 3}
    env.episodes.longest = 1
    assert {env.reset()[1]["optimal_steps"] for _ in range(10)} == {1}
