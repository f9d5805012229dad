import pytest
import torch

from torchvin.errors import InputError, ShapeError
from torchvin.maps.observe import GOAL_VALUE, encode


def test_the_planes_are_obstacles_and_the_goal_in_row_and_column(draw):
    blocked = draw("#..", "..#", "...", "#.#", "...")[None]  # 5x3
    planes = encode(blocked, torch.tensor([[3, 1]]))
    assert planes.shape == (1, 2, 5, 3)
    assert planes[0, 0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [1, 0, 1], [0, 0, 0]]
    assert planes[0, 1].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 10, 0], [0, 0, 0]]
    assert GOAL_VALUE == 10


def test_each_map_has_its_own_goal():
    planes = encode(torch.zeros(3, 2, 4, dtype=torch.bool), torch.tensor([[0, 3], [1, 0], [0, 0]]))
    assert planes[:, 1].nonzero().tolist() == [[0, 0, 3], [1, 1, 0], [2, 0, 0]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_dtype_is_as_asked(dtype):
    assert encode(torch.zeros(1, 2, 2, dtype=torch.bool), torch.tensor([[0, 0]]), dtype=dtype).dtype == dtype


def test_the_dtype_is_float32_by_default():
    assert encode(torch.zeros(1, 2, 2, dtype=torch.bool), torch.tensor([[0, 0]])).dtype == torch.float32


@pytest.mark.parametrize("goal", [[-1, 0], [0, -1], [3, 0], [0, 5]])
def test_a_goal_off_the_map_is_refused(goal):
    with pytest.raises(InputError, match=r"a goal lies off its 3x5 map: .*; goals are \(row, col\) from 0"):
        encode(torch.zeros(1, 3, 5, dtype=torch.bool), torch.tensor([goal]))


def test_a_goal_of_a_wide_map_is_not_off_it_because_its_column_passes_the_height():
    assert encode(torch.zeros(1, 3, 5, dtype=torch.bool), torch.tensor([[2, 4]]))[0, 1, 2, 4] == 10


@pytest.mark.usefixtures("_unchecked_shapes")
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_map_that_is_not_bool_is_refused(dtype):
    with pytest.raises(InputError, match=r"blocked must be a bool tensor \(True = obstacle\), got torch\."):
        encode(torch.zeros(1, 3, 5, dtype=dtype), torch.tensor([[0, 0]]))


@pytest.mark.usefixtures("_unchecked_shapes")
def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"blocked must have shape \[B, H, W\], got \[3, 5\]"):
        encode(torch.zeros(3, 5, dtype=torch.bool), torch.tensor([[0, 0]]))
    with pytest.raises(ShapeError, match=r"goal must have shape \[2, 2\], got \[1, 2\]"):
        encode(torch.zeros(2, 3, 5, dtype=torch.bool), torch.tensor([[0, 0]]))
