import pytest
import torch

from torchvin.errors import InputError
from torchvin.planning.kernels import dispatch, reference
from torchvin.planning.kernels.dispatch import Backend

Q_REWARD = torch.zeros(1, 2, 3, 3)


def broken(reason):
    """A backend whose module does not exist, so that loading it would fail."""
    return Backend(module="torchvin.no_such_module", summary="", why_not=lambda q_reward: reason)


def test_the_reference_is_there_and_runs_anywhere():
    assert dispatch.choose("reference", Q_REWARD) is reference.value_iteration
    assert dispatch.BACKENDS["reference"].why_not(None) is None


def test_auto_passes_over_a_backend_that_cannot_run_without_importing_it(monkeypatch):
    monkeypatch.setattr(dispatch, "BACKENDS", {"broken": broken("no such device"), **dispatch.BACKENDS})
    assert callable(dispatch.choose("auto", Q_REWARD))


def test_a_named_backend_that_cannot_run_says_why(monkeypatch):
    monkeypatch.setattr(dispatch, "BACKENDS", {**dispatch.BACKENDS, "broken": broken("no such device")})
    with pytest.raises(
        InputError, match=r"backend 'broken' cannot run this plan: no such device\. Use backend='auto'\."
    ):
        dispatch.choose("broken", Q_REWARD)


def test_an_unknown_backend_is_answered_with_the_nearest_name():
    with pytest.raises(
        InputError, match=r"unknown backend 'referense'\. Did you mean 'reference'\? Choose one of: auto,"
    ):
        dispatch.choose("referense", Q_REWARD)


@pytest.mark.parametrize("name", list(dispatch.BACKENDS))
def test_every_backend_that_can_run_here_agrees_with_the_reference(name):
    generator = torch.Generator().manual_seed(0)
    q_reward = torch.randn(2, 3, 5, 7, generator=generator)
    if reason := dispatch.BACKENDS[name].why_not(q_reward):
        pytest.skip(f"{name}: {reason}")
    kernel = 0.3 * torch.randn(3, 1, 3, 3, generator=generator)
    value = torch.randn(2, 1, 5, 7, generator=generator)
    expected = reference.value_iteration(q_reward, kernel, value, 5, "unroll")
    got = dispatch.choose(name, q_reward)(q_reward, kernel, value, 5, "unroll")
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other)
