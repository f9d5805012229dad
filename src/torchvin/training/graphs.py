"""Optimizer steps as CUDA graphs: captured once for each size of a batch, and replayed for every batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.devices import captured
from torchvin.io.progress import log_line


class StepGraphs:
    """An optimizer step whose launches are captured once per batch size. Each step then costs the host one replay.

    Where a step cannot be captured, one line on standard error says why, and it is called for every batch.

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
        self._refused = False

    def __call__(self, chosen: Int[Tensor, "N"]) -> Float[Tensor, "S"]:
        """One step on the examples `chosen`; the host does not wait for it."""
        size = len(chosen)
        if size not in self._of_size and not self._refused:
            try:
                self._of_size[size] = self._capture(chosen)
            except RuntimeError as error:
                self._refused = True
                log_line(
                    f"torchvin: a step cannot be captured in a CUDA graph ({error}); steps are made one by one, which "
                    "is slower. --training.no-cuda-graph does not try."
                )
        if self._refused:
            return self._step(chosen.to(self._device))
        indices, replay, numbers = self._of_size[size]
        indices.copy_(chosen, non_blocking=True)
        replay()
        return numbers.clone()

    def _capture(self, chosen: Int[Tensor, "N"]) -> tuple[Tensor, Callable[[], None], Tensor]:
        indices = chosen.to(self._device, copy=True)
        with _put_back(self._changed()), torch.random.fork_rng(self._devices_with_random_numbers()):
            replay, numbers = captured(lambda: self._step(indices))
        return indices, replay, numbers

    def _devices_with_random_numbers(self) -> list[torch.device]:
        return [self._device] if self._device.type == "cuda" else []


@contextmanager
def _put_back(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Give tensors the values back that they have now, also after an error."""
    before = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
