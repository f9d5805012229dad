"""What each architecture says that it can do, and does, on maps that are not square and on any device."""

import math

import numpy as np
import pytest
import torch

from torchvin import CNNConfig, FCNConfig, InputError, NormalizedConfig, PaperConfig, build_policy
from torchvin.architectures.registry import MODULES, architecture
from torchvin.maps.observe import encode

#: Architecture -> resumable, solver, and K of a map of 8x12.
SAID = {
    "normalized": (True, {}, 24),
    "shortest_path": (True, {"solve": "exact"}, 96),
    "paper": (True, {}, 15),
    "hierarchical": (False, {}, 4),
    "gppn": (False, {}, 16),
    "dynamic": (True, {}, 48),
}
REACTIVE = {"cnn": CNNConfig(height=8, width=12), "fcn": FCNConfig(height=8, width=12)}
PLANNING = [name for name in MODULES if name not in REACTIVE]
SMALL = {"gppn": {"hidden_channels": 6, "kernel_size": 3}, "hierarchical": {"hidden_channels": 6}}


def build(name):
    torch.manual_seed(0)
    return build_policy(REACTIVE[name] if name in REACTIVE else architecture(name).config(**SMALL.get(name, {})))


@pytest.fixture(params=MODULES)
def policy(request):
    return build(request.param)


@pytest.fixture(params=PLANNING)
def planner(request):
    return build(request.param).planner


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 2, 8, 12))


def actions(policy):
    return policy.config.num_actions * policy.config.num_orientations


def test_the_table_has_every_architecture_that_plans():
    assert list(SAID) == PLANNING


@pytest.mark.parametrize("name", SAID)
def test_capabilities_are_said(name):
    policy = build(name)
    resumable, solver, iterations = SAID[name]
    assert (policy.planner.exact, policy.planner.resumable, policy.planner.solver) == (False, resumable, solver)
    assert policy.planner.default_iterations(8, 12) == policy.default_iterations(12, 8) == iterations
    assert policy(torch.zeros(1, 2, 8, 12)).plan.num_iterations == iterations


@pytest.mark.parametrize("name", REACTIVE)
def test_a_reactive_policy_does_not_plan(name, planes):
    policy = build(name)
    assert policy.planner is None
    assert policy.default_iterations(8, 12) == 0
    assert policy(planes).plan is None
    with pytest.raises(InputError, match="does not plan: it takes neither a number of iterations nor"):
        policy(planes, num_iterations=3)
    with pytest.raises(InputError, match="does not plan"):
        policy(planes, initial_value=torch.zeros(2, 1, 8, 12))


def test_a_fixed_point_is_said_to_be_one(planes):
    """Exact: by a graph search, K = 0; iterating the same moves, the plan is the same and does not claim to be."""
    policy = build("shortest_path")
    policy.planner.transition.make_deterministic()
    assert policy.planner.exact
    assert policy.planner.default_iterations(8, 12) == 0
    plan = policy(planes).plan
    assert (plan.solved, plan.num_iterations, plan.residual.tolist()) == (True, 0, [0.0, 0.0])
    policy.planner.set_solver({"solve": "iterate"})
    assert not policy.planner.exact
    iterated = policy(planes).plan
    assert (iterated.solved, iterated.num_iterations) == (False, 96)
    torch.testing.assert_close(iterated.value.double(), plan.value, rtol=1e-5, atol=1e-5)


def test_a_limit_in_place_of_k_does_not_depend_on_the_map():
    planner = build_policy(NormalizedConfig(gradient="implicit", max_iterations=77)).planner
    assert planner.default_iterations(8, 12) == planner.default_iterations(100, 3) == 77


@pytest.mark.parametrize("name", [name for name in PLANNING if SAID[name][0]])
def test_a_resumable_planner_continues_from_a_value(name, planes):
    planner = build(name).double().eval().planner
    half = planner(planes.double(), num_iterations=3)
    once = planner(planes.double(), num_iterations=5)
    more = planner(planes.double(), num_iterations=2, initial_value=half.value)
    torch.testing.assert_close(more.q_values, once.q_values)


@pytest.mark.parametrize(("name", "why"), [("hierarchical", "it plans on two maps"), ("gppn", "a state of its own")])
def test_a_planner_that_is_not_resumable_refuses_a_value(name, why, planes):
    with pytest.raises(InputError, match=f"{why}.*plan anew"):
        build(name).planner(planes, initial_value=torch.zeros(2, 1, 8, 12))


@pytest.mark.parametrize("number", [-1, -(10**12), 10**12, 5.0, float("nan"), "5", True, [5], torch.tensor(5.0)])
@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_k_that_is_none_is_refused_by_every_planner(planner, planes, number):
    with pytest.raises(InputError, match=r"^num_iterations must (not be negative|be at most|be a whole number)"):
        planner(planes, num_iterations=number)


@pytest.mark.parametrize("number", [np.int64(3), torch.tensor(3)])
@pytest.mark.usefixtures("_unchecked_shapes")
def test_a_whole_number_of_another_library_is_k(planner, planes, number):
    assert planner(planes, num_iterations=number).num_iterations == 3


@pytest.mark.usefixtures("_unchecked_shapes")
def test_an_unknown_solver_is_refused_by_every_planner(planner):
    with pytest.raises(InputError, match=r"unknown way to solve 'magic'|has one way to plan"):
        planner.set_solver({"solve": "magic"})


def test_plans_have_one_form(planner, planes):
    plan = planner(planes, num_iterations=3)
    assert plan.q_values.shape[0] == 2
    assert plan.q_values.shape[2:] == plan.value.shape[2:] == (8, 12)
    assert plan.value.shape[:2] == (2, 1)
    assert plan.residual.shape == (2,)
    assert (plan.num_iterations, plan.solved) == (3, False)
    assert not plan.residual.requires_grad


def test_logits_of_maps_that_are_not_square(policy, planes):
    output = policy(planes)
    assert output.logits.shape == (2, actions(policy), 8, 12)
    assert output.logits.isfinite().all()
    states = torch.tensor([[[7, 11]], [[0, 11]]])
    assert policy(planes, states).logits.shape == (2, 1, policy.config.num_actions)


def test_every_parameter_learns_on_a_map_that_is_not_square(policy, planes):
    policy(planes).logits.log_softmax(dim=1)[:, 0].sum().backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_is_that_of_the_weights(policy, planes, dtype):
    assert policy.to(dtype)(planes.to(dtype)).logits.dtype is dtype


def test_no_tensor_is_made_on_another_device(policy, planes):
    """On the meta device every operation that mixes devices fails, as it does on a GPU."""
    states = torch.zeros(2, 5, 2, dtype=torch.int64, device="meta")
    policy, planes = policy.to("meta"), planes.to("meta")
    output = policy(planes, states)
    assert output.logits.is_meta
    assert output.logits.shape == (2, 5, policy.config.num_actions)
    if not isinstance(
        policy.config, CNNConfig
    ):  # its whole map is a batch of the free cells, which have no number here
        assert policy(planes).logits.shape == (2, actions(policy), 8, 12)


def test_no_name_holds_the_word_value(policy):
    """sb3-contrib's TRPO leaves out of the policy's gradient every parameter whose name holds `value`."""
    assert not [name for name, _ in policy.named_parameters() if "value" in name]
    assert not [name for name, _ in policy.named_modules() if "value" in name]


def test_the_papers_numbers():
    """Tamar et al. 2016, section 5.1: K = 10, 20, 36 at 8x8, 16x16, 28x28."""
    from torchvin.architectures.paper import PAPER_ITERATIONS_PER_SIDE

    for side, iterations in {8: 10, 16: 20, 28: 36}.items():
        policy = build_policy(PaperConfig(iterations_per_side=PAPER_ITERATIONS_PER_SIDE[side]))
        assert policy.default_iterations(side, side) == iterations
        assert math.ceil(PAPER_ITERATIONS_PER_SIDE[side] * side) == iterations
