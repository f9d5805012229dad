"""Curriculum and calibration of the shortest-path design: what is learned, settled, hardened and resumed."""

import dataclasses
from itertools import pairwise

import pytest
import torch

from torchvin import FCNConfig, InputError, NormalizedConfig, ShortestPathConfig, build_policy, evaluate, train
from torchvin.data.draw import draw_maps
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.mdp.motion import DifferentialDrive, GridMotion
from torchvin.training.config import CurriculumConfig, DataConfig, RunConfig, TrainingConfig
from torchvin.training.phases.calibration import calibrate
from torchvin.training.phases.costs import merged, without_drift
from torchvin.training.phases.curriculum import beside_goal, learn_moves
from torchvin.training.presets import preset

SHORTEST_PATH_4 = ShortestPathConfig(num_actions=4)
SMALL = RunConfig(
    SHORTEST_PATH_4,
    DataConfig(kind="maze", height=9, width=9, maps=400, motion="news"),
    dataclasses.replace(preset("maze-15").training, epochs=8, validation_maps=32, tensorboard=False),
)
NEWS = GridMotion(num_actions=4)
DRIVE = ShortestPathConfig(num_actions=3, num_orientations=4)


def mazes(number=400, side=9, seed=(0, 1), kind="maze", moves=NEWS):
    return draw_maps(kind, number, side, side, seed=seed, moves=moves)


def with_wrong_actions(maps, share, seed):
    """The demonstrations with a share of their actions replaced by another one, drawn evenly."""
    random = torch.Generator().manual_seed(seed)
    shown, number = maps.demonstrated, maps.moves.num_actions
    other = (shown + torch.randint(1, number, shown.shape, generator=random)) % number
    wrong = (torch.rand(shown.shape, generator=random) < share) & (shown != NOT_SHOWN)
    return dataclasses.replace(maps, demonstrated=torch.where(wrong, other.to(shown.dtype), shown))


def settled_moves(policy):
    """Where each action leads, as the transition says."""
    kernel = policy.planner.transition()
    index = kernel.flatten(1).argmax(dim=1)
    size = kernel.shape[-1]
    return [(i // size**2, i // size % size - size // 2, i % size - size // 2) for i in index.tolist()]


def test_a_network_trained_in_seconds_on_9x9_mazes_plans_in_perfect_mazes_of_75x75(tmp_path):
    trained = train(SMALL, mazes(), tmp_path / "run")
    assert trained.validation.scores.all_states_optimal_rate == 1.0
    for kind in ("maze", "perfect-maze"):
        scores = evaluate(trained.policy, mazes(5, 75, seed=7, kind=kind)).scores
        assert scores.all_states_success_rate == 1.0
        assert scores.all_states_optimal_rate > 0.999


@pytest.mark.parametrize("seed", range(4))
def test_the_curriculum_finds_where_moves_lead(seed):
    torch.manual_seed(seed)
    policy = build_policy(SHORTEST_PATH_4)
    learn_moves(policy, mazes(), SMALL.training, seed)
    assert settled_moves(policy) == [(0, *offset) for offset in NEWS.offsets]
    assert not policy.planner.transition.logits.requires_grad
    assert policy.planner.solve == "exact"


def test_the_curriculum_finds_the_turns_of_a_differential_drive():
    torch.manual_seed(0)
    policy = build_policy(DRIVE)
    drive = DifferentialDrive()
    learn_moves(policy, mazes(moves=drive), SMALL.training, seed=0)
    assert settled_moves(policy) == [step for orientation in drive.effects for step in orientation]


def test_the_curriculum_is_the_same_each_time():
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        policy = build_policy(SHORTEST_PATH_4)
        learn_moves(policy, mazes(100), SMALL.training, seed=3)
        weights.append(torch.cat([parameter.flatten() for parameter in policy.parameters()]))
    assert torch.equal(*weights)


def test_only_states_whose_label_leads_to_the_goal_teach_where_moves_lead():
    dataset = mazes(1)
    row, col = dataset.goal[0].tolist()
    around = [(row - 1, col, 1), (row + 1, col, 0), (row, col - 1, 2), (row, col + 1, 3)]
    at, to, label = next((a, b, label) for a, b, label in around if not dataset.blocked[0, a, b])
    labels = torch.full((1, 9, 9), 255, dtype=torch.uint8)
    labels[0, at, to] = label
    assert beside_goal(dataset, labels).nonzero().tolist() == [[0, at, to]]
    labels[0, at, to] = label ^ 1  # the other way
    assert not beside_goal(dataset, labels).any()


def test_a_curriculum_needs_whole_maps():
    options = dataclasses.replace(SMALL.training, supervision="states")
    with pytest.raises(InputError, match=r"set --training\.supervision to all-cells or demonstrations, got states"):
        learn_moves(build_policy(SHORTEST_PATH_4), mazes(20), options, seed=0)


def test_other_designs_have_no_curriculum(tmp_path):
    options = dataclasses.replace(SMALL.training, validation_maps=4)
    config = dataclasses.replace(SMALL, policy=NormalizedConfig(num_actions=4), training=options)
    with pytest.raises(
        InputError, match="makes the moves of the architecture shortest_path deterministic, which this network does not"
    ):
        train(config, mazes(20), tmp_path / "run")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"steps": -1}, "steps must not be negative, got -1"),
        ({"learning_rate": 0.0}, r"learning-rate must be positive, got 0\.0"),
    ],
)
def test_numbers_that_teach_nothing_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        CurriculumConfig(**numbers)


def test_without_a_curriculum_moves_stay_uncertain_and_plans_are_iterated(tmp_path):
    options = dataclasses.replace(SMALL.training, curriculum=CurriculumConfig(), epochs=1, cost_steps=2)
    policy = dataclasses.replace(SHORTEST_PATH_4, iterations_per_side=1.0)
    trained = train(dataclasses.replace(SMALL, policy=policy, training=options), mazes(60), tmp_path / "run")
    assert not trained.policy.planner.transition.deterministic
    assert trained.policy.planner.solve == "iterate"


@pytest.mark.parametrize(
    ("supervision", "loss", "wrong"),
    [("demonstrations", "tied-label", 0.0), ("demonstrations", "tied-label", 0.05), ("all-cells", "optimal-set", 0.0)],
)
def test_other_supervision_teaches_too(tmp_path, supervision, loss, wrong):
    options = dataclasses.replace(SMALL.training, supervision=supervision, loss=loss, label_noise=wrong)
    config = dataclasses.replace(SMALL, training=options)
    trained = train(config, with_wrong_actions(mazes(600), wrong, seed=0), tmp_path / "run")
    scores = evaluate(trained.policy, mazes(20, 21, seed=7)).scores
    assert scores.all_states_success_rate > 0.999
    assert scores.all_states_optimal_rate > 0.99


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"label_noise": 0.1}, "is an option of the loss tied-label, got the loss optimal-set"),
        ({"label_noise": 1.0, "loss": "tied-label"}, r"label-noise must lie in \[0, 1\), got 1\.0"),
        ({"loss": "tied-label", "supervision": "states"}, "tied-label needs whole maps"),
        ({"cost_steps": -1}, "cost-steps must not be negative, got -1"),
    ],
)
def test_options_that_do_not_fit_are_refused(numbers, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig(**numbers)


def test_a_policy_without_a_plan_has_no_ties(tmp_path):
    options = TrainingConfig(loss="tied-label", epochs=1, validation_maps=2, tensorboard=False)
    config = RunConfig(FCNConfig(num_actions=4, height=9, width=9), training=options)
    with pytest.raises(InputError, match="asks a plan for its ties, and this policy does not plan"):
        train(config, mazes(10), tmp_path / "run")


def test_calibration_takes_the_centre_of_the_plateau():
    torch.manual_seed(0)
    policy = build_policy(SHORTEST_PATH_4)
    dataset = mazes(30)
    learn_moves(policy, dataset, SMALL.training, seed=0)
    with torch.no_grad():  # gates by hand: 4 open, -20 shut
        hidden, _, last = policy.planner.model.gates
        hidden.weight.zero_(), hidden.bias.zero_(), last.weight.zero_()
        for action, (row, col) in enumerate([(0, 1), (2, 1), (1, 2), (1, 0)]):
            hidden.weight[action, 0, row, col] = 1.0
            last.weight[action, action] = -24.0
    assert calibrate(policy, dataset, SMALL.training) == 1.0
    assert policy.planner.hardened
    assert policy.planner.model.gate_threshold.item() == pytest.approx(-8.0, abs=0.5)
    cost = policy.planner.latent_mdp(dataset.planes()).cost
    assert len(cost[cost < torch.inf].unique()) == 1  # to the last bit: ties are ties at any distance


def test_merging_never_orders_costs_anew():
    cost = torch.rand(12, generator=torch.Generator().manual_seed(0)) + 0.1
    order = cost.argsort()
    for tolerance in (0.0, 0.05, 0.3, 10.0):
        result = merged(cost, tolerance)
        assert all(early <= late for early, late in pairwise(result[order].tolist()))
        assert result.sum().item() == pytest.approx(cost.sum().item())
    assert torch.equal(merged(cost, 0.0), cost)
    assert len(merged(cost, 10.0).unique()) == 1


def test_drift_is_removed_where_it_changes_no_plan():
    kernel = torch.zeros(8, 1, 3, 3)
    for action, (row, col) in enumerate(GridMotion().offsets):
        kernel[action, 0, 1 + row, 1 + col] = 1.0
    true = torch.tensor(GridMotion().costs)
    drift = torch.tensor([0.2 * row - 0.1 * col for row, col in GridMotion().offsets])
    torch.testing.assert_close(without_drift(true + drift, kernel), true)
    assert torch.equal(without_drift(true - 0.999 * true, kernel).sign(), torch.ones(8))


def with_open_gates(policy, moves, shut=-24.0):
    """Moves and gates by hand: each action leads to its offset, and is shut where that is blocked."""
    planner = policy.planner
    with torch.no_grad():
        planner.transition.logits.zero_()
        hidden, _, last = planner.model.gates
        hidden.weight.zero_(), hidden.bias.zero_(), last.weight.zero_()
        for action, (row, col) in enumerate(moves.offsets):
            planner.transition.logits[action, 0, 1 + row, 1 + col] = 1.0
            hidden.weight[action, 0, 1 + row, 1 + col] = 1.0
            last.weight[action, action] = shut
    planner.transition.make_deterministic()
    return policy


def test_costs_are_fine_tuned_after_hardening():
    """Mutant: costs not fine-tuned. Straight moves that cost too much are made cheap again, by the labels alone."""
    torch.manual_seed(0)
    dataset = draw_maps("gridworld", 60, 8, 8, seed=3)
    costs = []
    for steps in (0, 60):
        policy = with_open_gates(build_policy(ShortestPathConfig()), GridMotion())
        with torch.no_grad():
            policy.planner.model.cost.copy_(0.3 * torch.tensor([2.5] * 4 + [1.0] * 4))  # diagonals always first
        options = dataclasses.replace(SMALL.training, cost_steps=steps, loss="uniform-set", learning_rate=0.02)
        score = calibrate(policy, dataset, options)
        hardened = policy.planner.latent_mdp(dataset.planes()).cost
        each = [hardened[:, action][hardened[:, action] < torch.inf].unique() for action in range(8)]
        costs.append((score, each[4].item() / each[0].item()))
    assert costs[1][0] > costs[0][0]
    assert costs[0][1] < 0.9
    assert costs[1][1] > 1.1  # towards sqrt(2)


def test_calibration_removes_drift():
    """Mutant: drift kept. A cost per row that no plan depends on goes, so that the expert's ties are ties again."""
    torch.manual_seed(0)
    dataset = draw_maps("gridworld", 60, 8, 8, seed=3)
    policy = with_open_gates(build_policy(ShortestPathConfig()), GridMotion())
    drift = torch.tensor([0.1 * row + 0.05 * col for row, col in GridMotion().offsets])
    with torch.no_grad():
        policy.planner.model.cost.copy_(torch.tensor(GridMotion().costs) * 0.5 + drift)
    options = dataclasses.replace(SMALL.training, cost_steps=0, loss="uniform-set")
    assert calibrate(policy, dataset, options) == 1.0
    hardened = policy.planner.latent_mdp(dataset.planes()).cost
    each = torch.stack([hardened[:, action][hardened[:, action] < torch.inf].unique() for action in range(8)])
    assert len(each[:4].unique()) == len(each[4:].unique()) == 1
    assert each[4].item() / each[0].item() == pytest.approx(2**0.5, rel=1e-4)
