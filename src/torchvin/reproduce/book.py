"""What is kept of an experiment: one JSON file of trainings and scores.

A killed experiment goes on where it was, and tables and pages are made from that file alone, when the runs are gone.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torchvin.architectures.registry import build_policy, config_from_json
from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.evaluation.scorer import evaluate
from torchvin.io.files import replacing
from torchvin.io.progress import progress_bar
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import WEIGHTS_FILE, available, load_policy, load_record
from torchvin.training.run import HISTORY_FILE

SCORES_FILE = "scores.json"


@dataclass(frozen=True)
class Training:
    """A finished training, also one whose weights are gone.

    Attributes:
        name: of its folder, or of shipped weights.
        record: as `config.json` has it.
        success: share of all states of the validation maps that are solved, after each epoch; empty if not known.
        weights: what `load_policy` takes, or None if they are gone.
    """

    name: str
    record: dict[str, Any]
    success: tuple[float, ...] = ()
    weights: str | None = None

    @property
    def seed(self) -> int:
        """Of the training."""
        return int(self.record["config"]["seed"])

    def policy(self) -> Policy:
        """Its policy, in evaluation mode.

        Raises: InputError if the weights are gone.
        """
        if self.weights is None:
            raise InputError(f"{self.name}: its weights are gone and this was not measured before; train it again.")
        return load_policy(self.weights)

    def default_iterations(self, height: int, width: int) -> int:
        """K on maps of that size, by its config."""
        return build_policy(config_from_json(self.record["config"]["policy"])).default_iterations(height, width)


@dataclass(frozen=True)
class Measured:
    """One policy on one set of fresh maps.

    Attributes:
        network: row of the table.
        side: of the maps.
        training: of the policy.
        iterations: K.
        scores: on the maps.
    """

    network: str
    side: int
    training: Training
    iterations: int
    scores: Scores


def first_seeds(rows: Sequence[Measured], wanted: Callable[[Training], bool]) -> list[Measured]:
    """The first row of each network and size whose training is wanted."""
    found: dict[tuple[str, int], Measured] = {}
    for row in rows:
        if wanted(row.training):
            found.setdefault((row.network, row.side), row)
    return list(found.values())


def fresh_maps(side: int, maps: int, seed: int = 0) -> MapDataset:
    """Maps that no training sees: the authors' generator with a stream of its own for each size.

    The first maps of a larger set are those of a smaller one.

    >>> fresh_maps(8, 3).blocked.equal(fresh_maps(8, 5).blocked[:3])
    True
    """
    return solve_maps(*generate_gridworld(maps, side, seed=(1_000 + side, seed)), seed=side)


def shipped_training(name: str) -> Training:
    """The training of shipped weights; their success by the epoch is not shipped.

    >>> shipped_training("gridworld-16").seed
    0
    """
    return Training(name, load_record(name), weights=name)


def _success(history: Path) -> list[float]:
    """That column of a run's history, in six digits."""
    with history.open(newline="") as stream:
        return [round(float(row["success_rate"]), 6) for row in csv.DictReader(stream)]


def _of(key: str, name: str) -> bool:
    return key.startswith(f"{name}, ")


@cache
def _shipped_validations() -> dict[str, Any]:
    return {name: load_record(name)["validation"] for name in available()}


def _shipped_as(record: dict[str, Any]) -> str | None:
    """The shipped weights of that training: those with the same scores on the validation maps."""
    scores = record.get("validation")
    return next((name for name, shipped in _shipped_validations().items() if shipped == scores), None)


class ScoreBook:
    """Trainings and scores by name; kept in `folder` if there is one.

    Args:
        folder: of `scores.json`, or None to keep nothing.

    Raises: InputError if that file is damaged.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / SCORES_FILE if folder else None
        self.entries: dict[str, dict[str, Any]] = {}
        if self.path and self.path.exists():
            try:
                self.entries = json.loads(self.path.read_text())
            except ValueError as error:
                raise InputError(f"{self.path}: expected trainings and scores as JSON, got {error}.") from error

    def training(self, folder: Path, train: Callable[[], Path] | None = None) -> Training | None:
        """The training in `folder`; if it is not there, what the book knows of it, else `train` makes it.

        If its weights are gone, the shipped ones answer for it where they are of the same training. None if nothing is
        known of it and there is no `train`.
        """
        key = f"{folder.name}, training"
        weights: str | None = None
        if (folder / WEIGHTS_FILE).exists():  # written last
            weights, record = str(folder), load_record(folder)
            if key in self.entries and self.entries[key]["record"] != record:  # trained again: scores of another policy
                self.entries = {name: kept for name, kept in self.entries.items() if not _of(name, folder.name)}
            self.keep(key, lambda: {"record": record, "success": _success(folder / HISTORY_FILE)})
        elif key in self.entries:
            record = self.entries[key]["record"]
            weights = _shipped_as(record)
        else:
            return self.training(train()) if train else None
        return Training(folder.name, record, tuple(self.entries[key]["success"]), weights)

    def score(self, training: Training, dataset: MapDataset, which: str, num_iterations: int | None = None) -> Scores:
        """The scores of a policy, from the book if they are there.

        Args:
            training: of the policy.
            dataset: what to score it on.
            which: name of those maps, with their seed.
            num_iterations: K; the policy's own if not given.

        Raises: InputError if they are not there, and the weights are gone.
        """
        height, width = dataset.size
        iterations = training.default_iterations(height, width) if num_iterations is None else num_iterations
        key = f"{training.name}, {which}, {len(dataset)} maps of {height}x{width}, K {iterations}"

        def measure() -> dict[str, Any]:
            policy = training.policy()
            with progress_bar(f"evaluating {key}", len(dataset)) as advance:
                return asdict(evaluate(policy, dataset, num_iterations=iterations, on_progress=advance).scores)

        return Scores(**self.keep(key, measure))

    def keep(self, key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The entry of that key; measured, and written down at once, if it is not there. It must go through JSON."""
        if key not in self.entries:
            self.entries[key] = measure()
            if self.path:
                lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in self.entries.items())
                with replacing(self.path) as temporary:
                    temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n")  # a line an entry
        return self.entries[key]
