"""Plans and policy outputs as pytrees, under vmap and DataParallel; and what a layer says of itself."""

import copy
import pickle

import pytest
import torch
from torch.nn.parallel import _functions
from torch.nn.parallel.scatter_gather import gather
from torch.utils import _pytree as pytree

from torchvin import (
    ActionReward,
    FreeTransition,
    ImageReward,
    NormalizedTransition,
    PlannerOutput,
    PolicyOutput,
    StateAttention,
    ValueIteration,
)
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.value_iteration import value_iteration

KERNEL = torch.full((4, 1, 3, 3), 0.1)


def plan_of(q_reward):
    return value_iteration(q_reward, KERNEL, num_iterations=3)


def plan(seed=0, batch=2):
    return plan_of(torch.randn(batch, 4, 5, 6, generator=torch.Generator().manual_seed(seed)))


def test_a_plan_is_a_pytree_of_its_tensors():
    whole = PlannerOutput(*(torch.ones(1) * n for n in range(2)), 3, torch.ones(1), {5: torch.zeros(1)}, True)
    leaves, spec = pytree.tree_flatten(PolicyOutput(torch.ones(2), whole))
    assert len(leaves) == 5
    again = pytree.tree_unflatten([leaf + 1 for leaf in leaves], spec)
    assert type(again) is PolicyOutput
    assert torch.equal(again.logits, torch.full((2,), 2.0))
    assert (again.plan.num_iterations, again.plan.solved, list(again.plan.layers)) == (3, True, [5])
    assert again.plan.layers[5].item() == 1
    assert pytree.treespec_loads(pytree.treespec_dumps(spec)) == spec
    keys = [pytree.keystr(path) for path, _ in pytree.tree_flatten_with_path(whole)[0]]
    assert keys == [".q_values", ".value", ".residual", ".layers[5]"]


def test_vmap_returns_plans():
    many = torch.randn(3, 2, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    plans = torch.vmap(plan_of)(many)
    assert type(plans) is PlannerOutput
    assert plans.num_iterations == 3
    torch.testing.assert_close(plans.value, torch.stack([plan_of(one).value for one in many]))


@pytest.fixture
def device(monkeypatch):
    """A GPU where there is one; else PyTorch's gather with the copy between devices replaced: it refuses the CPU."""
    if torch.cuda.is_available():
        return "cuda:0"
    monkeypatch.setattr(_functions.Gather, "apply", lambda target, dim, *parts: torch.cat(parts, dim))
    return "cpu"


def test_data_parallel_gathers_plans_and_policy_outputs(device):
    parts = [pytree.tree_map(lambda leaf: leaf.to(device), plan(seed, batch)) for seed, batch in ((0, 2), (1, 3))]
    outputs = [PolicyOutput(part.q_values, part, {2: part.q_values}) for part in parts]
    for whole in (gather(parts, device), gather(outputs, device).plan):
        assert type(whole) is PlannerOutput
        for name in ("q_values", "value", "residual"):
            assert torch.equal(getattr(whole, name), torch.cat([getattr(part, name) for part in parts]))
        assert (whole.num_iterations, whole.solved) == (3, False)
    assert gather(outputs, device).layers[2].shape[0] == 5
    nothing = [PolicyOutput(part.q_values, None) for part in parts]
    assert gather(nothing, device).plan is None


def test_a_batch_is_solved_only_where_all_its_parts_are(device):
    done, going = plan(0), plan(1)
    object.__setattr__(done, "solved", True)
    parts = [pytree.tree_map(lambda leaf: leaf.to(device), one) for one in (done, going)]
    assert not gather(parts, device).solved
    assert gather(parts[:1] * 2, device).solved


def test_outputs_are_frozen_and_can_be_copied_and_pickled():
    one = plan()
    with pytest.raises(AttributeError):
        one.value = None
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert torch.equal(other.q_values, one.q_values)
        assert (other.num_iterations, other.layers, other.solved) == (3, {}, False)


@pytest.mark.parametrize(("limit", "solved"), [(500, True), (16, False)])
def test_an_implicit_plan_says_whether_it_is_the_fixed_point(limit, solved):
    q_reward = torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    result = value_iteration(q_reward, 0.9 / 9 * torch.ones(4, 1, 3, 3), num_iterations=limit, gradient="implicit")
    assert result.solved is solved


def test_a_plan_that_diverged_is_not_solved():
    q_reward = torch.full((1, 4, 5, 6), torch.nan)
    assert not value_iteration(q_reward, KERNEL, num_iterations=20, gradient="implicit").solved


def test_a_plan_that_happens_to_converge_at_the_limit_is_solved():
    """Nothing is carried on, so one update reaches the fixed point."""
    result = value_iteration(torch.ones(1, 4, 3, 3), 0 * KERNEL, num_iterations=1, gradient="implicit")
    assert (result.num_iterations, result.solved) == (1, True)


LAYERS = {
    "free": lambda **place: FreeTransition(num_actions=4, **place),
    "normalized": lambda **place: NormalizedTransition(num_actions=4, **place),
    "moves": lambda **place: LearnedMoves(num_actions=4, **place),
    "image": lambda **place: ImageReward(num_actions=4, **place),
    "action": lambda **place: ActionReward(num_actions=4, **place),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_take_a_device_and_a_dtype_and_draw_their_weights_anew(name):
    torch.manual_seed(3)
    layer = LAYERS[name]()
    first = [weight.detach().clone() for weight in layer.parameters()]
    assert first
    with torch.no_grad():
        for weight in layer.parameters():
            weight.fill_(7.0)
    torch.manual_seed(3)
    layer.reset_parameters()
    if name in ("free", "normalized", "moves"):  # torch's convolutions draw once more when they are made
        assert all(torch.equal(weight, before) for weight, before in zip(layer.parameters(), first, strict=True))
    assert not any((weight == 7.0).any() for weight in layer.parameters())
    placed = LAYERS[name](device="meta", dtype=torch.float64)
    assert all(weight.is_meta and weight.dtype == torch.float64 for weight in placed.parameters())


def test_layers_say_what_they_are():
    transition = FreeTransition(num_actions=4)
    for layer, shown in (
        (ValueIteration(transition=transition, num_iterations=20), "num_iterations=20, gradient='unroll'"),
        (transition, "weight=[4, 1, 3, 3], scale=0.01"),
        (NormalizedTransition(num_actions=4), "logits=[4, 1, 3, 3], discount=0.99, sharpness=10"),
        (LearnedMoves(num_actions=4), "logits=[4, 1, 3, 3], deterministic=False"),
        (ActionReward(num_actions=4), "termination=True, num_orientations=1"),
        (StateAttention(), "num_orientations=1"),
    ):
        assert shown in repr(layer)
