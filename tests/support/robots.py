"""Independent answers for paths on maps: a graph built by hand and solved by networkx, and distances by brute force."""

import math

import networkx
import numpy as np

STEPS = [(-1, 0), (1, 0), (0, 1), (0, -1), (-1, 1), (-1, -1), (1, 1), (1, -1)]
AHEAD = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # of the headings N, E, S, W


def free(blocked, row, col):
    height, width = blocked.shape
    return 0 <= row < height and 0 <= col < width and not blocked[row, col]


def neighbours(blocked, state, rule, entry):
    """(next state, cost) of every legal move; `rule`: moves, diagonal, corners, drive."""
    if rule.get("drive"):
        heading, row, col = state
        for turned in ((heading - 1) % 4, (heading + 1) % 4):
            yield (turned, row, col), 1.0
        down, right = AHEAD[heading]
        if free(blocked, row + down, col + right):
            yield (heading, row + down, col + right), 1.0
        return
    row, col = state
    for down, right in STEPS[: rule["moves"]]:
        if not free(blocked, row + down, col + right):
            continue
        diagonal = down != 0 and right != 0
        passes = not (free(blocked, row + down, col) and free(blocked, row, col + right))
        if diagonal and passes and not rule["corners"]:
            continue
        cost = rule["diagonal"] if diagonal else 1.0
        yield (row + down, col + right), cost * entry[row + down, col + right]


def graph_of(blocked, rule, entry=None):
    entry = np.ones(blocked.shape) if entry is None else entry
    graph = networkx.DiGraph()
    cells = [tuple(cell) for cell in np.argwhere(~blocked).tolist()]
    states = [(heading, *cell) for heading in range(4) for cell in cells] if rule.get("drive") else cells
    graph.add_nodes_from(states)
    for state in states:
        for onward, cost in neighbours(blocked, state, rule, entry):
            graph.add_edge(state, onward, weight=cost)
    return graph


def optimum(graph, start, goal):
    """Cost of a shortest path; inf if there is none."""
    try:
        return networkx.dijkstra_path_length(graph, start, goal)
    except networkx.NetworkXNoPath:
        return math.inf


def cost_of(graph, path):
    """Cost of a path; an edge that does not exist is an error."""
    return sum(graph.edges[one, other]["weight"] for one, other in zip(path, path[1:], strict=False))


def distance_from_obstacles(blocked, points):
    """Least distance of points (row, col) from the squares of blocked cells and from the edge of the map, in cells."""
    padded = np.pad(blocked, 1, constant_values=True)
    squares = np.argwhere(padded) - 1
    least = np.inf
    for point in points:
        outside = np.maximum(np.abs(squares - point) - 0.5, 0)
        least = min(least, np.hypot(*outside.T).min())
    return least


def along(path, per_step=8):
    """Points on the straight lines between the states of a path."""
    path = np.asarray(path, dtype=float)
    for one, other in zip(path[:-1], path[1:], strict=True):
        for part in np.linspace(0, 1, per_step + 1):
            yield one + part * (other - one)
