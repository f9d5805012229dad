import pytest
import torch

from torchvin.errors import InputError, ShapeError, TrainingError, check_shape, unknown_name


def test_an_unknown_name_is_answered_with_the_nearest_one_and_all_choices():
    error = unknown_name("preset", "gridworld-61", ["gridworld-8", "gridworld-16"])
    assert isinstance(error, InputError)
    assert str(error) == (
        "unknown preset 'gridworld-61'. Did you mean 'gridworld-16'? Choose one of: gridworld-8, gridworld-16."
    )


def test_an_unknown_name_that_resembles_nothing_gets_no_guess():
    assert str(unknown_name("backend", "xyz", iter(["auto", "reference"]))) == (
        "unknown backend 'xyz'. Choose one of: auto, reference."
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 1, 3, 3), "A 1 F F"), ((2, 3), "B 3"), ((5, 5, 2), "N N M"), ((), ""), ((0, 2), "B 2")],
)
def test_a_shape_that_fits_passes(shape, expected):
    check_shape("tensor", torch.zeros(shape), expected)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4, 1, 3, 5), "A 1 F F"), ((4, 2, 3, 3), "A 1 F F"), ((4, 3, 3), "A 1 F F"), ((2, 3, 1), "B 3")],
)
def test_a_shape_that_does_not_fit_is_named_beside_the_expected_axes(shape, expected):
    axes = ", ".join(expected.split())
    with pytest.raises(ShapeError) as caught:
        check_shape("kernel", torch.zeros(shape), expected)
    assert str(caught.value) == f"kernel must have shape [{axes}], got {list(shape)}."


def test_bad_input_is_a_value_error_and_a_failed_training_is_not_bad_input():
    assert issubclass(ShapeError, InputError)
    assert issubclass(InputError, ValueError)
    assert not issubclass(TrainingError, InputError)
