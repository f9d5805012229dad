"""Value iteration on a graph in plain PyTorch: it defines the semantics.

    Q_k(s, e) = node_reward(s) + edge_reward(e) + discount * E[V_k(where e leads)]
    V_{k+1}(s) = max(stop_reward(s), max over the edges e of s of Q_k(s, e))

A node without edges, where one cannot stop either, has the value 0.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.planning.graph import Graph


def look_ahead(
    graph: Graph,
    node_reward: Float[Tensor, "B N"] | None,
    edge_reward: Float[Tensor, "#B E"] | None,
    discount: float,
    value: Float[Tensor, "B N"],
) -> Float[Tensor, "B E"]:
    """Q of every edge at `value`."""
    if graph.outcomes is None:
        expected = value.index_select(1, graph.targets)
    else:
        assert graph.outcome_targets is not None
        assert graph.outcome_probabilities is not None
        share = graph.outcome_probabilities.to(value)
        expected = graph.sum_outcomes(value.index_select(1, graph.outcome_targets) * share)
    q_values = discount * expected
    if edge_reward is not None:
        q_values = q_values + edge_reward
    if node_reward is not None:
        q_values = q_values + node_reward.index_select(1, graph.sources)
    return q_values


def first_best(graph: Graph, q_values: Float[Tensor, "B E"]) -> Int[Tensor, "B N"]:
    """The first of the best edges of each node; E for a node without edges."""
    batch, edges = q_values.shape
    source = graph.sources.expand(batch, -1)
    best = q_values.new_full((batch, graph.num_nodes), -torch.inf).scatter_reduce(1, source, q_values, "amax")
    number = torch.arange(edges, device=q_values.device).expand(batch, -1)
    candidates = torch.where(q_values == best.gather(1, source), number, edges)
    none = number.new_full((batch, graph.num_nodes), edges)
    return none.scatter_reduce(1, source, candidates, "amin")


def update(
    graph: Graph, q_values: Float[Tensor, "B E"], stop_reward: Float[Tensor, "B N"] | None
) -> Float[Tensor, "B N"]:
    """The maximum over the edges of each node, and over stopping; only what is chosen carries gradient."""
    chosen = first_best(graph, q_values.detach())
    has_edges = chosen < graph.num_edges
    padded = torch.cat([q_values, q_values.new_zeros(q_values.shape[0], 1)], dim=1)
    value = padded.gather(1, chosen)
    if stop_reward is None:
        return value
    stops = (stop_reward >= value) | ~has_edges
    return torch.where(stops, stop_reward, value)


def iterate(
    graph: Graph,
    node_reward: Float[Tensor, "B N"] | None,
    edge_reward: Float[Tensor, "#B E"] | None,
    stop_reward: Float[Tensor, "B N"] | None,
    discount: float,
    value: Float[Tensor, "B N"],
    num_iterations: int,
    limits: Int[Tensor, "B"] | None = None,
) -> Float[Tensor, "B N"]:
    """V after `num_iterations` updates of `value`, of query b after at most `limits[b]`."""
    for k in range(num_iterations):
        after = update(graph, look_ahead(graph, node_reward, edge_reward, discount, value), stop_reward)
        value = after if limits is None else torch.where((k < limits)[:, None], after, value)
    return value


def change(after: Float[Tensor, "B N"], before: Float[Tensor, "B N"]) -> Float[Tensor, "B"]:
    """The largest change of each query; from -inf to -inf is none."""
    after, before = after.detach(), before.detach()
    return torch.where(after == before, 0, (after - before).abs()).amax(dim=1)


def is_solved(value: Float[Tensor, "B N"], change: Float[Tensor, "B"], tolerance: float) -> bool:
    """Whether no query was changed by more than `tolerance` times its largest finite |V|."""
    sizes = value.detach().abs()
    largest = sizes.where(sizes.isfinite(), 0).amax(dim=1)
    return bool((change <= tolerance * largest).all())
