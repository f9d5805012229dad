"""What an optimizer step learns from: whole maps, or a few states of a map as the authors' files have them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN, visits
from torchvin.experts.grid import action_set, preferred_action
from torchvin.experts.path_lengths import path_lengths
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.losses import (
    adaptive_highway_loss,
    optimal_set_loss,
    single_label_loss,
    tied_label_loss,
    uniform_set_loss,
)
from torchvin.types import PolicyOutput

Model = Callable[..., PolicyOutput]  # a policy, wrapped or not
Loss = tuple[Float[Tensor, ""], Int[Tensor, ""]]  # a sum, and the number of its terms
_LOSSES = {
    "optimal-set": optimal_set_loss,
    "uniform-set": uniform_set_loss,
    "single-label": single_label_loss,
}
LABELLED = ("single-label", "tied-label")  # losses that take one action a state, not a set


class Examples(ABC):
    """Examples by index; the loss of some of them is a sum, for one division by a global count."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def loss(self, model: Model, chosen: Int[Tensor, "N"], device: torch.device) -> Loss:
        """The sum of the loss over the states of the examples `chosen`, and the number of its terms.

        On a device the host waits for nothing, and `chosen` may lie there: a CUDA graph can hold all of it.

        A term is a state; of a planner that reports its layers, a state in one of its layers.
        """


class Resident:
    """Tensors that are copied to a device once, and then indexed there."""

    def __init__(self, *tensors: Tensor) -> None:
        self._tensors = tensors

    def on(self, device: torch.device) -> tuple[Tensor, ...]:
        """The tensors on a device."""
        if self._tensors[0].device.type != device.type or device.index not in (None, self._tensors[0].device.index):
            self._tensors = tuple(tensor.to(device) for tensor in self._tensors)
        return self._tensors


class MapExamples(Examples):
    """An example is a map; its states are all cells that can reach the goal, or those that demonstrations show."""

    def __init__(self, dataset: MapDataset, options: TrainingConfig) -> None:
        self.dataset = dataset
        self.options = options

    def __len__(self) -> int:
        return len(self.dataset)

    def loss(self, model: Model, chosen: Int[Tensor, "N"], device: torch.device) -> Loss:
        if device.type == "cpu":
            batch, cells = self.dataset[chosen], self.states[chosen]
            answers = self.labels[chosen] if self.options.loss in LABELLED else batch.optimal_actions
            planes = batch.planes()
        else:
            chosen = chosen.to(device, non_blocking=True)
            planes, answers, cells = (part[chosen] for part in self._resident.on(device))
        output, terms = model(planes), cells.sum()
        if self.options.loss == "tied-label":
            if output.plan is None:
                raise InputError("the loss tied-label asks a plan for its ties, and this policy does not plan.")
            values, noise = output.plan.q_values, self.options.label_noise
            loss = tied_label_loss(output.logits.float(), answers, cells, values=values, label_noise=noise)
            return loss, terms
        lengths = self._resident_lengths.on(device)[0][chosen] if output.layers else None
        return _loss(self.options, output.logits, output.layers, answers, cells, lengths, terms)

    @cached_property
    def _resident(self) -> "Resident":
        answers = self.labels if self.options.loss in LABELLED else self.dataset.optimal_actions
        return Resident(self.dataset.planes(), answers, self.states)

    @cached_property
    def _resident_lengths(self) -> "Resident":
        return Resident(self.lengths)

    @cached_property
    def states(self) -> Bool[Tensor, "M *O H W"]:
        """The states that teach."""
        return self.labels != NOT_SHOWN

    @cached_property
    def labels(self) -> UInt8[Tensor, "M *O H W"]:
        """One action for each state that teaches, 255 elsewhere."""
        if self.options.supervision == "demonstrations":
            return self.dataset.demonstrated
        return preferred_action(self.dataset.optimal_actions, self.dataset.moves)

    @cached_property
    def right_actions(self) -> Bool[Tensor, "M *OA H W"]:
        """Which actions are right in each state by the loss, all optimal ones or the label; [M, (O,) A, H, W]."""
        num_actions = self.dataset.moves.num_actions
        if self.options.loss in LABELLED:
            actions = torch.arange(num_actions, dtype=torch.uint8)
            return (self.labels[..., None] == actions).movedim(-1, -3)
        return action_set(self.dataset.optimal_actions, num_actions).movedim(-1, -3)

    @cached_property
    def lengths(self) -> Int[Tensor, "M *O H W"]:
        """Moves of the expert's path; for planners that report their layers."""
        return path_lengths(self.dataset.blocked, self.dataset.optimal_actions, self.dataset.moves)


class StateExamples(Examples):
    """An example is a map with a few of its demonstrated states, as the rows of the authors' files.

    A map's states come in random order; the last example of a map is filled up with its last state.

    Args:
        dataset: maps with demonstrations.
        options: `states_per_example` (the authors: 10 for the VIN, 1 for the baselines), `repeat_states` and the loss.
        seed: of the order of the states.
    """

    def __init__(self, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
        self.planes = dataset.planes()
        self.options = options
        self.dataset = dataset
        starts = dataset.space.flatten(dataset.starts)
        passed = visits(
            dataset.demonstrated,
            dataset.blocked,
            dataset.goal,
            starts,
            moves=dataset.moves,
            entry_cost=dataset.entry_cost,
        )
        if not options.repeat_states:
            passed = passed.clamp(max=1)
        self.maps, self.cells = state_rows(passed, options.states_per_example, seed)
        self.states = dataset.space.unflatten(self.cells)
        answers = dataset.demonstrated if options.loss in LABELLED else dataset.optimal_actions
        self.answers = answers.flatten(1)[self.maps].gather(1, self.cells)

    def __len__(self) -> int:
        return len(self.maps)

    def loss(self, model: Model, chosen: Int[Tensor, "N"], device: torch.device) -> Loss:
        maps, all_planes, all_states, all_answers = self._resident.on(device)
        chosen = chosen.to(device, non_blocking=True)
        planes, states, answers = all_planes[maps[chosen]], all_states[chosen], all_answers[chosen][..., None]
        everywhere = torch.ones_like(answers, dtype=torch.bool)
        output = model(planes, states)
        # [N, S, A] to [N, A, S, 1]: states in place of rows
        logits, *hidden = (each.movedim(2, 1)[..., None] for each in (output.logits, *output.layers.values()))
        layers = dict(zip(output.layers, hidden, strict=True))
        lengths = self._resident_lengths.on(device)[0][chosen][..., None] if layers else None
        return _loss(self.options, logits, layers, answers, everywhere, lengths, everywhere.sum())

    @cached_property
    def _resident(self) -> "Resident":
        return Resident(self.maps, self.planes, self.states, self.answers)

    @cached_property
    def _resident_lengths(self) -> "Resident":
        return Resident(self.lengths)

    @cached_property
    def lengths(self) -> Int[Tensor, "N S"]:
        """Moves of the expert's path from each state; for planners that report their layers."""
        lengths = path_lengths(self.dataset.blocked, self.dataset.optimal_actions, self.dataset.moves)
        return lengths.flatten(1)[self.maps].gather(1, self.cells)


def _loss(
    options: TrainingConfig,
    logits: Float[Tensor, "B OA H W"],
    layers: Mapping[int, Float[Tensor, "B OA H W"]],
    answers: UInt8[Tensor, "B *O H W"],
    cells: Bool[Tensor, "B *O H W"],
    lengths: Int[Tensor, "B *O H W"] | None,
    terms: Int[Tensor, ""],
) -> Loss:
    """The loss of the output, plus that of the layers where there are any; in float32 whatever the network is in."""
    loss = _LOSSES[options.loss]
    total = loss(logits.float(), answers, cells)
    if lengths is not None:
        hidden = {made: each.float() for made, each in layers.items()}
        of_layers, more = adaptive_highway_loss(loss, hidden, answers, cells, lengths)
        total, terms = total + of_layers, terms + more
    return total, terms


def state_rows(visits: Int[Tensor, "M *O H W"], size: int, seed: int) -> tuple[Int[Tensor, "R"], Int[Tensor, "R S"]]:
    """Cut the visited states of each map, each as often as it is visited, into rows of `size`.

    Returns: the map of each row [R], flat states [R, S].

    >>> maps, cells = state_rows(torch.tensor([[[1, 2, 0]], [[0, 0, 1]]]), 2, seed=0)
    >>> maps.tolist(), cells[:2].flatten().sort().values.tolist(), cells[2].tolist()
    ([0, 0, 1], [0, 1, 1, 1], [2, 2])
    """
    maps, cells = visits.flatten(1).nonzero(as_tuple=True)
    times = visits.flatten(1)[maps, cells]
    maps, cells = maps.repeat_interleave(times), cells.repeat_interleave(times)
    shuffled = torch.randperm(len(maps), generator=torch.Generator().manual_seed(seed))
    shuffled = shuffled[maps[shuffled].sort(stable=True).indices]  # maps together again, cells of each in random order
    maps, cells = maps[shuffled], cells[shuffled]
    counts = maps.bincount(minlength=len(visits))
    ends = counts.cumsum(0)
    num_rows = (counts + size - 1) // size
    of_map = torch.arange(len(counts)).repeat_interleave(num_rows)
    row_in_map = torch.arange(len(of_map)) - (num_rows.cumsum(0) - num_rows)[of_map]
    place = (ends - counts)[of_map, None] + size * row_in_map[:, None] + torch.arange(size)
    return of_map, cells[place.minimum(ends[of_map, None] - 1)]


def build_examples(dataset: MapDataset, options: TrainingConfig, seed: int) -> Examples:
    """The examples of a config."""
    if options.supervision == "states":
        return StateExamples(dataset, options, seed)
    return MapExamples(dataset, options)
