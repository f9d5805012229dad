"""The grid world from reward alone: no expert, no labels; fresh maps in every rollout."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.data.map_source import GeneratedMaps, GivenMaps, MapSource
from torchvin.data.reward_fields import RewardFields
from torchvin.errors import InputError
from torchvin.evaluation.expected_return import evaluate_return
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.scorer import evaluate
from torchvin.io.tables import percent
from torchvin.mdp.motion import GridMotion, MotionModel, motion_model
from torchvin.mdp.worlds import Worlds
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.critic import Critic, PlanCritic, critic_for
from torchvin.policies.policy import Policy
from torchvin.tasks.gridworld import validation_of
from torchvin.tasks.registry import register_task
from torchvin.tasks.rollouts import RolloutTask
from torchvin.tasks.task import Validation
from torchvin.training.config import RunConfig
from torchvin.training.reinforcement import MapRollout, collect, fit_critic
from torchvin.training.replay import Replay

#: Stream of random numbers beside the seed of a run: what is validated on is never played on.
VALIDATION_STREAM = 5
_VALIDATION_MAPS = 500
_RETURN_MAPS = 200  # their exact values take some seconds for thousands
_REPLAY = "replay."  # of names in a checkpoint


class ReinforcementTask(RolloutTask):
    """Maximize the reward of an environment on fresh maps.

    Args:
        source: where maps come from.
        config: of the run.

    Raises: InputError as `RolloutTask`.
    """

    def __init__(self, source: MapSource, config: RunConfig) -> None:
        super().__init__(config)
        self.source = source
        self.moves = scored_motion(source.moves, self.options.rewards.step_cost)
        number = config.training.validation_maps or _VALIDATION_MAPS
        blocked, goal = source.draw(number, np.random.default_rng((config.seed, VALIDATION_STREAM)))
        kind = source.kind if isinstance(source, GeneratedMaps) else ""
        self.validation = replace(solve_maps(blocked, goal, moves=self.moves, seed=config.seed), source=kind)
        self.true_worlds: Worlds | None = None
        if self.options.slip or isinstance(source, RewardFields):
            random = np.random.default_rng((config.seed, VALIDATION_STREAM, 1))
            self.true_worlds = source.worlds(min(number, _RETURN_MAPS), random, self.options.rewards)
        self.critic: Critic | None = None
        self.rollout: MapRollout | None = None
        self.replay = Replay(self.options.replay)

    def make_critic(self, policy: Policy) -> Critic:
        """See `critic_for`."""
        return critic_for(policy)

    def answer(self, policy: Policy, chosen: Int[Tensor, "N"]) -> tuple[Float[Tensor, "N T A"], Float[Tensor, "N T"]]:
        """See `RolloutTask.answer`."""
        assert self.critic is not None
        assert self.rollout is not None
        logits, value = self.critic(policy, self.rollout.planes[chosen], self.rollout.states[chosen])
        return logits, value

    def collect(self, policy: Policy, number: int, device: torch.device) -> MapRollout:
        """Play on fresh maps."""
        assert self.critic is not None
        drawn = np.random.default_rng(self.seeds_of(number))
        worlds = self.source.worlds(self.options.maps, drawn, self.options.rewards).to(device)
        random = self.random_of(number)
        if number == 0 and self.config.init and isinstance(self.critic, PlanCritic):
            fit_critic(self.critic, policy, worlds, self.options, random)
        starts = self.replay.put_in(worlds)
        with torch.no_grad():
            answer = self.critic.answer(policy, worlds.planes)
        rollout = collect(
            answer,
            worlds,
            self.options,
            random,
            longest=self.longest or None,
            starts=starts,
            exploration=self.options.exploration * self.fading(number),
        )
        self.replay.keep(worlds, rollout.failed)
        return MapRollout(planes=worlds.planes, **rollout.tensors())

    def validate(self, policy: Policy) -> Validation:
        if self.true_worlds is not None:
            return self._by_return(policy, self.true_worlds)
        evaluation = evaluate(policy, self.validation)
        return validation_of(evaluation, then=evaluation.scores.all_states_optimal_rate, progress=self._progress())

    def _by_return(self, policy: Policy, worlds: Worlds) -> Validation:
        """Where the optimum is no path: the share of the best expected return (`evaluation.expected_return`)."""
        training = policy.training
        scores = evaluate_return(policy, worlds, discount=self.options.discount, slip=self.options.slip)
        policy.train(training)
        summary = {**asdict(scores), "all_states_success_rate": scores.share}
        metrics = {"success_rate": scores.share, "optimal_rate": scores.share, **self._progress()}
        return Validation(
            metrics=metrics,
            key=(scores.share,),
            summary=summary,
            report=scores,
            sentence=f"on {scores.maps} validation maps {percent(scores.share)} of the best expected return",
            outcome={"validation_return_share": scores.share},
        )

    def _progress(self) -> dict[str, float | int]:
        """Environment steps so far, and the mean reward of an episode in the last rollout."""
        played = (self.number + 1) * self.options.maps * self.options.horizon
        return {"steps": played, "reward": 0.0 if self.rollout is None else float(self.rollout.summary[2])}

    def identity(self) -> Mapping[str, Any]:
        return {"maps": self.source.description()}

    def description(self) -> Mapping[str, Any]:
        rollouts = self.config.training.epochs * self.options.rollouts
        described = self.validation.description()
        return {
            **described,
            "learned_from": "reward",
            "rewards": asdict(self.options.rewards),
            "data": {**described["data"], "maps": rollouts * self.options.maps},
        }

    def check(self, config: ArchitectureConfig) -> None:
        if not isinstance(self.source, RewardFields):
            return check_fit(config, self.validation)
        terrains = len(self.source.terrain_costs)
        if (config.num_actions, config.num_terrains) != (self.moves.num_actions, terrains):
            raise InputError(
                f"the maps have {self.moves.num_actions} moves and {terrains} classes of terrain, the policy "
                f"{config.num_actions} actions and {config.num_terrains} classes; set --policy.num-actions and "
                "--policy.num-terrains."
            )

    def state(self) -> Mapping[str, Tensor]:
        """The rollout that is being learned from, and the maps that come again."""
        replay = {_REPLAY + name: part for name, part in self.replay.tensors().items()}
        return {**super().state(), **replay}  # no map comes again before the first rollout

    def set_state(self, state: Mapping[str, Tensor]) -> None:
        if not state:
            return
        parts = self.set_numbers(state)
        assert self.critic is not None
        device = next(self.critic.parameters()).device
        names = [name for name in parts if name.startswith(_REPLAY)]
        self.replay.set_tensors({name.removeprefix(_REPLAY): parts.pop(name).to(device) for name in names})
        self.rollout = MapRollout(**{name: part.to(device) for name, part in parts.items()})


def scored_motion(moves: MotionModel, step_cost: str) -> MotionModel:
    """The motion model by which weights are scored: every step costs 1 unless rewards depend on the length of a move.

    >>> scored_motion(GridMotion(), "step").costs[-1]
    1.0
    """
    return replace(moves, diagonal_cost=1.0) if isinstance(moves, GridMotion) and step_cost == "step" else moves


def map_source(config: RunConfig, dataset: MapDataset | None = None) -> MapSource:
    """The maps that a configuration describes: those of a data set, or fresh ones in every rollout."""
    if dataset is not None:
        return GivenMaps(dataset)
    data = config.data
    options: dict[str, Any] = {"kind": data.kind, "height": data.height, "width": data.width}
    options["moves"] = motion_model(data.motion)
    if config.reinforcement.goals > 1 or len(data.terrain_costs) > 1:
        return RewardFields(**options, num_goals=config.reinforcement.goals, terrain_costs=data.terrain_costs)
    return GeneratedMaps(**options)


register_task(MapSource, ReinforcementTask)
