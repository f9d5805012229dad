"""The vector environment: the trajectories of single environments, and Gymnasium's three ways to begin again."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import torchvin.envs  # noqa: F401 - registers the ids
from torchvin import InputError
from torchvin.envs.vector import GridWorldVectorEnv

ENVS = 5
OPTIONS = [{}, {"slip": 0.3}, {"num_maps": 4}, {"motion": "differential-drive"}, {"max_episode_steps": 4}]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_does_what_single_environments_do(mode, options):
    options = {"height": 8, **options}
    ours = gymnasium.make_vec("torchvin/GridWorld-v0", num_envs=ENVS, autoreset_mode=mode, **options)
    assert isinstance(ours.unwrapped, GridWorldVectorEnv)
    single = SyncVectorEnv([lambda: gymnasium.make("torchvin/GridWorld-v0", **options)] * ENVS, autoreset_mode=mode)
    assert ours.observation_space == single.observation_space
    assert ours.action_space == single.action_space
    assert ours.metadata["autoreset_mode"] is mode
    results = [(ours.reset(seed=3), single.reset(seed=3))]
    actions = np.random.default_rng(0).integers(ours.single_action_space.n, size=(30, ENVS))
    results += [(ours.step(action), single.step(action)) for action in actions]
    assert sum((step[0][2] | step[0][3]).sum() for step in results[1:]) > 3  # episodes ended, and began again
    for mine, theirs in results:
        for name in ("planes", "state"):
            np.testing.assert_array_equal(mine[0][name], theirs[0][name])
        for got, expected in zip(mine[1:-1], theirs[1:-1], strict=True):
            np.testing.assert_array_equal(got, expected.astype(got.dtype))
        for name in ("optimal_steps", "optimal_cost", "steps", "is_success"):
            np.testing.assert_array_equal(mine[-1][name], theirs[-1][name])
        assert ("final_obs" in mine[-1]) == ("final_obs" in theirs[-1])
        if "final_obs" in mine[-1]:
            np.testing.assert_array_equal(mine[-1]["_final_obs"], theirs[-1]["_final_obs"])
            for index in mine[-1]["_final_obs"].nonzero()[0]:
                for name in ("planes", "state"):
                    np.testing.assert_array_equal(
                        mine[-1]["final_obs"][index][name], theirs[-1]["final_obs"][index][name]
                    )
                assert mine[-1]["final_info"]["steps"][index] == theirs[-1]["final_info"]["steps"][index]


def test_without_autoreset_the_caller_resets():
    env = GridWorldVectorEnv(ENVS, autoreset_mode="Disabled", rewards={"collisions": "ends"})
    before, _ = env.reset(seed=0)
    over = np.zeros(ENVS, dtype=bool)
    while not over.any():
        _, _, terminated, truncated, _ = env.step(np.zeros(ENVS, dtype=np.int64))  # north, into the border
        over = terminated | truncated
    with pytest.raises(InputError, match="episodes are over, and autoreset is disabled"):
        env.step(np.zeros(ENVS, dtype=np.int64))
    after, infos = env.reset(options={"reset_mask": over})
    assert (infos["steps"][over] == 0).all()
    assert (after["planes"][~over] == before["planes"][~over]).all()
    assert not (after["planes"][over] == before["planes"][over]).all()
    env.step(np.zeros(ENVS, dtype=np.int64))


def test_observations_are_the_callers_unless_asked_otherwise():
    env = GridWorldVectorEnv(ENVS)
    first, _ = env.reset(seed=0)
    kept = first["planes"].copy()
    for _ in range(10):
        env.step(np.zeros(ENVS, dtype=np.int64))
    np.testing.assert_array_equal(first["planes"], kept)
    shared = GridWorldVectorEnv(ENVS, copy=False)
    before, _ = shared.reset(seed=0)
    assert shared.step(np.zeros(ENVS, dtype=np.int64))[0]["planes"] is before["planes"]


def test_it_renders_every_map():
    env = GridWorldVectorEnv(3, render_mode="rgb_array")
    env.reset(seed=0)
    assert [image.shape for image in env.render()] == [(320, 320, 3)] * 3
    assert len(GridWorldVectorEnv(2, render_mode="ansi").render()) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": [True] * ENVS}, "got list"),
        ({"reset_mask": np.ones(ENVS)}, r"got float64 \(5,\)"),
        ({"reset_mask": np.zeros(ENVS, dtype=bool)}, "at least one True"),
        ({"reset_mask": np.ones(ENVS + 1, dtype=bool)}, r"got bool \(6,\)"),
    ],
)
def test_a_bad_mask_is_refused(options, message):
    env = GridWorldVectorEnv(ENVS, autoreset_mode="Disabled")
    env.reset(seed=0)
    with pytest.raises(InputError, match=message):
        env.reset(options=options)
