"""Continuous control (Tamar et al. 2016, section 5.3): a body with inertia is pushed to a goal past obstacles."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from torchvin.errors import InputError
from torchvin.evaluation.control import TIME_LIMIT, ControlScores, evaluate_expert, evaluate_policy
from torchvin.evaluation.metrics import margin
from torchvin.experts.trajectory import TrajectoryConfig, TrajectoryOptimizer
from torchvin.io.tables import Column, Table, table_of, write_csv
from torchvin.maps.arenas import Arenas
from torchvin.maps.generators.arena_config import ArenaConfig
from torchvin.maps.generators.arenas import generate_arenas
from torchvin.policies.force import ForcePolicy
from torchvin.pretrained.store import available
from torchvin.reproduce import control_figures
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.control_text import page_text
from torchvin.reproduce.page import Page
from torchvin.reproduce.row import Row
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.tasks.control import TRAINING_STREAM
from torchvin.training.presets import preset

EXPERT = "expert"
#: row of the tables -> preset and shipped weights
NETWORKS = {
    "VIN": "control",
    "VIN, value iteration": "control-normalized",
    "VIN, the paper's planner": "control-paper",
    "CNN": "control-cnn",
    "MLP without the map": "control-mlp",
}
POLICIES = {
    EXPERT: "expert",
    "VIN": "vin",
    "VIN, value iteration": "vin-normalized",
    "VIN, the paper's planner": "vin-paper",
    "CNN": "cnn",
    "MLP without the map": "mlp",
}
SEEDS = (0, 1, 2)
#: Numbers of training arenas of the second table; the paper's is 200.
TRAINING_ARENAS = (50, 200, 1000)
TRAINED_ON = 200
_LEARNING = ("VIN", "CNN")  # that the second table compares
_SEVERAL = ("VIN", "CNN", "MLP without the map")  # with three seeds; the other planners with one
_STREAM = 6_000  # no training draws from it
_OTHER_ARENAS = 100


@dataclass(frozen=True)
class Split:
    """A set of arenas and how they are met.

    Attributes:
        text: what it is.
        arena: what is drawn; None: the training arenas of each policy.
        side: cells per side of the planning grid.
        steps: time limit.
        few: fewer arenas than of the test.
    """

    text: str
    arena: ArenaConfig | None
    side: int = 16
    steps: int = TIME_LIMIT
    few: bool = True


SPLITS = {
    "train": Split("training arenas", None, few=False),
    "test": Split("test arenas", ArenaConfig(), few=False),
    "top-to-bottom": Split(
        "starts at the top, goals at the bottom, as in the authors' file", ArenaConfig(places="top-to-bottom")
    ),
    "twice": Split("twice the obstacles: 6", ArenaConfig(obstacles=6)),
    "grid-32": Split("test arenas, planned on a grid of 32x32; trained on 16x16", ArenaConfig(), side=32),
    "mazes": Split("mazes of 4x4 rooms, 10 s", ArenaConfig(kind="maze"), steps=2 * TIME_LIMIT),
    "mazes-32": Split(
        "the same mazes, planned on a grid of 32x32", ArenaConfig(kind="maze"), side=32, steps=2 * TIME_LIMIT
    ),
}


@dataclass(frozen=True)
class ControlScore:
    """One policy on one set of arenas.

    Attributes:
        policy: row of the tables.
        split: one of `SPLITS`.
        training: of the policy; None of the expert.
        scores: on these arenas.
        arenas: number that was trained on; 0 of the expert.
    """

    policy: str
    split: str
    training: Training | None
    scores: ControlScores
    arenas: int = 0


@dataclass(frozen=True)
class Control(Page):
    """A body with inertia: the planner inside a policy that pushes it past obstacles to a goal.

    VIN, CNN and a network without a map, taught by an optimizer of trajectories, beside that optimizer. Full trains
    three seeds of each, one of two other planners, and with 50 and 1,000 arenas.
    """

    name: ClassVar[str] = "control"

    maps: int = 200
    """Number of test arenas (the paper: 40); of the harder ones there are at most 100."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        if self.maps < 1:
            raise InputError(f"--maps must be at least 1, got {self.maps}.")

    def measure(self, book: ScoreBook) -> tuple[ControlScore, ...]:
        """Score the shipped weights (quick), or three trainings of each network (full), on every set of arenas."""
        trainings = self._trained(book) if self.budget == "full" else _shipped()
        if not trainings:
            if self.budget == "quick":
                raise InputError("no weights control are installed; use --budget full.")
            raise InputError(f"{self.folder} holds no finished run; leave out --no-train.")
        scores: list[ControlScore] = []
        for split, what in SPLITS.items():
            wide = ("train", "test")  # the networks of the second table are scored on no others
            for policy, training, arenas in trainings:
                if arenas == TRAINED_ON or split in wide:
                    found = self._score(book, training, split, what)
                    if found is not None:
                        scores.append(ControlScore(policy, split, training, found, arenas))
            if what.side == 16:
                scores.append(ControlScore(EXPERT, split, None, self._expert(book, split, what, trainings[0][1])))
        return tuple(scores)

    def _trained(self, book: ScoreBook) -> list[tuple[str, Training, int]]:
        wanted = [(policy, TRAINED_ON, seed) for seed in SEEDS for policy in _SEVERAL]
        wanted += [(policy, arenas, 0) for arenas in TRAINING_ARENAS if arenas != TRAINED_ON for policy in _LEARNING]
        wanted += [(policy, TRAINED_ON, SEEDS[0]) for policy in NETWORKS if policy not in _SEVERAL]
        wanted = [entry for entry in wanted if entry[0] in NETWORKS]
        found = []
        for policy, arenas, seed in wanted:
            number = "" if arenas == TRAINED_ON else f"-{arenas}"
            run = f"{NETWORKS[policy]}{number}-s{seed}"
            make = self._maker(policy, run, arenas, seed) if self.train else None
            if training := book.training(self.folder / run, make):
                found.append((policy, training, arenas))
        return found

    def _maker(self, policy: str, run: str, arenas: int, seed: int) -> Callable[[], Path]:
        config = replace(preset(NETWORKS[policy]), seed=seed)
        # As many steps whatever the number of arenas.
        passes = max(1, config.control.passes * TRAINED_ON // arenas)
        config = replace(
            config,
            data=replace(config.data, maps=arenas),
            control=replace(config.control, passes=passes),
        )
        return lambda: train_run(run, config, self.folder, command=self.command)

    def _arenas(self, split: str, what: Split, training: Training) -> Arenas:
        if what.arena is None:
            return trained_on(training.record["config"]["data"]["maps"], training.seed)
        number = min(_OTHER_ARENAS, self.maps) if what.few else self.maps
        return drawn(number, what.arena, self.seed)

    def _score(self, book: ScoreBook, training: Training, split: str, what: Split) -> ControlScores | None:
        if what.side != 16 and "height" in training.record["config"]["policy"]:
            return None  # a CNN knows no other size
        arenas = self._arenas(split, what, training)
        key = f"{training.name}, {split} {self.seed}, {len(arenas)} arenas"

        def measure() -> dict[str, Any]:
            policy = training.policy()
            assert isinstance(policy, ForcePolicy)
            return asdict(evaluate_policy(policy, arenas, side=what.side, steps=what.steps)[0])

        return ControlScores(**book.keep(key, measure))

    def _expert(self, book: ScoreBook, split: str, what: Split, training: Training) -> ControlScores:
        arenas = self._arenas(split, what, training)

        def measure() -> dict[str, Any]:
            return asdict(evaluate_expert(TrajectoryOptimizer(arenas, config=TrajectoryConfig(horizon=what.steps)))[0])

        return ControlScores(**book.keep(f"{EXPERT}, {split} {self.seed}, {len(arenas)} arenas", measure))

    def rows(self, measured: Sequence[ControlScore]) -> list[Row]:
        """Success and distance of each policy and set of arenas. No published number was checked at its source."""
        metrics = ("success_rate", "arrival_rate", "collision_rate", "final_distance")
        return [
            _row(POLICIES[policy], split if arenas in (0, TRAINED_ON) else f"{split}-{arenas}", metric, group)
            for (policy, split, arenas), group in grouped(measured).items()
            for metric in metrics
        ]

    def tables(self, measured: Sequence[ControlScore]) -> list[Table]:
        """One table per set of arenas, and that of the numbers of training arenas."""
        found = [split_table(measured, split) for split in SPLITS]
        return [*found, *filter(None, [arenas_table(measured)])]

    def write(self, measured: Sequence[ControlScore]) -> list[Path]:
        """Write `control.md`, `control.csv` (one line per policy, seed and set of arenas) and the figures."""
        out = self.folder
        write_csv(out / "control.csv", [_csv_entry(entry) for entry in measured])
        policies: dict[str, ForcePolicy] = {}
        for entry in measured:
            if (
                entry.training
                and entry.training.weights
                and entry.arenas == TRAINED_ON
                and entry.policy not in policies
            ):
                loaded = entry.training.policy()
                assert isinstance(loaded, ForcePolicy)
                policies[entry.policy] = loaded
        captions = control_figures.draw(policies, drawn(self.maps, ArenaConfig(), self.seed), out) if policies else {}
        tables = {SPLITS[split].text: split_table(measured, split) for split in SPLITS}
        trainings = {entry.training.name: entry.training for entry in measured if entry.training}
        text = page_text(
            self.command, tables, arenas_table(measured), bars(measured), list(trainings.values()), captions
        )
        return [write_text(out / "control.md", text), out / "control.csv", *captions]


@cache
def drawn(number: int, arena: ArenaConfig, seed: int) -> Arenas:
    """Arenas that no training sees."""
    return generate_arenas(number, arena, seed=(_STREAM, seed))


@cache
def trained_on(number: int, seed: int) -> Arenas:
    """The arenas of a training."""
    return generate_arenas(number, ArenaConfig(), seed=(TRAINING_STREAM, seed))


def _shipped() -> list[tuple[str, Training, int]]:
    names = available()
    return [(policy, shipped_training(name), TRAINED_ON) for policy, name in NETWORKS.items() if name in names]


def grouped(measured: Sequence[ControlScore]) -> dict[tuple[str, str, int], list[ControlScores]]:
    """The scores of the trainings of each policy on each set of arenas."""
    groups: dict[tuple[str, str, int], list[ControlScores]] = {}
    for entry in measured:
        groups.setdefault((entry.policy, entry.split, entry.arenas), []).append(entry.scores)
    return groups


def mean(group: Sequence[ControlScores], metric: str) -> float:
    """Mean of a metric over trainings; those without a value are left out."""
    values = [value for value in (getattr(scores, metric) for scores in group) if value == value]
    return sum(values) / len(values) if values else float("nan")


def spread(group: Sequence[ControlScores], metric: str) -> str:
    """Lowest and highest value over trainings, in percent; empty for one."""
    values = sorted(getattr(scores, metric) for scores in group)
    return f" ({100 * values[0]:.1f} to {100 * values[-1]:.1f})" if len(values) > 1 else ""


def _row(policy: str, split: str, metric: str, group: Sequence[ControlScores]) -> Row:
    value, maps = mean(group, metric), group[0].maps
    interval = margin(value, maps) if metric.endswith("_rate") else None
    seeds = 0 if policy == EXPERT else len(group)
    return Row("control", policy, split, metric, value, maps, seeds, interval, None)


def split_table(measured: Sequence[ControlScore], split: str) -> Table:
    """Every policy on one set of arenas, trained on 200."""
    groups = {
        policy: group
        for (policy, where, arenas), group in grouped(measured).items()
        if where == split and arenas in (0, TRAINED_ON)
    }
    order = sorted(groups, key=list(POLICIES).index)
    entries = [(policy, groups[policy]) for policy in order]
    return table_of(_COLUMNS, entries, title=f"{split}: {SPLITS[split].text}")


def arenas_table(measured: Sequence[ControlScore]) -> Table | None:
    """Success on training and test arenas by the number of training arenas; None where only one was trained on."""
    groups = grouped(measured)
    numbers = sorted({arenas for _, _, arenas in groups} - {0})
    if len(numbers) < 2:
        return None
    entries = [
        (policy, number, groups) for policy in _LEARNING for number in numbers if (policy, "test", number) in groups
    ]
    columns: list[Column] = [
        Column("policy", lambda entry: entry[0], "policy"),
        Column("training arenas", lambda entry: str(entry[1]), "arenas"),
        *(
            Column(f"{text} on {split} arenas", _cell(split, metric, shown), f"{text}, {split}")
            for metric, text, shown in (("success_rate", "success [%]", 100.0), ("final_distance", "distance", 1.0))
            for split in ("train", "test")
        ),
        Column("seeds", lambda entry: str(len(entry[2][entry[0], "test", entry[1]])), "seeds"),
    ]
    return table_of(columns, entries, title="how many arenas were trained on")


def _cell(split: str, metric: str, factor: float) -> Callable[[tuple], str]:
    digits = 1 if factor > 1 else 3
    return lambda entry: f"{factor * mean(entry[2][entry[0], split, entry[1]], metric):.{digits}f}"


def bars(measured: Sequence[ControlScore]) -> list[tuple[str, float, float, bool]]:
    """What was aimed at: text, measured value, bar, and whether it was reached."""
    groups = grouped(measured)

    def value(policy: str, split: str, metric: str) -> float:
        return mean(groups.get((policy, split, 0 if policy == EXPERT else TRAINED_ON), []), metric)

    found = []
    share = value("VIN", "test", "success_rate") / value(EXPERT, "test", "success_rate")
    found.append(("VIN's test success as a share of the expert's, at least", share, 0.95, share >= 0.95))
    gaps = [value(policy, "train", "success_rate") - value(policy, "test", "success_rate") for policy in ("VIN", "CNN")]
    found.append(
        (
            "VIN's gap of success from training to test, at most half the CNN's",
            gaps[0],
            gaps[1] / 2,
            gaps[0] <= gaps[1] / 2,
        )
    )
    far = [value(policy, "test", "final_distance") for policy in ("VIN", "CNN")]
    found.append(("VIN's mean test distance, at most 0.7 of the CNN's", far[0], 0.7 * far[1], far[0] <= 0.7 * far[1]))
    for split in ("twice", "mazes", "mazes-32"):
        expert = value(EXPERT, split.removesuffix("-32"), "success_rate")
        share = value("VIN", split, "success_rate") / expert
        found.append((f"VIN's success on {split} as a share of the expert's, at least", share, 0.8, share >= 0.8))
    share = value("VIN", "grid-32", "success_rate") / value(EXPERT, "test", "success_rate")
    found.append(("VIN's success on a grid of 32x32 as a share of the expert's, at least", share, 0.8, share >= 0.8))
    return [entry for entry in found if entry[1] == entry[1]]


_COLUMNS: list[Column] = [
    Column("policy", lambda entry: entry[0], "policy"),
    Column(
        "success [%]",
        lambda entry: f"{100 * mean(entry[1], 'success_rate'):.1f}{spread(entry[1], 'success_rate')}",
        "success [%]",
    ),
    Column(
        "+- over arenas", lambda entry: f"{100 * margin(mean(entry[1], 'success_rate'), entry[1][0].maps):.1f}", "+-"
    ),
    Column("arrives [%]", lambda entry: f"{100 * mean(entry[1], 'arrival_rate'):.1f}", "arrives [%]"),
    Column("touches [%]", lambda entry: f"{100 * mean(entry[1], 'collision_rate'):.1f}", "touches [%]"),
    Column("mean final distance", lambda entry: f"{mean(entry[1], 'final_distance'):.4f}", "distance"),
    Column("median", lambda entry: f"{mean(entry[1], 'median_distance'):.4f}"),
    Column("steps to the goal", lambda entry: f"{mean(entry[1], 'mean_steps'):.0f}", "steps"),
    Column("arenas", lambda entry: str(entry[1][0].maps), "n"),
    Column("seeds", lambda entry: "" if entry[0] == EXPERT else str(len(entry[1])), "seeds"),
]


def _csv_entry(entry: ControlScore) -> dict[str, object]:
    seed = "" if entry.training is None else entry.training.seed
    named = {"policy": POLICIES[entry.policy], "split": entry.split, "training_arenas": entry.arenas, "seed": seed}
    return {**named, **{part.name: getattr(entry.scores, part.name) for part in fields(ControlScores)}}
