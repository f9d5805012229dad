"""The expert of continuous control: it arrives without touching, from rest and in motion, as IPOPT does."""

import pytest
import torch

from torchvin.evaluation.control import evaluate_expert
from torchvin.experts.routes import Routes
from torchvin.experts.trajectory import TrajectoryOptimizer, at_rest
from torchvin.maps.arenas import Arenas
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.mdp.point_mass import PointMass, clearance


@pytest.mark.parametrize("config", [ArenaConfig(), ArenaConfig(obstacles=6)], ids=str)
def test_it_arrives_everywhere_without_touching(config):
    scores, found = evaluate_expert(TrajectoryOptimizer(generate_arenas(20, config, seed=11)))
    assert scores.success_rate >= 0.95  # one way of 3.8 around six obstacles is too long for 5 s
    assert scores.collision_rate == 0.0
    assert scores.final_distance < 0.02
    assert found.force.abs().max() <= 1.0


def test_from_a_body_in_motion_and_with_fewer_steps():
    arenas = generate_arenas(1, seed=0)
    expert = TrajectoryOptimizer(arenas)
    middle = expert.from_start().state[:, 15]
    found = expert.with_horizon(70)(torch.tensor([0]), middle)
    assert found.force.shape == (1, 70, 2)
    assert found.successful(arenas.goal, 0.1).all()
    assert torch.equal(found.state[:, 0], middle)


def test_its_linear_model_is_the_dynamics():
    arenas = generate_arenas(1, ArenaConfig(obstacles=0), seed=0)
    expert = TrajectoryOptimizer(arenas)
    start = torch.tensor([[0.1, -0.2, 0.3, 0.1]], dtype=torch.float64)
    force = torch.rand(1, 100, 2, generator=torch.Generator().manual_seed(0)).double() * 0.2 - 0.1
    simulated = expert.simulate(torch.tensor([0]), start, force).state[0, 1:, :2]
    drift = start[:, :2] + expert._drift[:, None].double() * start[:, 2:]
    torch.testing.assert_close(drift + expert._effect.double() @ force[0], simulated, rtol=0, atol=1e-5)


def walled():
    """A wall from side to side between start and goal."""
    wall = torch.tensor([[[-1.2, 0.0, 1.2, 0.0, 0.1]]], dtype=torch.float64)
    return Arenas(wall, torch.tensor([[0.0, 0.5]]).double(), torch.tensor([[0.0, -0.5]]).double())


def test_a_goal_that_cannot_be_reached_is_said_and_not_reached():
    expert = TrajectoryOptimizer(walled())
    assert not expert.routes.reachable(torch.tensor([0]), walled().start).any()
    scores, found = evaluate_expert(expert)
    assert scores.success_rate == 0.0
    assert found.state.isfinite().all()


def test_ways_keep_clear_of_obstacles_and_lead_back_from_inside_one():
    arenas = generate_arenas(8, seed=5)
    routes = Routes(arenas, PointMass())
    which = torch.arange(8)
    points, length = routes(which, arenas.start)
    assert (clearance(points, arenas.obstacles[:, None]) > 0.03).all()
    assert torch.equal(points[:, -1], arenas.goal)
    assert (length >= (arenas.start - arenas.goal).norm(dim=1) - 1e-9).all()
    inside = arenas.obstacles[:, 1, :2] * 0.5 + arenas.obstacles[:, 1, 2:4] * 0.5
    assert torch.equal(routes(which, inside)[0][:, -1], arenas.goal)


def test_ipopt_finds_trajectories_of_the_same_kind():
    pytest.importorskip("casadi")
    from torchvin.experts.nonlinear_program import NonlinearProgram

    arenas = generate_arenas(2, seed=2)
    expert = TrajectoryOptimizer(arenas)
    found = NonlinearProgram(expert)(torch.arange(2), at_rest(arenas.start))
    assert found.successful(arenas.goal, 0.1).all()
    ours = expert.from_start()
    apart = (found.state[:, :, :2] - ours.state[:, :, :2]).norm(dim=2).mean()
    assert apart < 0.15  # on the same side of each obstacle
