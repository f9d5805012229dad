"""WebNav from reward: walk, and learn from whether the target was reached; usually after imitation (`--init`)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.data.corpora.queries import MOST_SENTENCES
from torchvin.data.corpora.web import Web
from torchvin.evaluation.web import EXTRA_STEPS, FARTHEST
from torchvin.mdp.web_walks import WebWalks
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy
from torchvin.policies.web.critic import WebCritic, link_rows
from torchvin.policies.web.observation import Queried, observe
from torchvin.policies.web.policy import WebPolicy
from torchvin.tasks.registry import register_task
from torchvin.tasks.rollouts import RolloutTask
from torchvin.tasks.task import Task, Validation
from torchvin.tasks.webnav import WebNavTask
from torchvin.training.config import RunConfig
from torchvin.training.reinforcement import FITS, Rollout, collect

#: Walkers per query of a rollout: matching a query with all pages is most of the work, and serves them all.
WALKERS = 8
_QUERIES = "queries"  # of a rollout, in a checkpoint


class WebReinforcementTask(RolloutTask):
    """Maximize the share of walks that reach their target within the budget, on pages of the training split.

    A rollout has `reinforcement.maps` queries of four sentences with eight walkers each, `reinforcement.horizon` links
    per walker; every query comes once before any comes again. The walks are those that are scored: they begin 1 to 4
    links from the target, and avoid pages that were visited. An epoch is judged as in `WebNavTask`.

    Args:
        web: with queries of all splits. No test query is looked at.
        config: of the run; `reinforcement.replay`, `goals` and `rewards` are not used.

    Raises: InputError as `RolloutTask` and `WebNavTask`.
    """

    def __init__(self, web: Web, config: RunConfig) -> None:
        super().__init__(config)
        self.imitation = WebNavTask(web, config)
        self.web, self.pages = web, self.imitation.pages
        self.critic: WebCritic | None = None
        self.queries = np.empty(0, dtype=np.int64)
        self.walks: WebWalks | None = None
        self.told: Queried | None = None

    @property
    def on_cpu(self) -> bool:
        return True

    def make_critic(self, policy: Policy) -> WebCritic:
        """See `WebCritic`."""
        return WebCritic(most=FARTHEST + EXTRA_STEPS)

    def collect(self, policy: Policy, number: int, device: torch.device) -> Rollout:
        """Walk; before the first rollout the critic is fitted to what the policy is paid."""
        assert isinstance(policy, WebPolicy)
        assert self.critic is not None
        self._ask(self._queries_of(number))
        random = self.random_of(number)
        for _ in range(FITS if number == 0 else 0):
            walkers = _Walkers(self, policy)
            fitted = self._walk(walkers, random, number)
            plan_value = torch.stack(walkers.plan_values[:-1], dim=1)
            self.critic.fit(plan_value, self.distance(fitted.states), self.left(fitted.states), fitted.returns)
        rollout = self._walk(_Walkers(self, policy), random, number)
        by_query = {
            name: part.view(len(self.queries), -1) for name, part in rollout.tensors().items() if part.dim() == 2
        }
        failed = rollout.failed.view(len(self.queries), -1).amax(dim=1)
        return Rollout(**by_query, summary=rollout.summary, failed=failed)

    def _walk(self, walkers: "_Walkers", random: torch.Generator, number: int) -> Rollout:
        assert self.walks is not None
        exploration = self.options.exploration * self.fading(number)
        longest = self.longest or None
        return collect(walkers, self.walks, self.options, random, longest=longest, exploration=exploration)

    def _queries_of(self, number: int) -> np.ndarray:
        """Queries of a rollout: all in a random order, then all in another one, and so on."""
        total = len(self.imitation.queries)
        position = np.arange(number * self.options.maps, (number + 1) * self.options.maps)
        orders = {
            turn: np.random.default_rng(self.seeds_of(turn)).permutation(total)
            for turn in set((position // total).tolist())
        }
        return np.array([orders[place // total][place % total] for place in position.tolist()], dtype=np.int64)

    def _ask(self, queries: np.ndarray) -> None:
        """Make the walks to the targets of these training queries."""
        self.queries = queries
        chosen = self.imitation.queries[queries]
        self.told = observe(self.pages, chosen.bags(MOST_SENTENCES)).query
        distance = torch.from_numpy(self.web.distances(chosen.target.tolist()))
        steps = distance.where(distance <= FARTHEST, -1).repeat_interleave(WALKERS, dim=0)
        goal = torch.from_numpy(chosen.target).repeat_interleave(WALKERS)
        graph = self.pages.graph
        self.walks = WebWalks(graph.offsets, graph.targets, steps, goal, farthest=FARTHEST, extra=EXTRA_STEPS)

    def distance(self, states: Int[Tensor, "B T"], chosen: Tensor | None = None) -> Int[Tensor, "B T"]:
        """Least number of links to the target, of states of all walkers or of those of some queries."""
        assert self.walks is not None
        queries = self.queries if chosen is None else self.queries[chosen.numpy()]
        rows = torch.from_numpy(self.web.distances(self.imitation.queries.target[queries].tolist()))
        page = self.walks.decode(states).page
        return rows.gather(1, page.view(len(rows), -1)).view(states.shape).long()

    def left(self, states: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
        """Links that may still be followed, of states."""
        assert self.walks is not None
        return self.walks.decode(states).left

    def answer(self, policy: Policy, chosen: Int[Tensor, "N"]) -> tuple[Float[Tensor, "N T A"], Float[Tensor, "N T"]]:
        """See `RolloutTask.answer`; the places of all eight walkers of a query, one after the other."""
        assert isinstance(policy, WebPolicy)
        assert self.critic is not None
        assert self.rollout is not None
        assert self.walks is not None
        assert self.told is not None
        states = self.rollout.states[chosen]
        trail = self.walks.trails(states.view(len(chosen) * WALKERS, -1)).flatten(0, 1)
        queries = torch.arange(len(chosen)).repeat_interleave(states.shape[1])
        logits, plan_value = link_rows(policy, self.pages, self.told[chosen], queries, trail)
        value = self.critic(plan_value.view(states.shape), self.distance(states, chosen), self.left(states))
        return logits.view(*states.shape, -1), value

    def validate(self, policy: Policy) -> Validation:
        """Greedy walks to pages of the validation split."""
        validation = self.imitation.validate(policy)
        played = (self.number + 1) * self.options.maps * WALKERS * self.options.horizon
        reward = 0.0 if self.rollout is None else float(self.rollout.summary[2])
        return dataclasses.replace(validation, metrics={**validation.metrics, "steps": played, "reward": reward})

    def identity(self) -> Mapping[str, Any]:
        return self.imitation.identity()

    def description(self) -> Mapping[str, Any]:
        played = self.config.training.epochs * self.options.rollouts * self.options.maps
        return {**self.imitation.description(), "learned_from": "reward", "data": {"maps": played}}

    def check(self, config: ArchitectureConfig) -> None:
        self.imitation.check(config)

    def state(self) -> Mapping[str, Tensor]:
        """The rollout that is being learned from, and its queries."""
        rollout = super().state()
        return {**rollout, _QUERIES: torch.from_numpy(self.queries)} if rollout else {}

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        if not state:
            return
        parts = self.set_numbers(state)
        self._ask(parts.pop(_QUERIES).numpy())
        self.rollout = Rollout(**parts)


class _Walkers:
    """The walkers of one rollout: logits and values of where they are, and the pages they come from.

    Attributes:
        plan_values: the planner's V at each step so far, [B] each.
    """

    def __init__(self, task: WebReinforcementTask, policy: WebPolicy) -> None:
        assert task.walks is not None
        self.task, self.policy, self.walks = task, policy, task.walks
        self.trail = torch.full((len(self.walks), self.walks.most + 1), -1)
        self.queries = torch.arange(len(task.queries)).repeat_interleave(WALKERS)
        self.plan_values: list[Tensor] = []

    def __call__(self, states: Int[Tensor, "B 1"]) -> tuple[Float[Tensor, "B 1 A"], Float[Tensor, "B 1"]]:
        task = self.task
        assert task.told is not None
        assert task.critic is not None
        self.trail = self.walks.followed(self.trail, states[:, 0])
        logits, plan_value = link_rows(self.policy, task.pages, task.told, self.queries, self.trail)
        self.plan_values.append(plan_value)
        value = task.critic(plan_value[:, None], task.distance(states), task.left(states))
        return logits[:, None], value


def web_task(web: Web, config: RunConfig) -> Task:
    """The task of a web: imitation, or learning from reward."""
    return WebReinforcementTask(web, config) if config.training.method == "reinforcement" else WebNavTask(web, config)


register_task(Web, web_task)
