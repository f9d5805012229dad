"""What a GPU must do: `make gpu`, which also runs the tests of the Triton kernels there instead of in the interpreter."""

import pytest
import torch

import agreement
from torchvin import evaluate, load_policy
from torchvin.data.draw import draw_maps
from torchvin.planning.kernels import registry

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def test_a_gpu_takes_the_triton_kernel_and_its_numbers_are_the_references():
    tensors = agreement.problem(torch.Generator().manual_seed(0), 4, 1, 8, 33, 47, 3, 1, torch.float32)
    inputs, grads = [[tensor.cuda() for tensor in some] for some in tensors]
    assert registry.choose("auto", inputs[0]) == "triton"
    for gradient in ("unroll", "checkpoint"):
        agreement.assert_same(inputs, grads, 60, gradient, backend="triton")


@pytest.mark.parametrize("name", ["gridworld-8", "gridworld-28", "gridworld-16-paper", "gridworld-16-shortest-path"])
def test_a_policy_plans_on_a_gpu_as_on_a_cpu(name):
    policy = load_policy(name)
    dataset = draw_maps("gridworld", 64, 16, 16, seed=5, demonstration_seed=5)
    expected = evaluate(policy, dataset).scores
    assert evaluate(policy.cuda(), dataset).scores.success_rate == pytest.approx(expected.success_rate, abs=1 / 64)


def test_a_policy_learns_on_a_gpu():
    policy = load_policy("gridworld-8").cuda().train()
    observation = torch.zeros(2, 2, 8, 8, device="cuda")
    observation[:, 1, 4, 4] = 10
    policy(observation).logits.logsumexp(1).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in policy.parameters() if parameter.grad is not None)
