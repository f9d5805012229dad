"""A disc with inertia that forces push through a plane with obstacles: the paper's continuous control (section 5.3).

The only place of these dynamics: environments, expert, training and scorer step them. Constants and contact model are
those of the authors' MuJoCo file (github.com/avivt/gps, `mjc_obstacles_trajopt/gen_model_0.xml`). Positions are
(x, y), x to the right and y up, in units of the arena, whose inside is [-1, 1] x [-1, 1].
"""

import math
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchvin.errors import InputError

#: Half the side of the arena.
HALF_SIDE = 1.0
_TINY = 1e-12


@dataclass(frozen=True)
class PointMass:
    """The body, its motors and its contacts.

    Attributes:
        radius: of the body (the authors: 0.05).
        mass: in kg (a sphere of this radius and density 1000: 0.5236).
        damping: force per speed, in N s; with the largest force 1 the terminal speed on an axis is 1.
        max_force: of the motor of each axis, in N.
        time_step: of the integration, in s.
        substeps: integration steps per control step: one action lasts 0.05 s.
        margin: distance of the surfaces at which a contact begins: the body touches.
        contact_time: time constant of a critically damped contact, in s (MuJoCo's `solref`); at least two time steps.
        softness: share of the free acceleration that a contact lets pass, at its beginning and from a depth of
            `soft_depth` on (1 minus MuJoCo's `solimp`).
        soft_depth: see there.

    Raises: InputError for a constant that is not finite or out of its range.

    >>> PointMass().terminal_speed, round(PointMass().control_step, 3)
    (1.0, 0.05)
    """

    radius: float = 0.05
    mass: float = 4 / 3 * math.pi * 0.05**3 * 1000
    damping: float = 1.0
    max_force: float = 1.0
    time_step: float = 0.01
    substeps: int = 5
    margin: float = 0.002
    contact_time: float = 0.02
    softness: tuple[float, float] = (0.1, 0.05)
    soft_depth: float = 0.001

    def __post_init__(self) -> None:
        for field in fields(self):
            values = getattr(self, field.name)
            for value in values if isinstance(values, tuple) else (values,):
                zero_is_fine = field.name in ("damping", "margin")
                if (
                    isinstance(value, bool)
                    or not math.isfinite(value)
                    or value < 0
                    or (value == 0 and not zero_is_fine)
                ):
                    raise InputError(f"{field.name} of the body must be a positive number, got {value!r:.40}.")
        if self.contact_time < 2 * self.time_step:
            raise InputError(
                f"contact_time must be at least two time steps ({2 * self.time_step:g} s), got {self.contact_time:g}: "
                "a contact would not be stable."
            )

    @property
    def control_step(self) -> float:
        """Seconds that one action lasts."""
        return self.time_step * self.substeps

    @property
    def terminal_speed(self) -> float:
        """Largest speed on an axis; inf without damping."""
        return self.max_force / self.damping if self.damping else math.inf


def signed_distance(
    position: Float[Tensor, "*#B 2"], obstacles: Float[Tensor, "*#B P 5"]
) -> tuple[Float[Tensor, "*C P"], Float[Tensor, "*C P 2"]]:
    """Distance from the surface of each obstacle, negative inside, and the direction away from it.

    Args:
        position: points.
        obstacles: capsules (x0, y0, x1, y1, radius); a sphere has two equal ends.

    >>> distance, away = signed_distance(torch.tensor([2.0, 0.0]), torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.25]]))
    >>> distance.tolist(), away.tolist()
    ([0.75], [[1.0, 0.0]])
    """
    start, radius = obstacles[..., :2], obstacles[..., 4]
    along_x, along_y = (obstacles[..., 2:4] - start).unbind(-1)
    from_x, from_y = (position[..., None, :] - start).unbind(-1)
    share = (from_x * along_x + from_y * along_y) / (along_x * along_x + along_y * along_y).clamp(min=_TINY)
    share = share.clamp(0.0, 1.0)
    away_x, away_y = from_x - share * along_x, from_y - share * along_y
    length = (away_x * away_x + away_y * away_y).clamp(min=_TINY * _TINY).sqrt()
    return length - radius, torch.stack([away_x / length, away_y / length], dim=-1)


def clearance(position: Float[Tensor, "*#B 2"], obstacles: Float[Tensor, "*#B P 5"]) -> Float[Tensor, "*C"]:
    """Distance from the nearest obstacle or wall, negative inside one.

    >>> clearance(torch.tensor([0.5, 0.0]), torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.25]]))
    tensor(0.2500)
    """
    wall = HALF_SIDE - position.abs().amax(dim=-1)
    if obstacles.shape[-2] == 0:
        return wall + obstacles[..., 0].sum(dim=-1)  # zeros: the shape of both
    return torch.minimum(signed_distance(position, obstacles)[0].amin(dim=-1), wall)


def advance(
    state: Float[Tensor, "B 4"], force: Float[Tensor, "B 2"], obstacles: Float[Tensor, "B P 5"], body: PointMass
) -> tuple[Float[Tensor, "B 4"], Bool[Tensor, "B"]]:
    """One control step of many bodies: `substeps` steps of semi-implicit Euler, damping implicit, as MuJoCo has them.

    m v' = f - c v + contacts. A contact has no friction. It is MuJoCo's: along the normal the acceleration becomes
    (1 - s) * d + s * free, where d = -2 v / t - x / t^2 is critically damped with the time constant t, x is the
    distance of the surfaces less the margin, s is the softness, and a contact never pulls. Of the obstacles the nearest
    one pushes; each wall pushes along its axis.

    Args:
        state: position (x, y) and velocity, [B, 4].
        force: of the motors, [B, 2]; clipped to the largest force.
        obstacles: capsules of each body's arena, [B, P, 5].
        body: constants.

    Returns: the states after it, and whether each body touched an obstacle or a wall.

    >>> state, touched = advance(torch.zeros(1, 4), torch.tensor([[1.0, 0.0]]), torch.zeros(1, 0, 5), PointMass())
    >>> state[0, 2] > 0, bool(touched)
    (tensor(True), False)
    """
    force = force.clamp(-body.max_force, body.max_force)
    # Damping is implicit: a force changes the speed as if the mass were larger by damping times the step.
    gain = body.time_step / (body.mass + body.time_step * body.damping)
    position, velocity = state[:, :2], state[:, 2:]
    # Most bodies are too far from everything to touch it in this step.
    reach = body.radius + body.margin + body.control_step * (velocity.abs().sum(dim=1) + 2 * body.max_force * gain)
    near = (clearance(position, obstacles) < reach).nonzero()[:, 0]
    close = (position[near], velocity[near], force[near], obstacles[near])
    for _ in range(body.substeps):
        velocity = velocity + gain * (force - body.damping * velocity)
        position = position + body.time_step * velocity
    touched = torch.zeros(len(state), dtype=torch.bool, device=state.device)
    if len(near):
        at, speed, touched[near] = _advance_near(*close, body)
        position, velocity = position.index_copy(0, near, at), velocity.index_copy(0, near, speed)
    return torch.cat([position, velocity], dim=1), touched


def _advance_near(
    position: Tensor, velocity: Tensor, force: Tensor, obstacles: Tensor, body: PointMass
) -> tuple[Tensor, Tensor, Tensor]:
    """The same for bodies that may touch something: position, velocity, and whether they did."""
    gain = body.time_step / (body.mass + body.time_step * body.damping)
    if obstacles.shape[1] == 0:
        obstacles = obstacles.new_tensor([[9.0, 9.0, 9.0, 9.0, 0.1]]).expand(len(position), 1, 5)  # out of reach
    touched = torch.zeros(len(position), dtype=torch.bool, device=position.device)
    for _ in range(body.substeps):
        distance, away = signed_distance(position, obstacles)
        nearest, which = distance.min(dim=1, keepdim=True)
        normal = away.take_along_dim(which[..., None], dim=1)[:, 0]
        inward = -position.sign()
        room = torch.cat([nearest, HALF_SIDE - position.abs()], dim=1) - body.radius
        speed = torch.cat([(normal * velocity).sum(dim=1, keepdim=True), inward * velocity], dim=1)
        hardness, wanted, contact = _contact(room, speed, body)
        total = force - body.damping * velocity
        free = (normal * total).sum(dim=1, keepdim=True)
        total = total + (hardness[:, :1] * (wanted[:, :1] - free)).clamp(min=0.0) * contact[:, :1] * normal
        total = total + (hardness[:, 1:] * (wanted[:, 1:] - inward * total)).clamp(min=0.0) * contact[:, 1:] * inward
        touched |= contact.any(dim=1)
        velocity = velocity + gain * total
        position = position + body.time_step * velocity
    return position, velocity, touched


def _contact(room: Tensor, speed: Tensor, body: PointMass) -> tuple[Tensor, Tensor, Tensor]:
    """How hard a contact is, the force along the normal that it wants, and whether there is one.

    Args:
        room: distance between the surfaces.
        speed: with which the body leaves.
        body: constants.
    """
    depth = room - body.margin
    share = (depth.abs() / body.soft_depth).clamp(max=1.0)
    other = 1 - share
    share = torch.where(share < 0.5, 2 * share * share, 1 - 2 * other * other)
    first, last = (1 - soft for soft in body.softness)
    hardness = first + (last - first) * share
    time = last * body.contact_time
    wanted = body.mass * (-2 / time * speed - hardness / time**2 * depth)
    return hardness, wanted, depth < 0
