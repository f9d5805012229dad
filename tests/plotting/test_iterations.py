"""The animation: as many frames as values, from V_0 to V_K, with the path of each."""

import pytest
import torch
from PIL import Image

from torchvin import build_policy, load_policy
from torchvin.architectures.fcn import FCNConfig
from torchvin.errors import InputError
from torchvin.evaluation.path import follow_policy
from torchvin.maps.observe import encode
from torchvin.plotting.iterations import animate_values, moments

BLOCKED = torch.zeros(6, 9, dtype=torch.bool)
BLOCKED[1:, 4] = True
START, GOAL, K = (5, 0), (5, 8), 18


def near(pixel, colour):
    """Nearly the same: a GIF has 256 colours."""
    return max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40


@pytest.fixture(scope="module")
def policy():
    return load_policy("gridworld-8")


def test_moments_are_every_value_from_the_first_to_the_last(policy):
    found = moments(policy, BLOCKED, START, GOAL, K)
    assert len(found) == K + 1
    assert not found[0].value.any()
    planes = encode(BLOCKED[None], torch.tensor([GOAL]))
    for updates in (1, 7, K):
        with torch.no_grad():
            value = policy(planes, num_iterations=updates).plan.value[0, 0]
        torch.testing.assert_close(found[updates].value, value)


def test_the_path_of_the_last_moment_is_that_of_the_plan(policy):
    found = moments(policy, BLOCKED, START, GOAL, K)
    planned = follow_policy(policy, BLOCKED, START, GOAL, num_iterations=K)
    assert planned.found
    assert found[-1].path == planned.path
    assert found[0].path[-1] != GOAL


def test_the_animation_has_a_frame_per_value_and_room_for_bar_and_caption(policy, tmp_path):
    animate_values(policy, BLOCKED, START, GOAL, str(tmp_path / "values.gif"), num_iterations=K)
    with Image.open(tmp_path / "values.gif") as picture:
        assert picture.n_frames == K + 1
        assert picture.size == (9 * 40 + 64, 6 * 40 + 16)
        picture.seek(K)
        last = picture.convert("RGB")
    assert near(last.getpixel((20, 220)), (255, 255, 255))  # start
    assert near(last.getpixel((8 * 40 + 20, 220)), (255, 214, 0))  # goal
    assert near(last.getpixel((4 * 40 + 20, 220)), (48, 48, 48))  # obstacle
    row, col = follow_policy(policy, BLOCKED, START, GOAL, num_iterations=K).path[3]
    assert near(last.getpixel((col * 40 + 20, row * 40 + 20)), (214, 39, 40))  # path
    assert near(last.getpixel((9 * 40 + 12, 8)), (253, 231, 36))  # bar, highest value above
    assert near(last.getpixel((9 * 40 + 12, 232)), (68, 1, 84))


def test_only_planners_that_can_continue_are_animated(tmp_path):
    for policy in (load_policy("maze-15"), build_policy(FCNConfig(height=6, width=9))):
        with pytest.raises(InputError, match="has no value after each update to draw"):
            moments(policy, BLOCKED, START, GOAL, 2)
    with pytest.raises(InputError, match="kind of picture"):
        animate_values(policy, BLOCKED, START, GOAL, tmp_path / "values.png", num_iterations=2)
