"""The expert: exact distances to the goal and the set of optimal actions of every state."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer, UInt8
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.transitions import transitions

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Two different path costs a + b*sqrt(2) with a, b below 100,000 differ by more than 1e-6 (|a - b*sqrt(2)| > 1/(3b)),
# and float64 sums of as many terms are far closer than that: so this tells a tie from a difference.
TIE = 1e-6
_STATES_AT_ONCE = 1 << 18  # bounds memory: about 100 bytes per state while a chunk is solved


@dataclass(frozen=True)
class ShortestPaths:
    """Exact solution of a batch of maps; of an agent with O > 1 orientations, [B, O, H, W] each.

    Attributes:
        distance: cost of the cheapest path to the goal, [B, H, W] float64; 0 at the goal, inf where there is none.
        optimal_actions: bit a is set where action a begins a cheapest path, [B, H, W] uint8 (int64 for more than 8
            actions); 0 at the goal, on obstacles and where the goal cannot be reached.
    """

    distance: Float[Tensor, "B *O H W"]
    optimal_actions: Integer[Tensor, "B *O H W"]


def shortest_paths(
    blocked: Bool[Tensor, "B H W"],
    goal: Int[Tensor, "B D"],
    moves: MotionModel | None = None,
    entry_cost: Float[Tensor, "B H W"] | None = None,
) -> ShortestPaths:
    """Solve every map from every state with SciPy's Dijkstra, many maps in one sparse graph.

    Args:
        blocked: True = obstacle, [B, H, W].
        goal: (row, col), [B, 2], or (orientation, row, col), [B, 3]. From a goal on an obstacle nothing is reached.
        moves: 8-connected by default.
        entry_cost: factor on the cost of a move that ends in a cell, [B, H, W] float64, positive; 1 if not given.

    Raises: ShapeError; InputError if `blocked` is not bool or a goal lies off its map.

    >>> paths = shortest_paths(torch.zeros(1, 2, 3, dtype=torch.bool), torch.tensor([[0, 0]]))
    >>> paths.distance[0].round(decimals=2).tolist()
    [[0.0, 1.0, 2.0], [1.0, 1.41, 2.41]]
    """
    check_shape("blocked", blocked, "B H W")
    moves = moves or GridMotion()
    check_shape("goal", goal, f"{blocked.shape[0]} {moves.state_length}")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    batch, height, width = blocked.shape
    space = moves.states(height, width)
    if not space.contains(goal).all():
        raise InputError(f"a goal lies off its {height}x{width} map; goals are (row, col) from 0.")
    distance = torch.empty(batch, *space.shape, dtype=torch.float64)
    optimal = torch.empty(batch, *space.shape, dtype=set_dtype(moves.num_actions))
    chunk = max(1, _STATES_AT_ONCE // space.num_states)
    for first in range(0, batch, chunk):
        here = slice(first, first + chunk)
        entry = None if entry_cost is None else entry_cost[here].cpu()
        solved = _solve(blocked[here].cpu(), goal[here].cpu(), moves, entry)
        distance[here], optimal[here] = (part.view_as(distance[here]) for part in solved)
    return ShortestPaths(distance=distance.to(blocked.device), optimal_actions=optimal.to(blocked.device))


def set_dtype(num_actions: int) -> torch.dtype:
    """The type that holds sets of actions as bits: uint8 for up to 8 actions, else int64.

    Raises: InputError for more than 63 actions.
    """
    if num_actions > 63:
        raise InputError(f"sets of actions hold at most 63 actions, got a motion model with {num_actions}.")
    return torch.uint8 if num_actions <= 8 else torch.int64


def pack(actions: Bool[np.ndarray, "*shape A"]) -> Integer[Tensor, "*shape"]:
    """Sets of actions as bits, of the type `set_dtype`.

    >>> pack(np.array([True, False, True])), pack(np.eye(9, dtype=bool)[8])
    (tensor(5, dtype=torch.uint8), tensor(256))
    """
    dtype = set_dtype(actions.shape[-1])
    bits = np.packbits(actions, axis=-1, bitorder="little")
    if dtype == torch.uint8:
        return torch.from_numpy(bits)[..., 0]
    filled = np.zeros((*bits.shape[:-1], 8), dtype=np.uint8)
    filled[..., : bits.shape[-1]] = bits
    return torch.from_numpy(filled.view("<i8").astype(np.int64))[..., 0]


def action_set(optimal_actions: Integer[Tensor, "*shape"], num_actions: int = 8) -> Bool[Tensor, "*shape A"]:
    """Unpack the bits: [...] to [..., A] bool.

    >>> action_set(torch.tensor([5], dtype=torch.uint8), num_actions=4).tolist()
    [[True, False, True, False]]
    """
    bits = torch.arange(num_actions, device=optimal_actions.device, dtype=optimal_actions.dtype)
    return (optimal_actions[..., None] >> bits) & 1 != 0


def preferred_action(
    optimal_actions: Integer[Tensor, "*shape"], moves: MotionModel | None = None
) -> UInt8[Tensor, "*shape"]:
    """One action of each set, diagonals first, as the authors' labels mostly have it; 255 where the set is empty.

    >>> preferred_action(torch.tensor([0b10001, 0b1, 0], dtype=torch.uint8)).tolist()
    [4, 0, 255]
    """
    moves = moves or GridMotion()
    few = optimal_actions.dtype == torch.uint8
    # A table of all sets is quicker than a pass per action.
    sets = torch.arange(256, device=optimal_actions.device) if few else optimal_actions
    preferred = torch.full_like(sets, 255, dtype=torch.uint8)
    for action in reversed(moves.tie_break_order):
        preferred.masked_fill_((sets >> action) & 1 != 0, action)
    return preferred[optimal_actions.long()] if few else preferred


def move_graph(
    blocked: Bool[Tensor, "B H W"], moves: MotionModel, entry_cost: Float[Tensor, "B H W"] | None = None
) -> "tuple[csr_matrix, np.ndarray, np.ndarray, np.ndarray]":
    """Legal actions as a sparse graph with costs, one component a map; which are legal; their targets; their costs.

    The last three are [B, S, A], with states of map b numbered from b * S, S = O * H * W.

    >>> graph, allowed, target, cost = move_graph(torch.zeros(1, 1, 3, dtype=torch.bool), GridMotion())
    >>> graph.toarray().tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    from scipy.sparse import csr_matrix

    table = transitions(blocked, moves, entry_cost)
    batch, states = len(blocked), table.space.num_states
    allowed, target, cost = (part.transpose(1, 2).numpy() for part in (table.allowed, table.successor, table.cost))
    target = target + states * np.arange(batch)[:, None, None]
    pointers = np.concatenate([[0], allowed.sum(axis=2).ravel().cumsum()])
    graph = csr_matrix((cost[allowed], target[allowed], pointers), shape=(batch * states, batch * states))
    return graph, allowed, target, cost


def _solve(blocked: Tensor, goal: Tensor, moves: MotionModel, entry_cost: Tensor | None) -> tuple[Tensor, Tensor]:
    from scipy.sparse.csgraph import dijkstra

    batch = len(blocked)
    graph, allowed, target, cost = move_graph(blocked, moves, entry_cost)
    states = allowed.shape[1]
    here = moves.states(*blocked.shape[1:]).flatten(goal).numpy()
    # From the goal backwards. One component a map and one source in each: `min_only` gives every state the distance
    # to its own map's goal.
    backwards = graph if moves.reversible and entry_cost is None else graph.T.tocsr()
    distance = dijkstra(backwards, indices=states * np.arange(batch) + here, min_only=True)
    with np.errstate(invalid="ignore"):  # inf - inf where nothing is reached
        excess = distance[target] + cost - distance.reshape(batch, states, 1)
    best = allowed & (excess < TIE)
    best[np.arange(batch), here] = False
    return torch.from_numpy(distance), pack(best)
