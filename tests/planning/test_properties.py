"""What must hold for any input."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from torchvin.experts.grid import action_set, shortest_paths
from torchvin.mdp.motion import GridMotion
from torchvin.planning.models.transition import NormalizedTransition
from torchvin.planning.value_iteration import value_iteration

SEEDS = st.integers(0, 10_000)
SIDES = st.integers(1, 7)
STEPS = [(-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1)]


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernel_of(seed, actions, kernel_size, discount):
    torch.manual_seed(seed)
    transition = NormalizedTransition(num_actions=actions, kernel_size=kernel_size, discount=discount)
    return transition.double()().detach()


def bellman_ford(blocked, goal, num_steps, moves):
    """Cost of the cheapest path of at most `num_steps` moves to the goal, inf where there is none: plain loops."""
    height, width = len(blocked), len(blocked[0])

    def free(row, col):
        return 0 <= row < height and 0 <= col < width and not blocked[row][col]

    cost = {(row, col): math.inf for row in range(height) for col in range(width)}
    cost[goal] = 0.0
    for _ in range(num_steps):
        before = dict(cost)
        for row, col in cost:
            if not free(row, col):
                continue
            for down, right in STEPS[: moves.num_actions]:
                legal = free(row + down, col + right)
                if not moves.corner_cutting and down and right:
                    legal = legal and free(row + down, col) and free(row, col + right)
                if legal:
                    cost[row, col] = min(cost[row, col], before[row + down, col + right] + math.hypot(down, right))
    return torch.tensor([[cost[row, col] for col in range(width)] for row in range(height)], dtype=torch.float64)


@given(
    seed=SEEDS,
    height=SIDES,
    width=SIDES,
    num_iterations=st.integers(0, 12),
    moves=st.sampled_from([GridMotion(), GridMotion(num_actions=4), GridMotion(corner_cutting=False)]),
)
def test_k_iterations_of_the_true_model_are_the_shortest_paths_of_at_most_k_steps(
    random_maps, true_model, seed, height, width, num_iterations, moves
):
    blocked, goal = random_maps(seed, 1, height, width)
    model = true_model(blocked, goal, num_actions=moves.num_actions, corner_cutting=moves.corner_cutting)
    plan = value_iteration(model.q_reward, model.kernel, num_iterations=num_iterations, initial_value=model.far)
    expected = bellman_ford(blocked[0].tolist(), tuple(goal[0].tolist()), num_iterations, moves)
    found = torch.where(plan.value[0, 0] < -1e5, math.inf, -plan.value[0, 0])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@given(
    seed=SEEDS, height=SIDES, width=SIDES, moves=st.sampled_from([GridMotion(), GridMotion(4), GridMotion(8, False)])
)
def test_with_enough_iterations_the_true_model_gives_the_experts_distances_and_action_sets(
    random_maps, true_model, seed, height, width, moves
):
    blocked, goal = random_maps(seed, 2, height, width)
    model = true_model(blocked, goal, num_actions=moves.num_actions, corner_cutting=moves.corner_cutting)
    plan = value_iteration(model.q_reward, model.kernel, num_iterations=height * width, initial_value=model.far)
    expert = shortest_paths(blocked, goal, moves)
    found = torch.where(plan.value[:, 0] < -1e5, math.inf, -plan.value[:, 0])
    torch.testing.assert_close(found, expert.distance, rtol=0, atol=1e-9)
    best = (plan.q_values > plan.q_values.amax(dim=1, keepdim=True) - 1e-6)[:, : moves.num_actions]
    solvable = expert.distance.isfinite() & (expert.distance > 0)
    sets = action_set(expert.optimal_actions, moves.num_actions)
    assert torch.equal(best.movedim(1, -1)[solvable], sets[solvable])


@given(seed=SEEDS, discount=st.floats(0.05, 0.99), kernel_size=st.sampled_from([1, 3, 5]), height=SIDES, width=SIDES)
def test_a_normalized_backup_contracts_by_the_discount(seed, discount, kernel_size, height, width):
    kernel = kernel_of(seed, 4, kernel_size, discount)
    q_reward = normal(seed, 1, 4, height, width)
    one, other = 10 * normal(seed + 1, 1, 1, height, width), 10 * normal(seed + 2, 1, 1, height, width)
    after = [value_iteration(q_reward, kernel, num_iterations=1, initial_value=value).value for value in (one, other)]
    assert (after[0] - after[1]).abs().max() <= discount * (one - other).abs().max() + 1e-12


@given(seed=SEEDS, discount=st.floats(0.05, 0.95))
def test_the_residual_of_a_normalized_plan_falls_by_the_discount_at_each_update(seed, discount):
    kernel, q_reward = kernel_of(seed, 3, 3, discount), normal(seed, 2, 3, 5, 4)
    residuals = [value_iteration(q_reward, kernel, num_iterations=k).residual for k in range(6)]
    for before, after in itertools.pairwise(residuals):
        assert (after <= discount * before + 1e-12).all()


@given(seed=SEEDS, num_iterations=st.integers(0, 8))
def test_more_reward_never_gives_less_value(seed, num_iterations):
    kernel, q_reward = kernel_of(seed, 4, 3, 0.9), normal(seed, 2, 4, 5, 6)
    more = q_reward + normal(seed + 1, 2, 4, 5, 6).abs()
    low = value_iteration(q_reward, kernel, num_iterations=num_iterations)
    high = value_iteration(more, kernel, num_iterations=num_iterations)
    assert (high.value >= low.value - 1e-12).all()
    assert (high.q_values >= low.q_values - 1e-12).all()


@given(seed=SEEDS, num_iterations=st.integers(0, 8), discount=st.floats(0.1, 0.99))
def test_values_stay_below_the_largest_reward_over_one_minus_discount(seed, num_iterations, discount):
    kernel, q_reward = kernel_of(seed, 4, 3, discount), normal(seed, 2, 4, 5, 6)
    value = value_iteration(q_reward, kernel, num_iterations=num_iterations).value
    assert value.abs().max() <= q_reward.abs().max() / (1 - discount) + 1e-9


@given(seed=SEEDS, num_iterations=st.integers(0, 8), batch=st.integers(1, 5))
def test_a_map_is_planned_alone_as_in_any_batch(seed, num_iterations, batch):
    q_reward, kernel = normal(seed, batch, 3, 4, 5), 0.3 * normal(seed + 1, 3, 1, 3, 3)
    together = value_iteration(q_reward, kernel, num_iterations=num_iterations)
    for index in range(batch):
        alone = value_iteration(q_reward[index : index + 1], kernel, num_iterations=num_iterations)
        torch.testing.assert_close(alone.q_values[0], together.q_values[index], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(alone.value[0], together.value[index], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
@given(seed=SEEDS, num_iterations=st.integers(0, 6), kernel_size=st.sampled_from([1, 3, 5]))
def test_a_turned_or_mirrored_world_has_the_turned_or_mirrored_plan(mirrored, turns, seed, num_iterations, kernel_size):
    def moved(tensor):
        return torch.rot90(tensor.flip(-1) if mirrored else tensor, turns, dims=(-2, -1))

    q_reward, kernel = normal(seed, 2, 3, 4, 6), 0.3 * normal(seed + 1, 3, 1, kernel_size, kernel_size)
    value = normal(seed + 2, 2, 1, 4, 6)
    plan = value_iteration(q_reward, kernel, num_iterations=num_iterations, initial_value=value)
    turned = value_iteration(moved(q_reward), moved(kernel), num_iterations=num_iterations, initial_value=moved(value))
    torch.testing.assert_close(turned.value, moved(plan.value), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(turned.q_values, moved(plan.q_values), rtol=1e-10, atol=1e-10)


@given(seed=SEEDS, order=st.permutations(range(4)), num_iterations=st.integers(0, 6))
def test_the_order_of_the_actions_does_not_change_the_value(seed, order, num_iterations):
    q_reward, kernel = normal(seed, 2, 4, 4, 5), 0.3 * normal(seed + 1, 4, 1, 3, 3)
    plan = value_iteration(q_reward, kernel, num_iterations=num_iterations)
    other = value_iteration(q_reward[:, order], kernel[order], num_iterations=num_iterations)
    torch.testing.assert_close(other.value, plan.value, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(other.q_values, plan.q_values[:, order], rtol=1e-12, atol=1e-12)
