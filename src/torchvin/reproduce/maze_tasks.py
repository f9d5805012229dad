"""Planners on mazes: which maps, which weights, and their scores.

Weights are looked up by name, `maze-SIDE[-moore|-drive|-octile][-DESIGN]`: first among finished runs, then among the
shipped ones. Where there are none the entry is empty: "not run".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from torchvin.bench.machine import forget_peak_memory, peak_megabytes
from torchvin.data.dataset import MapDataset, solve_maps
from torchvin.data.draw import draw_maps
from torchvin.evaluation.benchmark_maps import TaskScores, find_scenarios, score_tasks, together
from torchvin.evaluation.fit import check_fit
from torchvin.evaluation.metrics import LengthBin, Scores
from torchvin.evaluation.scorer import evaluate
from torchvin.io.progress import progress_bar
from torchvin.maps.formats.scenarios import Scenario
from torchvin.maps.generators.gridworld import generate_gridworld
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.mdp.motion import MOTION_MODELS, GridMotion, MotionModel, motion_model
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import available, load_policy
from torchvin.reproduce.book import ScoreBook
from torchvin.reproduce.trainings import find_run, run_name, train_run
from torchvin.tasks.gridworld import TRAINING_STREAM
from torchvin.training.config import RunConfig
from torchvin.training.presets import MAZE_SUFFIXES, PRESETS, preset

#: Row -> the end of the names of its presets and weights.
PLANNERS = {
    "shortest path": "",
    "normalized": "-normalized",
    "VIN": "-vin",
    "GPPN": "-gppn",
    "dynamic transitions": "-dynamic",
}
#: The planners that are also scored far from their training; the others were not designed for it.
TRAVELLERS = ("shortest path", "normalized")
#: The 8 moves are scored on the same mazes, whatever a diagonal costs.
_STREAMS = {"news": 0, "moore": 1, "differential-drive": 2, "octile": 1}
TRAINED_SIDE = 15
SEEDS = (0, 1, 2)
LENGTHS = (1, 31, 61, 121, 301, 601, 1801)  # first move count of each bin of path lengths
_MAPS = {"quick": {15: 500, 28: 200, 35: 100, 50: 100, 65: 50, 100: 30, 101: 30, 501: 2}}
_MAPS["full"] = {15: 5_000, 28: 2_000, 35: 500, 50: 500, 65: 200, 100: 50, 101: 30, 501: 5}
#: Value updates cost K * H * W, a minute per map at 501x501: planners that iterate get no larger maps than this.
LARGEST_ITERATED = 101
GOALS_AT_ONCE = 1_000  # of a benchmark map: scores are kept after each lot
_ORTHOGONAL = GridMotion(num_actions=4)


@dataclass(frozen=True)
class MazeTask:
    """A set of test maps.

    Attributes:
        table: of the page: `papers`, `transfer` or `other maps`.
        kind: of the maps; a name in `OTHER_MAPS` or of a generator.
        side: rows and columns.
        motion: name of the motion model.
    """

    table: str
    kind: str
    side: int
    motion: str = "news"


#: Maps unlike those of the training, by name: number, side, seed -> blocked, goal.
OTHER_MAPS: dict[str, Callable[[int, int, tuple[int, ...]], tuple[torch.Tensor, torch.Tensor]]] = {
    f"maze, {share:.0%} opened": (
        lambda maps, side, seed, share=share: generate_mazes(maps, side, seed=seed, opened=(share, share))
    )
    for share in (0.05, 0.2, 0.5, 0.9)
} | {"gridworld": lambda maps, side, seed: generate_gridworld(maps, side, seed=seed, moves=_ORTHOGONAL)}

TASKS = (
    *(MazeTask("papers", "maze", side, name) for side in (15, 28) for name in MOTION_MODELS),
    *(MazeTask("papers", "maze", side) for side in (35, 50, 100)),
    *(MazeTask("transfer", kind, side) for side in (15, 35, 101, 501) for kind in ("maze", "perfect-maze")),
    *(MazeTask("other maps", kind, 65) for kind in (*OTHER_MAPS, "rooms", "caves", "scattered")),
)


@dataclass(frozen=True)
class MazeRow:
    """A planner on a task; without weights only the first two attributes are set.

    Attributes:
        planner: row of the table.
        task: the maps.
        weights: name of shipped weights, or folder of the run; empty: not run.
        scores: on the maps.
        lengths: rates by the length of the optimal path.
        iterations: K; 0 of a planner that does not iterate.
        seconds: that the evaluation took.
        megabytes: most memory that the process held in it.
        record: of the training.
    """

    planner: str
    task: MazeTask
    weights: str = ""
    scores: Scores | None = None
    lengths: tuple[LengthBin, ...] = ()
    iterations: int = 0
    seconds: float = 0.0
    megabytes: float = 0.0
    record: Mapping[str, Any] | None = None


def maps_of(task: MazeTask, maps: int, seed: int = 0) -> MapDataset:
    """The first maps of a task; each size has a random stream of its own.

    >>> maps_of(MazeTask("transfer", "perfect-maze", 9), 2).size
    (9, 9)
    """
    moves: MotionModel = motion_model(task.motion)
    stream = (2_000 + task.side, seed, _STREAMS[task.motion])
    if task.kind in OTHER_MAPS:
        return solve_maps(*OTHER_MAPS[task.kind](maps, task.side, stream), moves=moves, seed=task.side)
    return draw_maps(task.kind, maps, task.side, task.side, seed=stream, moves=moves, demonstration_seed=task.side)


def number_of_maps(task: MazeTask, budget: str) -> int:
    """How many maps a budget gives a task."""
    return _MAPS[budget][task.side]


def most_maps() -> int:
    """The most maps that any task of the full budget has."""
    return max(_MAPS["full"].values())


def names(planner: str, task: MazeTask) -> list[str]:
    """Names of the weights of a planner for a task: trained at its size, and at 15x15."""
    ends = f"{MAZE_SUFFIXES[task.motion]}{PLANNERS[planner]}"
    sides = (task.side, TRAINED_SIDE) if task.table == "papers" else (TRAINED_SIDE,)
    return list(dict.fromkeys(f"maze-{side}{ends}" for side in sides))


def find_weights(name: str, runs: Path | None) -> list[str]:
    """Finished runs of that name, one a seed; else the shipped weights; else nothing."""
    found = [find_run(runs / f"{name}-s{seed}") for seed in SEEDS] if runs else []
    finished = [str(folder) for folder in found if folder]
    return finished or [name] * (name in available())


def score_all(
    tasks: Sequence[MazeTask], budget: str, book: ScoreBook, runs: Path | None = None, seed: int = 0
) -> list[MazeRow]:
    """Every planner on every task, in the order of the tasks; one without weights has an empty row."""
    found = []
    for task in tasks:
        maps = None
        for planner in PLANNERS if task.table == "papers" else TRAVELLERS:
            weights = [entry for name in names(planner, task) for entry in find_weights(name, runs)]
            if not weights:
                found.append(MazeRow(planner, task))
            for entry in weights:
                loaded = load_policy(entry)
                if task.side > LARGEST_ITERATED and not (loaded.planner and loaded.planner.exact):
                    continue
                maps = maps_of(task, number_of_maps(task, budget), seed) if maps is None else maps
                found.append(measure(planner, task, entry, loaded, maps, book, seed))
    return found


def measure(
    planner: str, task: MazeTask, weights: str, loaded: Policy, maps: MapDataset, book: ScoreBook, seed: int = 0
) -> MazeRow:
    """Score weights on the maps of a task that they were not trained on.

    Raises: InputError if the weights are of another motion model.
    """
    check_fit(loaded, maps)
    key = f"{run_name(Path(weights).name)}, {task.kind} {task.side} {task.motion}, {len(maps)} maps, seed {seed}"

    def score() -> dict[str, Any]:
        unseen = without_training_maps(maps, loaded)
        forget_peak_memory()
        with progress_bar(f"evaluating {key}", len(unseen)) as advance:
            result = evaluate(loaded, unseen, on_progress=advance)
        return {
            "scores": asdict(result.scores),
            "lengths": [asdict(entry) for entry in result.by_length.bins(LENGTHS)],
            "seconds": result.seconds,
            "megabytes": peak_megabytes(),
        }

    entry = book.keep(key, score, _is_current)
    return MazeRow(
        planner=planner,
        task=task,
        weights=weights,
        scores=Scores(**entry["scores"]),
        lengths=tuple(LengthBin(**part) for part in entry["lengths"]),
        iterations=loaded.default_iterations(task.side, task.side),
        seconds=entry["seconds"],
        megabytes=entry["megabytes"],
        record=loaded.record,
    )


def _is_current(entry: Mapping[str, Any]) -> bool:
    """Not so before %Suc and %Opt were counted as in GPPN: then moore had other costs, and even sides other mazes."""
    return "open_states_success_rate" in entry["scores"]


def without_training_maps(maps: MapDataset, loaded: Policy) -> MapDataset:
    """The maps whose layout did not occur in the training, whose maps are drawn again by its record.

    Mazes that are nearly empty may occur in both.
    """
    described = loaded.record["config"]
    data = described["data"]
    if (data.get("kind"), data["height"], data["width"]) != ("maze", *maps.size):
        return maps
    seed = (described["seed"], TRAINING_STREAM)
    drawn, _ = generate_mazes(data["maps"], data["height"], data["width"], seed=seed)
    seen = {layout.tobytes() for layout in drawn.numpy()}
    fresh = torch.tensor([layout.tobytes() not in seen for layout in maps.blocked.numpy()])
    return maps[fresh.nonzero()[:, 0]]


def train_all(tasks: Sequence[MazeTask], out: Path) -> None:
    """Train every preset that the tasks ask for, three seeds; finished runs are kept, killed ones continue."""
    for name in dict.fromkeys(name for task in tasks for planner in PLANNERS for name in names(planner, task)):
        if name in PRESETS:
            for seed in SEEDS:
                config: RunConfig = replace(preset(name), seed=seed)
                train_run(f"{name}-s{seed}", config, out, command="torchvin reproduce mazes --budget full")


def tasks_of(sides: Sequence[int]) -> list[MazeTask]:
    """The tasks of these sizes; all of them if none is given."""
    return [task for task in TASKS if not sides or task.side in sides]


def real_maps(folder: Path, weights: str, book: ScoreBook) -> list[TaskScores]:
    """Plan every task of the benchmark maps in a folder, map by map, with the moves that the weights learned.

    Raises: InputError if the folder has no tasks, or the agent of the weights has orientations.
    """
    loaded = load_policy(weights)
    scores = []
    for path, tasks in find_scenarios(folder).items():
        goals = sorted({task.goal for task in tasks})
        parts = []
        for first in range(0, len(goals), GOALS_AT_ONCE):
            chosen = set(goals[first : first + GOALS_AT_ONCE])
            mine = [task for task in tasks if task.goal in chosen]
            which = f"goals {first} to {first + len(chosen) - 1} of {len(goals)}"
            key = f"{run_name(Path(weights).name)}, {path.stem}, {which}"

            def score(path: Path = path, mine: Sequence[Scenario] = mine, key: str = key) -> dict[str, Any]:
                with progress_bar(f"planning {key}", len({task.goal for task in mine})) as advance:
                    return asdict(score_tasks(loaded, path, mine, on_progress=advance))

            parts.append(TaskScores(**book.keep(key, score)))
        scores.append(together(parts))
    return scores
