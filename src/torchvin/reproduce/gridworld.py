"""Networks of the grid world on fresh maps: what Table 1, its ablations and its figures share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.evaluation.metrics import Scores
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.reproduce.book import ScoreBook, Training


@dataclass(frozen=True)
class Measured:
    """One policy on one set of maps.

    Attributes:
        network: row of the table.
        side: rows and columns of the maps.
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
    """Maps that no training sees, by the authors' generator: each size has a random stream of its own.

    The first maps of a larger set are those of a smaller one.

    >>> fresh_maps(8, 3).blocked.equal(fresh_maps(8, 5).blocked[:3])
    True
    """
    return solve_maps(*generate_gridworld(maps, side, seed=(1_000 + side, seed)), seed=side)


def measure(book: ScoreBook, network: str, training: Training, maps: MapDataset, which: str) -> Measured:
    """Score a training on `maps`, which the book knows as `which`."""
    iterations = training.default_iterations(*maps.size)
    scores = book.score(training, maps, which, iterations)
    return Measured(network, maps.size[0], training, iterations, scores)
