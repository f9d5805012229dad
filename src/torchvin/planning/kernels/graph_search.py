"""Exact shortest paths as a differentiable operation: Dijkstra forward, down the tree of chosen moves backward.

Of the fixed point D(s) = min over a of (cost_a(s) + D(where a leads)) only the chosen action carries gradient, so its
adjoint is one pass over the states, from the leaves of the tree to the goals. Neither pass knows a number of
iterations: a distance, an action and a rank are kept for each state (13 bytes), whatever the horizon.

C++ does both (cpp/shortest_path.cpp); where it was not compiled, SciPy's Dijkstra and NumPy.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from torchvin.planning.kernels import recording
from torchvin.planning.kernels.cpu import kernel as cpu

_UNREACHABLE = 255  # a choice; the number of actions stands for stopping


def shortest_paths(
    cost: Float[Tensor, "B OA H W"],
    goal_cost: Float[Tensor, "B O H W"],
    steps: Sequence[Sequence[int]] | Int[Tensor, "N 3"],
) -> Float[Tensor, "B O H W"]:
    """Least cost from every state to a stop: float64, infinite where none is reached, differentiable once.

    Args:
        cost: of each move, not negative, infinite where there is none; channel o * A + a for orientation o. A move off
            the map does not exist whatever its cost.
        goal_cost: of stopping in a state, infinite where one cannot.
        steps: where each channel leads: (orientation, rows down, columns right).

    Raises: ValueError for a negative or NaN cost.

    >>> cost, goal_cost = torch.ones(1, 1, 1, 3), torch.tensor([[[[0.0, torch.inf, torch.inf]]]])
    >>> shortest_paths(cost, goal_cost, [(0, 0, -1)]).tolist()  # one action, to the left
    [[[[0.0, 1.0, 2.0]]]]
    """
    table = [number for step in steps for number in map(int, step)]
    if _is_ordinary(cost) and _is_ordinary(goal_cost) and not (recording.is_recorded() or recording.is_traced()):
        # The first call of an operator imports the compiler, which takes longer than torch and most plans.
        try:
            return solve_each(cost, goal_cost, table)[0]
        except RuntimeError as error:
            if not recording.has_no_data(error):
                raise
    distance: Tensor = search(cost, goal_cost, table)[0]
    return distance


Solution = tuple[Float[Tensor, "B O H W"], UInt8[Tensor, "B O H W"], Int[Tensor, "B O H W"]]
"""Distance; choice (an action; A = stop; 255 = unreachable); settling order of each map's states, successors first, -1
after the last."""


@torch.library.custom_op("torchvin::shortest_paths", mutates_args=())
def search(cost: Tensor, goal_cost: Tensor, steps: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """`Solution` of every map, as an operator: traced and exported programs hold it as one call."""
    return solve_each(cost, goal_cost, steps)


def solve_each(cost: Tensor, goal_cost: Tensor, steps: list[int]) -> Solution:
    """`Solution` of every map, on the device of the costs."""
    dtype = torch.float64 if cost.dtype == torch.float64 else torch.float32
    arrays = [tensor.detach().to("cpu", dtype).contiguous() for tensor in (cost, goal_cost)]
    solve = solve_compiled if cpu.extension else solve_scipy
    distance, choice, order = solve(arrays[0], arrays[1], _table(steps))
    return distance.to(cost.device), choice.to(cost.device), order.to(cost.device)


@search.register_fake
def _(cost: Tensor, goal_cost: Tensor, steps: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        goal_cost.new_empty(goal_cost.shape, dtype=torch.float64),
        goal_cost.new_empty(goal_cost.shape, dtype=torch.uint8),
        goal_cost.new_empty(goal_cost.shape, dtype=torch.int32),
    )


@torch.library.custom_op("torchvin::shortest_paths_backward", mutates_args=())
def search_backward(
    grad: Tensor, choice: Tensor, order: Tensor, cost: Tensor, goal_cost: Tensor, steps: list[int]
) -> tuple[Tensor, Tensor]:
    """Gradients of cost and goal_cost from that of the distance: one pass from the leaves of the tree to the goals."""
    back = back_compiled if cpu.extension else back_numpy
    kept = [tensor.cpu().contiguous() for tensor in (grad.double(), choice, order)]
    grads = back(kept[0], kept[1], kept[2], _table(steps), cost.shape, goal_cost.shape)
    return grads[0].to(cost.device, cost.dtype), grads[1].to(cost.device, goal_cost.dtype)


@search_backward.register_fake
def _(
    grad: Tensor, choice: Tensor, order: Tensor, cost: Tensor, goal_cost: Tensor, steps: list[int]
) -> tuple[Tensor, Tensor]:
    return cost.new_empty(cost.shape), goal_cost.new_empty(goal_cost.shape)


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    cost, goal_cost, ctx.steps = inputs
    ctx.save_for_backward(output[1], output[2], cost, goal_cost)
    ctx.mark_non_differentiable(output[1], output[2])


def _backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, Tensor, None]:
    return (*search_backward(grad, *ctx.saved_tensors, ctx.steps), None)


search.register_autograd(_backward, setup_context=_keep_for_backward)


def _is_ordinary(tensor: Tensor) -> bool:
    """Whether the compiled solver may be called as it is: numbers on the CPU that carry no gradient of any kind."""
    return (
        cpu.extension is not None
        and type(tensor) in recording.PLAIN
        and tensor.is_cpu
        and not (tensor.requires_grad and torch.is_grad_enabled())
        and recording.dual(tensor).tangent is None
    )


def _table(steps: list[int]) -> Int[Tensor, "OA 3"]:
    return torch.tensor(steps, dtype=torch.int64).view(-1, 3)


def solve_compiled(cost: Tensor, goal_cost: Tensor, steps: Tensor) -> Solution:
    """The compiled solver."""
    assert cpu.extension is not None
    distance = torch.empty(goal_cost.shape, dtype=torch.float64)
    choice = torch.empty(goal_cost.shape, dtype=torch.uint8)
    order = torch.empty(goal_cost.shape, dtype=torch.int32)
    cpu.extension.shortest_paths(steps, cost, goal_cost, torch.get_num_threads(), distance, choice, order)
    return distance, choice, order


def back_compiled(
    grad: Tensor, choice: Tensor, order: Tensor, steps: Tensor, shape: torch.Size, goal_shape: torch.Size
) -> tuple[Tensor, Tensor]:
    """Gradients of cost and goal_cost by the compiled pass down the tree."""
    assert cpu.extension is not None
    grad_cost, grad_goal = torch.empty(shape, dtype=torch.float64), torch.empty(goal_shape, dtype=torch.float64)
    threads = torch.get_num_threads()
    cpu.extension.shortest_paths_backward(steps, grad, choice, order, threads, grad_cost, grad_goal)
    return grad_cost, grad_goal


def edges(
    cost: Float[Tensor, "OA H W"], steps: Sequence[Sequence[int]] | Int[Tensor, "N 3"], orientations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The moves of one map that exist (finite cost, on the map): from, to (flat states), action, cost.

    >>> [part.tolist() for part in edges(torch.ones(1, 1, 3), [(0, 0, -1)], 1)]
    [[1, 2], [0, 1], [0, 0], [1.0, 1.0]]
    """
    channels, height, width = cost.shape
    channel, row, col = np.nonzero(np.isfinite(cost.numpy()))
    orientation, down, right = np.asarray(steps)[channel].T
    to_row, to_col = row + down, col + right
    inside = (to_row >= 0) & (to_row < height) & (to_col >= 0) & (to_col < width)
    actions = channels // orientations
    source = (channel // actions) * height * width + row * width + col
    target = orientation * height * width + to_row * width + to_col
    costs = cost.numpy()[channel, row, col].astype(np.float64)
    return source[inside], target[inside], (channel % actions)[inside], costs[inside]


def solve_scipy(cost: Tensor, goal_cost: Tensor, steps: Tensor) -> Solution:
    """The same by SciPy, map by map; one state more stands for having stopped."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    batch, orientations = goal_cost.shape[:2]
    actions = cost.shape[1] // orientations
    states = goal_cost[0].numel()
    distance = np.full((batch, states), np.inf)
    choice = np.full((batch, states), _UNREACHABLE, dtype=np.uint8)
    order = np.full((batch, states), -1, dtype=np.int32)
    if not ((cost >= 0).all() and (goal_cost >= 0).all()):
        raise ValueError("costs must not be negative or NaN")
    for index in range(batch):
        source, target, action, costs = edges(cost[index], steps.tolist(), orientations)
        stops = goal_cost[index].flatten().double().numpy()
        goals = np.flatnonzero(np.isfinite(stops))
        # Of parallel moves the cheapest first: np.unique keeps it. Backwards, from having stopped.
        rank = np.lexsort((action, costs))
        pairs, first = np.unique(np.stack([target[rank], source[rank]]), axis=1, return_index=True)
        rows, cols = np.concatenate([pairs[0], np.full(len(goals), states)]), np.concatenate([pairs[1], goals])
        weights = np.concatenate([costs[rank][first], stops[goals]])
        graph = csr_matrix((weights, (rows, cols)), shape=(states + 1, states + 1))
        found, parent = dijkstra(graph, indices=states, return_predecessors=True)
        distance[index] = found[:states]
        by_pair = dict(zip(zip(*pairs.tolist(), strict=True), action[rank][first].tolist(), strict=True))
        children: dict[int, list[int]] = {}
        for state in np.flatnonzero(parent[:states] >= 0).tolist():
            children.setdefault(int(parent[state]), []).append(state)
        settled = [states]
        for state in settled:  # grows while it is read: breadth first down the tree
            settled += children.get(state, ())
        for state in settled[1:]:
            came = int(parent[state])
            choice[index, state] = actions if came == states else by_pair[came, state]
        order[index, : len(settled) - 1] = settled[1:]
    shape = goal_cost.shape
    return (
        torch.from_numpy(distance).view(shape),
        torch.from_numpy(choice).view(shape),
        torch.from_numpy(order).view(shape),
    )


def back_numpy(
    grad: Tensor, choice: Tensor, order: Tensor, steps: Tensor, shape: torch.Size, goal_shape: torch.Size
) -> tuple[Tensor, Tensor]:
    """The pass down the tree in Python."""
    batch, orientations, height, width = goal_shape
    actions, cells = shape[1] // orientations, height * width
    grad_cost, grad_goal = np.zeros((batch, shape[1] * cells)), np.zeros((batch, orientations * cells))
    leads = [int(o) * cells + int(down) * width + int(right) for o, down, right in steps.tolist()]
    for index in range(batch):
        flow = grad[index].flatten().tolist()
        chosen = choice[index].flatten().tolist()
        for state in reversed([state for state in order[index].flatten().tolist() if state >= 0]):
            orientation, cell = divmod(state, cells)
            if chosen[state] == actions:
                grad_goal[index, state] = flow[state]
                continue
            channel = orientation * actions + chosen[state]
            grad_cost[index, channel * cells + cell] = flow[state]
            flow[leads[channel] + cell] += flow[state]
    return torch.from_numpy(grad_cost).view(shape), torch.from_numpy(grad_goal).view(goal_shape)
