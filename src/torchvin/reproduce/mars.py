"""Planning from overhead images (Tamar et al. 2016, section 5.2), on synthetic terrain of the paper's scale."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

from torchvin.data.dataset import MapDataset
from torchvin.data.draw import draw_maps
from torchvin.data.overhead import OverheadDataset, with_images
from torchvin.data.symmetries import transformed
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores, margin
from torchvin.evaluation.scorer import evaluate
from torchvin.io.tables import Column, Table, table_of, write_csv
from torchvin.maps.generators.overhead import generate_overhead
from torchvin.policies.obstacle_planner import straight_line
from torchvin.pretrained.store import available
from torchvin.reproduce import mars_figures
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.mars_text import page_text
from torchvin.reproduce.page import Page
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.training.config import preset

#: row of the table -> preset and shipped weights
NETWORKS = {
    "VIN": "terrain-16",
    "classifier + shortest path": "terrain-16-classifier",
    "reactive CNN": "terrain-16-cnn",
}
STRAIGHT = "straight line"
POLICIES = {"VIN": "vin", "classifier + shortest path": "classifier", "reactive CNN": "cnn", STRAIGHT: "straight"}
#: split -> what it is, in the order of the page
SPLITS = {
    "test": "held-out regions, 16x16 cells",
    "32x32": "held-out regions, 32x32 cells; trained at 16x16",
    "turned": "the maps of `test`, turned by 90 degrees with their light",
    "low sun": "held-out regions, the sun at 15 to 25 degrees; trained at 30 to 60",
    "wrong image": "the maps of `test`, each with the image of another: what is left without sight",
}
SEEDS = (0, 1, 2)
TEST_MAPS = 2_000
OTHER_MAPS = 500
_STREAM = 3_000  # no training draws from it
_LOW_SUN = (15.0, 25.0)


@dataclass(frozen=True)
class MarsScore:
    """One policy on one set of maps.

    Attributes:
        policy: row of the table.
        split: one of `SPLITS`.
        training: of the policy; None of the straight line.
        scores: on the true maps.
    """

    policy: str
    split: str
    training: Training | None
    scores: Scores


@dataclass(frozen=True)
class Mars(Page):
    """Terrain seen from above: the VIN plans from an image, and demonstrated paths are its only teacher.

    Beside it the paper's best achievable (a classifier of obstacles and exact shortest paths), a reactive network, and
    the straight line, all with the same encoder. Full trains three seeds of each.
    """

    name: ClassVar[str] = "mars"

    maps: int = TEST_MAPS
    """Number of test maps of 16x16 cells; the other tables have at most a quarter of it."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        if self.maps < 4:
            raise InputError(f"--maps must be at least 4, got {self.maps}.")

    def measure(self, book: ScoreBook) -> tuple[MarsScore, ...]:
        """Score the shipped weights (quick), or three trainings of each network (full), on every set of maps."""
        trainings = self._trained(book) if self.budget == "full" else _shipped()
        if not trainings:
            raise InputError(f"{self.folder} holds no finished run; leave out --no-train.")
        scores = []
        for split, draw in held_out_maps(self.maps, self.seed).items():
            maps = draw()
            which = f"{split} {self.seed}"
            for policy, training in trainings:
                scores.append(MarsScore(policy, split, training, book.score(training, maps, which)))
            scores.append(MarsScore(STRAIGHT, split, None, _straight(book, maps, which)))
        return tuple(scores)

    def _trained(self, book: ScoreBook) -> list[tuple[str, Training]]:
        found = []
        for policy, name in NETWORKS.items():
            for seed in SEEDS:
                run = f"{name}-s{seed}"
                make = self._maker(name, run, seed) if self.train else None
                if training := book.training(self.folder / run, make):
                    found.append((policy, training))
        return found

    def _maker(self, name: str, run: str, seed: int) -> Callable[[], Path]:
        config = replace(preset(name), seed=seed)
        return lambda: train_run(run, config, self.folder, command=self.command)

    def rows(self, measured: Sequence[MarsScore]) -> list[Row]:
        """Rates of each policy and set of maps. No published number could be checked at its source."""
        return [
            row_of("terrain", POLICIES[policy], split, metric, [entry.scores for entry in group])
            for (policy, split), group in grouped(measured).items()
            for metric in ("success_rate", "optimal_rate", "all_states_success_rate", "prediction_loss")
        ]

    def tables(self, measured: Sequence[MarsScore]) -> list[Table]:
        """One table per set of maps."""
        return [split_table(measured, split) for split in SPLITS]

    def write(self, measured: Sequence[MarsScore]) -> list[Path]:
        """Write `mars.md`, `mars.csv` (one line per policy, seed and set of maps) and the figures."""
        out = self.folder
        write_csv(out / "mars.csv", [_csv_entry(entry) for entry in measured])
        vin = next((entry.training for entry in measured if entry.policy == "VIN" and entry.training), None)
        captions: dict[Path, str] = {}
        correlation = None
        if vin is not None and vin.weights is not None:
            captions, correlation = mars_figures.draw(vin.policy(), out, (_STREAM, self.seed))
        tables = {SPLITS[split]: split_table(measured, split) for split in SPLITS}
        trainings = {entry.training.name: entry.training for entry in measured if entry.training}
        text = page_text(self.command, tables, list(trainings.values()), correlation, captions)
        return [write_text(out / "mars.md", text), out / "mars.csv", *captions]


def held_out_maps(maps: int, seed: int) -> dict[str, Callable[[], MapDataset]]:
    """For each of `SPLITS` what draws its maps, none of which a training sees."""
    few = min(OTHER_MAPS, maps // 4)

    def held_out(number: int = maps, side: int = 16) -> MapDataset:
        return draw_maps("terrain", number, side, side, seed=(_STREAM + side, seed))

    return {
        "test": held_out,
        "32x32": lambda: held_out(few, 32),
        "turned": lambda: transformed(held_out(few), 1),
        "low sun": lambda: _other_sun(held_out(few), few, seed),
        "wrong image": lambda: _wrong_images(held_out(few)),
    }


def _other_sun(maps: MapDataset, number: int, seed: int) -> MapDataset:
    """The same ground under a sun that no training saw."""
    *_, image = generate_overhead(number, 16, seed=(_STREAM + 16, seed), sun_elevation=_LOW_SUN)
    return with_images(maps, image)


def _wrong_images(maps: MapDataset) -> MapDataset:
    assert isinstance(maps, OverheadDataset)
    return with_images(maps, maps.image.roll(1, dims=0))


def grouped(measured: Sequence[MarsScore]) -> dict[tuple[str, str], list[MarsScore]]:
    """The trainings of each policy on each set of maps."""
    groups: dict[tuple[str, str], list[MarsScore]] = {}
    for entry in measured:
        groups.setdefault((entry.policy, entry.split), []).append(entry)
    return groups


def split_table(measured: Sequence[MarsScore], split: str) -> Table:
    """The table of one set of maps."""
    mine = [(policy, group) for (policy, of), group in grouped(measured).items() if of == split]
    return table_of(_COLUMNS, mine, title=SPLITS[split].replace("`", ""))


Line = tuple[str, list[MarsScore]]


def _mean(line: Line, metric: str) -> float:
    return sum(float(getattr(entry.scores, metric)) for entry in line[1]) / len(line[1])


def _rate(metric: str) -> Callable[[Line], str]:
    return lambda line: f"{100 * _mean(line, metric):.2f} %"


def _interval(line: Line) -> str:
    return f"{100 * margin(_mean(line, 'success_rate'), line[1][0].scores.maps):.2f}"


_COLUMNS: list[Column[Line]] = [
    Column("policy", lambda line: line[0], "policy"),
    Column("success", _rate("success_rate"), "success"),
    Column("+-", _interval, "+-"),
    Column("optimal", _rate("optimal_rate"), "optimal"),
    Column("success, all states", _rate("all_states_success_rate"), "all states"),
    Column("maps", lambda line: str(line[1][0].scores.maps), "maps"),
    Column("trainings", lambda line: str(len(line[1])), "trainings"),
]


def _straight(book: ScoreBook, maps: MapDataset, which: str) -> Scores:
    key = f"{STRAIGHT}, {which}, {len(maps)} maps"
    return Scores(**book.keep(key, lambda: asdict(evaluate(straight_line(), maps).scores)))


def _shipped() -> list[tuple[str, Training]]:
    names = available()
    return [(policy, shipped_training(name)) for policy, name in NETWORKS.items() if name in names]


def _csv_entry(entry: MarsScore) -> dict[str, object]:
    return {
        "policy": entry.policy,
        "split": entry.split,
        "weights": entry.training.name if entry.training else "",
        **asdict(entry.scores),
    }
