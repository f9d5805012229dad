"""Very large K: Ctrl-C ends the plan, what cannot fit is refused before it is allocated, and checkpoints keep sqrt(K)."""

import math
import signal
import subprocess
import sys
import time

import pytest
import torch

from torchvin import InputError
from torchvin.planning.kernels import autograd as fused
from torchvin.planning.kernels import reference, solve
from torchvin.planning.kernels.registry import BACKENDS
from torchvin.planning.value_iteration import value_iteration

pytestmark = pytest.mark.skipif(BACKENDS["cpu"].why_not(None) is not None, reason="the C++ kernel is not compiled")

PLAN = """
import torch
from torchvin import value_iteration
q_reward, kernel = torch.randn({shape}), torch.rand({shape}[1], 1, 3, 3) / 9
q_reward.requires_grad_({learns})
value_iteration(q_reward, kernel, num_iterations=2, gradient={gradient!r})
print("planning", flush=True)
value_iteration(q_reward, kernel, num_iterations={k}, gradient={gradient!r})
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
@pytest.mark.parametrize(
    ("shape", "k", "learns", "gradient"),
    [
        ((1, 1, 1, 1), 1_000_000_000, False, "unroll"),
        ((16, 10, 28, 28), 10_000_000, False, "unroll"),
        ((1, 1, 1, 1), 1_000_000_000, True, "checkpoint"),
        ((16, 10, 28, 28), 1_000_000, True, "checkpoint"),
    ],
    ids=["one cell", "28x28", "one cell, checkpoint", "28x28, checkpoint"],
)
def test_ctrl_c_ends_a_long_plan_within_seconds(shape, k, learns, gradient):
    code = PLAN.format(shape=shape, k=k, learns=learns, gradient=gradient)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"planning\n"
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, error = process.communicate(timeout=8)
        finally:
            process.kill()
    assert out == b""
    assert b"KeyboardInterrupt" in error.splitlines()[-1]


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
@pytest.mark.parametrize("untied", [False, True])
def test_a_plan_in_portions_is_the_plan_in_one(monkeypatch, gradient, untied):
    generator = torch.Generator().manual_seed(0)
    count = 11 if untied else 1
    q_reward = torch.randn(2, 3, 4, 5, dtype=torch.float64, generator=generator)
    kernel = torch.rand(count, 3, 1, 3, 3, dtype=torch.float64, generator=generator) / 9
    value = torch.randn(2, 1, 4, 5, dtype=torch.float64, generator=generator)

    def run(learns):
        leaves = [tensor.clone().requires_grad_(learns) for tensor in (q_reward, kernel, value)]
        outputs = fused.value_iteration(*leaves, 10, gradient, "cpu")
        grads = torch.autograd.grad(outputs[0].square().sum() + outputs[1].sum(), leaves) if learns else ()
        return outputs, grads

    whole, calls = [run(False), run(True)], []
    forward = BACKENDS["cpu"].kernel.forward
    monkeypatch.setattr(solve, "MOST_WORK", 3 * 2 * 3 * 4 * 5 * 9)  # three iterations
    monkeypatch.setattr(solve, "MOST_WORK_WITH_GRADIENT", 1)
    monkeypatch.setattr(
        BACKENDS["cpu"].kernel, "forward", lambda problem: calls.append(problem[3:]) or forward(problem)
    )
    parts = [run(False)]
    assert calls == [(3, 0), (3, 0), (3, 0), (1, 0)]
    parts.append(run(True))
    for one, other in zip(parts, whole, strict=True):
        for got, expected in zip((*one[0], *one[1]), (*other[0], *other[1]), strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(got, expected) for got, expected in zip(parts[0][0], whole[0][0], strict=True))


def test_what_cannot_fit_is_refused_before_it_is_allocated():
    q_reward = torch.zeros(1, 2, 64, 64, requires_grad=True)
    with pytest.raises(
        InputError, match=r"keeps 15,\d\d\d GiB for its gradient, .* has [\d,]+ GiB: use fewer iterations, gradient="
    ):
        value_iteration(q_reward, torch.zeros(2, 1, 3, 3), num_iterations=1_000_000_000, backend="cpu")


@pytest.mark.parametrize("num_iterations", [4, 10, 36, 100, 401])
def test_checkpoint_keeps_about_sqrt_k_values_and_has_the_gradients_of_unroll(num_iterations):
    """Neither one value, from which all would be planned again, nor all of them."""
    generator = torch.Generator().manual_seed(num_iterations)
    q_reward = torch.randn(2, 4, 16, 17, dtype=torch.float64, generator=generator, requires_grad=True)
    kernel = (torch.rand(4, 1, 3, 3, dtype=torch.float64, generator=generator) / 10).requires_grad_()
    given = {q_reward.data_ptr(), kernel.data_ptr()}
    kept = []

    def pack(tensor):
        if tensor.data_ptr() not in given:
            kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        plan = value_iteration(q_reward, kernel, num_iterations=num_iterations, gradient="checkpoint", backend="cpu")
    cells, guards = 2 * 16 * 17, 2 * (18 + 16)
    between = (num_iterations - 1) // reference.segment_length(num_iterations)
    assert sum(kept) == (2 + between) * cells + guards  # V_0, V_K and those between
    assert math.isqrt(num_iterations) - 1 <= between <= math.isqrt(num_iterations) + 1
    got = torch.autograd.grad(plan.q_values.square().sum(), (q_reward, kernel))
    unrolled = value_iteration(q_reward, kernel, num_iterations=num_iterations, backend="reference")
    expected = torch.autograd.grad(unrolled.q_values.square().sum(), (q_reward, kernel))
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
