"""The compiled kernel under torch.func, torch.jit.trace, make_fx, FakeTensor and the meta device."""

import re

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from torchvin import InputError, NormalizedTransition, StateAttention, ValueIteration
from torchvin.planning.kernels.registry import BACKENDS
from torchvin.planning.value_iteration import value_iteration

GENERATOR = torch.Generator().manual_seed(0)
Q_REWARD = torch.randn(2, 4, 5, 6, dtype=torch.float64, generator=GENERATOR)
KERNEL = torch.rand(4, 1, 3, 3, dtype=torch.float64, generator=GENERATOR) / 9
WEIGHTS = torch.randn(2, 4, 5, 6, dtype=torch.float64, generator=GENERATOR)

pytestmark = [
    pytest.mark.skipif(BACKENDS["cpu"].why_not(None) is not None, reason="the C++ kernel is not compiled"),
    # PyTorch's forward mode and its tracer warn of torch.jit, which they are made of.
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning", "ignore::torch.jit.TracerWarning"),
]


def loss(q_reward, kernel, backend="cpu", gradient="unroll"):
    plan = value_iteration(q_reward, kernel, num_iterations=5, backend=backend, gradient=gradient)
    return (plan.q_values.square() * WEIGHTS).sum() + plan.value.sum()


def assert_all_close(got, expected):
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
def test_func_grad_is_the_gradient_of_backward(gradient):
    leaves = [Q_REWARD.clone().requires_grad_(), KERNEL.clone().requires_grad_()]
    expected = torch.autograd.grad(loss(*leaves), leaves)
    assert_all_close(torch.func.grad(loss, argnums=(0, 1))(Q_REWARD, KERNEL, "cpu", gradient), expected)


@pytest.mark.parametrize(
    "transform",
    [torch.func.jacrev, torch.func.jacfwd, torch.func.hessian, lambda f: torch.func.jacrev(torch.func.jacrev(f))],
    ids=["jacrev", "jacfwd", "hessian", "jacrev of jacrev"],
)
def test_jacobians_are_those_of_the_reference(transform):
    kernel = KERNEL[:2]

    def at(backend):
        return transform(
            lambda q_reward: (
                value_iteration(q_reward, kernel, num_iterations=3, backend=backend)
                .q_values.square()
                .sum(dim=(1, 2, 3))
            )
        )(Q_REWARD[:1, :2, :3, :2])

    assert at("cpu").abs().sum() > 0
    assert_all_close([at("cpu")], [at("reference")])


def test_vjp_and_jvp_are_those_of_the_reference():
    tangent = torch.ones_like(Q_REWARD)
    both = []
    for backend in ("cpu", "reference"):
        out, pull = torch.func.vjp(lambda q, k, backend=backend: loss(q, k, backend), Q_REWARD, KERNEL)
        _, pushed = torch.func.jvp(lambda q, backend=backend: loss(q, KERNEL, backend), (Q_REWARD,), (tangent,))
        both.append((out, *pull(torch.ones_like(out)), pushed))
    assert_all_close(*both)


def test_forward_mode_gives_a_tangent_and_not_silently_none():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(Q_REWARD, torch.ones_like(Q_REWARD))
        tangent = forward_ad.unpack_dual(loss(dual, KERNEL)).tangent
    expected = torch.func.grad(loss)(Q_REWARD, KERNEL).sum()
    assert_all_close([tangent], [expected])


def test_vmap_of_a_gradient_and_the_gradient_of_a_vmap():
    maps = torch.stack([Q_REWARD, 2 * Q_REWARD, -Q_REWARD])
    expected = torch.stack([torch.func.grad(loss)(one, KERNEL) for one in maps])
    assert_all_close([torch.vmap(torch.func.grad(loss), in_dims=(0, None))(maps, KERNEL)], [expected])
    whole = torch.func.grad(lambda maps: torch.vmap(loss, in_dims=(0, None))(maps, KERNEL).sum())
    assert_all_close([whole(maps)], [expected])


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_at_a_tie_only_the_first_action_carries_gradient_under_every_transform(backend):
    ties, nothing = torch.zeros(1, 3, 2, 2), torch.zeros(3, 1, 3, 3)

    def total(q_reward):
        return value_iteration(q_reward, nothing, num_iterations=1, backend=backend).value.sum()

    two = torch.stack([ties, ties])
    first = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert torch.equal(torch.func.grad(total)(ties), first)
    assert torch.equal(torch.func.jacfwd(total)(ties), first)
    assert torch.equal(torch.func.grad(lambda two: torch.vmap(total)(two).sum())(two)[1], first)
    assert torch.equal(torch.vmap(torch.func.grad(total))(two)[1], first)


@pytest.mark.parametrize("transform", [torch.func.grad, torch.vmap])
def test_implicit_says_that_a_transform_cannot_follow_it(transform):
    message = "gradient='implicit' stops when the values have converged, which torch.func and vmap cannot follow; use"
    with pytest.raises(InputError, match=re.escape(message)):
        transform(lambda q_reward: loss(q_reward.view(-1, 4, 5, 6), KERNEL, "auto", "implicit"))(Q_REWARD)


@pytest.mark.usefixtures("_unchecked_shapes")  # beartype does not know symbols and tracers
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint", "implicit"])
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
def test_a_trace_plans_other_maps_of_other_sizes(gradient, mode, tmp_path):
    layer = ValueIteration(
        transition=NormalizedTransition(num_actions=4, discount=0.9), num_iterations=6, gradient=gradient
    )
    module = torch.nn.Sequential(layer, _QValues())
    with mode():
        traced = torch.jit.trace(module, Q_REWARD.float())
    traced.save(tmp_path / "traced.pt")
    other = torch.randn(3, 4, 8, 7)
    expected = value_iteration(other, layer.transition(), num_iterations=6).q_values
    torch.testing.assert_close(torch.jit.load(tmp_path / "traced.pt")(other), expected)


class _QValues(torch.nn.Module):
    def forward(self, plan):
        return plan.q_values


@pytest.mark.usefixtures("_unchecked_shapes")  # beartype does not know symbols and tracers
def test_make_fx_writes_the_operator_down():
    def run(q_reward, kernel):
        return value_iteration(q_reward, kernel, num_iterations=5).q_values

    for mode in ("real", "fake", "symbolic"):
        graph = make_fx(run, tracing_mode=mode)(Q_REWARD, KERNEL)
        assert any("torchvin.value_iteration" in str(node.target) for node in graph.graph.nodes)
        assert torch.equal(graph(-Q_REWARD, KERNEL), run(-Q_REWARD, KERNEL))


@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
@pytest.mark.parametrize("place", ["meta", "fake"])
def test_shapes_without_numbers(place, gradient):
    fake = FakeTensorMode()
    device = "meta" if place == "meta" else "cpu"
    with fake if place == "fake" else torch.device("meta"):
        q_reward = torch.empty(2, 4, 5, 6, device=device, requires_grad=True)
        kernel = torch.empty(4, 1, 3, 3, device=device)
        plan = value_iteration(q_reward, kernel, num_iterations=9, gradient=gradient)
        plan.value.sum().backward()
    assert plan.q_values.shape == q_reward.grad.shape == (2, 4, 5, 6)
    assert plan.value.shape == (2, 1, 5, 6)
    assert plan.residual.shape == (2,)


def test_implicit_says_that_the_meta_device_has_no_values():
    q_reward, kernel = torch.empty(2, 4, 5, 6, device="meta"), torch.empty(4, 1, 3, 3, device="meta")
    with pytest.raises(InputError, match="tensors on the meta device have no values; use gradient='unroll'"):
        value_iteration(q_reward, kernel, num_iterations=9, gradient="implicit")


@pytest.mark.usefixtures("_unchecked_shapes")  # beartype does not know symbols and tracers
def test_attention_is_traced_and_exported_for_other_states():
    attention = StateAttention()
    q_values, states = torch.randn(1, 8, 5, 4), torch.tensor([[[4, 3], [0, 0]]])
    free = torch.export.Dim.DYNAMIC
    program = torch.export.export(
        attention, (q_values, states), dynamic_shapes=({2: free, 3: free}, {1: free})
    ).module()
    wide, three = torch.randn(1, 8, 7, 9), torch.tensor([[[6, 8], [1, 2], [3, 0]]])
    expected = attention(wide, three)
    assert torch.equal(program(wide, three), expected)
    traced = torch.jit.trace(attention, (q_values, states))
    assert torch.equal(traced(q_values, states.flip(1)), attention(q_values, states.flip(1)))


def test_attention_checks_states_on_a_cpu_and_does_not_wait_for_another_device():
    attention = StateAttention()
    with pytest.raises(InputError, match=r"a state lies off the 5x4 map; states are \(row, col\) from 0"):
        attention(torch.zeros(1, 8, 5, 4), torch.tensor([[[5, 0]]]))
    there = torch.zeros(1, 8, 5, 4, device="meta"), torch.zeros(1, 3, 2, dtype=torch.long, device="meta")
    assert attention(*there).shape == (1, 3, 8)  # a look at a number would be an error
