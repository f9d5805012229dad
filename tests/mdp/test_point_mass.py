"""The dynamics of the body: against a fine integration, MuJoCo's contacts, and conservation of energy."""

import math
from dataclasses import replace

import pytest
import torch

from torchvin.errors import InputError
from torchvin.maps.arenas import padded
from torchvin.mdp.point_mass import HALF_SIDE, PointMass, advance, clearance, signed_distance

NOTHING = torch.zeros(1, 0, 5, dtype=torch.float64)
BODY = PointMass()


def state(*numbers):
    return torch.tensor([numbers], dtype=torch.float64)


def obstacle(*numbers):
    return torch.tensor([[numbers]], dtype=torch.float64)


def pushed(start, force, obstacles=NOTHING, steps=1, body=BODY):
    current, touches = start, []
    for _ in range(steps):
        current, touched = advance(current, torch.tensor([force], dtype=torch.float64), obstacles, body)
        touches.append(bool(touched))
    return current[0], touches


def test_the_constants_are_those_of_the_authors_file():
    assert pytest.approx(0.5236, abs=1e-4) == BODY.mass
    assert (BODY.radius, BODY.damping, BODY.max_force, BODY.time_step, BODY.substeps) == (0.05, 1.0, 1.0, 0.01, 5)
    assert (BODY.terminal_speed, BODY.control_step) == (1.0, 0.05)


def test_about_half_a_unit_is_covered_in_the_first_second():
    """Computed in MuJoCo from the authors' file: 0.56; the exact solution is 1 - m (1 - exp(-1 / m)) = 0.554."""
    (x, *_), _ = pushed(state(-0.9, 0.0, 0.0, 0.0), (1.0, 0.0), steps=20)
    assert x.item() + 0.9 == pytest.approx(0.56, abs=0.01)


def test_without_friction_and_force_the_speed_is_constant():
    ideal = replace(BODY, damping=0.0)
    end, touches = pushed(state(-0.8, 0.3, 0.3, -0.1), (0.0, 0.0), steps=80, body=ideal)
    assert end[2:].tolist() == [0.3, -0.1]  # to the last bit: energy is conserved
    assert end[:2].tolist() == pytest.approx([-0.8 + 0.3 * 4, 0.3 - 0.1 * 4])
    assert not any(touches)


def test_a_step_agrees_with_the_exact_solution_and_a_finer_one_agrees_better():
    time, mass = 1.0, BODY.mass
    decay = math.exp(-time / mass)
    exact = -0.5 + 0.6 * (time - mass * (1 - decay)) + 0.2 * mass * (1 - decay)
    errors = []
    for finer in (1, 10, 100):
        body = replace(BODY, time_step=0.01 / finer, substeps=5 * finer)
        end, _ = pushed(state(-0.5, 0.0, 0.2, 0.0), (0.6, 0.0), steps=20, body=body)
        errors.append(abs(end[0].item() - exact))
    assert errors[0] < 5e-3
    assert errors[1] < 0.12 * errors[0]  # of first order
    assert errors[2] < 0.12 * errors[1]


def test_forces_beyond_the_motors_are_clipped():
    assert torch.equal(pushed(state(0, 0, 0, 0), (7.0, -7.0))[0], pushed(state(0, 0, 0, 0), (1.0, -1.0))[0])


def test_a_head_on_bounce_is_small_and_the_body_stays_out():
    """After a drop of 0.7 at full force the authors' world rebounds at about 0.12."""
    ball = obstacle(0.0, -0.75, 0.0, -0.75, 0.75)
    current, highest = state(0.0, 0.75, 0.0, 0.0), 0.0
    for _ in range(60):
        current, _ = advance(current, torch.tensor([[0.0, -1.0]], dtype=torch.float64), ball, BODY)
        highest = max(highest, current[0, 3].item())
        assert current[0, 1] > BODY.radius - 0.012  # contacts are soft
    assert 0.02 < highest < 0.2
    assert current[0, 3].abs() < 1e-3  # it came to rest on the obstacle


def test_contacts_have_no_friction():
    wall = obstacle(-0.9, 0.0, 0.9, 0.0, 0.1)
    along, _ = pushed(state(-0.5, 0.16, 0.4, 0.0), (0.3, -1.0), wall, steps=20)
    free, _ = pushed(state(-0.5, 0.5, 0.4, 0.0), (0.3, 0.0), NOTHING, steps=20)
    assert along[0].item() == pytest.approx(free[0].item(), abs=1e-12)
    assert along[1].item() == pytest.approx(0.15, abs=0.005)


def test_walls_hold_the_body_in():
    end, touches = pushed(state(0.8, -0.8, 0.0, 0.0), (1.0, -1.0), steps=60)
    assert end[:2].tolist() == pytest.approx([HALF_SIDE - 0.05, -HALF_SIDE + 0.05], abs=0.005)
    assert touches[-1]
    assert not touches[0]


def test_a_body_that_starts_inside_an_obstacle_is_pushed_out():
    end, touches = pushed(state(0.02, 0.1, 0.0, 0.0), (0.0, 0.0), obstacle(0.0, 0.0, 0.0, 0.0, 0.3), steps=40)
    assert clearance(end[:2], obstacle(0.0, 0.0, 0.0, 0.0, 0.3)[0]) > BODY.radius - 0.005
    assert touches[0]


def test_many_bodies_do_what_each_does_alone():
    random = torch.Generator().manual_seed(0)
    states = torch.rand(64, 4, generator=random, dtype=torch.float64) * 1.8 - 0.9
    forces = torch.rand(64, 2, generator=random, dtype=torch.float64) * 2 - 1
    obstacles = torch.rand(64, 3, 5, generator=random, dtype=torch.float64) * 0.4
    together, touched = advance(states, forces, obstacles, BODY)
    assert touched.any()
    assert not touched.all()
    for index in range(64):
        one = slice(index, index + 1)
        alone, touch = advance(states[one], forces[one], obstacles[one], BODY)
        assert torch.equal(alone[0], together[index])
        assert touch == touched[index]


def test_padding_changes_nothing():
    ball = obstacle(0.1, 0.0, 0.3, 0.0, 0.1)
    start = state(0.0, 0.16, 0.5, -0.5)
    assert torch.equal(pushed(start, (1.0, -1.0), ball, 10)[0], pushed(start, (1.0, -1.0), padded(ball, 4), 10)[0])


def test_distances_from_a_capsule():
    capsule = torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.25]])
    places = torch.tensor([[0.5, 0.75], [2.0, 0.0], [-0.3, -0.4], [0.5, 0.1]])
    distance, away = signed_distance(places, capsule.expand(4, 1, 5))
    assert distance[:, 0].tolist() == pytest.approx([0.5, 0.75, 0.25, -0.15])
    assert away[:, 0].tolist() == [pytest.approx(row) for row in ([0.0, 1.0], [1.0, 0.0], [-0.6, -0.8], [0.0, 1.0])]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mass": 0.0}, "mass of the body must be a positive number, got 0.0"),
        ({"damping": -1.0}, "damping of the body"),
        ({"radius": math.nan}, "radius of the body"),
        ({"contact_time": 0.015}, "contact_time must be at least two time steps"),
    ],
)
def test_constants_that_make_no_sense_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        replace(BODY, **wrong)
