"""Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347) on many maps, or walks on a web, at once.

A plan serves every state of its map. So each map is planned once per rollout, whatever the number of steps on it, and
once per gradient step, where the logits of all states that the rollout visited are gathered from the one plan.

Late in a training nearly every episode succeeds, and few maps still have something to teach. So those on which the
policy fails come again (`training.replay`), as in prioritized level replay (Jiang et al. 2021, arXiv:2010.03934).
"""

import math
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.mdp.worlds import Worlds
from torchvin.policies.critic import Answer, PlanCritic
from torchvin.policies.policy import Policy

if TYPE_CHECKING:
    from torchvin.training.config import ReinforcementConfig

#: Probability from which an action is what the policy means to do, and no attempt.
_MEANT = 0.3
#: The returns depend on the values, so a fit of the critic is done again.
FITS = 3


@runtime_checkable
class Playground(Protocol):
    """What `collect` acts in: `mdp.worlds.Worlds`, `mdp.web_walks.WebWalks`."""

    @property
    def steps(self) -> Int[Tensor, "B S"]:
        """Least number of steps to the goal from each place, -1 where there is no way."""

    def step(
        self, states: Int[Tensor, "B"], actions: Int[Tensor, "B"]
    ) -> tuple[Int[Tensor, "B"], Float[Tensor, "B"], Bool[Tensor, "B"]]:
        """Next states, rewards, and whether the episode ended."""

    def draw_starts(
        self, random: torch.Generator, maps: Tensor | None, *, longest: int | None, by_distance: float
    ) -> Int[Tensor, "N"]:
        """States where episodes begin, of all maps or of some."""

    def possible(self, states: Int[Tensor, "B"], num_actions: int) -> Bool[Tensor, "B A"] | None:
        """Which actions there are in each state; None: all of them."""


@dataclass(frozen=True)
class Rollout:
    """T steps on each of B maps, as PPO learns from them.

    Attributes:
        states: flat states, [B, T].
        actions: what was done, [B, T].
        log_probs: log-probability of these actions when they were chosen, [B, T].
        advantages: generalized advantage estimates, of mean 0 and standard deviation 1, [B, T].
        returns: what the values should have been, [B, T].
        summary: [3]: episodes that ended, those that reached the goal, and the sum of their rewards per episode.
        failed: flat state where an episode began that ended in a collision by an action that the policy chose with a
            probability of at least 0.3, -1 where there was none, [B].
    """

    states: Int[Tensor, "B T"]
    actions: Int[Tensor, "B T"]
    log_probs: Float[Tensor, "B T"]
    advantages: Float[Tensor, "B T"]
    returns: Float[Tensor, "B T"]
    summary: Float[Tensor, "3"]
    failed: Int[Tensor, "B"]

    def tensors(self) -> dict[str, Tensor]:
        """All parts by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class MapRollout(Rollout):
    """A rollout on maps.

    Attributes:
        planes: observations, [B, C, H, W].
    """

    planes: Float[Tensor, "B C H W"]


@torch.no_grad()
def collect(
    answer: Answer,
    worlds: Playground,
    options: "ReinforcementConfig",
    random: torch.Generator,
    *,
    longest: int | None = None,
    starts: Int[Tensor, "B"] | None = None,
    exploration: float = 0.0,
) -> Rollout:
    """Act on every map for `options.horizon` steps; an episode that ended starts again on its map.

    Args:
        answer: logits and values of states (`Critic.answer`).
        worlds: the maps.
        options: horizon, discount, gae, slip.
        random: of starts and actions.
        longest: most steps between a start and the goal (a curriculum); as many as there are if not given.
        starts: flat state where every episode of a map begins; drawn where it is -1, and if not given.
        exploration: share of the actions that are drawn evenly from all, whatever the policy says.
    """
    device = worlds.steps.device
    draw_starts = partial(_draw_starts, worlds, random, starts, longest=longest, by_distance=options.by_distance)
    state = begun = draw_starts(None)
    failed = torch.full_like(state, -1)
    states, actions, log_probs, values, rewards, ends = ([] for _ in range(6))
    for _ in range(options.horizon):
        logits, value = (part[:, 0] for part in answer(state[:, None]))
        noise = torch.rand(logits.shape, generator=random).to(device)
        action = (logits - (-noise.log()).log()).argmax(dim=1)  # Gumbel: a sample of softmax(logits)
        possible = worlds.possible(state, logits.shape[1])
        action = slipped(action, logits.shape[1], exploration, random, possible)
        states.append(state)
        actions.append(action)
        values.append(value)
        log_probs.append(logits.log_softmax(dim=1).gather(1, action[:, None])[:, 0])
        done = slipped(action, logits.shape[1], options.slip, random, possible)
        state, reward, end = worlds.step(state, done)
        rewards.append(reward)
        ends.append(end)
        collided = end & (reward < 0) & (done == action) & (log_probs[-1] > math.log(_MEANT))
        failed = torch.where(collided, begun, failed)
        over = end.nonzero()[:, 0]
        state = state.index_put((over,), draw_starts(over))
        begun = torch.where(end, state, begun)
    values.append(answer(state[:, None])[1][:, 0])
    reward, end, value = (torch.stack(parts, dim=1) for parts in (rewards, ends, values))
    advantages = generalized_advantages(reward, value, end, discount=options.discount, gae=options.gae)
    number = end.sum().clamp(min=1)
    summary = torch.stack([end.sum().float(), (end & (reward > 0)).sum().float(), reward.sum() / number])
    return Rollout(
        states=torch.stack(states, dim=1),
        actions=torch.stack(actions, dim=1),
        log_probs=torch.stack(log_probs, dim=1),
        advantages=(advantages - advantages.mean()) / (advantages.std() + 1e-8),
        returns=advantages + value[:, :-1],
        summary=summary,
        failed=failed,
    )


def _draw_starts(
    worlds: Playground,
    random: torch.Generator,
    starts: Int[Tensor, "B"] | None,
    maps: Tensor | None,
    *,
    longest: int | None,
    by_distance: float,
) -> Int[Tensor, "N"]:
    """`Playground.draw_starts`, but where `starts` are given these."""
    drawn = worlds.draw_starts(random, maps, longest=longest, by_distance=by_distance)
    if starts is None:
        return drawn
    given = starts if maps is None else starts[maps]
    return torch.where(given >= 0, given, drawn)


def fit_critic(
    critic: PlanCritic, policy: Policy, worlds: Worlds, options: "ReinforcementConfig", random: torch.Generator
) -> None:
    """Fit the value of a policy that has learned already to what it is paid.

    The planner's V has the scale of the planner's own reward. Learned from there step by step, the value would at first
    be wrong by so much that its gradient destroys the plan.

    Args:
        critic: whose scale and offset are set.
        policy: that acts.
        worlds: where it acts.
        options: as of `collect`.
        random: of starts and actions.
    """
    with torch.no_grad():
        critic.scale.zero_()
        output = policy(worlds.planes)
    assert output.plan is not None
    for _ in range(FITS):
        rollout = collect(critic.answer(policy, worlds.planes), worlds, options, random)
        critic.fit(output.plan.value.flatten(1).gather(1, rollout.states), rollout.returns)


def slipped(
    action: Int[Tensor, "B"],
    num_actions: int,
    slip: float,
    random: torch.Generator,
    possible: Bool[Tensor, "B A"] | None = None,
) -> Int[Tensor, "B"]:
    """These actions, or with probability `slip` any possible action in place of each.

    Args:
        action: that were chosen.
        num_actions: A.
        slip: see above.
        random: where the numbers come from.
        possible: which actions there are; all if not given. Where there is none the chosen one stays.
    """
    if not slip:
        return action
    slips = torch.rand(action.shape, generator=random).to(action.device) < slip
    if possible is None:
        return torch.where(slips, torch.randint(num_actions, action.shape, generator=random).to(action.device), action)
    order = torch.rand(possible.shape, generator=random).to(action.device).masked_fill_(~possible, -1.0)
    return torch.where(slips & possible.any(dim=1), order.argmax(dim=1), action)


def generalized_advantages(
    reward: Float[Tensor, "B T"], value: Float[Tensor, "B T1"], end: Tensor, *, discount: float, gae: float
) -> Float[Tensor, "B T"]:
    """Generalized advantage estimates (Schulman et al. 2016, arXiv:1506.02438).

    Args:
        reward: of each step, [B, T].
        value: of the state before each step and after the last one, [B, T + 1].
        end: whether the episode ended with the step, [B, T] bool.
        discount: gamma.
        gae: lambda: 0 trusts the values, 1 the rewards.

    >>> reward, value, end = torch.tensor([[1.0, 1.0]]), torch.zeros(1, 3), torch.tensor([[False, True]])
    >>> generalized_advantages(reward, value, end, discount=0.5, gae=1.0).tolist()
    [[1.5, 1.0]]
    """
    onward = (~end).to(value.dtype)
    errors = reward + discount * value[:, 1:] * onward - value[:, :-1]
    advantages = torch.empty_like(errors)
    following = torch.zeros_like(errors[:, 0])
    for step in reversed(range(errors.shape[1])):
        following = errors[:, step] + discount * gae * onward[:, step] * following
        advantages[:, step] = following
    return advantages


def ppo_loss(
    logits: Float[Tensor, "N T A"],
    value: Float[Tensor, "N T"],
    rollout: Rollout,
    maps: Int[Tensor, "N"],
    options: "ReinforcementConfig",
) -> Float[Tensor, ""]:
    """The sum over the steps of some maps of the clipped loss, the squared error of the value and minus the entropy.

    Args:
        logits, value: of the policy as it is, in the states of the rollout.
        rollout: what was done, and how well it went.
        maps: indices of the maps.
        options: clip, value_weight, entropy.
    """
    log_probs = logits.log_softmax(dim=2)
    chosen = log_probs.gather(2, rollout.actions[maps][..., None])[..., 0]
    ratio = (chosen - rollout.log_probs[maps]).exp()
    advantages = rollout.advantages[maps]
    clipped = ratio.clamp(1 - options.clip, 1 + options.clip)
    gain = torch.minimum(ratio * advantages, clipped * advantages)
    entropy = -(log_probs.exp() * log_probs).sum(dim=2)
    error = (value - rollout.returns[maps]).square()
    loss: Tensor = (options.value_weight * error - gain - options.entropy * entropy).sum()
    return loss
