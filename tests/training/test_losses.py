import math

import pytest
import torch
from torch.autograd import gradcheck

from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.training.imitation.losses import adaptive_highway_loss, optimal_set_loss, single_label_loss

# One map of 2x2 cells and 3 actions; exp of the logits, so that probabilities can be read off.
WEIGHTS = torch.tensor(
    [
        [[1.0, 2.0], [1.0, 5.0]],
        [[1.0, 1.0], [2.0, 1.0]],
        [[2.0, 1.0], [1.0, 2.0]],
    ],
    dtype=torch.float64,
)
SETS = torch.tensor([[[0b100, 0b011], [0b111, 0b000]]], dtype=torch.uint8)
ALL_BUT_LAST = torch.tensor([[[True, True], [True, False]]])


def logits():
    return WEIGHTS.log()[None].clone().requires_grad_()


def test_the_set_loss_is_minus_the_log_of_the_total_probability_of_the_set():
    expected = -math.log(2 / 4) - math.log(3 / 4) - math.log(1)
    assert optimal_set_loss(logits(), SETS, ALL_BUT_LAST).item() == pytest.approx(expected, abs=1e-12)


def test_the_set_loss_of_one_action_is_the_cross_entropy():
    single = torch.tensor([[[0b100, 0b001], [0b010, 0b001]]], dtype=torch.uint8)
    labels = torch.tensor([[[2, 0], [1, 0]]], dtype=torch.uint8)
    everywhere = torch.ones(1, 2, 2, dtype=torch.bool)
    torch.testing.assert_close(
        optimal_set_loss(logits(), single, everywhere), single_label_loss(logits(), labels, everywhere)
    )


def test_the_single_label_loss_is_minus_the_log_of_the_probability_of_the_label():
    labels = torch.tensor([[[2, 0], [1, 0]]], dtype=torch.uint8)
    expected = -math.log(2 / 4) - math.log(2 / 4) - math.log(2 / 4)
    assert single_label_loss(logits(), labels, ALL_BUT_LAST).item() == pytest.approx(expected, abs=1e-12)


def test_a_cell_that_is_not_shown_does_not_count_even_if_asked_for():
    labels = torch.tensor([[[2, NOT_SHOWN], [NOT_SHOWN, 0]]], dtype=torch.uint8)
    everywhere = torch.ones(1, 2, 2, dtype=torch.bool)
    expected = -math.log(2 / 4) - math.log(5 / 8)
    assert single_label_loss(logits(), labels, everywhere).item() == pytest.approx(expected, abs=1e-12)


def test_losses_are_sums_over_maps():
    labels = torch.tensor([[[2, 0], [1, 0]]], dtype=torch.uint8)
    for loss, target in ((optimal_set_loss, SETS), (single_label_loss, labels)):
        once = loss(logits(), target, ALL_BUT_LAST)
        thrice = loss(logits().expand(3, -1, -1, -1), target.expand(3, -1, -1), ALL_BUT_LAST.expand(3, -1, -1))
        assert thrice.item() == pytest.approx(3 * once.item())


def test_ignored_cells_carry_no_gradient_and_no_gradient_is_nan():
    labels = torch.tensor([[[2, 0], [1, NOT_SHOWN]]], dtype=torch.uint8)
    for loss, target in ((optimal_set_loss, SETS), (single_label_loss, labels)):
        some = logits()
        loss(some, target, ALL_BUT_LAST).backward()
        assert some.grad.isfinite().all()
        assert not some.grad[..., 1, 1].any()
        assert some.grad[..., 0, 0].any()


def test_the_gradient_of_the_set_loss_by_hand():
    """Probabilities minus the probabilities within the set, made to sum to 1."""
    some = logits()
    optimal_set_loss(some, SETS, ALL_BUT_LAST).backward()
    torch.testing.assert_close(
        some.grad[0, :, 0, 1], torch.tensor([2 / 4 - 2 / 3, 1 / 4 - 1 / 3, 1 / 4], dtype=torch.float64)
    )
    assert some.grad[0, :, 1, 0].abs().max() < 1e-12  # every action is optimal: nothing to learn


def test_gradients_are_those_of_finite_differences():
    labels = torch.tensor([[[2, 0], [1, NOT_SHOWN]]], dtype=torch.uint8)
    assert gradcheck(lambda some: optimal_set_loss(some, SETS, ALL_BUT_LAST), logits())
    assert gradcheck(lambda some: single_label_loss(some, labels, ALL_BUT_LAST), logits())


def test_no_cells_at_all_are_no_loss_and_no_gradient():
    nowhere = torch.zeros(1, 2, 2, dtype=torch.bool)
    labels = torch.full((1, 2, 2), NOT_SHOWN, dtype=torch.uint8)
    for loss, target in ((optimal_set_loss, SETS), (single_label_loss, labels)):
        some = logits()
        total = loss(some, target, nowhere)
        total.backward()
        assert total.item() == 0
        assert not some.grad.any()


@pytest.mark.parametrize("size", [1e3, 1e6])
def test_certain_and_wrong_is_a_large_loss_not_an_infinite_one(size):
    some = torch.tensor([size, 0.0, -size]).view(1, 3, 1, 1).requires_grad_()
    everywhere = torch.ones(1, 1, 1, dtype=torch.bool)
    loss = optimal_set_loss(some, torch.tensor([[[0b100]]], dtype=torch.uint8), everywhere)
    loss.backward()
    assert loss.item() == pytest.approx(2 * size)
    assert some.grad.isfinite().all()


def test_actions_are_those_of_the_logits_where_there_are_fewer_than_eight():
    four = torch.zeros(1, 4, 1, 1)
    loss = optimal_set_loss(four, torch.tensor([[[0b1000]]], dtype=torch.uint8), torch.ones(1, 1, 1, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(4))


# The adaptive highway loss


def highway(lengths, layers=(10, 20), loss=optimal_set_loss):
    hidden = {made: made * logits() for made in layers}
    return hidden, adaptive_highway_loss(loss, hidden, SETS, ALL_BUT_LAST, torch.tensor([lengths]))


def test_a_layer_teaches_the_cells_that_its_updates_can_reach():
    """Paths of 10, 11, 25 moves: layer 10 knows of the first, layer 20 of two; the last cell does not count."""
    hidden, (total, terms) = highway([[10, 11], [25, 1]])
    first = torch.tensor([[[True, False], [False, False]]])
    two = torch.tensor([[[True, True], [False, False]]])
    expected = optimal_set_loss(hidden[10], SETS, first) + optimal_set_loss(hidden[20], SETS, two)
    torch.testing.assert_close(total, expected)
    assert terms == 3


def test_every_layer_teaches_where_paths_are_short_and_none_where_they_are_long():
    assert highway([[1, 2], [3, 4]])[1][1] == 6
    total, terms = highway([[21, 22], [23, 24]])[1]
    assert terms == 0
    assert total.item() == 0


def test_without_layers_there_is_nothing_to_add():
    assert highway([[1, 1], [1, 1]], layers=())[1] == (0.0, 0)


def test_the_highway_carries_gradient_into_each_layer():
    hidden = {made: logits() for made in (10, 20)}
    total, _ = adaptive_highway_loss(optimal_set_loss, hidden, SETS, ALL_BUT_LAST, torch.tensor([[[1, 15], [15, 1]]]))
    total.backward()
    assert (hidden[10].grad[0, :, 0, 0] != 0).any()
    assert not hidden[10].grad[0, :, 0, 1].any()
    assert (hidden[20].grad[0, :, 0, 1] != 0).any()
