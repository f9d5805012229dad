"""What it is for a kernel to agree with the reference."""

import torch

from torchvin.planning.kernels import autograd as fused
from torchvin.planning.kernels import reference


def with_gradients(run, inputs, grads):
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    outputs = run(*leaves)[:2]
    return [*(output.detach() for output in outputs), *torch.autograd.grad(outputs, leaves, grads)]


def assert_same(inputs, grads, num_iterations, gradient="unroll", backend="cpu"):
    """Values and gradients against the reference in float64, relative to the largest number of each tensor."""
    tolerance = 1e-5 if inputs[0].dtype == torch.float32 else 1e-12
    double = [[tensor.double() for tensor in tensors] for tensors in (inputs, grads)]
    expected = with_gradients(lambda *x: reference.value_iteration(*x, num_iterations, "unroll"), *double)
    got = with_gradients(lambda *x: fused.value_iteration(*x, num_iterations, gradient, backend), inputs, grads)
    for name, one, other in zip(("Q", "V", "dq", "dkernel", "dvalue"), got, expected, strict=True):
        scale = max(other.abs().max().item(), 1e-3)
        assert (one.double() - other).abs().max().item() <= tolerance * scale, name


def problem(generator, batch, orientations, actions, height, width, size, kernels, dtype):
    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    channels = orientations * actions
    kernel = random(kernels, channels, orientations * size * size).softmax(-1) * 0.98
    kernel = kernel.view(kernels, channels, orientations, size, size)
    inputs = [random(batch, channels, height, width), kernel, random(batch, orientations, height, width)]
    # float32's own numbers, so that both are given the same problem and no tie is broken by the conversion
    inputs = [tensor.to(dtype) for tensor in inputs]
    return inputs, [random(*inputs[0].shape).to(dtype), random(*inputs[2].shape).to(dtype)]
