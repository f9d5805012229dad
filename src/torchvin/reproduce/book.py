"""What is kept of a reproduction: one JSON file of trainings and scores.

A killed reproduction continues from it. Tables and pages are made from it alone when the runs are gone.
"""

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torchvin.architectures.registry import build_policy, config_from_json
from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.evaluation.scorer import evaluate
from torchvin.io.files import replacing
from torchvin.io.progress import progress_bar
from torchvin.policies.policy import Policy
from torchvin.pretrained.format_1 import upgrade_run
from torchvin.pretrained.store import available, load_policy, load_record
from torchvin.reproduce.trainings import find_run, run_name
from torchvin.training.run import HISTORY_FILE

SCORES_FILE = "scores.json"


@dataclass(frozen=True)
class Training:
    """A finished training, also one whose weights are gone.

    Attributes:
        name: of its folder, or of shipped weights.
        record: the record in `config.json`.
        success: share of the validation states that are solved, after each epoch; empty if not known.
        weights: argument of `load_policy`; None if the weights are gone.
    """

    name: str
    record: dict[str, Any]
    success: tuple[float, ...] = ()
    weights: str | None = None

    @property
    def seed(self) -> int:
        """Seed of the training."""
        return int(self.record["config"]["seed"])

    def policy(self) -> Policy:
        """The trained policy, in evaluation mode.

        Raises: InputError if the weights are gone.
        """
        if self.weights is None:
            raise InputError(f"{self.name}: its weights are gone and this was not measured before; train it again.")
        return load_policy(self.weights)

    def default_iterations(self, height: int, width: int) -> int:
        """K on maps of that size, as the configuration says."""
        return build_policy(config_from_json(self.record["config"]["policy"])).default_iterations(height, width)


def shipped_training(name: str) -> Training:
    """The training of shipped weights, without its learning curve.

    >>> shipped_training("gridworld-16").seed
    0
    """
    return Training(name, load_record(name), weights=name)


def _success(history: Path) -> list[float]:
    """Success after each epoch of a run, in six digits."""
    with history.open(newline="") as stream:
        return [round(float(row["success_rate"]), 6) for row in csv.DictReader(stream)]


def _key_is_of(key: str, name: str) -> bool:
    return key.startswith(f"{name}, ")


def _upgraded(key: str, entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An entry that version 0.1 wrote, in today's words."""
    if "record" in entry:
        record = entry["record"]
        entry = {**entry, "record": {**record, "config": upgrade_run(record["config"])}}
    return run_name(key), entry


@cache
def _shipped_validations() -> dict[str, Any]:
    return {name: load_record(name)["validation"] for name in available()}


def _shipped_as(record: dict[str, Any]) -> str | None:
    """The shipped weights of a training: those with the same scores on the validation maps."""
    scores = record.get("validation")
    return next((name for name, shipped in _shipped_validations().items() if shipped == scores), None)


class ScoreBook:
    """Trainings and scores by name, kept in a file.

    Args:
        folder: of `scores.json`; None keeps nothing.

    Raises: InputError if that file is damaged.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / SCORES_FILE if folder else None
        self.entries: dict[str, dict[str, Any]] = {}
        if self.path and self.path.exists():
            try:
                entries = json.loads(self.path.read_text())
                self.entries = dict(_upgraded(key, entry) for key, entry in entries.items())
            except (ValueError, AttributeError, KeyError, TypeError) as error:
                raise InputError(
                    f"{self.path}: expected trainings and scores as JSON, got {error!r}; delete it to measure anew."
                ) from error

    def training(self, folder: Path, train: Callable[[], Path] | None = None) -> Training | None:
        """The training in a folder; if the folder is gone, what the book knows of it; else a new one.

        Where the weights are gone, shipped weights of the same training replace them.

        Args:
            folder: of the run.
            train: makes the run and returns its folder.

        Returns: None if nothing is known of it and there is no `train`.
        """
        name, key = folder.name, f"{folder.name}, training"
        found = find_run(folder)
        weights: str | None = None
        if found is not None:
            weights, record = str(found), load_record(found)
            if key in self.entries and self.entries[key]["record"] != record:  # trained again: scores of another policy
                self.entries = {entry: kept for entry, kept in self.entries.items() if not _key_is_of(entry, name)}
            self.keep(key, lambda: {"record": record, "success": _success(found / HISTORY_FILE)})
        elif key in self.entries:
            record = self.entries[key]["record"]
            weights = _shipped_as(record)
        else:
            return self.training(train()) if train else None
        return Training(name, record, tuple(self.entries[key]["success"]), weights)

    def score(self, training: Training, dataset: MapDataset, which: str, num_iterations: int | None = None) -> Scores:
        """The scores of a policy, from the book if it has them.

        Args:
            training: of the policy.
            dataset: maps to score it on.
            which: name of those maps, with their seed.
            num_iterations: K; the policy's own if not given.

        Raises: InputError if the book does not have them and the weights are gone.
        """
        height, width = dataset.size
        iterations = training.default_iterations(height, width) if num_iterations is None else num_iterations
        key = f"{training.name}, {which}, {len(dataset)} maps of {height}x{width}, K {iterations}"

        def measure() -> dict[str, Any]:
            policy = training.policy()
            with progress_bar(f"evaluating {key}", len(dataset)) as advance:
                return asdict(evaluate(policy, dataset, num_iterations=iterations, on_progress=advance).scores)

        return Scores(**self.keep(key, measure))

    def keep(
        self,
        key: str,
        measure: Callable[[], dict[str, Any]],
        is_current: Callable[[dict[str, Any]], bool] = lambda entry: True,
    ) -> dict[str, Any]:
        """The entry of a key; if there is none, or not a current one, it is measured and written at once, as JSON."""
        if key not in self.entries or not is_current(self.entries[key]):
            self.entries[key] = measure()
            if self.path:
                lines = (f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in self.entries.items())
                with replacing(self.path) as temporary:
                    temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n")  # one line per entry
        return self.entries[key]
