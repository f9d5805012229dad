"""What the trainer knows of a domain."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn

from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.policy import Policy
from torchvin.training.phases.phase import Phase


@dataclass(frozen=True)
class Validation:
    """How good a policy is on what was held out.

    Attributes:
        metrics: numbers of the history, by name, in the order of its columns.
        key: what epochs are compared by, the first number first; higher is better.
        summary: what is written into the record of the weights; `metrics` if not given.
        report: what a caller of `train` gets as `Trained.validation`; this object if not given.
        sentence: the summary for a person, which `torchvin train` ends with.
        outcome: the same numbers by name, for `torchvin train --json`.
    """

    metrics: Mapping[str, float]
    key: tuple[float, ...]
    summary: Mapping[str, Any] = field(default_factory=dict)
    report: Any = None
    sentence: str = ""
    outcome: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC):
    """A domain: examples to learn from, an evaluation to choose the best epoch by, and a description.

    A new domain is a subclass. The trainer asks for nothing else.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Number of training examples."""

    @abstractmethod
    def loss(self, model: nn.Module, chosen: Int[Tensor, "N"], device: torch.device) -> tuple[Tensor, int | Tensor]:
        """The sum of the loss over the terms of the examples `chosen`, and the number of its terms.

        Sums and not means: a batch that is split over processes is divided once, by the number of all its terms. The
        number may be a tensor on the device, so that the host need not wait for it.

        Args:
            model: the policy, wrapped or not.
            chosen: indices of examples; on the device if the task is `capturable`.
            device: of the model.
        """

    @property
    def capturable(self) -> bool:
        """Whether a CUDA graph can hold the loss.

        Every batch of a size must need the same operations on the device. The loss must ask the device for no number,
        and draw none on the host.
        """
        return False

    @property
    def on_cpu(self) -> bool:
        """Whether it trains on the CPU only, because its data stay there."""
        return False

    @abstractmethod
    def validate(self, policy: Policy) -> Validation:
        """Evaluate on what was held out; leaves the mode of the policy as it was."""

    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """What decides a run beside its configuration, as JSON; a run is resumed only with the same."""

    @abstractmethod
    def description(self) -> Mapping[str, Any]:
        """What the weights are for and what they learned from, as JSON; kept with the weights as `task`."""

    def check(self, config: ArchitectureConfig) -> None:  # noqa: B027 - a task may take any network
        """Raises: InputError if a network of this configuration does not fit the task."""

    def order(self, seed: int, epoch: int) -> Int[Tensor, "N"]:
        """The examples of an epoch in the order in which batches take them: `len(self)` numbers.

        It depends on nothing but the seed and the epoch, so that a resumed epoch continues in it.

        Args:
            seed: of the run.
            epoch: from 0 on.
        """
        return epoch_order(len(self), seed, epoch)

    def state(self) -> Mapping[str, Tensor]:
        """What a resumed run needs of the task beside the policy: tensors by name, kept in the checkpoint."""
        return {}

    def set_state(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027 - most tasks have none
        """Go on from what `state` returned."""

    def phases(self, policy: Policy) -> Sequence[Phase]:
        """What happens before and after the epochs, in this order."""
        return ()


def epoch_order(num_examples: int, seed: int, epoch: int) -> Tensor:
    """A fresh order each epoch that depends on nothing but the seed, so that a resumed epoch goes on in it.

    >>> bool((epoch_order(100, 0, 1) == epoch_order(100, 0, 2)).all())
    False
    """
    return torch.randperm(num_examples, generator=torch.Generator().manual_seed(seed * 100_003 + epoch))
