"""Curriculum and calibration of the shortest-path design: what is learned, settled, hardened and resumed."""

import dataclasses
import sys
from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file
from torchvin.policies.builders import SHORTEST_PATH_4, PolicyConfig, build_policy

from killing import ends_with_the_same_bits_when_killed
from studies.shortest_path import with_wrong_actions
from torchvin import InputError, evaluate, train
from torchvin.data.draw import draw_maps
from torchvin.mdp.motion import DifferentialDrive, Moves
from torchvin.training.config import CurriculumConfig, DataConfig, RunConfig, TrainingConfig, preset
from torchvin.training.phases.calibration import calibrate
from torchvin.training.phases.costs import merged, without_drift
from torchvin.training.phases.curriculum import beside_goal, learn_moves

SMALL = RunConfig(
    SHORTEST_PATH_4,
    DataConfig(kind="maze", height=9, width=9, maps=400, mechanism="news"),
    dataclasses.replace(preset("maze-15").training, epochs=8, validation_maps=32, tensorboard=False),
)
NEWS = Moves(num_actions=4)
DRIVE = PolicyConfig(design="shortest_path", num_actions=3, num_orientations=4)


def mazes(number=400, side=9, seed=(0, 1), kind="maze", moves=NEWS):
    return draw_maps(kind, number, side, side, seed=seed, moves=moves)


def settled_moves(policy):
    """Where each action leads, as the transition says."""
    kernel = policy.transition()
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
    assert not policy.transition.logits.requires_grad
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
    config = dataclasses.replace(SMALL, policy=PolicyConfig(num_actions=4, num_q=5))
    with pytest.raises(
        InputError, match="settles the moves of the design 'shortest_path', which 'normalized' does not"
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
    assert not trained.policy.transition.deterministic
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
    config = RunConfig(PolicyConfig(design="fcn", num_actions=4, height=9, width=9), training=options)
    with pytest.raises(InputError, match="asks a plan for its ties, and this policy does not plan"):
        train(config, mazes(10), tmp_path / "run")


def test_calibration_takes_the_centre_of_the_plateau():
    torch.manual_seed(0)
    policy = build_policy(SHORTEST_PATH_4)
    dataset = mazes(30)
    learn_moves(policy, dataset, SMALL.training, seed=0)
    with torch.no_grad():  # gates by hand: 4 open, -20 shut
        hidden, _, last = policy.model.gates
        hidden.weight.zero_(), hidden.bias.zero_(), last.weight.zero_()
        for action, (row, col) in enumerate([(0, 1), (2, 1), (1, 2), (1, 0)]):
            hidden.weight[action, 0, row, col] = 1.0
            last.weight[action, action] = -24.0
    assert calibrate(policy, dataset, SMALL.training) == 1.0
    assert policy.hardened
    assert policy.model.gate_threshold.item() == pytest.approx(-8.0, abs=0.5)
    cost = policy.latent_mdp(dataset.planes()).cost
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
    for action, (row, col) in enumerate(Moves().offsets):
        kernel[action, 0, 1 + row, 1 + col] = 1.0
    true = torch.tensor(Moves().costs)
    drift = torch.tensor([0.2 * row - 0.1 * col for row, col in Moves().offsets])
    torch.testing.assert_close(without_drift(true + drift, kernel), true)
    assert torch.equal(without_drift(true - 0.999 * true, kernel).sign(), torch.ones(8))


def test_a_killed_training_resumes_in_either_phase_and_ends_with_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "torchvin", "train", "--preset", "maze-15", "--data.maps", "200"]
    command += ["--training.epochs", "3", "--training.checkpoint-seconds", "0.05", "--training.no-tensorboard"]
    command += ["--training.cost-steps", "20"]
    whole = ends_with_the_same_bits_when_killed(command, tmp_path, (0.5, 2.5, 4.0))
    assert load_file(whole / "model.safetensors")["transition.deterministic"].item() is True
