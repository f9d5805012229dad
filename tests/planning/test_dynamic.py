"""Dynamic transitions: a kernel per cell, against loops and against the operator with one kernel for all cells."""

import pytest
import torch
from torch.autograd import gradcheck

from torchvin import InputError, ShapeError, value_iteration
from torchvin.planning.planners.dynamic import DynamicPlanner, DynamicTransition, dynamic_value_iteration


def problem(batch=2, actions=3, height=4, width=5, size=3):
    torch.manual_seed(0)
    reward = torch.randn(batch, 1, height, width, dtype=torch.float64)
    return reward, torch.randn(batch, actions, size**2, height, width, dtype=torch.float64).softmax(dim=2)


def by_hand(reward, transition, updates):
    """max over a of sum over s' of T_a(s, s') (R(s') + V(s')), cell after cell; what leaves the map is lost."""
    batch, actions, weights, height, width = transition.shape
    reach = round(weights**0.5) // 2
    value = torch.zeros_like(reward)
    for _ in range(updates + 1):
        q_values = torch.zeros(batch, actions, height, width, dtype=reward.dtype)
        for row in range(height):
            for col in range(width):
                for index in range(weights):
                    down, right = index // (2 * reach + 1) - reach, index % (2 * reach + 1) - reach
                    there = row + down, col + right
                    if 0 <= there[0] < height and 0 <= there[1] < width:
                        worth = (reward + value)[:, 0, there[0], there[1]]
                        q_values[:, :, row, col] += transition[:, :, index, row, col] * worth[:, None]
        before, value = value, q_values.amax(dim=1, keepdim=True)
    return q_values, before


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("updates", [0, 1, 3])
def test_it_is_the_formula_of_the_paper(size, updates):
    reward, transition = problem(size=size)
    plan = dynamic_value_iteration(reward, transition, num_iterations=updates)
    q_values, value = by_hand(reward, transition, updates)
    torch.testing.assert_close(plan.q_values, q_values)
    torch.testing.assert_close(plan.value, value)


def test_one_kernel_in_all_cells_is_the_operator():
    reward, _ = problem()
    kernel = torch.rand(3, 1, 3, 3, dtype=torch.float64)
    everywhere = kernel.flatten(1)[None, :, :, None, None].expand(2, 3, 9, 4, 5)
    plan = dynamic_value_iteration(reward, everywhere, num_iterations=7)
    q_reward = torch.nn.functional.conv2d(reward, kernel, padding=1)
    expected = value_iteration(q_reward, kernel, num_iterations=7)
    torch.testing.assert_close(plan.q_values, expected.q_values)
    torch.testing.assert_close(plan.value, expected.value)
    torch.testing.assert_close(plan.residual, expected.residual)


@pytest.mark.parametrize(("gradient", "every"), [("unroll", 0), ("checkpoint", 0), ("checkpoint", 2)])
def test_gradients_are_those_of_finite_differences(gradient, every):
    reward, transition = problem(batch=1, height=2, width=3)

    def run(reward, transition, value):
        plan = dynamic_value_iteration(
            reward, transition, num_iterations=5, initial_value=value, gradient=gradient, layer_every=every
        )
        return plan.q_values, plan.value, *plan.layers.values()

    assert gradcheck(run, tuple(each.requires_grad_() for each in (reward, transition, torch.randn_like(reward))))


def test_a_layer_is_the_plan_after_as_many_updates():
    reward, transition = problem()
    plan = dynamic_value_iteration(reward, transition, num_iterations=30, layer_every=10)
    assert list(plan.layers) == [10, 20]  # the 30th is the plan itself
    for made, q_values in plan.layers.items():
        torch.testing.assert_close(q_values, dynamic_value_iteration(reward, transition, num_iterations=made).q_values)
    assert not dynamic_value_iteration(reward, transition, num_iterations=30).layers


def test_planning_goes_on_from_an_earlier_value():
    reward, transition = problem()
    first = dynamic_value_iteration(reward, transition, num_iterations=4)
    more = dynamic_value_iteration(reward, transition, num_iterations=3, initial_value=first.value)
    once = dynamic_value_iteration(reward, transition, num_iterations=7)
    torch.testing.assert_close(more.q_values, once.q_values)


def test_a_transition_is_a_distribution_over_neighbours_in_each_cell_of_each_map():
    torch.manual_seed(0)
    transition = DynamicTransition(num_actions=4, kernel_size=5)
    kernel = transition(torch.rand(2, 2, 6, 7))
    assert kernel.shape == (2, 4, 25, 6, 7)
    assert (kernel >= 0).all()
    torch.testing.assert_close(kernel.sum(dim=2), torch.ones(2, 4, 6, 7))
    assert not torch.allclose(kernel[0], kernel[1])
    assert not torch.allclose(kernel[0, ..., 2, 3], kernel[0, ..., 4, 4])


def test_a_transition_sees_the_neighbourhood_and_no_more():
    transition = DynamicTransition(num_actions=4)
    planes = torch.zeros(1, 2, 7, 7)
    moved = planes.clone()
    moved[0, 0, 3, 3] = 1.0
    changed = (transition(planes) != transition(moved)).flatten(1, 2).any(dim=1)[0]
    assert {tuple(cell) for cell in changed.nonzero().tolist()} == {
        (row, col) for row in (2, 3, 4) for col in (2, 3, 4)
    }


def test_a_transition_need_not_see_the_goal():
    transition = DynamicTransition(num_actions=4, in_channels=1)
    planes = torch.rand(1, 2, 7, 7)
    moved = planes.clone()
    moved[:, 1] = 0.0
    assert torch.equal(transition(planes), transition(moved))


def test_layers_are_reported_in_training_only():
    planner = DynamicPlanner(
        reward=torch.nn.Conv2d(2, 1, 1), transition=DynamicTransition(num_actions=4), layer_every=4
    )
    planes = torch.rand(1, 2, 5, 6)
    assert list(planner(planes, num_iterations=9).layers) == [4, 8]
    in_training = planner(planes, num_iterations=9).q_values
    planner.eval()
    assert not planner(planes, num_iterations=9).layers
    torch.testing.assert_close(planner(planes, num_iterations=9).q_values, in_training)


def test_checkpointing_keeps_a_small_part():
    def kept(gradient):
        reward, transition = problem(height=8, width=8)
        transition.requires_grad_()
        sizes = []

        def pack(tensor):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            dynamic_value_iteration(reward, transition, num_iterations=100, gradient=gradient)
        return sum(sizes)

    assert kept("unroll") > 5 * kept("checkpoint")


def test_what_makes_no_sense_is_refused():
    reward, transition = problem()
    with pytest.raises(InputError, match="num_iterations must not be negative, got -1"):
        dynamic_value_iteration(reward, transition, num_iterations=-1)
    with pytest.raises(InputError, match="a cell's kernel must have F \\* F weights, F odd, got 8"):
        dynamic_value_iteration(reward, transition[:, :, :8], num_iterations=1)
    with pytest.raises(InputError, match="the dynamic planner need not converge"):
        dynamic_value_iteration(reward, transition, num_iterations=1, gradient="implicit")
    with pytest.raises(InputError, match="kernel_size must be odd, got 2"):
        DynamicTransition(num_actions=4, kernel_size=2)
    with pytest.raises(InputError, match="layer_every must not be negative, got -1"):
        DynamicPlanner(reward=torch.nn.Identity(), transition=torch.nn.Identity(), layer_every=-1)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_wrong_shapes_are_refused():
    reward, transition = problem()
    with pytest.raises(ShapeError, match=r"transition must have shape \[2, A, FF, 4, 5\], got \[2, 3, 9, 5, 4\]"):
        dynamic_value_iteration(reward, transition.transpose(3, 4), num_iterations=1)
