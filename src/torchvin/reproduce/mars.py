"""Planning from overhead images (Tamar et al. 2016, section 5.2), on synthetic terrain of the paper's scale."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

from torchvin.data.dataset import MapDataset
from torchvin.data.planets import draw_planet
from torchvin.data.write import write_dataset
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.evaluation.scorer import evaluate
from torchvin.io.tables import Table, write_csv
from torchvin.policies.obstacle_planner import ObstaclePlanner, straight_line
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import available
from torchvin.reproduce import mars_figures
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.mars_maps import (
    PLANET_SPLITS,
    SPLITS,
    STREAM,
    TEST_MAPS,
    development_maps,
    headline,
    held_out_maps,
    planet_maps,
)
from torchvin.reproduce.mars_tables import MarsScore, aims_table, grouped, split_table
from torchvin.reproduce.mars_text import page_text
from torchvin.reproduce.page import Page
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.text import write_text
from torchvin.reproduce.trainings import train_run
from torchvin.training.presets import preset

#: row of the table -> end of the names of its preset and its weights
NETWORKS = {"VIN": "", "classifier + shortest path": "-classifier", "reactive CNN": "-cnn"}
#: row of the table -> the network that it is, with another caution
VARIANTS = {"VIN without caution": ("VIN", 1.0), "classifier + cautious paths": ("classifier + shortest path", 10.0)}
STRAIGHT = "straight line"
POLICIES = {
    "VIN": "vin",
    "VIN without caution": "vin-without-caution",
    "classifier + shortest path": "classifier",
    "classifier + cautious paths": "classifier-cautious",
    "reactive CNN": "cnn",
    STRAIGHT: "straight-line",
}
SEEDS = (0, 1, 2)
_PLANET_TRAINING_MAPS = 4_000
_DEVELOPMENT_MAPS = 250


@dataclass(frozen=True)
class Variant(Training):
    """A training whose policy plans with another caution than its own.

    Attributes:
        caution: see `planning.planners.cell_cost` and `policies.obstacle_planner`.
    """

    caution: float = 1.0

    def policy(self) -> Policy:
        return with_caution(super().policy(), self.caution)


def with_caution(policy: Policy, caution: float) -> Policy:
    """The policy, as cautious as said."""
    if isinstance(policy, ObstaclePlanner):
        policy.caution = caution
    else:
        assert policy.planner is not None
        policy.planner.set_solver({"caution": caution})
    return policy


@dataclass(frozen=True)
class Mars(Page):
    """Terrain seen from above: the VIN plans from an image, and demonstrated paths are its only teacher.

    Beside it the paper's best achievable (a classifier of obstacles and exact shortest paths), a reactive network, and
    the straight line, all with the same encoder. Full trains three seeds of each.
    """

    name: ClassVar[str] = "mars"

    maps: int = TEST_MAPS
    """Number of test maps of 16x16 cells; the other tables have at most a quarter of it."""
    planets: Path | None = None
    """Folder with the mosaics of Mars and the Moon (docs/plan-from-images.md), for the tables of real ground."""

    def check(self) -> None:
        """See `Page.check`."""
        super().check()
        if self.maps < 4:
            raise InputError(f"--maps must be at least 4, got {self.maps}.")

    def measure(self, book: ScoreBook) -> tuple[MarsScore, ...]:
        """Score the shipped weights (quick), or three trainings of each network (full), on every set of maps."""
        sets = {**held_out_maps(self.maps, self.seed), **planet_maps(self.planets, self.maps, self.seed)}
        by_world: dict[str, list[tuple[str, Training]]] = {}
        scores = []
        for split, draw in sets.items():
            world = split if split in PLANET_SPLITS else "terrain"
            if world not in by_world:
                by_world[world] = self._trained(book, world) if self.budget == "full" else _shipped(world)
            if not by_world[world] and self.budget == "quick" and world in PLANET_SPLITS:
                continue  # no weights of this planet are installed
            if not by_world[world]:
                raise InputError(f"{self.folder} holds no finished run of {world}-16; leave out --no-train.")
            scores += _score(book, by_world[world], split, draw(), f"{split} {self.seed}")
        return tuple(scores)

    def _trained(self, book: ScoreBook, world: str) -> list[tuple[str, Training]]:
        found = []
        for policy, ending in NETWORKS.items():
            for seed in SEEDS:
                run = f"{world}-16{ending}-s{seed}"
                make = self._maker(world, f"{world}-16{ending}", run, seed) if self.train else None
                if training := book.training(self.folder / run, make):
                    found.append((policy, training))
        return found

    def _maker(self, world: str, name: str, run: str, seed: int) -> Callable[[], Path]:
        config = replace(preset(name), seed=seed)
        return lambda: train_run(run, config, self.folder, command=self.command, data=self._file(world))

    def _file(self, world: str) -> Path | None:
        """The training maps of a planet, in a file; synthetic ones are drawn."""
        if world not in PLANET_SPLITS:
            return None
        assert self.planets is not None  # or it would not be measured
        path = self.folder / f"{world}-train.npz"
        if not path.is_file():
            write_dataset(path, draw_planet(world, self.planets, maps=_PLANET_TRAINING_MAPS, split="train"))
        return path

    def rows(self, measured: Sequence[MarsScore]) -> list[Row]:
        """Rates of each policy and set of maps. No published number could be checked at its source."""
        return [
            row_of(_task(split), POLICIES[policy], split, metric, [entry.scores for entry in group])
            for (policy, split), group in grouped(measured).items()
            for metric in ("success_rate", "optimal_rate", "all_states_success_rate", "prediction_loss")
        ]

    def tables(self, measured: Sequence[MarsScore]) -> list[Table]:
        """One table per set of maps, and what was aimed at."""
        return [*(split_table(measured, split) for split in _splits(measured)), aims_table(measured)]

    def write(self, measured: Sequence[MarsScore]) -> list[Path]:
        """Write `mars.md`, `mars.csv` (one line per policy, seed and set of maps) and the figures."""
        out = self.folder
        write_csv(out / "mars.csv", [_csv_entry(entry) for entry in measured])
        trained = {entry.training.name: entry.training for entry in measured if entry.training}
        networks = [training for training in trained.values() if not isinstance(training, Variant)]
        vin = next((entry.training for entry in measured if entry.policy == "VIN" and entry.training), None)
        captions: dict[Path, str] = {}
        correlation = None
        if vin is not None and vin.weights is not None:
            captions, correlation = mars_figures.draw(vin.policy(), out, (STREAM, self.seed))
            captions |= mars_figures.draw_caution(
                vin.policy(), out, development_maps(min(_DEVELOPMENT_MAPS, self.maps))
            )
        tables = {headline(split): split_table(measured, split) for split in _splits(measured)}
        command = self.command + (" --planets FOLDER" if self.planets else "")
        text = page_text(command, tables, aims_table(measured), networks, correlation, captions)
        return [write_text(out / "mars.md", text), out / "mars.csv", *captions]


def _score(
    book: ScoreBook, trained: Sequence[tuple[str, Training]], split: str, maps: MapDataset, which: str
) -> list[MarsScore]:
    """Every policy on one set of maps, in the order of `POLICIES`."""
    every = list(trained)
    for policy, (network, caution) in VARIANTS.items():
        every += [(policy, _variant(training, caution)) for name, training in trained if name == network]
    scores = [MarsScore(policy, split, training, book.score(training, maps, which)) for policy, training in every]
    scores.append(MarsScore(STRAIGHT, split, None, _straight(book, maps, which)))
    order = list(POLICIES)
    return sorted(scores, key=lambda entry: order.index(entry.policy))


def _variant(training: Training, caution: float) -> Variant:
    name = f"{training.name} (caution {caution:g})"
    return Variant(name, training.record, training.success, training.weights, caution)


def _straight(book: ScoreBook, maps: MapDataset, which: str) -> Scores:
    key = f"{STRAIGHT}, {which}, {len(maps)} maps"
    return Scores(**book.keep(key, lambda: asdict(evaluate(straight_line(), maps).scores)))


def _shipped(world: str) -> list[tuple[str, Training]]:
    names = available()
    found = [(policy, f"{world}-16{ending}") for policy, ending in NETWORKS.items()]
    return [(policy, shipped_training(name)) for policy, name in found if name in names]


def _splits(measured: Sequence[MarsScore]) -> list[str]:
    present = {entry.split for entry in measured}
    return [split for split in (*SPLITS, *PLANET_SPLITS) if split in present]


def _task(split: str) -> str:
    return split if split in PLANET_SPLITS else "terrain"


def _csv_entry(entry: MarsScore) -> dict[str, object]:
    return {
        "policy": entry.policy,
        "split": entry.split,
        "weights": entry.training.name if entry.training else "",
        **asdict(entry.scores),
    }
