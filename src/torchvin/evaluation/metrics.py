"""What is measured, each number defined once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError

#: Fields of `Scores` that are shares of rollouts or states, so that they have an interval.
RATES = (
    "success_rate",
    "optimal_rate",
    "prediction_loss",
    "set_error",
    "all_states_success_rate",
    "all_states_optimal_rate",
    "all_states_set_error",
    "open_states_success_rate",
    "open_states_optimal_rate",
)


def margin(rate: float, maps: int) -> float:
    """Half the width of the 95 % interval of a rate: Wilson's, with the number of maps as the number of trials.

    The rollouts of one map depend on each other, so they must not be counted as trials; the maps are independent. A map
    contributes a share between 0 and 1, whose variance is at most rate * (1 - rate), the variance of one trial. The
    interval is therefore wide enough whatever the dependence within a map, and up to sqrt(7) times too wide for 7
    independent rollouts. At 0 and 100 % it keeps a width; a standard error from the spread of the maps would be 0.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).

    Args:
        rate: share of rollouts or states, in [0, 1].
        maps: independent maps that the share was seen on.

    Returns: half the width, NaN for no maps.

    >>> round(margin(1.0, 1000), 4)
    0.0019
    """
    if maps == 0:
        return math.nan
    z = 1.96
    return z / (1 + z * z / maps) * math.sqrt(rate * (1 - rate) / maps + z * z / (4 * maps * maps))


@dataclass(frozen=True)
class Scores:
    """Rates lie in [0, 1].

    Attributes:
        maps: maps evaluated.
        rollouts: rollouts from the data set's starts.
        success_rate: share of rollouts that reach the goal within twice the optimal number of states (the paper's).
        optimal_rate: share of rollouts whose cost equals the optimum.
        trajectory_difference: steps beyond the optimal path, mean over the successes.
        prediction_loss: 0-1 error against the single demonstrated action, over the demonstrated states (the paper's
            column). A perfect planner does not reach 0: labels are one shortest path among many.
        set_error: 0-1 error against the set of optimal actions, over the same states.
        all_states_success_rate, all_states_optimal_rate, all_states_set_error: the same from every state that can
            reach the goal.
        open_states_success_rate, open_states_optimal_rate: %Suc and %Opt as the code of the GPPN paper counts them
            (RLAgent/gated-path-planning-networks, `utils/runner.py`): of each map the share of its open states, the
            goal among them, and of these shares the mean over the maps. A rollout has no limit of steps. An open state
            without a path to the goal is a failure for %Suc and optimal for %Opt. NaN in scores of before.
    """

    maps: int
    rollouts: int
    success_rate: float
    optimal_rate: float
    trajectory_difference: float
    prediction_loss: float
    set_error: float
    all_states_success_rate: float
    all_states_optimal_rate: float
    all_states_set_error: float
    open_states_success_rate: float = math.nan
    open_states_optimal_rate: float = math.nan

    def interval(self, metric: str = "success_rate") -> float:
        """Half the width of the 95 % interval of a rate, over the maps (`margin`).

        Args:
            metric: one of `RATES`.

        Raises: InputError for a number that is not a rate.

        >>> scores = Scores(100, 700, 0.99, 0.9, 0.0, 0.1, 0.1, 0.99, 0.9, 0.1)
        >>> round(scores.interval(), 3), round(scores.interval("optimal_rate"), 3)
        (0.026, 0.06)
        """
        if metric not in RATES:
            raise InputError(f"{metric!r} is not a rate and has no interval; choose one of: {', '.join(RATES)}.")
        return margin(getattr(self, metric), self.maps)


@dataclass(frozen=True)
class LengthBin:
    """The states whose optimal path has `first` to `last` moves; rates as `all_states_*`, NaN where there are none."""

    first: int
    last: int
    states: int
    success_rate: float
    optimal_rate: float


@dataclass(frozen=True)
class ByLength:
    """Rollouts from every state that can reach the goal, by the number of moves of its optimal path.

    Attributes:
        states, successes, optimal: how many have l = 0, 1, ... moves, reach the goal, and do so at the optimal cost.
    """

    states: Int[Tensor, "L"]
    successes: Int[Tensor, "L"]
    optimal: Int[Tensor, "L"]

    def bins(self, edges: Sequence[int]) -> list[LengthBin]:
        """Sums from each edge to before the next, the last one without end; bins without states are left out.

        >>> counts = torch.tensor([0, 4, 4, 2])
        >>> ByLength(counts, torch.tensor([0, 4, 4, 1]), counts * 0).bins((1, 3))[1]
        LengthBin(first=3, last=3, states=2, success_rate=0.5, optimal_rate=0.0)
        """
        found = []
        longest = len(self.states) - 1
        for first, after in zip(edges, [*edges[1:], longest + 1], strict=True):
            total, successes, optimal = (
                int(part[first:after].sum()) for part in (self.states, self.successes, self.optimal)
            )
            if total:
                found.append(LengthBin(first, min(after - 1, longest), total, successes / total, optimal / total))
        return found


@dataclass
class Tally:
    """Counts over batches of S states per map; rates only at the end, so that the size of a batch changes nothing.

    Counts stay on the device of the batches until they are asked for. The host does not wait for it before.

    Attributes:
        num_states: S; no rollout has more moves.
    """

    num_states: int
    maps: int = 0
    counts: dict[str, Tensor] = field(default_factory=dict)  # name -> [sum, number], int64
    shares: dict[str, list[Tensor]] = field(default_factory=dict)  # name -> the shares of each batch's maps
    lengths: Tensor | None = None  # the rows of `ByLength`, [3, S + 1]

    def _add(self, name: str, values: Tensor, counted: Tensor) -> None:
        """The sum of `values` over `counted`, and how many these are."""
        both = torch.stack([torch.where(counted, values, 0).sum(), counted.sum()])
        self.counts[name] = self.counts[name] + both if name in self.counts else both

    def add_labels(
        self,
        *,
        agree: Bool[Tensor, "M S"],
        in_set: Bool[Tensor, "M S"],
        shown: Bool[Tensor, "M S"],
        solvable: Bool[Tensor, "M S"],
    ) -> None:
        """Actions against labels: over demonstrated states, and over all that can reach the goal."""
        self._add("prediction_loss", ~agree, shown)
        self._add("set_error", ~in_set, shown)
        self._add("all_states_set_error", ~in_set, solvable)

    def add_all_states(
        self,
        *,
        reached: Bool[Tensor, "M S"],
        optimal: Bool[Tensor, "M S"],
        moves: Int[Tensor, "M S"],
        solvable: Bool[Tensor, "M S"],
    ) -> None:
        """Rollouts from every state that can reach the goal, and the number of moves of its optimal path."""
        self._add("all_states_success_rate", reached, solvable)
        self._add("all_states_optimal_rate", optimal, solvable)
        if self.lengths is None:
            self.lengths = torch.zeros(3, self.num_states + 1, dtype=torch.int64, device=moves.device)
        places = torch.where(solvable, moves, 0).flatten()
        for row, counted in zip(self.lengths, (solvable, solvable & reached, solvable & optimal), strict=True):
            row.index_add_(0, places, counted.flatten().long())  # whole numbers: their order changes nothing

    def add_open_states(
        self, *, reached: Int[Tensor, "M"], optimal: Int[Tensor, "M"], states: Int[Tensor, "M"]
    ) -> None:
        """Of each map its open states, how many of them arrive, and how many count as optimal."""
        for name, part in (("open_states_success_rate", reached), ("open_states_optimal_rate", optimal)):
            self.shares.setdefault(name, []).append(part.double() / states)

    def add_rollouts(
        self,
        *,
        reached: Bool[Tensor, "M R"],
        optimal: Bool[Tensor, "M R"],
        extra_steps: Int[Tensor, "M R"],
        present: Bool[Tensor, "M R"],
    ) -> None:
        """Rollouts from the data set's starts, where there are any (`present`)."""
        self.maps += len(reached)
        self._add("success_rate", reached, present)
        self._add("optimal_rate", optimal, present)
        self._add("trajectory_difference", extra_steps, present & reached)

    def by_length(self) -> ByLength:
        """Counts by the length of the optimal path, up to the longest; on the CPU."""
        lengths = torch.zeros(3, 1, dtype=torch.int64) if self.lengths is None else self.lengths.cpu()
        longest = int(lengths[0].nonzero().max()) if lengths[0].any() else 0
        return ByLength(*lengths[:, : longest + 1])

    def scores(self) -> Scores:
        """Rates; NaN where nothing was counted."""
        totals = torch.stack([*self.counts.values()]).tolist() if self.counts else []
        counts = dict(zip(self.counts, totals, strict=True))
        shares = {name: torch.cat(parts).tolist() for name, parts in self.shares.items()}
        rates = {}
        for entry in fields(Scores):
            if entry.type is float:
                total, number = counts.get(entry.name, (0, 0))
                rates[entry.name] = total / number if number else math.nan
                if each := shares.get(entry.name):
                    rates[entry.name] = math.fsum(each) / len(each)
        return Scores(maps=self.maps, rollouts=counts.get("success_rate", (0, 0))[1], **rates)
