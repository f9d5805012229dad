"""What every design that plans keeps: any size, any K, gradients, maps that do not meet, weights that travel."""

import dataclasses

import pytest
import torch

from torchvin import (
    DynamicConfig,
    GPPNConfig,
    HierarchicalConfig,
    NormalizedConfig,
    PaperConfig,
    build_policy,
    evaluate,
    load_policy,
    save_policy,
    solve_maps,
)
from torchvin.evaluation.path import follow_policy
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion
from torchvin.training.presets import preset

VIN_OF_GPPN_15 = preset("maze-15-vin").policy

#: Each design with the numbers of its paper, but smaller where its paper's are large.
CONFIGS = {
    "normalized": NormalizedConfig(num_actions=4),
    "implicit": NormalizedConfig(num_actions=4, gradient="implicit", max_iterations=2000),
    "soft": NormalizedConfig(num_actions=4, temperature=0.1),
    "paper": PaperConfig(num_actions=4),
    "paper-of-gppn": dataclasses.replace(VIN_OF_GPPN_15, num_q=20),
    "hierarchical": HierarchicalConfig(num_actions=4, hidden_channels=32),
    "gppn": GPPNConfig(hidden_channels=12, kernel_size=5),
    "dynamic": DynamicConfig(hidden_channels=10),
}


@pytest.fixture(params=list(CONFIGS))
def config(request):
    return CONFIGS[request.param]


@pytest.fixture
def policy(config):
    torch.manual_seed(0)
    return build_policy(config)


@pytest.fixture
def planes(random_maps):
    return encode(*random_maps(0, 3, 7, 10))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 12), (12, 3), (9, 8)])
@pytest.mark.parametrize("num_iterations", [0, 1, 7])
def test_any_size_and_any_k(config, policy, random_maps, height, width, num_iterations):
    output = policy(encode(*random_maps(1, 2, height, width)), num_iterations=num_iterations)
    assert output.logits.shape == (2, 4, height, width)
    assert output.logits.isfinite().all()
    assert output.plan.value.shape == (2, 1, height, width)
    assert output.plan.residual.shape == (2,)
    exact = config.gradient != "implicit"
    assert output.plan.num_iterations == num_iterations if exact else output.plan.num_iterations <= num_iterations


def test_states_and_cells_have_the_same_logits(policy, planes):
    states = torch.tensor([[[0, 0], [6, 9]], [[3, 8], [3, 8]], [[6, 0], [0, 9]]])
    everywhere, gathered = policy(planes).logits, policy(planes, states).logits
    for index in range(3):
        for number, (row, col) in enumerate(states[index].tolist()):
            torch.testing.assert_close(gathered[index, number], everywhere[index, :, row, col])


def test_every_parameter_learns(config, policy, planes):
    loss = policy(planes).logits.log_softmax(dim=1)[:, 0].sum()
    loss.backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_the_maps_of_a_batch_do_not_meet(policy, planes):
    together = policy.double()(planes.double())
    for index in range(3):
        alone = policy(planes[index : index + 1].double())
        torch.testing.assert_close(alone.logits[0], together.logits[index])
        torch.testing.assert_close(alone.plan.residual[0], together.plan.residual[index], rtol=1e-6, atol=1e-12)


def test_a_map_and_its_turned_one_need_the_same_room(policy, random_maps):
    """Height and width are never taken for each other: a tall map is planned as far as a wide one."""
    wide = encode(*random_maps(2, 1, 4, 9))
    assert policy.default_iterations(4, 9) == policy.default_iterations(9, 4)
    assert policy(wide.transpose(2, 3)).logits.shape == (1, 4, 9, 4)


def test_weights_are_stored_and_loaded(config, policy, planes, tmp_path):
    save_policy(tmp_path / "weights", policy, record={"validation": {}})
    loaded = load_policy(tmp_path / "weights")
    assert loaded.config == config
    policy.eval()
    assert torch.equal(loaded(planes).logits, policy(planes).logits)


def test_the_scorer_and_the_path_planner_take_every_design(config, policy):
    dataset = solve_maps(*generate_mazes(3, 9, seed=0), moves=GridMotion(4))
    scores = evaluate(policy, dataset).scores
    assert 0 <= scores.all_states_success_rate <= 1
    start = tuple(dataset.starts[0, 0].tolist())
    planned = follow_policy(policy, dataset.blocked[0], start, tuple(dataset.goal[0].tolist()), moves=GridMotion(4))
    assert planned.iterations >= 1
    assert planned.optimal_cost >= 1


def test_a_planner_to_the_fixed_point_reports_the_updates_it_made():
    torch.manual_seed(0)
    dataset = solve_maps(*generate_mazes(1, 9, seed=0), moves=GridMotion(4))
    policy = build_policy(CONFIGS["implicit"])
    start, goal = tuple(dataset.starts[0, 0].tolist()), tuple(dataset.goal[0].tolist())
    made = policy(dataset.planes()).plan.num_iterations
    assert 0 < made < 2000
    assert follow_policy(policy, dataset.blocked[0], start, goal, moves=GridMotion(4)).iterations == made


def test_gppn_has_the_papers_shape():
    policy = build_policy(GPPNConfig())
    assert policy.default_iterations(15, 15) == 20
    sizes = {name: parameter.numel() for name, parameter in policy.named_parameters()}
    assert sizes == {
        "planner.features.weight": 2 * 150 * 9,
        "planner.features.bias": 150,
        "planner.hidden.weight": 150 * 150 * 9,
        "planner.hidden.bias": 150,
        "planner.cell.weight": 150 * 150 * 9,
        "planner.cell.bias": 150,
        "planner.message.weight": 150 * 81,
        "planner.message.bias": 1,
        "planner.lstm.weight_ih": 600,
        "planner.lstm.weight_hh": 600 * 150,
        "planner.lstm.bias_ih": 600,
        "planner.lstm.bias_hh": 600,
        "planner.readout.weight": 4 * 150,
    }


def test_the_vin_of_gppns_table_has_its_numbers():
    policy = build_policy(VIN_OF_GPPN_15)
    assert policy.default_iterations(15, 15) <= 30
    assert policy.planner.iteration.transition().shape == (600, 1, 5, 5)


def test_the_dynamic_design_has_a_kernel_per_cell_and_reports_layers_in_training():
    policy = build_policy(DynamicConfig(layer_every=10))
    planes = torch.rand(2, 2, 6, 9)
    output = policy(planes, num_iterations=25)
    assert list(output.layers) == [10, 20]
    torch.testing.assert_close(output.layers[10], policy(planes, num_iterations=10).logits)
    assert not policy.eval()(planes, num_iterations=25).layers
    assert not build_policy(DynamicConfig(layer_every=0))(planes, num_iterations=25).layers


def test_layers_of_states_are_those_of_the_cells():
    policy = build_policy(DynamicConfig())
    planes, states = torch.rand(1, 2, 6, 9), torch.tensor([[[2, 3], [5, 8]]])
    of_cells, of_states = policy(planes, num_iterations=15).layers, policy(planes, states, num_iterations=15).layers
    torch.testing.assert_close(of_states[10][0, 1], of_cells[10][0, :, 5, 8])


def test_gppn_knows_orientations_and_terrain():
    config = dataclasses.replace(CONFIGS["gppn"], num_actions=3, num_orientations=4, num_terrains=2)
    assert build_policy(config)(torch.rand(2, 6, 7, 5)).logits.shape == (2, 12, 7, 5)
