"""Networks on overhead images: encoder, planners behind it, baselines; saved, loaded, any size, no label among inputs."""

import pytest
import torch

import torchvin
from torchvin.architectures.registry import build_policy
from torchvin.architectures.terrain import TerrainConfig
from torchvin.architectures.terrain_classifier import TerrainClassifierConfig
from torchvin.architectures.terrain_cnn import TerrainCNNConfig
from torchvin.data.draw import draw_maps
from torchvin.errors import InputError
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.scorer import evaluate
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.motion import GridMotion
from torchvin.planning.models.cell_cost import CellCost
from torchvin.planning.planners.cell_cost import CellCostPlanner
from torchvin.policies.encoders import PatchEncoder
from torchvin.policies.obstacle_planner import ObstaclePlanner, straight_line

SMALL = {"encoder_channels": 4}
CONFIGS = [
    TerrainConfig(**SMALL),
    TerrainConfig(encoder_blocks=2, caution=5.0, **SMALL),
    TerrainConfig(planner="normalized", hidden_channels=8, num_features=3, **SMALL),
    TerrainConfig(planner="paper", hidden_channels=8, num_features=3, **SMALL),
    TerrainClassifierConfig(**SMALL),
    TerrainCNNConfig(hidden_channels=6, num_features=3, **SMALL),
]


@pytest.fixture(scope="module")
def terrain():
    return draw_maps("terrain", 3, 6, 7, seed=4)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__ + getattr(config, "planner", ""))
def test_a_network_answers_at_any_size_and_survives_a_file(config, terrain, tmp_path):
    policy = build_policy(config).eval()
    logits = policy(terrain.planes()).logits
    assert logits.shape == (3, 8, 6, 7)
    states = terrain.starts.clamp(min=0)
    at_states = policy(terrain.planes(), states).logits
    rows, cols = states.unbind(-1)
    everywhere = logits.permute(0, 2, 3, 1)[torch.arange(3)[:, None], rows, cols]
    assert torch.allclose(at_states, everywhere, atol=1e-5)
    torchvin.save_policy(tmp_path / "run", policy)
    again = torchvin.load_policy(tmp_path / "run")
    assert again.config == config
    assert torch.equal(again(terrain.planes()).logits, logits)
    assert 0 <= evaluate(again, terrain).scores.success_rate <= 1


@pytest.mark.parametrize("pixels", [2, 4, 8, 16])
@pytest.mark.parametrize("blocks", [0, 2])
def test_an_encoder_brings_cells_of_any_power_of_two_to_the_grid(pixels, blocks):
    encoder = PatchEncoder(cell_pixels=pixels, num_features=3, hidden_channels=4, num_blocks=blocks)
    assert encoder(torch.rand(1, pixels**2 + 1, 5, 3)).shape == (1, 4, 5, 3)


def test_a_cell_sees_its_own_pixels_and_exposure_changes_nothing():
    torch.manual_seed(0)
    encoder = PatchEncoder(num_features=1, hidden_channels=8)
    observation = torch.rand(1, 65, 9, 9)
    before = encoder.logits(observation)
    assert torch.allclose(encoder.logits(0.5 * observation + 0.1), before, atol=1e-4)
    changed = observation.clone()
    changed[0, :64, 2, 6] = changed[0, :64, 2, 6].flip(0)  # the same mean and spread
    difference = (encoder.logits(changed) - before)[0, 0].abs()
    assert difference[2, 6] > 1e-4
    difference[:7, 2:] = 0  # four cells around it
    assert difference.max() < 1e-5


@pytest.mark.parametrize("pixels", [0, 1, 3, 12])
def test_other_cells_are_refused(pixels):
    with pytest.raises(InputError, match=r"a cell must have 2, 4, 8, \.\.\. pixels per side"):
        PatchEncoder(cell_pixels=pixels)


def test_maps_and_images_are_told_apart(terrain):
    with pytest.raises(InputError, match="the data are images of 8x8 pixels per cell, the policy sees maps"):
        check_fit(torchvin.NormalizedConfig(), terrain)
    with pytest.raises(InputError, match="the data are maps, the policy sees images of 8x8"):
        check_fit(TerrainConfig(), draw_maps("maze", 2, 9, 9))
    with pytest.raises(InputError, match="sees cells of 8x8 pixels and the goal, 65 channels; got 2"):
        build_policy(TerrainConfig(**SMALL))(torch.zeros(1, 2, 6, 6))


@pytest.mark.parametrize("actions", [4, 8])
def test_costs_of_cells_give_the_shortest_paths_of_the_expert(actions):
    torch.manual_seed(1)
    blocked = torch.rand(5, 7, 9) < 0.3
    blocked[:, 3, 4] = False
    goal = torch.tensor([[3, 4]] * 5)
    moves = GridMotion(actions)
    planes = torch.zeros(5, 2, 7, 9)
    planes[:, 0] = torch.where(blocked, 1e4, -1e4)
    planes[:, 1, 3, 4] = 10.0
    plan = CellCostPlanner(moves)(planes)
    distance = shortest_paths(blocked, goal, moves).distance
    reached = distance.isfinite() & ~blocked
    assert torch.allclose(-plan.value[:, 0][reached], distance[reached], atol=1e-4)
    assert plan.solved


def test_enough_updates_are_the_graph_search():
    torch.manual_seed(2)
    planes = torch.randn(2, 2, 6, 9)
    planes[:, 1] = 0
    planes[:, 1, 2, 3] = 10.0
    planner = CellCostPlanner(GridMotion(8), caution=3.0).eval()
    exact = planner(planes)
    planner.set_solver({"solve": "iterate"})
    assert (planner.exact, planner.resumable, planner.default_iterations(6, 9)) == (False, True, 18)
    iterated = planner(planes)
    assert torch.allclose(iterated.q_values.double(), exact.q_values, atol=1e-4)
    assert not torch.allclose(planner(planes, num_iterations=2).value.double(), exact.value)
    assert torch.equal(planner(planes, num_iterations=3, initial_value=iterated.value).value, iterated.value)


def test_the_gradient_raises_the_cost_of_cells_that_demonstrations_avoid():
    planner = CellCostPlanner(GridMotion(8))
    logits = torch.zeros(1, 1, 3, 3, requires_grad=True)
    goal = torch.zeros(1, 1, 3, 3)
    goal[0, 0, 1, 2] = 10.0
    plan = planner(torch.cat([logits, goal], dim=1))
    east, north_east = plan.q_values[0, 2, 1, 0], plan.q_values[0, 4, 1, 0]
    (east - north_east).backward()  # a loss where the demonstration goes round the middle
    assert logits.grad[0, 0, 1, 1] < 0  # a step of descent raises its cost
    assert logits.grad[0, 0, 0, 1] > 0


def test_caution_multiplies_learned_costs_in_evaluation_and_not_in_training():
    planes = torch.zeros(1, 2, 3, 3)
    planes[0, 0] = torch.tensor([[-9.0, -9.0, -9.0], [-9.0, 0.5, -9.0], [9.0, 9.0, 9.0]])
    planes[0, 1, 1, 2] = 10.0
    bold, careful = CellCostPlanner(GridMotion(8)).eval(), CellCostPlanner(GridMotion(8), caution=9.0).eval()
    east, north_east = 2, 4
    assert bold(planes).q_values[0, :, 1, 0].argmax() == east
    assert careful(planes).q_values[0, :, 1, 0].argmax() == north_east
    assert torch.equal(careful.reward_image(planes), bold.reward_image(planes))
    assert torch.equal(careful.train()(planes).q_values, bold.train()(planes).q_values)
    with pytest.raises(InputError, match="caution must be a positive number, got 0"):
        careful.set_solver({"caution": 0})
    with pytest.raises(InputError, match="has caution and solve to choose, and no speed"):
        careful.set_solver({"speed": 1})


def test_caution_is_kept_with_the_weights(tmp_path):
    policy = build_policy(TerrainConfig(caution=5.0, **SMALL))
    policy.planner.set_solver({"caution": 7.0})
    torchvin.save_policy(tmp_path / "run", policy)
    assert torchvin.load_policy(tmp_path / "run").planner.solver == {"caution": 7.0, "solve": "exact"}


def test_costs_start_near_the_length_of_a_move():
    cost, goal_cost = CellCost(GridMotion(8))(torch.zeros(1, 2, 4, 4))
    assert 1.3 < cost[0, 0, 1:].mean() < 1.5
    assert goal_cost.isinf().all()


def test_predicted_obstacles_are_avoided_and_the_straight_line_is_straight():
    observation = torch.zeros(1, 65, 3, 5)
    observation[0, 64, 1, 4] = 10.0
    assert straight_line()(observation).logits[0, :, 1, 0].argmax() == GridMotion(8).names.index("E")
    planner = ObstaclePlanner(PatchEncoder(num_features=1, hidden_channels=4))
    planner.obstacle_logits = lambda seen: torch.tensor([[[-1.0] * 5, [-1, -1, 1, -1, -1], [1.0] * 5]])
    assert planner(observation).logits[0, :, 1, 1].argmax() == GridMotion(8).names.index("NE")
    with pytest.raises(InputError, match="take neither a number of iterations"):
        planner(observation, num_iterations=3)
    with pytest.raises(InputError, match="does not plan"):
        build_policy(TerrainCNNConfig(**SMALL))(observation, num_iterations=3)
