"""The scorer of the continuous domain: bodies that policies or the expert push through arenas, by the true dynamics."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.experts.trajectory import Trajectories, TrajectoryOptimizer, at_rest
from torchvin.maps.arenas import Arenas, encode_arenas
from torchvin.mdp.point_mass import PointMass, advance, clearance
from torchvin.policies.force import ForcePolicy

#: The body arrives within this distance of the goal: its own diameter.
GOAL_RADIUS = 0.1
#: Control steps of an episode: 5 s, as in the authors' files.
TIME_LIMIT = 100

Forces = Callable[[Float[Tensor, "B 4"]], Float[Tensor, "B 2"]]


@dataclass(frozen=True)
class ControlScores:
    """What was measured on a set of arenas.

    Attributes:
        maps: number of arenas.
        success_rate: share where the body ends within the goal radius, in time, and never touches anything.
        arrival_rate: share where it ends within the goal radius.
        collision_rate: share where it touches an obstacle or a wall.
        final_distance: mean distance from the goal at the end; 2 is the side of the arena.
        median_distance: median of the same.
        mean_steps: control steps until the body stays within the goal radius, mean over successes; NaN without any.
    """

    maps: int
    success_rate: float
    arrival_rate: float
    collision_rate: float
    final_distance: float
    median_distance: float
    mean_steps: float


def score(found: Trajectories, goal: Float[Tensor, "B 2"], *, radius: float = GOAL_RADIUS) -> ControlScores:
    """The scores of trajectories.

    Args:
        found: one per arena.
        goal: of each.
        radius: of the goal.
    """
    away = (found.state[:, :, :2] - goal[:, None]).norm(dim=2)
    final, successful = away[:, -1], found.successful(goal, radius)
    outside = (away > radius).double()
    last_outside = (outside * torch.arange(1, away.shape[1] + 1)).amax(dim=1)  # steps until it stays
    return ControlScores(
        maps=len(goal),
        success_rate=successful.double().mean().item(),
        arrival_rate=(final <= radius).double().mean().item(),
        collision_rate=found.touched.any(dim=1).double().mean().item(),
        final_distance=final.mean().item(),
        median_distance=final.median().item(),
        mean_steps=last_outside[successful].mean().item(),
    )


@torch.no_grad()
def roll_out(
    forces: Forces, arenas: Arenas, state: Float[Tensor, "B 4"], *, steps: int = TIME_LIMIT, body: PointMass
) -> Trajectories:
    """Push bodies with what `forces` says of their states, one body per arena.

    Args:
        forces: from states to forces.
        arenas: B.
        state: where they begin.
        steps: control steps.
        body: its constants.
    """
    done, states, touches = [], [state], []
    for _ in range(steps):
        force = forces(state).to(state.dtype).clamp(-body.max_force, body.max_force)
        state, touched = advance(state, force, arenas.obstacles, body)
        done.append(force)
        states.append(state)
        touches.append(touched)
    return Trajectories(torch.stack(done, dim=1), torch.stack(states, dim=1), torch.stack(touches, dim=1))


def observed(state: Float[Tensor, "B 4"], goal: Float[Tensor, "B 2"]) -> Float[Tensor, "B 6"]:
    """What a policy is told of states: position, velocity, offset to the goal."""
    return torch.cat([state, goal - state[:, :2]], dim=1).float()


@torch.no_grad()
def policy_forces(policy: ForcePolicy, arenas: Arenas, *, side: int = 16, radius: float = 0.05) -> Forces:
    """What a policy does in arenas: it looks once, plans once, and says the mean force of each state.

    Args:
        policy: in evaluation mode; it may be on another device than the arenas.
        arenas: B.
        side: cells per side of its map.
        radius: of the body.
    """
    device = next(policy.parameters()).device
    planes = encode_arenas(arenas.obstacles, arenas.goal, side, radius=radius)
    seen, _ = policy.look(planes.to(device))

    def force(state: Tensor) -> Tensor:
        told = observed(state, arenas.goal)[:, None].to(device)
        return policy.force(seen, told)[:, 0].to(state.device)

    return force


@torch.no_grad()
def evaluate_policy(
    policy: ForcePolicy,
    arenas: Arenas,
    *,
    side: int = 16,
    steps: int = TIME_LIMIT,
    body: PointMass | None = None,
) -> tuple[ControlScores, Trajectories]:
    """Score a policy from the starts of arenas; its mode is left as it was."""
    body = body or PointMass()
    training = policy.training
    policy.eval()
    forces = policy_forces(policy, arenas, side=side, radius=body.radius)
    found = roll_out(forces, arenas, at_rest(arenas.start), steps=steps, body=body)
    policy.train(training)
    return score(found, arenas.goal), found


def evaluate_expert(expert: TrajectoryOptimizer) -> tuple[ControlScores, Trajectories]:
    """Score the expert from the starts of its arenas, within its horizon."""
    found = expert.from_start()
    return score(found, expert.arenas.goal), found


def free_places(arenas: Arenas, which: Int[Tensor, "N"], random: torch.Generator, *, room: float) -> Tensor:
    """A place in each of the arenas `which` with at least `room` to obstacles and walls, [N, 2]."""
    place = torch.zeros(len(which), 2, dtype=torch.float64)
    left = torch.arange(len(which))
    while len(left):
        drawn = torch.rand(len(left), 2, generator=random, dtype=torch.float64) * 1.7 - 0.85
        free = clearance(drawn, arenas.obstacles[which[left]]) > room
        place[left[free]] = drawn[free]
        left = left[~free]
    return place
