"""Graphs to plan on."""

import torch

from torchvin.planning.graph import Graph


def random_graph(seed, nodes=30, edges=90, *, uncertain=False):
    random = torch.Generator().manual_seed(seed)
    source, target = torch.randint(nodes, (2, edges), generator=random)
    graph = Graph.from_edge_index(torch.stack([source, target]), nodes)
    if not uncertain:
        return graph
    counts = torch.randint(1, 4, (edges,), generator=random)
    outcomes = torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)])
    share = torch.rand(int(outcomes[-1]), generator=random, dtype=torch.float64) + 0.1
    edge = torch.repeat_interleave(torch.arange(edges), counts)
    share = share / torch.zeros(edges, dtype=torch.float64).index_add(0, edge, share)[edge]
    targets = torch.randint(nodes, (len(share),), generator=random)
    return Graph(graph.offsets, targets[outcomes[:-1]], outcomes, targets, share)


def road_map(side):
    """Cells that lead to their neighbours, and back."""
    cells = torch.arange(side * side).view(side, side)
    pairs = [(cells[:, 1:], cells[:, :-1]), (cells[1:], cells[:-1])]
    both = [(a.flatten(), b.flatten()) for pair in pairs for a, b in (pair, pair[::-1])]
    return Graph.from_edge_index(torch.cat([torch.stack(ends) for ends in both], dim=1), side * side)
