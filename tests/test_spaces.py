import pytest
import torch

from torchvin.spaces import StateSpace


def test_flat_states_become_row_and_column_and_absent_ones_stay_absent():
    flat = torch.tensor([[0, 5, -1], [11, 4, 3]])
    space = StateSpace(3, 4)
    states = space.unflatten(flat)
    assert states.tolist() == [[[0, 0], [1, 1], [-1, -1]], [[2, 3], [1, 0], [0, 3]]]
    assert torch.equal(space.flatten(states), flat)


@pytest.mark.parametrize("orientations", [1, 4])
def test_every_state_has_its_own_number_in_the_order_orientation_row_column(orientations):
    space = StateSpace(3, 5, orientations)
    flat = torch.arange(space.num_states)
    states = space.unflatten(flat)
    assert states.shape == (len(flat), space.state_length)
    assert space.shape == ((3, 5) if orientations == 1 else (4, 3, 5))
    assert torch.equal(space.flatten(states), flat)
    assert space.orientations(states).unique().tolist() == list(range(orientations))
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
    assert StateSpace(3, 5, 4).contains(torch.tensor([state])).tolist() == [not off]
