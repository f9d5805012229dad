"""Scores that are kept: one JSON file of what was measured, so that a killed experiment goes on where it was."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.evaluation.metrics import Scores
from torchvin.evaluation.rollout import evaluate
from torchvin.files import replacing
from torchvin.maps.generate import generate_gridworld
from torchvin.policies.policy import Policy
from torchvin.progress import progress_bar

SCORES_FILE = "scores.json"


@dataclass(frozen=True)
class Measured:
    """One policy on one set of fresh maps.

    Attributes:
        network: row of the table.
        side: of the maps.
        weights: name of shipped weights, or folder of the run.
        seed: of the training.
        iterations: K.
        scores: on the maps.
        record: of the training, as `config.json` has it.
    """

    network: str
    side: int
    weights: str
    seed: int
    iterations: int
    scores: Scores
    record: dict[str, Any]


def fresh_maps(side: int, maps: int, seed: int = 0) -> MapDataset:
    """Maps that no training sees: the authors' generator with a stream of its own for each size.

    The first maps of a larger set are those of a smaller one.

    >>> fresh_maps(8, 3).blocked.equal(fresh_maps(8, 5).blocked[:3])
    True
    """
    return solve_maps(*generate_gridworld(maps, side, seed=(1_000 + side, seed)), seed=side)


class ScoreBook:
    """Scores by name; kept in `folder` if there is one.

    Args:
        folder: of `scores.json`, or None to keep nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / SCORES_FILE if folder else None
        self.entries: dict[str, dict[str, Any]] = {}
        if self.path and self.path.exists():
            self.entries = json.loads(self.path.read_text())

    def score(self, name: str, policy: Policy, dataset: MapDataset, num_iterations: int | None = None) -> Scores:
        """The scores of `policy`, from the book if they are there; `name` must say weights, maps and their seed."""
        height, width = dataset.size
        iterations = policy.default_iterations(height, width) if num_iterations is None else num_iterations
        key = f"{name}, {len(dataset)} maps of {height}x{width}, K {iterations}"

        def measure() -> dict[str, Any]:
            with progress_bar(f"evaluating {key}", len(dataset)) as advance:
                return asdict(evaluate(policy, dataset, num_iterations=iterations, on_progress=advance).scores)

        return Scores(**self.keep(key, measure))

    def keep(self, key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The entry of that key; measured, and written down at once, if it is not there. It must go through JSON."""
        if key not in self.entries:
            self.entries[key] = measure()
            if self.path:
                with replacing(self.path) as temporary:
                    temporary.write_text(json.dumps(self.entries, indent=1) + "\n")
        return self.entries[key]
