import pytest
import torch

from torchvin.spaces import flatten, off_the_map, unflatten


def test_flat_states_become_row_and_column_and_absent_ones_stay_absent():
    flat = torch.tensor([[0, 5, -1], [11, 4, 3]])
    states = unflatten(flat, (3, 4))
    assert states.tolist() == [[[0, 0], [1, 1], [-1, -1]], [[2, 3], [1, 0], [0, 3]]]
    assert torch.equal(flatten(states, (3, 4)), flat)


@pytest.mark.parametrize("orientations", [1, 4])
def test_every_state_has_its_own_number_in_the_order_orientation_row_column(orientations):
    flat = torch.arange(orientations * 3 * 5)
    states = unflatten(flat, (3, 5), orientations)
    assert states.shape == (len(flat), 2 if orientations == 1 else 3)
    assert torch.equal(flatten(states, (3, 5)), flat)
    assert states.tolist() == sorted(states.tolist())


@pytest.mark.parametrize(
    ("state", "off"),
    [
        ([0, 0, 0], False),
        ([3, 2, 4], False),
        ([4, 0, 0], True),
        ([0, 3, 0], True),
        ([0, 0, 5], True),
        ([-1, 0, 0], True),
    ],
)
def test_a_state_off_the_map_or_without_such_an_orientation_is_told(state, off):
    assert off_the_map(torch.tensor([state]), (3, 5), 4).tolist() == [off]
