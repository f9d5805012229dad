import pytest
import torch
from torch.nn import functional

from torchvin.maps.observe import encode
from torchvin.planning.models.reward import ActionReward, ImageReward, Rectifier


def test_off_the_map_is_an_obstacle_so_a_border_changes_nothing_inside(random_maps):
    """The same map with and without a border of obstacles around it: equal rewards in the cells of the map."""
    torch.manual_seed(0)
    reward = ActionReward(num_actions=8)
    blocked, goal = random_maps(0, 4, 6, 9)
    bordered = functional.pad(blocked, (1, 1, 1, 1), value=True)
    bare = reward(encode(blocked, goal))
    inside = reward(encode(bordered, goal + 1))[:, :, 1:-1, 1:-1]
    torch.testing.assert_close(inside, bare)
    free = functional.pad(blocked, (1, 1, 1, 1), value=False)
    assert not torch.allclose(reward(encode(free, goal + 1))[:, :, 1:-1, 1:-1], bare)


@pytest.mark.parametrize("orientations", [1, 4])
def test_the_reward_is_the_same_bits_where_nothing_is_learned(orientations):
    torch.manual_seed(0)
    reward = ActionReward(num_actions=4, terrain_channels=2, num_orientations=orientations)
    planes = torch.rand(2, 2 + orientations, 6, 9)
    before = planes.clone()
    with torch.no_grad():
        quick = reward(planes)
    assert torch.equal(quick, reward(planes))
    assert torch.equal(planes, before)


def test_the_goal_plane_is_zero_off_the_map():
    torch.manual_seed(0)
    reward = ActionReward(num_actions=4, terrain_channels=2)
    planes = torch.rand(1, 3, 5, 4)
    wider = torch.zeros(1, 3, 7, 6)
    wider[:, 0] = 1.0
    wider[:, :, 1:-1, 1:-1] = planes
    torch.testing.assert_close(reward(wider)[:, :, 1:-1, 1:-1], reward(planes))


@pytest.mark.parametrize(("reward", "channels"), [(ActionReward, 6), (ImageReward, 5)])
def test_a_reward_has_one_plane_an_action_and_the_size_of_the_map(reward, channels):
    assert reward(num_actions=5)(torch.rand(2, 2, 7, 3)).shape == (2, channels, 7, 3)
    assert reward(num_actions=5)(torch.rand(1, 2, 1, 1)).shape == (1, channels, 1, 1)


def test_giving_up_is_worth_nothing_and_the_goal_pays_nothing_away_from_it():
    reward = ActionReward(num_actions=4)
    planes = torch.zeros(1, 2, 9, 9)
    planes[0, 1, 1, 1] = 10.0
    assert not reward(planes)[:, 4].any()
    paid = reward.goal(planes[:, 1:])  # cell (r, c) looks at rows r - 1 to r + 1
    assert not paid[:, :, 3:].any()
    assert not paid[:, :, :, 3:].any()


@pytest.mark.parametrize("reward", [ActionReward, ImageReward])
def test_the_image_for_pictures_has_one_plane(reward):
    assert reward(num_actions=5).image(torch.rand(2, 2, 7, 3)).shape == (2, 1, 7, 3)


def test_the_image_of_an_action_reward_is_the_mean_over_the_actions():
    reward, planes = ActionReward(num_actions=5), torch.rand(2, 2, 7, 3)
    torch.testing.assert_close(reward.image(planes)[:, 0], reward(planes)[:, :5].mean(dim=1))


def test_the_papers_reward_is_linear_in_the_map():
    torch.manual_seed(0)
    reward = ImageReward(num_actions=10, scale=0.3).double()
    one, other = (torch.rand(1, 2, 6, 5, dtype=torch.float64) for _ in range(2))
    middle = reward(0.25 * one + 0.75 * other)
    torch.testing.assert_close(middle, 0.25 * reward(one) + 0.75 * reward(other))


def test_the_papers_reward_shares_one_image_among_the_actions():
    torch.manual_seed(0)
    reward, planes = ImageReward(num_actions=3, kernel_size=1, scale=0.5), torch.rand(2, 2, 6, 5)
    expected = reward.image(planes) * reward.q_conv.weight.view(1, 3, 1, 1)
    torch.testing.assert_close(reward(planes), expected)


def test_the_papers_reward_starts_at_the_authors_scale():
    torch.manual_seed(0)
    weights = torch.cat([parameter.flatten() for parameter in ImageReward(num_actions=10).parameters()])
    assert len(weights) == 2700 + 150 + 150 + 90
    assert weights.std().item() == pytest.approx(0.01, rel=0.1)


def test_an_action_reward_is_not_linear():
    torch.manual_seed(0)
    reward = ActionReward(num_actions=4)
    one, other = torch.rand(1, 2, 6, 5), -torch.rand(1, 2, 6, 5)
    assert not torch.allclose(reward((one + other) / 2), (reward(one) + reward(other)) / 2, atol=1e-4)


def test_a_rectifier_has_the_values_of_relu_and_a_leak_in_its_gradient():
    x = torch.tensor([-2.0, -0.0, 3.0], requires_grad=True)
    opened = Rectifier(leak=0.25)(x)
    torch.testing.assert_close(opened, torch.relu(x), rtol=0, atol=0)
    assert torch.autograd.grad(opened[[0, 2]].sum(), x)[0].tolist() == [0.25, 0.0, 1.0]
    with torch.no_grad():
        torch.testing.assert_close(Rectifier()(x), torch.relu(x), rtol=0, atol=0)


def test_a_cost_and_a_payment_that_begin_shut_open_again():
    """Where every cell is shut, a plain rectifier passes nothing and the part would stay shut for good."""
    torch.manual_seed(0)
    reward = ActionReward(num_actions=3)
    with torch.no_grad():
        reward.terrain[2].weight.zero_()
        reward.terrain[2].bias.fill_(-0.2)
        reward.goal[2].weight.copy_(-reward.goal[2].weight.abs())
    planes = torch.rand(4, 2, 5, 5)
    assert reward.of_actions(planes).abs().max() == 0
    optimizer = torch.optim.Adam(reward.parameters(), lr=0.05)
    for wanted in (-1.0, 1.0):  # a cost, then a payment
        for _ in range(60):
            optimizer.zero_grad()
            (reward.of_actions(planes) - wanted).square().mean().backward()
            optimizer.step()
        assert (reward.of_actions(planes).mean() - wanted).abs() < 0.5
