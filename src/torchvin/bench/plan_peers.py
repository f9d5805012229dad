"""The planners beside which `torchvin bench plan` measures. None of them is a dependency, but SciPy."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

State = tuple[int, int]


@dataclass(frozen=True)
class Peer:
    """How another planner is called.

    Attributes:
        module: that must be installed.
        prepare: from obstacles [H, W] to the form in which it takes a map.
        query: one path.
        to_one_goal: the paths of many starts, if it has a way to share work between them.
        answers_quickly: whether one query is short enough to measure many.
    """

    module: str
    prepare: Callable[[Bool[np.ndarray, "H W"]], Any]
    query: Callable[[Any, State, State], object]
    to_one_goal: Callable[[Any, Sequence[State], State], object] | None = None
    answers_quickly: bool = True

    def is_installed(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.module) is not None


def _pyastar2d_map(blocked: np.ndarray) -> np.ndarray:
    return np.where(blocked, np.inf, 1).astype(np.float32)


def _pyastar2d(weights: np.ndarray, start: State, goal: State) -> object:
    import pyastar2d

    return pyastar2d.astar_path(weights, start, goal, allow_diagonal=True)


def _tcod_map(blocked: np.ndarray) -> Any:
    import tcod.path

    # Whole numbers only: 99/70 is sqrt(2) to four digits.
    return tcod.path.SimpleGraph(cost=(~blocked).astype(np.int8), cardinal=70, diagonal=99)


def _tcod(graph: Any, start: State, goal: State) -> object:
    import tcod.path

    finder = tcod.path.Pathfinder(graph)
    finder.add_root(start)
    return finder.path_to(goal)


def _tcod_to_one_goal(graph: Any, starts: Sequence[State], goal: State) -> object:
    import tcod.path

    finder = tcod.path.Pathfinder(graph)
    finder.add_root(goal)
    finder.resolve(None)
    return [finder.path_from(start) for start in starts]


def _scipy_map(blocked: np.ndarray) -> Any:
    import torch

    from torchvin.experts.grid import move_graph
    from torchvin.mdp.motion import GridMotion

    return move_graph(torch.from_numpy(blocked)[None], GridMotion())[0], blocked.shape[1]


def _scipy(prepared: Any, start: State, goal: State) -> object:
    return _scipy_to_one_goal(prepared, [start], goal)


def _scipy_to_one_goal(prepared: Any, starts: Sequence[State], goal: State) -> object:
    from scipy.sparse.csgraph import dijkstra

    graph, width = prepared
    _, parent = dijkstra(graph, indices=goal[0] * width + goal[1], return_predecessors=True)
    onward, paths = parent.tolist(), []
    for row, col in starts:
        path = [row * width + col]
        while onward[path[-1]] >= 0:
            path.append(onward[path[-1]])
        paths.append(path)
    return paths


def _scikit_image_map(blocked: np.ndarray) -> np.ndarray:
    return np.where(blocked, -1.0, 1.0)


def _scikit_image(costs: np.ndarray, start: State, goal: State) -> object:
    from skimage.graph import MCP_Geometric

    finder = MCP_Geometric(costs)
    finder.find_costs([start], [goal])
    return finder.traceback(goal)


#: name -> how it is called
PEERS: dict[str, Peer] = {
    "pyastar2d": Peer("pyastar2d", _pyastar2d_map, _pyastar2d),
    "tcod": Peer("tcod", _tcod_map, _tcod, _tcod_to_one_goal),
    "SciPy": Peer("scipy", _scipy_map, _scipy, _scipy_to_one_goal, answers_quickly=False),
    "scikit-image": Peer("skimage", _scikit_image_map, _scikit_image, answers_quickly=False),
}
