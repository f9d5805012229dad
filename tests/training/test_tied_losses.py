"""Losses in which ties count: evenly over the optimal set, and a single label whose equals are left alone."""

import math

import pytest
import torch

from torchvin.training.imitation.losses import (
    optimal_set_loss,
    single_label_loss,
    tied_label_loss,
    uniform_set_loss,
)

CELLS = torch.tensor([[[True, True, False]]])


def logits(*rows):
    """[1, A, 1, number of rows]: the logits of each cell."""
    return torch.tensor(rows, dtype=torch.float64).T[None, :, None].clone().requires_grad_()


def test_the_uniform_loss_is_least_where_all_optimal_actions_are_as_likely():
    sets = torch.tensor([[[0b011, 0b111, 0b001]]], dtype=torch.uint8)
    even = logits([0.0, 0.0, -60.0], [1.0, 1.0, 1.0], [9.0, 0.0, 0.0])
    assert uniform_set_loss(even, sets, CELLS).item() == pytest.approx(math.log(2) + math.log(3))
    skewed = logits([0.3, 0.0, -60.0], [1.0, 1.0, 1.0], [9.0, 0.0, 0.0])
    assert uniform_set_loss(skewed, sets, CELLS) > uniform_set_loss(even, sets, CELLS)
    assert optimal_set_loss(skewed, sets, CELLS).item() == pytest.approx(0.0)  # which a set alone cannot tell


def test_the_uniform_loss_pulls_ties_together():
    sets = torch.tensor([[[0b011, 0b001, 0b001]]], dtype=torch.uint8)
    skewed = logits([0.3, 0.0, -9.0], [9.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    uniform_set_loss(skewed, sets, CELLS).backward()
    assert skewed.grad[0, 0, 0, 0] > 0 > skewed.grad[0, 1, 0, 0]
    assert not skewed.grad[0, :, 0, 2].any()


def test_the_uniform_loss_of_one_action_is_the_cross_entropy():
    some = logits([0.3, -1.0, 2.0], [0.5, 0.1, 0.2], [0.0, 1.0, 2.0])
    sets, labels = torch.tensor([[[0b100, 0b001, 0b010]]]).byte(), torch.tensor([[[2, 0, 1]]]).byte()
    torch.testing.assert_close(uniform_set_loss(some, sets, CELLS), single_label_loss(some, labels, CELLS))


def test_a_tie_with_the_label_in_the_plan_is_left_alone():
    """Mutant: ties x10. What is 0.04 apart is a tie, what is 0.06 apart is none."""
    labels = torch.tensor([[[0, 0, 255]]], dtype=torch.uint8)
    near = logits([0.0, 2.0, -30.0], [0.0, 0.0, -30.0], [0.0] * 3)
    values = logits([0.0, 0.04, -3.0], [0.0, 0.0, -3.0], [0.0] * 3)
    tied = tied_label_loss(near, labels, CELLS, values)
    tied.backward()
    assert tied.item() == pytest.approx(0.0, abs=1e-9)
    assert near.grad.abs().max() < 1e-9
    assert values.grad is None
    far, values = logits([0.0, 2.0, -9.0], [0.0] * 3, [0.0] * 3), logits([0.0, 0.06, -3.0], [0.0] * 3, [0.0] * 3)
    tied_label_loss(far, labels, CELLS, values).backward()
    assert far.grad[0, 0, 0, 0] < 0 < far.grad[0, 1, 0, 0]


def test_without_a_tie_the_tied_loss_is_the_cross_entropy():
    some = logits([0.3, -1.0, 2.0], [5.0, 0.1, 9.0], [0.0, 1.0, 2.0])
    labels = torch.tensor([[[1, 0, 1]]], dtype=torch.uint8)
    torch.testing.assert_close(tied_label_loss(some, labels, CELLS, some), single_label_loss(some, labels, CELLS))


def test_a_wrong_label_costs_a_confident_network_no_more_than_chance():
    labels = torch.tensor([[[1, 0, 255]]], dtype=torch.uint8)
    sure = logits([40.0, 0.0, 0.0], [40.0, 0.0, 0.0], [0.0] * 3)
    loss = tied_label_loss(sure, labels, CELLS, sure, label_noise=0.06)
    loss.backward()
    assert loss.item() == pytest.approx(-math.log(0.02) - math.log(0.94 + 0.02))
    assert sure.grad.abs().max() < 1e-9
    tied_label_loss(sure, labels, CELLS, sure).backward()
    assert sure.grad.abs().max() == pytest.approx(1.0)


def test_actions_that_lead_nowhere_are_no_ties():
    labels, cells = torch.zeros(1, 1, 1, dtype=torch.uint8), torch.ones(1, 1, 1, dtype=torch.bool)
    values = torch.tensor([-1.0, -math.inf, -math.inf]).view(1, 3, 1, 1)
    loss = tied_label_loss(torch.zeros(1, 3, 1, 1), labels, cells, values)
    assert loss.item() == pytest.approx(math.log(3))


@pytest.mark.parametrize("loss", [uniform_set_loss, lambda *given: tied_label_loss(*given, given[0] / 9)])
def test_orientations_are_rows_of_their_own(loss):
    random = torch.Generator().manual_seed(0)
    some = torch.randn(2, 12, 3, 4, generator=random)
    answers = torch.randint(3, (2, 4, 3, 4), generator=random).byte()
    cells = torch.rand(2, 4, 3, 4, generator=random) < 0.7
    each = sum(loss(some[:, 3 * o : 3 * o + 3], answers[:, o], cells[:, o]) for o in range(4))
    torch.testing.assert_close(loss(some, answers, cells), each)
