from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from torchvin.errors import InputError, ShapeError
from torchvin.planning.models.transition import NormalizedTransition
from torchvin.planning.value_iteration import ValueIteration, value_iteration

MODES = ("unroll", "checkpoint")


def problem(seed=0, batch=2, actions=3, height=4, width=6, kernel_size=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    kernel = 0.3 * draw(actions, 1, kernel_size, kernel_size)
    return draw(batch, actions, height, width), kernel, draw(batch, 1, height, width)


def leaves(*tensors):
    return [tensor.clone().requires_grad_() for tensor in tensors]


# K is the exact number of updates


def test_no_iterations_only_look_ahead_at_the_given_value():
    q_reward, kernel, value = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=0, initial_value=value)
    assert torch.equal(plan.value, value)
    torch.testing.assert_close(plan.q_values, q_reward + nn.functional.conv2d(value, kernel, padding=1))


def test_no_iterations_from_zero_give_the_reward():
    q_reward, kernel, _ = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=0)
    assert torch.equal(plan.q_values, q_reward)
    assert not plan.value.any()


@pytest.mark.parametrize("num_iterations", [1, 2, 5])
def test_information_travels_exactly_k_times_the_reach_of_the_kernel(num_iterations):
    q_reward = torch.zeros(1, 1, 1, 40)
    q_reward[..., 20] = 1.0
    for kernel_size in (1, 3, 5):
        plan = value_iteration(q_reward, torch.ones(1, 1, kernel_size, kernel_size), num_iterations=num_iterations)
        reached = plan.value[0, 0, 0].nonzero()[:, 0]
        assert reached.max() - 20 == (num_iterations - 1) * (kernel_size // 2)
        looked = plan.q_values[0, 0, 0].nonzero()[:, 0]
        assert looked.max() - 20 == num_iterations * (kernel_size // 2)


@pytest.mark.parametrize("num_iterations", [1, 4, 10])
def test_a_counter_counts_the_updates(num_iterations):
    """One cell, reward 1, weight 1: V_K is K, and the look-ahead is one more."""
    plan = value_iteration(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1), num_iterations=num_iterations)
    assert plan.value.item() == num_iterations
    assert plan.q_values.item() == num_iterations + 1
    assert plan.num_iterations == num_iterations


@pytest.mark.parametrize("gradient", MODES)
def test_three_iterations_and_four_more_are_seven(gradient):
    q_reward, kernel, value = problem()
    first = value_iteration(q_reward, kernel, num_iterations=3, initial_value=value, gradient=gradient)
    more = value_iteration(q_reward, kernel, num_iterations=4, initial_value=first.value, gradient=gradient)
    once = value_iteration(q_reward, kernel, num_iterations=7, initial_value=value, gradient=gradient)
    assert torch.equal(more.value, once.value)
    assert torch.equal(more.q_values, once.q_values)


def test_without_an_initial_value_planning_starts_at_zero():
    q_reward, kernel, value = problem()
    zero = torch.zeros_like(value)
    given = value_iteration(q_reward, kernel, num_iterations=3, initial_value=zero)
    assert torch.equal(value_iteration(q_reward, kernel, num_iterations=3).value, given.value)


def test_the_maximum_of_q_is_the_value_after_one_more_update():
    q_reward, kernel, _ = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=5)
    after = value_iteration(q_reward, kernel, num_iterations=6)
    assert torch.equal(plan.q_values.amax(dim=1, keepdim=True), after.value)


def test_the_inputs_are_left_as_they_were():
    q_reward, kernel, value = problem()
    copies = [tensor.clone() for tensor in (q_reward, kernel, value)]
    value_iteration(q_reward, kernel, num_iterations=4, initial_value=value)
    assert all(torch.equal(one, copy) for one, copy in zip((q_reward, kernel, value), copies, strict=True))


# Gradients


@pytest.mark.parametrize("gradient", MODES)
@pytest.mark.parametrize(("kernel_size", "num_iterations"), [(1, 3), (3, 0), (3, 1), (3, 5), (5, 2)])
def test_gradients_are_those_of_finite_differences(gradient, kernel_size, num_iterations):
    inputs = problem(seed=kernel_size, batch=2, actions=3, height=3, width=4, kernel_size=kernel_size)

    def run(q_reward, kernel, initial_value):
        plan = value_iteration(
            q_reward, kernel, num_iterations=num_iterations, initial_value=initial_value, gradient=gradient
        )
        return plan.q_values, plan.value

    # Away from ties: the best action leads by far more than the step of the finite differences.
    value = inputs[2]
    for _ in range(num_iterations):
        q_values = value_iteration(inputs[0], inputs[1], num_iterations=0, initial_value=value).q_values
        best, second = q_values.topk(2, dim=1).values.unbind(1)
        assert (best - second).min() > 1e-4
        value = q_values.amax(dim=1, keepdim=True)
    assert gradcheck(run, leaves(*inputs))


@pytest.mark.parametrize("num_iterations", [0, 1, 2, 16, 37])
def test_checkpointing_changes_neither_values_nor_gradients(num_iterations):
    results = []
    for gradient in MODES:
        inputs = leaves(*problem(seed=1))
        plan = value_iteration(
            inputs[0], inputs[1], num_iterations=num_iterations, initial_value=inputs[2], gradient=gradient
        )
        (plan.q_values.square().sum() + plan.value.sum()).backward()
        results.append([plan.q_values, plan.value, *(leaf.grad for leaf in inputs)])
    for unrolled, checkpointed in zip(*results, strict=True):
        torch.testing.assert_close(unrolled, checkpointed, rtol=1e-12, atol=1e-12)


def saved_bytes(gradient, num_iterations=64):
    """Bytes of distinct storage that autograd keeps for the backward pass, the inputs aside."""
    inputs = leaves(*problem(height=16, width=16, dtype=torch.float32))
    own = {leaf.untyped_storage().data_ptr() for leaf in inputs}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value_iteration(inputs[0], inputs[1], num_iterations=num_iterations, initial_value=inputs[2], gradient=gradient)
    return sum(size for size, _ in kept.values())


def test_checkpointing_keeps_about_a_square_root_of_the_memory():
    unrolled, checkpointed = saved_bytes("unroll"), saved_bytes("checkpoint")
    value_bytes = 2 * 16 * 16 * 4
    assert unrolled >= 64 * value_bytes
    assert 0 < checkpointed <= 12 * value_bytes
    assert saved_bytes("checkpoint", 256) <= 2.5 * checkpointed


@pytest.mark.parametrize("gradient", MODES)
def test_at_a_tie_only_the_first_action_carries_gradient(gradient):
    q_reward = torch.tensor([1.0, 2.0, 2.0, 2.0], dtype=torch.float64).view(1, 4, 1, 1).requires_grad_()
    kernel = torch.zeros(4, 1, 1, 1, dtype=torch.float64)
    plan = value_iteration(q_reward, kernel, num_iterations=1, gradient=gradient)
    plan.value.sum().backward()
    assert q_reward.grad.flatten().tolist() == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("gradient", MODES)
def test_where_every_action_ties_every_cell_sends_all_its_gradient_to_the_first(gradient):
    q_reward = torch.zeros(2, 8, 5, 7, requires_grad=True)
    plan = value_iteration(q_reward, torch.zeros(8, 1, 3, 3), num_iterations=1, gradient=gradient)
    plan.value.sum().backward()
    assert q_reward.grad[:, 0].eq(1).all()
    assert not q_reward.grad[:, 1:].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gradient", MODES)
def test_with_and_without_gradients_the_values_are_the_same(gradient, dtype):
    q_reward, kernel, value = problem(seed=2, dtype=dtype)
    plain = value_iteration(q_reward, kernel, num_iterations=9, initial_value=value, gradient=gradient)
    tracked = leaves(q_reward, kernel, value)
    with_grad = value_iteration(tracked[0], tracked[1], num_iterations=9, initial_value=tracked[2], gradient=gradient)
    with torch.no_grad():
        without = value_iteration(tracked[0], tracked[1], num_iterations=9, initial_value=tracked[2], gradient=gradient)
    for one in (with_grad, without):
        assert torch.equal(one.value, plain.value)
        assert torch.equal(one.q_values, plain.q_values)
        assert one.value.dtype == dtype
    assert with_grad.value.requires_grad
    assert not without.value.requires_grad


def test_float32_is_close_to_float64():
    inputs = problem(seed=3)
    double = value_iteration(inputs[0], inputs[1], num_iterations=8)
    single = value_iteration(inputs[0].float(), inputs[1].float(), num_iterations=8)
    torch.testing.assert_close(single.value.double(), double.value, rtol=1e-4, atol=1e-4)


# The residual


def test_the_residual_is_the_change_that_one_more_update_makes_to_each_map():
    q_reward, kernel, _ = problem(seed=4, batch=3)
    plan = value_iteration(q_reward, kernel, num_iterations=2)
    after = value_iteration(q_reward, kernel, num_iterations=3)
    expected = (after.value - plan.value).abs().flatten(1).max(dim=1).values
    assert plan.residual.shape == (3,)
    assert torch.equal(plan.residual, expected)
    assert plan.residual.unique().numel() == 3


def test_the_residual_is_zero_at_the_fixed_point_and_carries_no_gradient():
    q_reward = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    plan = value_iteration(q_reward, torch.full((2, 1, 1, 1), 0.5, dtype=torch.float64), num_iterations=80)
    assert plan.residual.item() == 0
    assert not plan.residual.requires_grad


def test_a_plan_cannot_be_changed():
    plan = value_iteration(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 1, 1), num_iterations=1)
    with pytest.raises(FrozenInstanceError):
        plan.num_iterations = 3


# The layer


def test_the_layer_plans_with_its_transition_and_its_k():
    planner = ValueIteration(transition=NormalizedTransition(num_actions=4), num_iterations=6)
    q_reward = torch.randn(2, 4, 9, 6)
    plan = planner(q_reward)
    expected = value_iteration(q_reward, planner.transition(), num_iterations=6)
    assert plan.num_iterations == 6
    assert torch.equal(plan.q_values, expected.q_values)


def test_a_call_can_name_another_k_and_an_initial_value():
    planner = ValueIteration(transition=NormalizedTransition(num_actions=4), num_iterations=6)
    q_reward, value = torch.randn(2, 4, 9, 6), torch.randn(2, 1, 9, 6)
    plan = planner(q_reward, num_iterations=0, initial_value=value)
    assert plan.num_iterations == 0
    assert torch.equal(plan.value, value)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_the_layer_hands_on_its_gradient_mode_and_backend():
    transition = NormalizedTransition(num_actions=4)
    q_reward = torch.zeros(1, 4, 3, 3)
    with pytest.raises(InputError, match="unknown gradient mode"):
        ValueIteration(transition=transition, num_iterations=1, gradient="none")(q_reward)
    with pytest.raises(InputError, match="unknown backend"):
        ValueIteration(transition=transition, num_iterations=1, backend="none")(q_reward)


def test_the_transition_learns_through_the_layer():
    planner = ValueIteration(transition=NormalizedTransition(num_actions=4), num_iterations=6, gradient="checkpoint")
    planner(torch.randn(2, 4, 5, 6)).q_values.sum().backward()
    assert planner.transition.logits.grad.abs().sum() > 0


# What is refused


@pytest.mark.usefixtures("_unchecked_shapes")
@pytest.mark.parametrize(
    ("q_reward", "kernel", "value", "message"),
    [
        ((2, 3, 4), (3, 1, 3, 3), None, r"q_reward must have shape \[B, A, H, W\], got \[2, 3, 4\]"),
        ((2, 3, 4, 5), (4, 1, 3, 3), None, r"kernel must have shape \[3, O, F, F\], got \[4, 1, 3, 3\]"),
        ((2, 3, 4, 5), (3, 1, 3, 5), None, r"kernel must have shape \[3, O, F, F\], got \[3, 1, 3, 5\]"),
        ((2, 3, 4, 5), (3, 2, 3, 3), None, r"q_reward .* each of the kernel\'s 2 value channels"),
        (
            (2, 3, 4, 5),
            (3, 1, 3, 3),
            (2, 1, 5, 4),
            r"initial_value must have shape \[2, 1, 4, 5\], got \[2, 1, 5, 4\]",
        ),
        (
            (2, 3, 4, 5),
            (3, 1, 3, 3),
            (1, 1, 4, 5),
            r"initial_value must have shape \[2, 1, 4, 5\], got \[1, 1, 4, 5\]",
        ),
    ],
)
def test_wrong_shapes_are_refused(q_reward, kernel, value, message):
    with pytest.raises(ShapeError, match=message):
        value_iteration(
            torch.zeros(q_reward),
            torch.zeros(kernel),
            num_iterations=1,
            initial_value=None if value is None else torch.zeros(value),
        )


@pytest.mark.parametrize("size", [2, 4])
def test_an_even_kernel_is_refused(size):
    with pytest.raises(
        InputError, match=f"kernel must have an odd size F, got F = {size}: its centre is the cell itself"
    ):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, size, size), num_iterations=1)


def test_a_negative_k_is_refused():
    with pytest.raises(InputError, match="num_iterations must not be negative, got -1: it is the number of updates K"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=-1)


def test_dtypes_that_differ_are_refused():
    zeros, double = torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3, dtype=torch.float64)
    with pytest.raises(InputError, match=r"must have one dtype, got torch.float32, torch.float64 and torch.float32"):
        value_iteration(zeros, double, num_iterations=1)
    with pytest.raises(InputError, match=r"must have one dtype, got torch.float32, torch.float32 and torch.float64"):
        value_iteration(
            zeros, double.float(), num_iterations=1, initial_value=torch.zeros(1, 1, 3, 3, dtype=torch.float64)
        )


@pytest.mark.usefixtures("_unchecked_shapes")
def test_an_unknown_gradient_mode_is_answered_with_the_nearest():
    with pytest.raises(
        InputError,
        match=r"unknown gradient mode 'unrol'\. Did you mean 'unroll'\? Choose one of: unroll, checkpoint",
    ):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=1, gradient="unrol")


def test_an_unknown_backend_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown backend 'refrence'\. Did you mean 'reference'\?"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=1, backend="refrence")
