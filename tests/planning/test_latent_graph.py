"""The latent-graph planner: exact and iterated plans, certain and uncertain moves, long horizons, memory."""

import math

import pytest
import torch

from torchvin.errors import InputError, ShapeError
from torchvin.mdp.motion import GridMotion
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.latent_mdp import LatentMDP
from torchvin.planning.models.transition import LearnedMoves
from torchvin.planning.planners.latent_graph import LatentGraphPlanner, iterate, solve_exactly
from torchvin.policies.heads import AdvantageHead

MOVES = GridMotion(num_actions=4)


def one_hot(steps=MOVES.offsets):
    kernel = torch.zeros(len(steps), 1, 3, 3, dtype=torch.float64)
    for action, (down, right) in enumerate(steps):
        kernel[action, 0, 1 + down, 1 + right] = 1.0
    return kernel


def grid_mdp(blocked, goal, cost=1.0):
    """The true maze: a move costs `cost` where it is allowed."""
    costs = torch.where(MOVES.allowed(blocked), torch.tensor(cost, dtype=torch.float64), torch.inf)
    goal_cost = torch.full((len(blocked), 1, *blocked.shape[1:]), torch.inf, dtype=torch.float64)
    goal_cost[torch.arange(len(blocked)), 0, goal[:, 0], goal[:, 1]] = 0.0
    return LatentMDP(costs, goal_cost, one_hot())


def serpentine(height, width):
    """A corridor that fills the map: the way from the last cell to the first passes all of them."""
    blocked = torch.zeros(1, height, width, dtype=torch.bool)
    blocked[:, 1::2] = True
    blocked[:, 1::4, -1] = False
    blocked[:, 3::4, 0] = False
    return blocked


@pytest.fixture
def soft():
    """An MDP whose moves are not certain."""
    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(6, 2, 3, 3, generator=random, dtype=torch.float64)
    kernel = logits.flatten(1).softmax(dim=1).view_as(logits)
    cost = torch.rand(2, 6, 4, 5, generator=random, dtype=torch.float64)
    goal_cost = torch.full((2, 2, 4, 5), torch.inf, dtype=torch.float64)
    goal_cost[:, 0, 1, 2], goal_cost[:, 1, 3, 0] = 0.05, 0.4
    return LatentMDP(cost, goal_cost, kernel)


def exponential_domain(mdp, num_iterations):
    """The definition, written out: U_a = exp(-cost_a) (P_a * V), V = max(t, max_a U_a)."""
    goal = (-mdp.goal_cost).exp()
    value = goal
    for _ in range(num_iterations + 1):
        expected = torch.nn.functional.conv2d(value, mdp.kernel, padding=1)
        product = (-mdp.cost).exp() * expected
        last, value = value, torch.maximum(goal, product.unflatten(1, (value.shape[1], -1)).amax(dim=2))
    return product, last


@pytest.mark.parametrize("num_iterations", [0, 1, 7])
def test_iterating_is_value_iteration_in_the_exponential_domain(soft, num_iterations):
    plan = iterate(soft, num_iterations)
    q_values, value = plan.q_values, plan.value
    product, plain = exponential_domain(soft, num_iterations)
    torch.testing.assert_close(q_values.exp(), product, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(value.exp(), plain, rtol=1e-10, atol=1e-12)


def test_certain_moves_are_the_limit_of_uncertain_ones(random_maps):
    certain = grid_mdp(*random_maps(3, 2, 6, 7))
    almost = certain.kernel * (1 - 1e-13) + 1e-13 / 9
    nearly = LatentMDP(certain.cost, certain.goal_cost, almost)
    assert certain.deterministic
    assert not nearly.deterministic
    certainly, almost_certainly = iterate(certain, 5), iterate(nearly, 5)
    for name in ("q_values", "value"):
        ours, theirs = getattr(certainly, name), getattr(almost_certainly, name)
        near = ours > -20  # beyond, what leaks is all there is
        torch.testing.assert_close(ours[near], theirs[near], rtol=0, atol=1e-3)


def test_k_updates_know_of_k_steps_and_the_fixed_point_of_all(random_maps):
    mdp = grid_mdp(*random_maps(1, 3, 9, 8))
    exact = solve_exactly(mdp)
    assert exact.num_iterations == 0
    assert exact.solved
    assert exact.residual.tolist() == [0.0, 0.0, 0.0]
    for num_iterations in (0, 1, 4, 72):
        plan = iterate(mdp, num_iterations)
        known = exact.value >= -num_iterations
        assert torch.equal(plan.value, torch.where(known, exact.value, -torch.inf))
        assert bool((plan.residual > 0).any()) == bool((known != exact.value.isfinite()).any())
    torch.testing.assert_close(plan.q_values, exact.q_values)


def test_planning_goes_on_from_an_earlier_plan(soft):
    first = iterate(soft, 3)
    more = iterate(soft, 4, first.value)
    assert torch.equal(more.value, iterate(soft, 7).value)


def test_the_exact_gradient_is_that_of_2000_unrolled_iterations():
    """Nothing is approximated: the tree of chosen moves is what unrolling goes back through."""
    blocked = serpentine(7, 300)
    cost = torch.rand(1, 4, 7, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.5
    weight = torch.randn(1, 1, 7, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mdp = grid_mdp(blocked, torch.tensor([[0, 0]]))
    gradients = []
    for solve in (solve_exactly, lambda mdp: iterate(mdp, 2000)):
        learned = cost.clone().requires_grad_()
        costs = torch.where(mdp.available, learned, torch.inf)
        plan = solve(LatentMDP(costs, mdp.goal_cost, mdp.kernel))
        assert plan.value[~blocked[:, None]].isfinite().all()
        (plan.value.masked_fill(blocked[:, None], 0.0) * weight).sum().backward()
        gradients.append(learned.grad)
    scale = gradients[1].abs().max()
    assert (gradients[0] - gradients[1]).abs().max() < 1e-4 * scale
    assert scale > 1


def test_what_is_kept_for_the_gradient_does_not_depend_on_the_horizon():
    kept = {}
    for name, blocked in (("near", torch.zeros(1, 41, 41, dtype=torch.bool)), ("far", serpentine(41, 41))):
        mdp = grid_mdp(blocked, torch.tensor([[0, 0]]))
        cost = mdp.cost.clone().requires_grad_()
        sizes = []

        def pack(tensor, sizes=sizes):
            sizes.append(tensor.untyped_storage().nbytes())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            plan = solve_exactly(LatentMDP(cost, mdp.goal_cost, mdp.kernel))
        plan.value[plan.value.isfinite()].sum().backward()
        assert cost.grad.any()
        kept[name] = sum(sizes), -plan.value[plan.value.isfinite()].min().item()
    assert kept["near"][0] == kept["far"][0]
    assert (kept["near"][1], kept["far"][1]) == (80, 880)


def test_log_advantages_are_the_same_at_any_distance():
    """30,000 steps from the goal a step in the wrong direction costs what it costs next to it, and no tie is lost."""
    blocked = serpentine(201, 300)
    mdp = grid_mdp(blocked, torch.tensor([[0, 0]]), cost=0.3)
    plan = solve_exactly(LatentMDP(mdp.cost.float(), mdp.goal_cost.float(), mdp.kernel.float()))
    assert plan.value.dtype == torch.float64
    assert plan.value[0, 0, 200, 298].item() == pytest.approx(-0.3 * 30_398, rel=1e-6)
    logits = AdvantageHead(num_actions=4, scale=1.0)(plan.q_values)
    assert logits.dtype == torch.float32
    far, near = logits[0, :, 200, 150], logits[0, :, 0, 150]
    torch.testing.assert_close(far, near, rtol=0, atol=1e-6)
    assert near.tolist() == pytest.approx([-50.0, -50.0, -0.6, 0.0])


def test_uncertain_moves_at_long_horizons_stay_finite_in_float32():
    kernel = (0.9 * one_hot() + 0.1 / 9).float()
    mdp = grid_mdp(torch.zeros(1, 3, 400, dtype=torch.bool), torch.tensor([[1, 0]]))
    plan = iterate(LatentMDP(mdp.cost.clamp(max=9.0).float(), mdp.goal_cost.float(), kernel), 500)
    assert plan.value.isfinite().all()
    assert plan.value[0, 0, 1, 399] < math.log(torch.finfo(torch.float32).tiny)  # exp of it is not there any more
    assert (plan.q_values[0, :, 1, 1:].argmax(dim=0) == 3).all()  # west, everywhere


def test_a_planner_whose_moves_are_uncertain_iterates(random_maps):
    torch.manual_seed(0)
    planner = LatentGraphPlanner(model=LatentModel(num_actions=4), transition=LearnedMoves(num_actions=4))
    planes = torch.rand(2, 2, 5, 6)
    assert not planner.exact
    plan = planner(planes, num_iterations=6)
    assert (plan.num_iterations, plan.solved) == (6, False)
    planner.transition.make_deterministic()
    assert planner.exact
    assert (planner(planes, num_iterations=6).num_iterations, planner(planes).solved) == (0, True)


def test_an_uncertain_mdp_is_no_graph(soft):
    with pytest.raises(InputError, match="not certain, so it is no graph; plan with 'iterate'"):
        soft.graph()


@pytest.mark.usefixtures("_unchecked_shapes")
def test_parts_that_do_not_fit_are_refused(soft):
    with pytest.raises(ShapeError, match=r"cost must have shape \[B, 6, H, W\], got \[2, 5, 4, 5\]"):
        LatentMDP(soft.cost[:, :5], soft.goal_cost, soft.kernel)
    with pytest.raises(ShapeError, match=r"goal_cost must have shape \[2, 2, 4, 5\]"):
        LatentMDP(soft.cost, soft.goal_cost[:1], soft.kernel)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_an_unknown_way_to_solve_is_refused(soft):
    parts = {"model": LatentModel(num_actions=4), "transition": LearnedMoves(num_actions=4)}
    with pytest.raises(InputError, match=r"unknown way to solve 'exakt'\. Did you mean 'exact'\?"):
        LatentGraphPlanner(**parts, solve="exakt")
    with pytest.raises(InputError, match="num_iterations must not be negative, got -1"):
        iterate(soft, -1)


def test_actions_that_lead_nowhere_have_the_floor_and_states_without_a_way_are_even():
    mdp = grid_mdp(torch.tensor([[[False, False, True, False]]]), torch.tensor([[0, 0]]))
    logits = AdvantageHead(num_actions=4, scale=2.0)(solve_exactly(mdp).q_values)
    assert logits.isfinite().all()
    assert logits[0, :, 0, 1].tolist() == pytest.approx([-100.0, -100.0, -100.0, 0.0])
    assert logits[0, :, 0, 3].tolist() == [0.0] * 4
