"""Learning from reward as a task, whatever the domain: rollouts, passes over them, and a critic for that time."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from torchvin.errors import InputError
from torchvin.policies.policy import Policy
from torchvin.tasks.task import Task, epoch_order
from torchvin.training.config import RunConfig
from torchvin.training.phases.phase import Phase
from torchvin.training.reinforcement import Rollout, ppo_loss

#: Stream of random numbers beside the seed of a run.
ROLLOUT_STREAM = 6
_WIDEN_AT = 0.9  # share of successful episodes from which the curriculum goes on


class RolloutTask(Task):
    """Maximize a reward by PPO (`training.reinforcement`).

    An epoch is a number of rollouts. An example is a map (or query) of a rollout in one pass over it, and its number
    counts on from epoch to epoch. A rollout is collected when its first batch is asked for.

    Args:
        config: of the run.

    Raises: InputError for a batch that does not divide a rollout, and for a training on several processes.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.options = config.reinforcement
        self.examples_per_rollout = self.options.passes * self.options.maps
        if self.examples_per_rollout % config.training.batch_size:
            raise InputError(
                f"--training.batch-size {config.training.batch_size} must divide the {self.examples_per_rollout} maps "
                "of a rollout (--reinforcement.maps times --reinforcement.passes)."
            )
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            raise InputError("learning from reward runs in one process; start it without a launcher.")
        self.critic: Any = None
        self.rollout: Rollout | None = None
        self.number = -1  # of the rollout
        self.longest = self.options.curriculum

    @abstractmethod
    def make_critic(self, policy: Policy) -> nn.Module:
        """A critic with fresh weights."""

    @abstractmethod
    def collect(self, policy: Policy, number: int, device: torch.device) -> Rollout:
        """Act; what happens is decided by the seed of the run and the number of the rollout."""

    @abstractmethod
    def answer(self, policy: Policy, chosen: Int[Tensor, "N"]) -> tuple[Float[Tensor, "N T A"], Float[Tensor, "N T"]]:
        """Logits and values of the policy as it is, in all states of some maps of the rollout."""

    def __len__(self) -> int:
        return self.options.rollouts * self.examples_per_rollout

    def order(self, seed: int, epoch: int) -> Int[Tensor, "N"]:
        """One rollout after the other, each in passes over its maps, the maps of a pass in random order."""
        maps, passes = self.options.maps, self.options.rollouts * self.options.passes
        each = [number * maps + epoch_order(maps, seed, epoch * passes + number) for number in range(passes)]
        return epoch * len(self) + torch.cat(each)

    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int]:
        assert isinstance(model, Policy)
        number = int(chosen[0]) // self.examples_per_rollout
        if self.rollout is None or self.number != number:
            self.rollout = self.collect(model, number, device)
            self.number = number
            self._widen(self.rollout)
        maps = (chosen % self.options.maps).to(device)
        logits, value = self.answer(model, maps)
        return ppo_loss(logits, value, self.rollout, maps, self.options), value.numel()

    def _widen(self, rollout: Rollout) -> None:
        """Go on with the curriculum when nearly all episodes succeed."""
        ended, reached, _ = rollout.summary.tolist()
        if self.longest and reached >= _WIDEN_AT * max(ended, 1.0):
            self.longest += 1

    def fading(self, number: int) -> float:
        """From 1 to 0 over the first part of the training, as the weight decay."""
        training = self.config.training
        return max(0.0, 1 - number / (training.decay_until * training.epochs * self.options.rollouts))

    def seeds_of(self, number: int) -> tuple[int, int, int]:
        """What decides a rollout, whatever was done before it."""
        return self.config.seed, ROLLOUT_STREAM, number

    def random_of(self, number: int) -> torch.Generator:
        """Starts and actions of a rollout."""
        return torch.Generator().manual_seed(int(np.random.SeedSequence(self.seeds_of(number)).generate_state(1)[0]))

    def state(self) -> Mapping[str, Tensor]:
        """The rollout that is being learned from."""
        if self.rollout is None:
            return {}
        numbers = {"number": torch.tensor(self.number), "longest": torch.tensor(self.longest)}
        return {**self.rollout.tensors(), **numbers}

    def set_numbers(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Go back to the numbers of a `state`; what else it holds."""
        parts = dict(state)
        self.number, self.longest = int(parts.pop("number")), int(parts.pop("longest"))
        return parts

    def phases(self, policy: Policy) -> Sequence[Phase]:
        return [CriticPhase(self)]


class CriticPhase(Phase):
    """Gives the policy a critic for the time of the training.

    Args:
        task: that needs it.
    """

    def __init__(self, task: RolloutTask) -> None:
        self.task = task

    def before(self, policy: Policy, *, resumed: bool) -> None:
        self.task.critic = self.task.make_critic(policy)
        policy.add_module("critic", self.task.critic)

    def after(self, policy: Policy) -> None:
        del policy.critic
