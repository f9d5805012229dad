"""The Triton kernels against the reference: on a GPU where there is one, else in Triton's interpreter."""

import importlib.util
import math

import pytest
import torch

import agreement
from agreement import with_gradients
from torchvin.errors import InputError
from torchvin.planning.kernels import autograd as fused
from torchvin.planning.kernels import reference, registry
from torchvin.planning.kernels.triton import kernel as triton
from torchvin.planning.kernels.triton import launches

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed"),
    pytest.mark.without_type_hook,
]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def problem(seed, *sizes_and_dtype):
    tensors = agreement.problem(torch.Generator().manual_seed(seed), *sizes_and_dtype)
    return [[tensor.to(DEVICE) for tensor in some] for some in tensors]


def assert_same(inputs, grads, num_iterations, gradient="unroll"):
    agreement.assert_same(inputs, grads, num_iterations, gradient, backend="triton")


# Batch, orientations, actions, height, width, kernel size, untied, iterations: few numbers, as the interpreter is slow.
SHAPES = [
    (1, 1, 1, 1, 1, 3, False, 3),
    (2, 1, 4, 1, 7, 3, False, 3),
    (3, 1, 4, 5, 4, 3, False, 3),
    (1, 1, 16, 9, 13, 3, True, 2),
    (2, 1, 3, 6, 5, 5, False, 2),
    (1, 1, 2, 4, 9, 7, True, 1),
    (2, 1, 5, 8, 8, 1, False, 4),
    (1, 2, 2, 5, 4, 3, True, 3),
    (1, 3, 2, 3, 6, 3, False, 1),
    (2, 1, 4, 5, 5, 3, False, 0),
    (1, 1, 3, 4, 4, 3, False, 2),
    (1, 1, 2, 30, 40, 3, False, 2),
]
# Segments that are planned again do not depend on the number of actions, F or the size of the map.
IN_SEGMENTS = [
    (2, 1, 4, 1, 7, 3, False, 3),
    (1, 2, 2, 5, 4, 3, True, 3),
    (2, 1, 4, 5, 5, 3, False, 0),
    (1, 1, 2, 4, 4, 3, False, 17),
]


@pytest.mark.parametrize(
    ("shape", "gradient"),
    [(shape, "unroll") for shape in SHAPES] + [(shape, "checkpoint") for shape in IN_SEGMENTS],
    ids=str,
)
def test_values_and_gradients_are_the_references(shape, gradient):
    *sizes, untied, iterations = shape
    assert_same(*problem(0, *sizes, iterations + 1 if untied else 1, torch.float64), iterations, gradient)


@pytest.mark.parametrize(("orientations", "kernels"), [(1, 1), (2, 3)])
def test_actions_are_shared_out_where_registers_do_not_hold_the_sums(monkeypatch, orientations, kernels):
    """Two actions for one program and one for the next; the weights are not held either."""
    monkeypatch.setattr(launches, "MOST_HELD", 2 * 9 * orientations)
    sizes = (1, orientations, 3, 3, 4, 3, kernels)
    inputs, grads = problem(0, *sizes, torch.float64)
    launch = launches.cut(3, 4, orientations, 3, 3, kernels > 1)
    assert launches.groups(launch) == (2, 2 * orientations)
    assert_same(inputs, grads, 2)


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 8x8, so that a small map has some, and a block for each: the interpreter takes its time by the block."""
    for name, number in {"MOST_CELLS": 100, "TILE": 8, "HALO": 2, "BLOCKS": ((math.inf, (16, 16, 8)),)}.items():
        monkeypatch.setattr(launches, name, number)
    launches.cut.cache_clear()
    yield
    launches.cut.cache_clear()


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize(("iterations", "gradient"), [(4, "unroll"), (5, "unroll"), (4, "checkpoint")])
def test_a_large_map_in_tiles_of_several_iterations(iterations, gradient):
    """A launch makes two updates: after four the third one looks ahead only, with five it also makes the last update."""
    assert_same(*problem(0, 1, 1, 2, 17, 7, 3, 1, torch.float64), iterations, gradient)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("iterations", [0, 2])
def test_tiles_of_a_wide_kernel_that_changes_with_the_iteration(iterations):
    assert_same(*problem(0, 1, 1, 2, 11, 10, 5, iterations + 1, torch.float64), iterations)


@pytest.mark.usefixtures("small_tiles")
def test_the_residual_of_a_map_in_tiles():
    inputs, _ = problem(0, 2, 1, 2, 11, 10, 3, 1, torch.float64)
    q_values, value, residual = fused.value_iteration(*inputs, 5, "unroll", "triton")
    torch.testing.assert_close(residual, reference.residual(q_values, value))


def test_a_single_precision_plan_of_the_papers_size():
    inputs, grads = problem(3, 2, 1, 10, 16, 16, 3, 1, torch.float32)
    # Coarse numbers: fewer near-ties that rounding could break the other way.
    inputs = [(tensor * 64).round() / 64 for tensor in inputs]
    assert_same(inputs, grads, 3)


def test_at_a_tie_the_first_action_carries_the_gradient():
    inputs, grads = problem(0, 1, 1, 4, 5, 5, 3, 1, torch.float64)
    inputs[0][:] = inputs[0][:, :1]
    inputs[1][:] = inputs[1][:, :1]
    assert_same(inputs, grads, 3)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the interpreter
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_answered_as_by_the_reference(number):
    inputs, _ = problem(0, 2, 1, 3, 6, 5, 3, 1, torch.float64)
    inputs[0][0, 1, 2, 2] = number
    expected = reference.value_iteration(*inputs, 4, "unroll")
    got = fused.value_iteration(*inputs, 4, "unroll", "triton")
    for one, other in zip(got, (*expected, reference.residual(*expected)), strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_the_same_bits_in_every_run():
    inputs, grads = problem(0, 2, 1, 3, 9, 12, 3, 1, torch.float32)
    runs = [with_gradients(lambda *x: fused.value_iteration(*x, 2, "unroll", "triton"), inputs, grads) for _ in "ab"]
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))


def test_it_keeps_five_bytes_a_cell_and_iteration():
    inputs, _ = problem(0, 2, 1, 5, 20, 20, 3, 1, torch.float32)
    outputs = fused.plan(*inputs, 3, 1, "triton")
    assert sum(kept.nbytes for kept in outputs[3:5]) == 5 * 2 * 400 * 3


@pytest.mark.filterwarnings("ignore:Grad strides")
def test_it_is_an_operator_of_pytorch():
    inputs, _ = problem(0, 1, 1, 2, 2, 3, 3, 1, torch.float64)
    inputs = [tensor.requires_grad_() for tensor in inputs]
    torch.library.opcheck(fused.plan, (*inputs, 1, 1, "triton"))


def test_without_gpu_and_interpreter_it_says_why_it_cannot(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(InputError, match="the tensor is on cpu"):
        registry.choose("triton", torch.zeros(1, 2, 3, 3))
    assert registry.choose("auto", torch.zeros(1, 2, 3, 3)) != "triton"
    assert triton.why_not(torch.zeros(1)) == "the tensor is on cpu"
