"""The only scorer: plan once for all states of a map, then follow the greedy policy from every one of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.evaluation.anytime import anytime_plans, for_anytime
from torchvin.evaluation.metrics import ByLength, Scores, Tally
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set, preferred_action
from torchvin.mdp.rollout import Rollouts, rollout
from torchvin.planning.kernels.reference import by_orientation
from torchvin.policies.policy import Policy

_STATES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Evaluation:
    """Scores of one policy on one data set, with what they were measured on.

    Attributes:
        scores: the rates.
        iterations: K; the largest of all batches where it was found by itself.
        seconds: of planning, rollouts and counting.
        by_length: rollouts from every state by the length of its optimal path.
    """

    scores: Scores
    iterations: int
    seconds: float
    by_length: ByLength


def evaluate(
    policy: Policy,
    dataset: MapDataset,
    *,
    num_iterations: int | Literal["auto"] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score a policy; no gradients, no planning inside a rollout, every map of the data set counts once.

    A rollout succeeds if it reaches the goal within twice the number of states of the optimal path (the authors'
    `test_network.m`). The definition of each number is on `Scores`.

    All of it runs on the device of the policy. The maps are copied there once, if they do not lie there yet. The counts
    come back at the end; before, the host waits for the device only if K is to be found.

    Args:
        policy: in any mode; put into evaluation mode for the time of the call.
        dataset: maps of one size.
        num_iterations: K; by the size of the map if not given.
        on_progress: called with the number of maps done after each batch.

    Raises: InputError if the policy's answer is not finite.
    """
    began = time.perf_counter()
    height, width = dataset.size
    iterations = policy.default_iterations(height, width) if num_iterations is None else num_iterations
    device = next(policy.parameters()).device
    dataset = dataset.to(device)
    most, finite = 0, []
    modes = [(module, module.training) for module in policy.modules()]  # a frozen part stays as it is
    policy.eval()
    tally = Tally(dataset.space.num_states)
    at_once = max(1, _STATES_AT_ONCE // dataset.space.num_states)
    try:
        for first in range(0, len(dataset), at_once):
            batch = dataset[slice(first, first + at_once)]
            if iterations == "auto":
                actions, made = _settled(policy, batch)
            else:
                made = iterations
                actions, is_finite = _planned(policy, batch, made)
                finite.append(is_finite)
            most = max(most, made)
            _score(tally, batch, actions)
            if on_progress:
                on_progress(len(batch))
    finally:
        for module, training in modes:
            module.training = training
    if finite:
        _check_finite(torch.stack(finite).all(), most)
    return Evaluation(tally.scores(), most, time.perf_counter() - began, tally.by_length())


@torch.no_grad()
def greedy_actions(policy: Policy, dataset: MapDataset, num_iterations: int, device: torch.device) -> Tensor:
    """The policy's action in every state, [M, H, W] or, with orientations, [M, O, H, W]; int64 on the CPU.

    Raises: InputError if the logits are not finite.
    """
    actions, is_finite = _planned(policy, dataset.to(device), num_iterations)
    _check_finite(is_finite, num_iterations)
    return actions.cpu()


@torch.no_grad()
def _planned(policy: Policy, dataset: MapDataset, num_iterations: int) -> tuple[Tensor, Tensor]:
    """Action in every state, and whether all logits are finite, on the device of the maps."""
    logits = policy(dataset.planes(next(policy.parameters()).dtype), num_iterations=num_iterations).logits
    return _greedy(logits, dataset), torch.isfinite(logits).all()


def _check_finite(is_finite: Tensor, num_iterations: int) -> None:
    if not is_finite:
        raise InputError(
            f"the policy's logits are not finite at K = {num_iterations}: its weights diverged, or its backup is no "
            "contraction at this K; use fewer iterations or the normalized design."
        )


@torch.no_grad()
def settled_actions(policy: Policy, dataset: MapDataset, device: torch.device) -> tuple[Tensor, int]:
    """The policy's action in every state once it no longer changes when K is doubled, and that K.

    Raises: InputError if the logits are not finite.
    """
    actions, iterations = _settled(policy, dataset.to(device))
    return actions.cpu(), iterations


@torch.no_grad()
def _settled(policy: Policy, dataset: MapDataset) -> tuple[Tensor, int]:
    """`settled_actions` on the device of the maps."""
    policy = for_anytime(policy)
    planes = dataset.planes(next(policy.parameters()).dtype)
    scored = dataset.optimal_actions != 0  # elsewhere nothing is decided, and rounding may change the action for ever
    actions, iterations = torch.empty(0), 0
    for output, made in anytime_plans(policy, planes, None, most=dataset.space.num_states):
        before, actions, iterations = actions, _greedy(output.logits, dataset), made
        if len(before) and torch.equal(before[scored], actions[scored]):
            break
    return actions, iterations


def _greedy(logits: Tensor, dataset: MapDataset) -> Tensor:
    orientations = dataset.moves.num_orientations
    if logits.shape[1] != orientations * dataset.moves.num_actions:
        each = f" in each of {orientations} orientations" if orientations > 1 else ""
        raise InputError(
            f"the policy has {logits.shape[1]} actions, the maps have {dataset.moves.num_actions} moves{each}; "
            "they must be the same."
        )
    # Along the last axis the maximum is found three times as fast as across planes.
    actions: Tensor = by_orientation(logits, orientations).movedim(2, -1).contiguous().argmax(dim=-1)
    return actions[:, 0] if orientations == 1 else actions


def _score(tally: Tally, batch: MapDataset, actions: Tensor) -> None:
    solvable = (batch.optimal_actions != 0).flatten(1)
    best, ours = _from_everywhere(batch, actions)
    optimal = ours.reached & ((ours.cost - best.cost).abs() < 1e-6)
    reached = ours.reached & (ours.num_steps <= 2 * (best.num_steps + 1) - 1)  # the first state counts
    extra = ours.num_steps - best.num_steps

    chosen = action_set(batch.optimal_actions).gather(-1, actions[..., None])[..., 0].flatten(1)
    shown = (batch.demonstrated != NOT_SHOWN).flatten(1)
    tally.add_labels(
        agree=(batch.demonstrated == actions).flatten(1),
        in_set=chosen,
        shown=shown,
        solvable=solvable,
    )
    tally.add_all_states(reached=reached, optimal=optimal, moves=best.num_steps, solvable=solvable)
    is_open = (~batch.blocked).flatten(1).repeat(1, batch.moves.num_orientations)
    at_goal = torch.zeros_like(is_open).scatter_(1, batch.space.flatten(batch.goal)[:, None], True)
    tally.add_open_states(
        reached=(ours.reached | at_goal).sum(dim=1),
        optimal=(optimal | (is_open & ~solvable)).sum(dim=1),  # the goal too has no action to be judged by
        states=is_open.sum(dim=1),
    )
    flat = batch.space.flatten(batch.starts)
    from_starts = flat.clamp(min=0)
    present = (flat >= 0) & solvable.gather(1, from_starts)
    tally.add_rollouts(
        reached=reached.gather(1, from_starts),
        optimal=optimal.gather(1, from_starts),
        extra_steps=extra.gather(1, from_starts),
        present=present,
    )


def _from_everywhere(batch: MapDataset, actions: Tensor) -> tuple[Rollouts, Rollouts]:
    """Rollouts of the expert and of the policy from every state that can reach the goal, [M, S].

    They have as many moves as there are states: a policy that has not arrived by then never does.
    """
    states = torch.arange(batch.space.num_states, device=actions.device).expand(len(batch), -1)
    starts = torch.where((batch.optimal_actions != 0).flatten(1), states, -1)
    entry_cost, limit = batch.entry_cost, batch.space.num_states

    def follow(policy: Tensor) -> Rollouts:
        return rollout(policy, batch.blocked, batch.goal, starts, limit=limit, moves=batch.moves, entry_cost=entry_cost)

    return follow(preferred_action(batch.optimal_actions, batch.moves)), follow(actions)


def success_by_length(
    policy: Policy, dataset: MapDataset, *, num_iterations: int | None = None
) -> tuple[Int[Tensor, "L"], Float[Tensor, "L"]]:
    """How the success rate from every state depends on the length of the optimal path.

    Returns: for a path of l moves, l = 0, 1, ...: how many states have it, and the share of them that succeed (NaN
        where there are none), as `evaluate` defines success.
    Raises: InputError if the policy's answer is not finite.
    """
    by_length = evaluate(policy, dataset, num_iterations=num_iterations).by_length
    return by_length.states, by_length.successes / by_length.states
