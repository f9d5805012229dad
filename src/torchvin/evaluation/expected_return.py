"""Exact expected returns on worlds with slip: of the best policy, and of a given one, from every state.

Where moves are stochastic no single path is the optimum, so a policy is scored by what it can expect.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.mdp.worlds import Worlds, reachable
from torchvin.policies.policy import Policy

_TOLERANCE = 1e-6
_MOST_UPDATES = 10_000


@dataclass(frozen=True)
class ReturnScores:
    """Expected returns over all states that can reach the goal.

    Attributes:
        maps: number of maps.
        expected_return: of the policy, discounted, mean over states.
        optimal_return: of the best policy.
        share: the first over the second.
        spread: half the width of the 95 % interval of the share, from its spread over the maps.
    """

    maps: int
    expected_return: float
    optimal_return: float
    share: float
    spread: float


def q_values(worlds: Worlds, value: Float[Tensor, "B S"], *, discount: float, slip: float) -> Float[Tensor, "B A S"]:
    """One exact look-ahead in the true MDP: with probability `slip` any action is done in place of the chosen one.

    Args:
        worlds: the true MDP.
        value: V, [B, S].
        discount: gamma.
        slip: probability of a random action.
    """
    batch, actions, states = worlds.reward.shape
    after = value.gather(1, worlds.successor.long().flatten(1)).view(batch, actions, states)
    intended = worlds.reward + discount * after * ~worlds.ends
    return (1 - slip) * intended + slip * intended.mean(dim=1, keepdim=True)


def optimal_values(worlds: Worlds, *, discount: float = 0.99, slip: float = 0.0) -> Float[Tensor, "B S"]:
    """V of the best policy, by value iteration until nothing changes by more than 1e-6.

    >>> from torchvin.mdp.worlds import make_worlds
    >>> worlds = make_worlds(torch.zeros(1, 1, 3, dtype=torch.bool), torch.tensor([[0, 2]]))
    >>> [round(value, 4) for value in optimal_values(worlds, discount=0.5)[0, :2].tolist()]
    [0.49, 1.0]
    """
    value = torch.zeros(worlds.steps.shape)
    for _ in range(_MOST_UPDATES):
        updated = q_values(worlds, value, discount=discount, slip=slip).amax(dim=1)
        if (updated - value).abs().max() < _TOLERANCE:
            return updated
        value = updated
    return value


def values_of(
    actions: Int[Tensor, "B S"], worlds: Worlds, *, discount: float = 0.99, slip: float = 0.0
) -> Float[Tensor, "B S"]:
    """V of the policy that does `actions`, one per state, by iterating its own update."""
    value = torch.zeros(worlds.steps.shape)
    for _ in range(_MOST_UPDATES):
        updated = q_values(worlds, value, discount=discount, slip=slip).gather(1, actions[:, None])[:, 0]
        if (updated - value).abs().max() < _TOLERANCE:
            return updated
        value = updated
    return value


@torch.no_grad()
def evaluate_return(policy: Policy, worlds: Worlds, *, discount: float = 0.99, slip: float = 0.0) -> ReturnScores:
    """Score the greedy policy by its exact expected return.

    Args:
        policy: without orientations; it may be on another device than the worlds.
        worlds: fresh ones.
        discount: of the returns.
        slip: of the true MDP.
    """
    policy.eval()
    planes = worlds.planes.to(next(policy.parameters()).device)
    actions = policy(planes).logits.flatten(2).argmax(dim=1).to(worlds.planes.device)
    counts = reachable(worlds) & (worlds.steps > 0)
    ours = (values_of(actions, worlds, discount=discount, slip=slip) * counts).sum(dim=1)
    best = (optimal_values(worlds, discount=discount, slip=slip) * counts).sum(dim=1)
    states = counts.sum()
    share = float(ours.sum() / best.sum())
    residual = ours - share * best  # a ratio of sums: its spread by linearisation
    spread = 1.96 * float(residual.std()) * len(worlds) ** 0.5 / float(best.sum().abs())
    return ReturnScores(len(worlds), float(ours.sum() / states), float(best.sum() / states), share, spread)
