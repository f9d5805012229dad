"""The gated planner: the paper's recurrence step by step, at any size, with exactly K steps."""

import pytest
import torch
from torch.autograd import gradcheck

from torchvin import InputError
from torchvin.planning.planners.gated import GatedPlanner


def planner(hidden_channels=7, kernel_size=5, **options):
    torch.manual_seed(0)
    return GatedPlanner(
        in_channels=3, num_actions=4, hidden_channels=hidden_channels, kernel_size=kernel_size, **options
    ).double()


def by_the_paper(planner, features, steps):
    """Conv2d to one channel, LSTMCell in every cell, Conv2d 1x1: torch's own modules, cell after cell."""
    batch, _, height, width = features.shape

    def cells(image):
        return image.movedim(1, -1).reshape(batch * height * width, -1)

    def image(cells):
        return cells.view(batch, height, width, -1).movedim(-1, 1)

    hidden, cell = planner.hidden(features), planner.cell(features)
    for _ in range(steps):
        hidden, cell = (
            image(each) for each in planner.lstm(cells(planner.message(hidden)), (cells(hidden), cells(cell)))
        )
    return planner.readout(hidden), planner.message(hidden)


@pytest.mark.parametrize("steps", [0, 1, 2, 9])
@pytest.mark.parametrize("kernel_size", [1, 3, 9])
def test_k_steps_are_k_steps_of_the_lstm(steps, kernel_size):
    gated = planner(kernel_size=kernel_size)
    features = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    plan = gated(features, num_iterations=steps)
    scores, message = by_the_paper(gated, features, steps)
    torch.testing.assert_close(plan.q_values, scores)
    torch.testing.assert_close(plan.value, message)
    assert plan.num_iterations == steps


def test_the_residual_is_how_much_the_last_step_changed_the_message():
    gated = planner()
    features = torch.randn(3, 3, 6, 8, dtype=torch.float64)
    changes = gated(features, num_iterations=4).value - gated(features, num_iterations=3).value
    torch.testing.assert_close(gated(features, num_iterations=4).residual, changes.abs().flatten(1).amax(dim=1))


def test_a_message_reaches_half_a_kernel_a_step():
    gated = planner(kernel_size=3)
    features = torch.zeros(1, 3, 1, 21, dtype=torch.float64)
    one = features.clone()
    one[..., 10] = 1.0
    for steps in (1, 3):
        changed = (gated(one, num_iterations=steps).q_values != gated(features, num_iterations=steps).q_values).any(
            dim=1
        )
        reached = changed[0, 0].nonzero()[:, 0]
        assert reached.max() - 10 == 1 + steps  # the start is a 3x3 convolution too
        assert 10 - reached.min() == 1 + steps


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
def test_gradients_are_those_of_finite_differences(gradient):
    gated = planner(hidden_channels=2, kernel_size=3, gradient=gradient)
    features = torch.randn(1, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in gated.named_parameters()]

    def run(features, *weights):
        plan = torch.func.functional_call(
            gated, dict(zip(names, weights, strict=True)), features, {"num_iterations": 3}
        )
        return plan.q_values, plan.value

    assert gradcheck(run, (features, *(weight.detach().clone().requires_grad_() for weight in gated.parameters())))


def test_checkpointing_changes_nothing_but_memory():
    features, results = torch.randn(2, 3, 5, 7, dtype=torch.float64), []
    for gradient in ("unroll", "checkpoint"):
        gated = planner(gradient=gradient)
        gated(features, num_iterations=11).q_values.square().sum().backward()
        results.append(torch.cat([parameter.grad.flatten() for parameter in gated.parameters()]))
    torch.testing.assert_close(*results)


def test_under_autocast_it_is_nearly_the_same():
    gated = planner(hidden_channels=40).float()
    features = torch.randn(2, 3, 6, 6)
    exact = gated(features, num_iterations=20)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = gated(features, num_iterations=20)
    torch.testing.assert_close(rounded.q_values.float(), exact.q_values, rtol=0, atol=0.02)
    assert rounded.value.dtype == torch.float32


def test_what_it_has_no_place_for_is_refused():
    with pytest.raises(InputError, match="kernel_size must be odd, got 4"):
        planner(kernel_size=4)
    with pytest.raises(
        InputError, match="the gated planner need not converge, so its gradient must be unroll or checkp"
    ):
        planner(gradient="implicit")
    features = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    with pytest.raises(InputError, match="num_iterations must not be negative, got -1: it is the number of updates K"):
        planner()(features, num_iterations=-1)
    with pytest.raises(InputError, match="cannot continue from a value: it has a state of its own; plan anew"):
        planner()(features, initial_value=features[:, :1])
