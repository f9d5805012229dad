"""Optimizer steps as CUDA graphs: captured once for each size of a batch, and replayed for every batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.devices import captured
from torchvin.errors import TrainingError


class StepGraphs:
    """An optimizer step whose launches are captured once per batch size. Each step then costs the host one replay.

    Before a capture the step is called some times. What these calls change is put back, so every step of a training is
    a replay, also the first one after a resume: the bits do not depend on when a training was interrupted.

    Args:
        step: makes one step on the examples with the indices that it is given, [N] on the device, and returns numbers
            of the step. It asks the device for no number. What changes from step to step it reads from tensors that
            stay where they are.
        changed: the tensors that a step changes in place: weights, and the state of the optimizer.
        device: of the step.
    """

    def __init__(
        self,
        step: Callable[[Int[Tensor, "N"]], Float[Tensor, "S"]],
        changed: Callable[[], Sequence[Tensor]],
        device: torch.device,
    ) -> None:
        self._step = step
        self._changed = changed
        self._device = device
        self._of_size: dict[int, tuple[Tensor, Callable[[], None], Tensor]] = {}  # indices, replay, numbers

    def __call__(self, chosen: Int[Tensor, "N"]) -> Float[Tensor, "S"]:
        """One step on the examples `chosen`; the host does not wait for it.

        Raises: TrainingError if the step cannot be captured.
        """
        size = len(chosen)
        if size not in self._of_size:
            self._of_size[size] = self._capture(chosen)
        indices, replay, numbers = self._of_size[size]
        indices.copy_(chosen, non_blocking=True)
        replay()
        return numbers.clone()

    def _capture(self, chosen: Int[Tensor, "N"]) -> tuple[Tensor, Callable[[], None], Tensor]:
        indices = chosen.to(self._device, copy=True)
        try:
            with _put_back(self._changed()), torch.random.fork_rng(self._devices_with_random_numbers()):
                replay, numbers = captured(lambda: self._step(indices))
        except RuntimeError as error:
            raise TrainingError(
                f"a step cannot be captured in a CUDA graph ({error}): a part of the network or of the loss waits for "
                "the device. Train with --training.no-cuda-graph."
            ) from error
        return indices, replay, numbers

    def _devices_with_random_numbers(self) -> list[torch.device]:
        return [self._device] if self._device.type == "cuda" else []


@contextmanager
def _put_back(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Give tensors the values back that they have now."""
    before = [tensor.detach().clone() for tensor in tensors]
    yield
    with torch.no_grad():
        for tensor, value in zip(tensors, before, strict=True):
            tensor.copy_(value)
