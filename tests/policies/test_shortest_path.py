"""The shortest-path policy: what its structure promises before anything is learned, and how it is hardened."""

import pytest
import torch
from torch.nn import functional

from torchvin import NormalizedConfig, ShortestPathConfig, build_policy
from torchvin.errors import InputError
from torchvin.maps.observe import encode
from torchvin.planning.models.latent import LatentModel

SHORTEST_PATH_4, SHORTEST_PATH_8 = ShortestPathConfig(num_actions=4), ShortestPathConfig()
DRIVE = ShortestPathConfig(num_actions=3, num_orientations=4)
TERRAIN = ShortestPathConfig(num_actions=4, num_terrains=3)


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 3, 7, 10))


@pytest.fixture
def policy():
    """Settled by hand: N, S, E, W."""
    torch.manual_seed(0)
    policy = build_policy(SHORTEST_PATH_4)
    with torch.no_grad():
        policy.planner.transition.logits.zero_()
        for action, (row, col) in enumerate([(0, 1), (2, 1), (1, 2), (1, 0)]):
            policy.planner.transition.logits[action, 0, row, col] = 1.0
    policy.planner.transition.make_deterministic()
    return policy.eval()


def blocks_what_is_blocked(policy):
    """Gates by hand: shut where the move ends on an obstacle."""
    with torch.no_grad():
        hidden, _, last = policy.planner.model.gates
        hidden.weight.zero_(), hidden.bias.zero_(), last.weight.zero_()
        for action, (row, col) in enumerate([(0, 1), (2, 1), (1, 2), (1, 0)]):
            hidden.weight[action, 0, row, col] = 1.0
            last.weight[action, action] = -20.0
    policy.planner.model.set_calibrated()
    return policy


@pytest.mark.parametrize(
    ("config", "channels"), [(SHORTEST_PATH_4, (2, 4)), (SHORTEST_PATH_8, (2, 8)), (DRIVE, (5, 12)), (TERRAIN, (4, 4))]
)
@pytest.mark.parametrize("deterministic", [False, True])
def test_any_agent_and_any_size_of_map(config, channels, deterministic):
    torch.manual_seed(0)
    policy = build_policy(config)
    if deterministic:
        policy.planner.transition.make_deterministic()
    planes = torch.zeros(2, channels[0], 5, 9)
    planes[:, -1, 2, 3] = 10.0
    output = policy(planes, num_iterations=6)
    assert output.logits.shape == (2, channels[1], 5, 9)
    assert output.logits.isfinite().all()
    states = torch.tensor([[[0] * (2 + (config.num_orientations > 1))]] * 2)
    assert policy(planes, states, num_iterations=6).logits.shape == (2, 1, config.num_actions)


def test_every_parameter_learns_while_moves_are_learned_and_all_but_the_moves_afterwards():
    torch.manual_seed(0)
    policy = build_policy(TERRAIN).train()
    planes = (torch.rand(4, 4, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    planes[:, -1] = 0.0
    planes[:, -1, 2, 3] = 10.0
    for deterministic in (False, True):
        policy.zero_grad()
        policy(planes, num_iterations=8).logits.log_softmax(dim=1)[:, 0].sum().backward()
        for name, parameter in policy.named_parameters():
            if deterministic and name == "planner.transition.logits":
                assert parameter.grad is None
                continue
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            if (
                name != "planner.model.goal"
            ):  # the weights of one goal: all plans share them, so no action depends on them
                assert parameter.grad.any(), name
        policy.planner.transition.make_deterministic()


@pytest.mark.parametrize("seed", range(5))
def test_from_the_first_step_every_state_has_a_path_to_learn_from(seed, planes):
    torch.manual_seed(seed)
    policy = build_policy(SHORTEST_PATH_4)
    gates = policy.planner.model.gate(planes).sigmoid()
    assert gates.min() > 0.8
    policy.planner.transition.make_deterministic()
    assert policy.train()(planes).plan.value.isfinite().any()


@pytest.mark.parametrize("seed", range(5))
def test_a_goal_can_only_be_where_the_goal_plane_is_and_only_rises_with_it(seed, planes):
    torch.manual_seed(seed)
    model = LatentModel(num_actions=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(3 * torch.randn(parameter.shape))  # whatever is learned
    cost = model.goal_cost(planes)
    near = functional.max_pool2d(planes[:, 1:], 3, stride=1, padding=1) > 0
    assert torch.equal(cost < torch.inf, near)
    stronger = planes.clone()
    stronger[:, 1] *= 2
    assert (model.goal_cost(stronger) <= cost).all()
    blocked = planes.clone()
    blocked[:, 0] = 1 - blocked[:, 0]
    assert torch.equal(model.goal_cost(blocked), cost)
    assert torch.equal(model.gate(stronger), model.gate(planes))


def test_evaluation_plans_in_the_hardened_mdp_and_training_in_the_soft_one(policy, planes):
    blocks_what_is_blocked(policy)
    hard = policy.planner.latent_mdp(planes)
    assert policy.planner.hardened
    assert set(hard.goal_cost.unique().tolist()) == {0.0, torch.inf}
    assert torch.equal(hard.goal[:, 0], planes[:, 1] > 0)
    moves = functional.pad(planes[:, 0], (1, 1, 1, 1), value=1.0) == 0
    assert torch.equal(hard.available[:, 2], moves[:, 1:-1, 2:])  # east
    policy.train()
    soft = policy.planner.latent_mdp(planes)
    assert soft.available.all()
    assert torch.equal(soft.cost, policy.planner.model(planes)[0])


def test_solving_exactly_and_by_iterations_is_the_same_policy(policy, planes):
    blocks_what_is_blocked(policy)
    exact = policy(planes)
    policy.planner.set_solver({"solve": "iterate"})
    iterated = policy(planes, num_iterations=70)
    assert exact.plan.num_iterations == 0
    assert iterated.plan.num_iterations == 70
    torch.testing.assert_close(iterated.logits, exact.logits)


@pytest.mark.usefixtures("_unchecked_shapes")
def test_the_solver_is_a_choice_of_this_design_only(policy):
    with pytest.raises(InputError, match=r"a GridPlanner has one way to plan, got {'solve': 'exact'}; leave it out"):
        build_policy(NormalizedConfig()).planner.set_solver({"solve": "exact"})
    with pytest.raises(InputError, match=r"unknown way to solve 'exat'\. Did you mean 'exact'"):
        policy.planner.set_solver({"solve": "exat"})


def test_thresholds_travel_with_the_weights(policy, planes):
    blocks_what_is_blocked(policy)
    policy.planner.model.gate_threshold.fill_(-2.5)
    policy.planner.model.correction.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
    torch.manual_seed(1)
    other = build_policy(SHORTEST_PATH_4).eval()
    other.load_state_dict(policy.state_dict())
    assert torch.equal(other(planes).logits, policy(planes).logits)
    assert other.planner.hardened


def test_goal_planes_must_be_one_or_one_an_orientation():
    with pytest.raises(InputError, match="goal_channels must be 1 or num_orientations = 4, got 2"):
        LatentModel(num_actions=3, num_orientations=4, goal_channels=2)


def test_a_deployed_policy_whose_moves_are_uncertain_says_that_it_iterates(planes):
    torch.manual_seed(0)
    policy = build_policy(SHORTEST_PATH_4).eval()
    assert policy(planes, num_iterations=5).plan.num_iterations == 5
    policy.planner.model.set_calibrated()
    with pytest.warns(UserWarning, match="the moves of this calibrated planner are not deterministic, so it iterates"):
        policy(planes, num_iterations=5)
