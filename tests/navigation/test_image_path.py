"""A path on an image: where it begins and ends, what it follows, and what is refused."""

import numpy as np
import pytest
import torch

from torchvin.architectures.registry import build_policy
from torchvin.architectures.terrain import TerrainConfig
from torchvin.architectures.terrain_cnn import TerrainCNNConfig
from torchvin.errors import InputError, ShapeError
from torchvin.navigation.image_path import plan_on_image
from torchvin.pretrained.store import load_policy


@pytest.fixture(scope="module")
def policy():
    """Dark cells cost a hundred times what bright ones do."""
    torch.manual_seed(0)
    policy = build_policy(TerrainConfig(encoder_channels=4, caution=2.0)).eval()
    encoder = policy.planner.encoder

    def logits(observation):
        return 5 - 10 * (observation[:, :-1].mean(dim=1, keepdim=True) > 0.5).to(observation.dtype)

    encoder.logits = logits
    return policy


def bright(rows=40, cols=56):
    return np.full((rows, cols), 200, dtype=np.uint8)


def test_a_path_runs_through_the_cells_of_its_pixels_and_around_what_is_dark(policy):
    image = bright()
    image[8:, 24:32] = 10  # a wall with a gap at the top
    planned = plan_on_image(image, (36, 3), (39, 55), policy)
    assert planned.found
    assert planned.cells[0].tolist() == [4, 0]
    assert planned.cells[-1].tolist() == [4, 6]
    assert [0, 3] in planned.cells.tolist()
    assert planned.pixels[0].tolist() == [35.5, 3.5]
    assert planned.cost == pytest.approx(float(np.hypot(*np.diff(planned.cells, axis=0).T).sum()))
    assert planned.learned_cost is not None
    assert planned.learned_cost[2, 3] > 50 * planned.learned_cost[2, 2]
    assert (planned.optimal_cost, planned.optimal_cells) == (None, None)


def test_pixels_beyond_the_last_whole_cell_can_be_reached(policy):
    image = bright(43, 61)
    image[0, 0] = 0
    planned = plan_on_image(image, (42, 60), (0, 60), policy)
    assert planned.cells[0].tolist() == [5, 7]
    assert planned.cells[-1].tolist() == [0, 7]


def test_on_the_true_map_a_path_ends_before_an_obstacle_that_was_not_seen(policy):
    image = bright()
    image[0, 0] = 0
    blocked = np.zeros((5, 7), dtype=bool)
    blocked[1:4, 3] = True
    planned = plan_on_image(image, (20, 4), (20, 52), policy, blocked=blocked)
    assert not planned.found
    assert planned.cost == np.inf
    assert planned.cells.tolist() == [[2, 0], [2, 1], [2, 2]]
    assert planned.optimal_cost == pytest.approx(2 + 4 * 2**0.5)
    assert planned.optimal_cells is not None
    assert len(planned.optimal_cells) == 7


def test_a_network_without_a_planner_walks_too(policy):
    torch.manual_seed(0)
    image = bright()
    image[3:9, 5:30] = 40
    planned = plan_on_image(image, (1, 1), (39, 55), build_policy(TerrainCNNConfig(encoder_channels=4)).eval())
    assert planned.learned_cost is None
    assert len({tuple(cell) for cell in planned.cells.tolist()}) == len(planned.cells)


def test_wrong_questions_are_refused(policy):
    image = bright()
    flat = bright()
    image[0, 0] = 0
    blocked = np.zeros((5, 7), dtype=bool)
    blocked[0, 0] = True
    for call, message in (
        (lambda: plan_on_image(image, (0, 0), (40, 3), policy), r"goal \(40, 3\) lies outside the 40x56 image"),
        (lambda: plan_on_image(image, (-1, 0), (4, 3), policy), r"start \(-1, 0\) lies outside"),
        (lambda: plan_on_image(image[:4], (0, 0), (2, 3), policy), "fewer than one cell of 8x8"),
        (lambda: plan_on_image(flat, (0, 0), (2, 3), policy), "have the level 200: there is nothing to see"),
        (lambda: plan_on_image(image, (0, 0), (2, 3), load_policy("gridworld-8")), "these weights see maps"),
        (lambda: plan_on_image(image, (20, 20), (2, 3), policy, blocked=blocked), r"goal \(0, 0\) lies on an obstacle"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(ShapeError, match="blocked"):
        plan_on_image(image, (20, 20), (2, 3), policy, blocked=blocked[:2])
