from types import SimpleNamespace

import pytest
import torch

from torchvin.errors import InputError
from torchvin.planning.kernels import dispatch, reference, registry
from torchvin.planning.kernels.cpu import kernel as cpu
from torchvin.planning.kernels.registry import Backend
from torchvin.planning.value_iteration import value_iteration

Q_REWARD = torch.zeros(1, 2, 3, 3)


def broken(reason):
    rest = dict.fromkeys(("kept_shapes", "forward", "backward"), lambda: None)
    return Backend(summary="", load=lambda: SimpleNamespace(why_not=lambda q_reward: reason, **rest))


def test_the_reference_is_there_and_runs_anywhere():
    assert registry.choose("reference", Q_REWARD) == "reference"
    assert registry.choose("auto", Q_REWARD.bfloat16()) == "reference"
    assert registry.BACKENDS["reference"].why_not(None) is None


def test_auto_passes_over_a_backend_that_cannot_run(monkeypatch):
    monkeypatch.setattr(registry, "BACKENDS", {"broken": broken("no such device"), **registry.BACKENDS})
    assert registry.choose("auto", Q_REWARD) in ("cpu", "reference")


@pytest.mark.skipif(cpu.extension is None, reason="the C++ kernel is not compiled")
def test_a_cpu_takes_the_compiled_kernel():
    assert registry.choose("auto", Q_REWARD) == "cpu"
    assert registry.choose("auto", Q_REWARD.double()) == "cpu"


def test_without_the_compiled_kernel_one_warning_says_what_is_lost_and_how_to_get_it(monkeypatch):
    monkeypatch.setattr(cpu, "extension", None)
    monkeypatch.setattr(registry, "_warned", False)
    with pytest.warns(UserWarning, match=r"several times slower.*install a C\+\+17 compiler") as caught:
        plans = [value_iteration(Q_REWARD, torch.zeros(2, 1, 3, 3), num_iterations=2) for _ in range(2)]
    assert len(caught) == 1
    assert torch.equal(plans[1].q_values, Q_REWARD)
    with pytest.raises(InputError, match=r"backend 'cpu' cannot run this plan: not compiled"):
        registry.choose("cpu", Q_REWARD)


def test_a_named_backend_that_cannot_run_says_why(monkeypatch):
    monkeypatch.setattr(registry, "BACKENDS", {**registry.BACKENDS, "broken": broken("no such device")})
    with pytest.raises(
        InputError, match=r"backend 'broken' cannot run this plan: no such device\. Use backend='auto'\."
    ):
        registry.choose("broken", Q_REWARD)


def test_an_unknown_backend_is_answered_with_the_nearest_name():
    with pytest.raises(
        InputError, match=r"unknown backend 'referense'\. Did you mean 'reference'\? Choose one of: auto,"
    ):
        registry.choose("referense", Q_REWARD)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.without_type_hook] if name == "triton" else [])
        for name in registry.BACKENDS
    ],
)
def test_every_backend_that_can_run_here_agrees_with_the_reference(name):
    generator = torch.Generator().manual_seed(0)
    q_reward = torch.randn(2, 3, 5, 7, generator=generator)
    if reason := registry.BACKENDS[name].why_not(q_reward):
        pytest.skip(f"{name}: {reason}")
    kernel = 0.3 * torch.randn(3, 1, 3, 3, generator=generator)
    value = torch.randn(2, 1, 5, 7, generator=generator)
    expected = reference.value_iteration(q_reward, kernel, value, 5, "unroll")
    *got, residual = dispatch.run(name, q_reward, kernel, value, 5, "unroll")
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(residual, reference.residual(*expected))


@pytest.mark.parametrize("actions", [255, 256, 600])
def test_any_number_of_actions_is_planned_by_a_kernel_that_has_room_for_them(actions):
    torch.manual_seed(0)
    q_reward, kernel = torch.randn(2, actions, 3, 4), 0.1 * torch.randn(actions, 1, 3, 3)
    results = []
    for backend in ("auto", "reference"):
        leaf = q_reward.clone().requires_grad_()
        plan = value_iteration(leaf, kernel, num_iterations=4, backend=backend)
        plan.q_values.square().sum().backward()
        results.append((plan.q_values.detach(), leaf.grad))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)
    if actions > 255:
        with pytest.raises(
            InputError, match=rf"more than 255 actions \({actions}\) run in plain PyTorch: use backend="
        ):
            value_iteration(q_reward, kernel, num_iterations=1, backend="cpu")
