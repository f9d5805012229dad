"""What a policy that pushes learns from: states that it may come into, each with the expert's force."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.evaluation.control import free_places, observed
from torchvin.experts.trajectory import Trajectories, TrajectoryOptimizer, at_rest


@dataclass(frozen=True)
class Lessons:
    """N states of each of D arenas, and what the expert does in them.

    Attributes:
        states: position, velocity, offset to the goal, [D, N, 6] float32.
        force: of the expert, [D, N, 2] float32.
    """

    states: Float[Tensor, "D N 6"]
    force: Float[Tensor, "D N 2"]

    def __add__(self, others: "Lessons") -> "Lessons":
        """Both, of the same arenas."""
        return Lessons(torch.cat([self.states, others.states], dim=1), torch.cat([self.force, others.force], dim=1))


def demonstrate(
    expert: TrajectoryOptimizer, starts: int, random: torch.Generator, *, steps: int = 80
) -> tuple[Lessons, Trajectories]:
    """The expert from the start of every arena, and from other free places in it.

    Args:
        expert: on D arenas.
        starts: trajectories per arena.
        random: where the other places come from.
        steps: of each trajectory that are learned from.

    Returns: the lessons, and the trajectories, arena by arena.
    """
    arenas, body = expert.arenas, expert.body
    which = torch.arange(len(arenas)).repeat_interleave(starts)
    place = free_places(arenas, which, random, room=body.radius + expert.config.least)
    place[::starts] = arenas.start
    found = expert(which, at_rest(place))
    return _lessons(found, expert, which, starts, steps), found


def correct(expert: TrajectoryOptimizer, visited: Float[Tensor, "D N 4"], *, steps: int) -> Lessons:
    """What the expert would have done in states that a policy came into, for some steps from there.

    Dataset aggregation (Ross, Gordon and Bagnell 2011) with new solutions in place of labels: the first steps of each
    show how to come back.

    Args:
        expert: on D arenas.
        visited: N states of each arena.
        steps: of each solution that are learned from.
    """
    arenas, each, _ = visited.shape
    which = torch.arange(arenas).repeat_interleave(each)
    return _lessons(expert(which, visited.flatten(0, 1)), expert, which, each, steps)


def _lessons(found: Trajectories, expert: TrajectoryOptimizer, which: Tensor, each: int, steps: int) -> Lessons:
    goal = expert.arenas.goal[which].repeat_interleave(steps, dim=0)
    states = observed(found.state[:, :steps].flatten(0, 1), goal)
    shape = (len(which) // each, each * steps, -1)
    return Lessons(states.view(shape), found.force[:, :steps].float().reshape(shape))
