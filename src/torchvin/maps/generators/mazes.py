"""Random mazes as the GPPN paper draws them: one path between any two rooms, then walls opened at random, seeded.

L. Lee, E. Parisotto, D. S. Chaplot, E. Xing, R. Salakhutdinov: Gated Path Planning Networks (ICML 2018), section 4.1:
a recursive backtracker makes a perfect maze, then each interior wall cell is opened with probability d, d ~ U(0, 1) for
each maze. SymVIN (ICLR 2023) and DT-VIN (ICML 2025) use the same mazes.

Rooms lie at the odd rows and columns, walls between them. The first row and column are a border of wall, and so are
the last ones of odd sides. An even side has rooms on its last line, as in the code of the paper, which opens no further
wall there: at 28x28 87 % of the last row are open.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.maps.generators.goals import draw_goal
from torchvin.maps.generators.seeds import generator

SMALLEST_SIDE = 5  # two rooms and the wall between them
ALL_DENSITIES = (0.0, 1.0)  # the paper's d ~ U(0, 1)
PERFECT = (0.0, 0.0)  # no wall opened: a tree
_MOST_REPEATS = 1000  # known mazes in a row; then no others of this size exist


def generate_mazes(
    num_maps: int,
    height: int,
    width: int | None = None,
    *,
    seed: int | Sequence[int] = 0,
    opened: tuple[float, float] = ALL_DENSITIES,
    exclude: Bool[Tensor, "N H W"] | None = None,
) -> tuple[Bool[Tensor, "M H W"], Int[Tensor, "M 2"]]:
    """Draw mazes, no two alike, and a goal in each: uniform over the open cells that a straight move leads to.

    The first mazes of a longer run are those of a shorter one with the same seed.

    Args:
        num_maps: how many mazes, M.
        height, width: cells, at least 5 each; `width` defaults to `height`.
        seed: of NumPy's PCG64; one number or several.
        opened: bounds of d, the probability that a wall cell is opened; (0, 0) makes perfect mazes.
        exclude: mazes that must not come again, such as the training maps when test maps are drawn.

    Returns: `blocked` [M, H, W] bool and `goal` [M, 2] int64, (row, col).
    Raises: InputError if `num_maps` < 1, a side < 5, a negative seed, bounds outside [0, 1], or if there are not that
        many different mazes of this size.

    >>> blocked, goal = generate_mazes(2, 9, seed=0, opened=PERFECT)
    >>> int((~blocked[0]).sum())  # 16 rooms and the 15 passages between them
    31
    """
    width = height if width is None else width
    _check(num_maps, height, width, opened)
    random = generator(seed)
    blocked = np.empty((num_maps, height, width), dtype=bool)
    goal = np.empty((num_maps, 2), dtype=np.int64)
    if exclude is not None:
        check_shape("exclude", exclude, f"N {height} {width}")
    drawn = set() if exclude is None else {maze.tobytes() for maze in exclude.numpy()}
    for index in range(num_maps):
        for _ in range(_MOST_REPEATS):
            blocked[index] = _maze(height, width, random, opened)
            goal[index] = draw_goal(blocked[index], random)
            if (key := blocked[index].tobytes()) not in drawn:
                break
        else:
            raise InputError(
                f"drew {index} different {height}x{width} mazes and then {_MOST_REPEATS} times one that was there; "
                f"ask for fewer than {num_maps} or for larger ones."
            )
        drawn.add(key)
    return torch.from_numpy(blocked), torch.from_numpy(goal)


def _check(num_maps: int, height: int, width: int, opened: tuple[float, float]) -> None:
    if num_maps < 1:
        raise InputError(f"the number of maps must be at least 1, got {num_maps}.")
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(f"a maze is at least {SMALLEST_SIDE}x{SMALLEST_SIDE} cells, got {height}x{width}.")
    if not 0 <= opened[0] <= opened[1] <= 1:
        raise InputError(f"the share of opened walls must be bounds 0 <= low <= high <= 1, got {opened}.")


def _maze(height: int, width: int, random: np.random.Generator, opened: tuple[float, float]) -> np.ndarray:
    blocked = np.ones((height, width), dtype=bool)
    rooms = height // 2, width // 2
    blocked[1::2, 1::2] = False
    first, second = spanning_tree(*rooms, random)
    rows, cols = (first // rooms[1] + second // rooms[1] + 1, first % rooms[1] + second % rooms[1] + 1)
    blocked[rows, cols] = False  # the wall between rooms r and r' is at (2r + 1 + 2r' + 1) / 2
    share = random.uniform(*opened)
    blocked[1:-1, 1:-1] &= random.random((height - 2, width - 2)) >= share
    return blocked


def spanning_tree(rows: int, cols: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A recursive backtracker on a lattice of rooms: the pairs of rooms (row * cols + col) that it joins.

    Each room tries its neighbours in a random order drawn beforehand, which is the same as shuffling them on arrival.

    >>> first, second = spanning_tree(1, 3, np.random.default_rng(0))
    >>> sorted((min(pair), max(pair)) for pair in zip(first.tolist(), second.tolist()))
    [(0, 1), (1, 2)]
    """
    inside = cols + 2  # a line of visited rooms all around, so that no step needs to look where it leaves
    visited = np.ones((rows + 2, inside), dtype=bool)
    visited[1:-1, 1:-1] = False
    seen = bytearray(visited.tobytes())
    steps = np.array((-inside, inside, 1, -1))
    orders = steps[random.random((rows + 2, inside, 4)).argsort(axis=2)].reshape(-1, 4).tolist()
    here = int(random.integers(1, rows + 1) * inside + random.integers(1, cols + 1))
    seen[here] = True
    stack = [here]
    joined = []
    while stack:
        here = stack[-1]
        order = orders[here]
        while order:
            there = here + order.pop()
            if not seen[there]:
                seen[there] = True
                joined.append((here, there))
                stack.append(there)
                break
        else:
            stack.pop()
    pairs = np.array(joined, dtype=np.int64).reshape(-1, 2)
    pairs = (pairs // inside - 1) * cols + pairs % inside - 1
    return pairs[:, 0], pairs[:, 1]
