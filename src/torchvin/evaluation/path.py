"""One path on one map: plan, follow the greedy policy, go on planning until it arrives or values stop changing.

This is what every policy can do: it plans every cell of the map. `navigation.path_planner` answers single queries.
"""

import math
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.errors import InputError
from torchvin.evaluation.anytime import anytime_plans, for_anytime
from torchvin.experts.grid import preferred_action, shortest_paths
from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rollout import rollout
from torchvin.planning.kernels.reference import by_orientation
from torchvin.policies.policy import Policy
from torchvin.spaces import StateSpace

State = tuple[int, ...]
"""(row, col), or (orientation, row, col) of an agent with orientations."""


@dataclass(frozen=True)
class PlannedPath:
    """A policy's path beside the optimal one.

    Attributes:
        found: whether the policy's path ends at the goal.
        states: (row, col), or (orientation, row, col) of an agent with orientations, from the start on, [T, D] int64;
            where not found, as far as the policy came.
        cost: of the path by the motion model, in cells; inf where not found.
        optimal_states, optimal_cost: the expert's.
        value: V of every cell, [H, W], the best of its orientations; None if it was not asked for.
        actions: greedy action of every cell, [H, W]; None if it was not asked for, or for an agent with orientations.
        iterations: value updates made; 0 where a graph search planned.
        seconds: from the map to the policy's path: network, plan and rollout, not the expert.
    """

    found: bool
    states: Int[np.ndarray, "T D"]
    cost: float
    optimal_states: Int[np.ndarray, "N D"]
    optimal_cost: float
    value: Float[Tensor, "H W"] | None
    actions: Int[Tensor, "H W"] | None
    iterations: int
    seconds: float

    @cached_property
    def path(self) -> list[State]:
        """`states` as tuples of Python numbers."""
        return _tuples(self.states)

    @cached_property
    def optimal_path(self) -> list[State]:
        """`optimal_states` as tuples of Python numbers."""
        return _tuples(self.optimal_states)


def _tuples(states: Int[np.ndarray, "T D"]) -> list[State]:
    return [tuple(state) for state in states.tolist()]


def check_task(blocked: Bool[Tensor, "H W"], start: State, goal: State, moves: MotionModel | None = None) -> float:
    """The optimal cost from `start` to `goal`.

    Raises: InputError if either lies off the map or on an obstacle, or nothing leads from one to the other.
    """
    moves = moves or GridMotion()
    check_ends(blocked, start, goal, moves)
    distance = shortest_paths(blocked[None], torch.tensor([goal]), moves).distance
    index = (0, *start)
    cost = distance[index].item()
    if math.isinf(cost):
        raise unreachable(start, goal)
    return cost


def unreachable(start: State, goal: State) -> InputError:
    """The error for a task that has no path."""
    return InputError(f"the goal {goal} is unreachable from the start {start}: obstacles separate them.")


def check_ends(
    blocked: Bool[Tensor, "H W"] | Bool[np.ndarray, "H W"], start: State, goal: State, moves: MotionModel | None = None
) -> None:
    """Check that start and goal are states of the agent in free cells of the map.

    Raises: InputError.
    """
    height, width = blocked.shape
    orientations = 1 if moves is None else moves.num_orientations
    for name, state in (("start", start), ("goal", goal)):
        expected = "(row, col)" if orientations == 1 else "(orientation, row, col)"
        if len(state) != (2 if orientations == 1 else 3):
            raise InputError(f"the {name} must be {expected}, got {state}.")
        row, col = state[-2:]
        if not (0 <= row < height and 0 <= col < width):
            raise InputError(
                f"the {name} ({row}, {col}) lies outside the {height}x{width} map; "
                f"give row,col from 0,0 to {height - 1},{width - 1}."
            )
        if orientations > 1 and not 0 <= state[0] < orientations:
            raise InputError(f"the {name} has orientation {state[0]}; there are {orientations}, from 0.")
        if blocked[row, col]:
            raise InputError(f"the {name} ({row}, {col}) lies on an obstacle; choose a free cell.")


@torch.no_grad()
def follow_policy(
    policy: Policy,
    blocked: Bool[Tensor, "H W"],
    start: State,
    goal: State,
    *,
    num_iterations: int | None = None,
    moves: MotionModel | None = None,
) -> PlannedPath:
    """Plan on one map and follow the policy greedily.

    Without `num_iterations`, K starts at the policy's default for the size of the map. K is doubled, warm-started,
    until the goal is reached or the values converge. It never exceeds the number of cells, because no shortest path is
    longer.

    A policy that solves exactly plans once. One that iterates plans in float64 whatever the type of its weights: values
    shrink with distance, and in float32 they reach 0 after some hundreds of steps. The policy itself is not changed.

    Args:
        policy: with a planner.
        blocked: True = obstacle, [H, W].
        start, goal: (row, col), or (orientation, row, col) for moves with orientations.
        num_iterations: exactly this K.
        moves: of the environment; those that the weights were trained for if not given, else the paper's.

    Raises: InputError, see `check_task`; if the policy does not plan; if the policy's values are not finite.

    >>> from torchvin.pretrained.store import load_policy
    >>> planned = follow_policy(load_policy("gridworld-16"), torch.zeros(5, 7, dtype=torch.bool), (0, 0), (4, 6))
    >>> planned.found, round(planned.cost, 2) == round(planned.optimal_cost, 2)
    (True, True)
    """
    moves = moves or policy.motion or GridMotion()
    planner = policy.planner
    if planner is None:
        raise InputError(f"a {type(policy).__name__} does not plan; choose weights of a VIN.")
    optimal_cost = check_task(blocked, start, goal, moves)
    height, width = blocked.shape
    space, orientations = moves.states(height, width), moves.num_orientations
    began = time.perf_counter()
    policy = for_anytime(policy)
    batch, target = blocked[None], torch.tensor([goal])
    begin = space.flatten(torch.tensor([[start]]))
    limit = torch.full_like(begin, space.num_states)
    weights = next(policy.parameters())
    planes = encode(batch, target, dtype=weights.dtype, num_orientations=orientations).to(weights.device)
    for output, made in anytime_plans(policy, planes, num_iterations, most=space.num_states):
        assert output.plan is not None  # it plans
        if output.logits.shape[1] != orientations * moves.num_actions:
            raise InputError(
                f"the policy has {output.logits.shape[1]} actions, the map {orientations * moves.num_actions} moves; "
                "they must be the same."
            )
        # Along the last axis the maximum is found faster than across planes.
        actions = by_orientation(output.logits, orientations).max(dim=2).indices.cpu()
        if orientations == 1:
            actions = actions[:, 0]
        ours = rollout(actions, batch, target, begin, limit=limit, moves=moves, record=True)
        found, value, iterations = bool(ours.reached), output.plan.value.cpu(), made
        if found:
            break
    seconds = time.perf_counter() - began
    expert = preferred_action(shortest_paths(batch, target, moves).optimal_actions, moves)
    best = rollout(expert, batch, target, begin, limit=limit, moves=moves, record=True)
    return PlannedPath(
        found=found,
        states=_states(ours.path, space),
        cost=ours.cost.item() if found else math.inf,
        optimal_states=_states(best.path, space),
        optimal_cost=optimal_cost,
        value=value[0].amax(dim=0),
        actions=actions[0] if orientations == 1 else None,
        iterations=iterations,
        seconds=seconds,
    )


def _states(path: Tensor | None, space: StateSpace) -> Int[np.ndarray, "T D"]:
    assert path is not None  # recorded
    cells = path[0, 0]
    kept = cells[cells >= 0]
    if len(kept) > 1:  # a policy that has got stuck repeats itself until the limit: once is enough to see
        seen = (kept[1:] != kept[:-1]).nonzero()[:, 0]
        kept = kept[: int(seen[-1]) + 2] if len(seen) else kept[:1]
    states: np.ndarray = space.unflatten(kept).numpy()
    return states
