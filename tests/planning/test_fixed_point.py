"""The fixed point: what it is, how planning ends there, and that its gradient is that of very many updates."""

import pytest
import torch
from torch.autograd import gradcheck

from torchvin import InputError, NormalizedConfig, NormalizedTransition, ValueIteration, build_policy, value_iteration
from torchvin.architectures.registry import architecture
from torchvin.maps.observe import encode

LIMIT = 20_000
DTYPES = (torch.float32, torch.float64)


def problem(seed=0, batch=2, actions=4, height=9, width=13, kernel_size=3, dtype=torch.float64, discount=0.95):
    torch.manual_seed(seed)
    transition = NormalizedTransition(num_actions=actions, kernel_size=kernel_size, discount=discount).to(dtype)
    return torch.randn(batch, actions, height, width, dtype=dtype), transition().detach()


def gradients(q_reward, kernel, gradient, num_iterations, **options):
    """Plan, and gradients of reward and kernel through a random weighting of Q and V."""
    leaves = [q_reward.clone().requires_grad_(), kernel.clone().requires_grad_()]
    plan = value_iteration(*leaves, num_iterations=num_iterations, gradient=gradient, **options)
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(each.shape, generator=generator).to(q_reward) for each in (plan.q_values, plan.value)]
    ((plan.q_values * weights[0]).sum() + (plan.value * weights[1]).sum()).backward()
    return plan, [leaf.grad for leaf in leaves]


def relative(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()


# The gradient


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(9, 13), (20, 11), (1, 17)])
def test_the_implicit_gradient_is_that_of_2000_unrolled_updates(dtype, seed, height, width):
    q_reward, kernel = problem(seed, height=height, width=width, dtype=dtype, discount=0.99)
    implicit = gradients(q_reward, kernel, "implicit", LIMIT)[1]
    unrolled = gradients(q_reward, kernel, "unroll", 2000)[1]
    assert max(map(relative, implicit, unrolled)) < 1e-4


@pytest.mark.parametrize("kernel_size", [1, 5])
@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"backend": "reference"}], ids=str)
def test_with_a_smaller_tolerance_the_two_agree_to_many_digits(kernel_size, options):
    q_reward, kernel = problem(kernel_size=kernel_size, height=5, width=6)
    plan, implicit = gradients(q_reward, kernel, "implicit", LIMIT, tolerance=1e-13, **options)
    _, unrolled = gradients(q_reward, kernel, "unroll", 700, **options)
    assert max(map(relative, implicit, unrolled)) < 1e-10
    assert plan.residual.max() < 1e-11


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_policy_has_the_same_gradient_in_both_modes_on_random_maps(random_maps, dtype, seed):
    planes = encode(*random_maps(seed, 3, 12, 9), dtype=dtype)
    results = []
    for gradient in ("implicit", "checkpoint"):
        torch.manual_seed(seed)
        policy = build_policy(NormalizedConfig(gradient=gradient)).to(dtype)
        output = policy(planes, num_iterations=2000)
        output.logits.log_softmax(dim=1)[:, 0].mean().backward()
        results.append(torch.cat([parameter.grad.flatten() for parameter in policy.parameters()]))
    assert relative(*results) < 1e-4


def test_gradients_are_those_of_finite_differences():
    q_reward, kernel = problem(batch=1, actions=3, height=3, width=4, discount=0.6)

    def run(q_reward, kernel):
        plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit", tolerance=1e-14)
        return plan.q_values, plan.value

    assert gradcheck(run, (q_reward.requires_grad_(), kernel.requires_grad_()))


def test_with_orientations_too():
    torch.manual_seed(0)
    q_reward = torch.randn(2, 2 * 3, 5, 7, dtype=torch.float64)
    kernel = torch.rand(2 * 3, 2, 3, 3, dtype=torch.float64)
    kernel = 0.9 * kernel / kernel.sum(dim=(1, 2, 3), keepdim=True)
    implicit = gradients(q_reward, kernel, "implicit", LIMIT, tolerance=1e-13)[1]
    unrolled = gradients(q_reward, kernel, "unroll", 400)[1]
    assert max(map(relative, implicit, unrolled)) < 1e-10


def test_only_what_needs_a_gradient_gets_one():
    q_reward, kernel = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
    assert not plan.value.requires_grad
    kernel.requires_grad_()
    value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit").value.sum().backward()
    assert kernel.grad.any()
    q_reward.requires_grad_()
    value_iteration(q_reward, kernel.detach(), num_iterations=LIMIT, gradient="implicit").q_values.sum().backward()
    assert q_reward.grad.any()


def test_where_planning_began_has_no_gradient():
    q_reward, kernel = problem()
    value = torch.zeros(2, 1, 9, 13, dtype=torch.float64, requires_grad=True)
    q_reward.requires_grad_()
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit", initial_value=value)
    plan.value.sum().backward()
    assert value.grad is None


def test_the_memory_kept_does_not_grow_with_the_updates():
    def kept(discount):
        q_reward, kernel = problem(discount=discount)
        q_reward.requires_grad_()
        sizes = []

        def pack(tensor):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit", tolerance=1e-10)
        return sum(sizes), plan.num_iterations

    few, many = kept(0.5), kept(0.998)
    assert many[1] >= 10 * few[1]
    assert many[0] == few[0] == 2 * 4 * 9 * 13 + 4 * 9 + 2 * 9 * 13  # reward, kernel and V


# Where planning ends


def test_the_plan_is_the_fixed_point():
    q_reward, kernel = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit", tolerance=1e-12)
    torch.testing.assert_close(plan.q_values.amax(dim=1, keepdim=True), plan.value, rtol=0, atol=1e-9)
    after = value_iteration(q_reward, kernel, num_iterations=1000)
    torch.testing.assert_close(plan.value, after.value, rtol=0, atol=1e-9)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_the_residual_is_under_the_tolerance_and_the_updates_are_counted(tolerance):
    q_reward, kernel = problem()
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit", tolerance=tolerance)
    largest = plan.value.abs().flatten(1).amax(dim=1)
    assert (plan.residual <= tolerance * largest).all()
    counted = value_iteration(q_reward, kernel, num_iterations=plan.num_iterations)
    slowest = (counted.residual - plan.residual).abs().argmin()
    torch.testing.assert_close(counted.value[slowest], plan.value[slowest])
    before = value_iteration(q_reward, kernel, num_iterations=plan.num_iterations - 16)
    assert (before.residual > tolerance * before.value.abs().flatten(1).amax(dim=1)).any()


def test_the_tolerance_is_relative_so_the_unit_of_the_reward_does_not_matter():
    q_reward, kernel = problem()
    small, large = (
        value_iteration(scale * q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
        for scale in (2**-20, 2**20)
    )
    assert small.num_iterations == large.num_iterations
    assert torch.equal(small.value * 2**40, large.value)


def test_where_the_limit_comes_first_the_residual_says_so():
    q_reward, kernel = problem(discount=0.99)
    plan = value_iteration(q_reward, kernel, num_iterations=21, gradient="implicit")
    exact = value_iteration(q_reward, kernel, num_iterations=21)
    assert plan.num_iterations == 21
    assert torch.equal(plan.value, exact.value)
    assert plan.residual.min() > 1e-6 * plan.value.abs().max()


def test_a_map_that_converges_early_is_left_alone():
    """The answer to a map does not depend on its batch."""
    q_reward, kernel = problem(batch=3)
    q_reward[1] *= 0
    q_reward[2, :, :, 1:] = 0
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
    for index in range(3):
        alone = value_iteration(q_reward[index : index + 1], kernel, num_iterations=LIMIT, gradient="implicit")
        assert torch.equal(alone.value[0], plan.value[index])
        assert torch.equal(alone.q_values[0], plan.q_values[index])
        assert alone.num_iterations <= plan.num_iterations
    assert not plan.value[1].any()


def test_nothing_to_plan_takes_no_updates():
    _, kernel = problem()
    plan = value_iteration(
        torch.zeros(1, 4, 3, 5, dtype=torch.float64), kernel, num_iterations=LIMIT, gradient="implicit"
    )
    assert plan.num_iterations == 0


def test_a_warm_start_from_the_fixed_point_takes_no_updates_and_from_nearby_fewer():
    q_reward, kernel = problem(discount=0.99)
    options = {"num_iterations": LIMIT, "gradient": "implicit"}
    cold = value_iteration(q_reward, kernel, **options)
    again = value_iteration(q_reward, kernel, initial_value=cold.value, **options)
    assert again.num_iterations == 0
    assert torch.equal(again.value, cold.value)
    moved = value_iteration(q_reward + 1e-3 * torch.randn_like(q_reward), kernel, initial_value=cold.value, **options)
    assert 0 < moved.num_iterations < cold.num_iterations


def test_a_tolerance_of_zero_ends_where_nothing_changes():
    q_reward, kernel = problem(dtype=torch.float32)
    plan = value_iteration(q_reward.abs(), kernel, num_iterations=LIMIT, gradient="implicit", tolerance=0.0)
    assert not plan.residual.any()
    assert plan.num_iterations < LIMIT


def test_what_is_not_finite_ends_planning_and_shows_in_the_residual_of_its_map_alone():
    q_reward, kernel = problem()
    q_reward[0, 1, 4, 4] = torch.nan
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
    assert plan.residual[0].isnan()
    assert plan.residual[1] <= 1e-6 * plan.value[1].abs().max()


def test_an_action_may_be_ruled_out_by_minus_infinity():
    q_reward, kernel = problem()
    without = value_iteration(q_reward[:, :3], kernel[:3], num_iterations=LIMIT, gradient="implicit")
    q_reward[:, 3] = -torch.inf
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
    torch.testing.assert_close(plan.value, without.value)


# The layer and the policy


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, at graph breaks
@pytest.mark.usefixtures("_unchecked_shapes")  # the compiler cannot follow beartype
def test_a_compiled_program_may_hold_it():
    q_reward, kernel = problem()
    q_reward.requires_grad_()

    def program(q_reward):
        return value_iteration(2 * q_reward, kernel, num_iterations=LIMIT, gradient="implicit").value.sum()

    plain = torch.autograd.grad(program(q_reward), q_reward)[0]
    compiled = torch.autograd.grad(torch.compile(program, backend="eager")(q_reward), q_reward)[0]
    torch.testing.assert_close(compiled, plain)


def test_the_layer_has_the_mode_and_its_tolerance():
    torch.manual_seed(0)
    options = {"transition": NormalizedTransition(num_actions=4), "num_iterations": LIMIT, "gradient": "implicit"}
    q_reward = torch.randn(2, 4, 6, 7)
    coarse, fine = (ValueIteration(tolerance=each, **options)(q_reward) for each in (1e-2, 1e-6))
    assert coarse.num_iterations < fine.num_iterations < LIMIT


def test_a_policy_plans_to_its_fixed_point_unless_told_a_limit(random_maps):
    policy = build_policy(NormalizedConfig(gradient="implicit", max_iterations=5000))
    planes = encode(*random_maps(0, 2, 8, 11))
    assert policy.default_iterations(8, 11) == 5000
    plan = policy(planes).plan
    assert (plan.residual <= 1e-6 * plan.value.abs().flatten(1).amax(dim=1)).all()
    assert policy(planes, num_iterations=3).plan.num_iterations == 3


def test_under_autocast_it_runs_in_float32():
    q_reward, kernel = problem(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        plan = value_iteration(q_reward.bfloat16(), kernel, num_iterations=LIMIT, gradient="implicit")
    assert plan.value.dtype == torch.float32


# What is refused


def test_a_backup_that_is_no_contraction_is_refused():
    with pytest.raises(InputError, match=r"needs a contraction: .* must stay below 1, got 1\.8\. Use NormalizedTran"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.full((2, 1, 3, 3), 0.2), num_iterations=9, gradient="implicit")
    with pytest.raises(InputError, match="needs a contraction"):
        value_iteration(
            torch.zeros(1, 1, 3, 3), torch.full((1, 1, 1, 1), torch.nan), num_iterations=9, gradient="implicit"
        )


def test_a_kernel_for_each_iteration_is_refused():
    with pytest.raises(InputError, match="a kernel for each iteration has no fixed point"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(4, 2, 1, 3, 3), num_iterations=3, gradient="implicit")


def test_a_negative_tolerance_is_refused():
    with pytest.raises(InputError, match=r"tolerance must not be negative, got -0\.1"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=3, tolerance=-0.1)


@pytest.mark.parametrize("name", ["paper", "hierarchical", "gppn", "dynamic"])
def test_an_architecture_without_a_fixed_point_is_refused(name):
    with pytest.raises(InputError, match=f"which the architecture '{name}' does not guarantee"):
        architecture(name).config(gradient="implicit")


def test_a_second_derivative_is_refused():
    q_reward, kernel = problem()
    q_reward.requires_grad_()
    plan = value_iteration(q_reward, kernel, num_iterations=LIMIT, gradient="implicit")
    (first,) = torch.autograd.grad(plan.value.square().sum(), q_reward, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
