"""The expert: exact distances to the goal and the set of optimal actions of every cell."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.maps.moves import Moves

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Two different path costs a + b*sqrt(2) with a, b below 100,000 differ by more than 1e-6 (|a - b*sqrt(2)| > 1/(3b)),
# and float64 sums of as many terms are far closer than that: so this tells a tie from a difference.
TIE = 1e-6
_CELLS_AT_ONCE = 1 << 18  # bounds memory: about 100 bytes a cell while a chunk is solved


@dataclass(frozen=True)
class ShortestPaths:
    """Exact solution of a batch of maps.

    Attributes:
        distance: cost of the cheapest path to the goal, [B, H, W] float64; 0 at the goal, inf where there is none.
        optimal_actions: bit a is set where action a begins a cheapest path, [B, H, W] uint8; 0 at the goal, on
            obstacles and where the goal cannot be reached.
    """

    distance: Float[Tensor, "B H W"]
    optimal_actions: UInt8[Tensor, "B H W"]


def shortest_paths(
    blocked: Bool[Tensor, "B H W"], goal: Int[Tensor, "B 2"], moves: Moves | None = None
) -> ShortestPaths:
    """Solve every map from every cell with SciPy's Dijkstra, many maps in one sparse graph.

    Args:
        blocked: True = obstacle, [B, H, W].
        goal: (row, col), [B, 2]. From a goal on an obstacle nothing can be reached.
        moves: 8-connected by default.

    Raises: ShapeError; InputError if `blocked` is not bool or a goal lies off its map.

    >>> paths = shortest_paths(torch.zeros(1, 2, 3, dtype=torch.bool), torch.tensor([[0, 0]]))
    >>> paths.distance[0].round(decimals=2).tolist()
    [[0.0, 1.0, 2.0], [1.0, 1.41, 2.41]]
    """
    check_shape("blocked", blocked, "B H W")
    check_shape("goal", goal, f"{blocked.shape[0]} 2")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    moves = moves or Moves()
    batch, height, width = blocked.shape
    if ((goal < 0) | (goal >= torch.tensor([height, width], device=goal.device))).any():
        raise InputError(f"a goal lies off its {height}x{width} map; goals are (row, col) from 0.")
    distance = torch.empty(batch, height, width, dtype=torch.float64)
    optimal = torch.empty(batch, height, width, dtype=torch.uint8)
    chunk = max(1, _CELLS_AT_ONCE // (height * width))
    for first in range(0, batch, chunk):
        here = slice(first, first + chunk)
        distance[here], optimal[here] = _solve(blocked[here].cpu(), goal[here].cpu(), moves)
    return ShortestPaths(distance=distance.to(blocked.device), optimal_actions=optimal.to(blocked.device))


def action_set(optimal_actions: UInt8[Tensor, "*shape"], num_actions: int = 8) -> Bool[Tensor, "*shape A"]:
    """Unpack the bits: [...] uint8 to [..., A] bool.

    >>> action_set(torch.tensor([5], dtype=torch.uint8), num_actions=4).tolist()
    [[True, False, True, False]]
    """
    bits = torch.arange(num_actions, device=optimal_actions.device, dtype=torch.uint8)
    return (optimal_actions[..., None] >> bits) & 1 != 0


def preferred_action(optimal_actions: UInt8[Tensor, "*shape"], moves: Moves | None = None) -> UInt8[Tensor, "*shape"]:
    """One action of each set, diagonals first, as the authors' labels mostly have it; 255 where the set is empty.

    >>> preferred_action(torch.tensor([0b10001, 0b1, 0], dtype=torch.uint8)).tolist()
    [4, 0, 255]
    """
    moves = moves or Moves()
    table = torch.full((256,), 255, dtype=torch.uint8)
    sets = torch.arange(256)
    for action in reversed(moves.preference):
        table[(sets >> action) & 1 != 0] = action
    return table.to(optimal_actions.device)[optimal_actions.long()]


def move_graph(blocked: Bool[Tensor, "B H W"], moves: Moves) -> "tuple[csr_matrix, np.ndarray, np.ndarray]":
    """Legal moves as a sparse graph with costs, one component a map; which moves are legal; where each would lead.

    The last two are [B, H*W, A], with cells of map b numbered from b * H * W. Between free cells every move has its
    reverse at the same cost, so distances from a goal are distances to it.

    >>> graph, allowed, target = move_graph(torch.zeros(1, 1, 3, dtype=torch.bool), Moves())
    >>> graph.toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    from scipy.sparse import csr_matrix

    batch, height, width = blocked.shape
    cells = height * width
    allowed = moves.allowed(blocked).flatten(2).transpose(1, 2).numpy()
    target = moves.destinations(blocked).transpose(1, 2).numpy() + cells * np.arange(batch)[:, None, None]
    pointers = np.concatenate([[0], allowed.sum(axis=2).ravel().cumsum()])
    weights = np.broadcast_to(np.asarray(moves.costs), allowed.shape)[allowed]
    return csr_matrix((weights, target[allowed], pointers), shape=(batch * cells, batch * cells)), allowed, target


def _solve(blocked: Tensor, goal: Tensor, moves: Moves) -> tuple[Tensor, Tensor]:
    from scipy.sparse.csgraph import dijkstra

    batch, height, width = blocked.shape
    cells = height * width
    graph, allowed, target = move_graph(blocked, moves)
    costs = np.asarray(moves.costs)
    start = cells * np.arange(batch) + (goal[:, 0] * width + goal[:, 1]).numpy()
    # One component a map and one source in each: `min_only` gives every cell the distance to its own map's goal.
    distance = dijkstra(graph, indices=start, min_only=True)
    with np.errstate(invalid="ignore"):  # inf - inf where nothing is reached
        excess = distance[target] + costs - distance.reshape(batch, cells, 1)
    best = allowed & (excess < TIE)
    best[np.arange(batch), start - cells * np.arange(batch)] = False
    optimal = np.packbits(best, axis=2, bitorder="little")[..., 0]
    return (
        torch.from_numpy(distance.reshape(batch, height, width)),
        torch.from_numpy(optimal.reshape(batch, height, width)),
    )
