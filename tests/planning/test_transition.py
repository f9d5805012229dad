import math

import pytest
import torch

from torchvin.errors import InputError
from torchvin.planning.models.transition import FreeTransition, LearnedMoves, NormalizedTransition


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("discount", [0.01, 0.5, 0.99])
def test_a_normalized_kernel_is_discount_times_a_distribution_for_each_action(kernel_size, discount):
    transition = NormalizedTransition(num_actions=6, kernel_size=kernel_size, discount=discount)
    with torch.no_grad():
        transition.logits.mul_(3)
    kernel = transition()
    assert kernel.shape == (6, 1, kernel_size, kernel_size)
    assert (kernel >= 0).all()
    torch.testing.assert_close(kernel.sum(dim=(1, 2, 3)), torch.full((6,), discount))


def test_each_action_has_a_kernel_of_its_own():
    transition = NormalizedTransition(num_actions=2, discount=0.9, sharpness=10.0)
    with torch.no_grad():
        transition.logits.zero_()
        transition.logits[0, 0, 0, 2] = 10.0
    kernel = transition()
    assert kernel[0, 0, 0, 2].item() == pytest.approx(0.9)
    torch.testing.assert_close(kernel[1], torch.full((1, 3, 3), 0.1))


def test_sharpness_multiplies_the_logits():
    transition = NormalizedTransition(num_actions=1, kernel_size=3, discount=0.5, sharpness=4.0)
    with torch.no_grad():
        transition.logits.zero_()
        transition.logits[0, 0, 1, 1] = 0.25
    assert transition()[0, 0, 1, 1].item() == pytest.approx(0.5 * math.e / (math.e + 8))


def test_the_first_kernel_is_as_soft_for_any_sharpness():
    torch.manual_seed(0)
    blunt = NormalizedTransition(num_actions=8, sharpness=1.0)()
    torch.manual_seed(0)
    sharp = NormalizedTransition(num_actions=8, sharpness=100.0)()
    torch.testing.assert_close(blunt, sharp)


@pytest.mark.parametrize("discount", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_a_discount_that_does_not_contract_is_refused(discount):
    with pytest.raises(InputError, match=f"discount must lie between 0 and 1, got {discount}: .* contraction"):
        NormalizedTransition(num_actions=4, discount=discount)


def test_a_free_kernel_is_its_weights_with_the_authors_scale():
    torch.manual_seed(0)
    transition = FreeTransition(num_actions=200, kernel_size=3)
    assert transition() is transition.weight
    assert transition.weight.shape == (200, 1, 3, 3)
    assert transition.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert abs(transition.weight.mean().item()) < 0.001


def test_learned_moves_are_distributions_until_they_are_settled():
    torch.manual_seed(0)
    moves = LearnedMoves(num_actions=3, num_orientations=4, kernel_size=5)
    kernel = moves()
    assert kernel.shape == (12, 4, 5, 5)
    torch.testing.assert_close(kernel.flatten(1).sum(dim=1), torch.ones(12))
    likeliest = kernel.flatten(1).argmax(dim=1)
    moves.make_deterministic()
    settled = moves()
    assert torch.equal(settled.flatten(1).argmax(dim=1), likeliest)
    assert set(settled.unique().tolist()) == {0.0, 1.0}
    assert settled.flatten(1).sum(dim=1).tolist() == [1.0] * 12
    assert not settled.requires_grad
