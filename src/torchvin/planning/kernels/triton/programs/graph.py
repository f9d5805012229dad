"""Value iteration on graphs for the GPU, in Triton's language: one update, and one step of its gradient.

A program takes a block of nodes for one query. Arrays are contiguous, [B, N] and [B, E]. The gradient gathers
what the predecessors of a node send to it, in their order: no atomics, the same bits in every run.
"""

import triton
import triton.language as tl

STOPPED, NO_EDGE, UNCHANGED = tl.constexpr(-1), tl.constexpr(-2), tl.constexpr(-3)  # choices that are no edge


@triton.jit
def expectation(value, targets, outcomes, probabilities, edge, there, UNCERTAIN: tl.constexpr):
    """Expected value behind an edge of each node of a block."""
    if not UNCERTAIN:
        return tl.load(value + tl.load(targets + edge, mask=there, other=0), mask=there, other=0)
    else:
        first = tl.load(outcomes + edge, mask=there, other=0)
        count = tl.load(outcomes + edge + 1, mask=there, other=0) - first
        most = tl.max(count)
        expected = tl.zeros(edge.shape, dtype=value.dtype.element_ty)
        i = most * 0
        while i < most:
            here = i < count
            share = tl.load(probabilities + first + i, mask=here, other=0)
            behind = tl.load(value + tl.load(targets + first + i, mask=here, other=0), mask=here, other=0)
            expected += share * behind
            i += 1
        return expected


@triton.jit(do_not_specialize=["k", "nodes", "edge_stride"])
def update_kernel(
    offsets,
    targets,
    outcomes,
    probabilities,
    node_reward,
    edge_reward,
    stop_reward,
    discount,
    limits,
    value,
    after,
    choices,
    k,
    nodes,
    edge_stride,
    UNCERTAIN: tl.constexpr,
    NODE_REWARD: tl.constexpr,
    EDGE_REWARD: tl.constexpr,
    STOP_REWARD: tl.constexpr,
    LIMITED: tl.constexpr,
    KEEP: tl.constexpr,
    NODES: tl.constexpr,
):
    """V after update `k`, and what each node chose; edge e of query b has its reward at b * edge_stride + e."""
    query = tl.program_id(1).to(tl.int64)
    node = tl.program_id(0) * NODES + tl.arange(0, NODES)
    here = node < nodes
    value += query * nodes
    edge_reward += query * edge_stride
    at = query * nodes + node
    begin = tl.load(offsets + node, mask=here, other=0)
    count = tl.load(offsets + node + 1, mask=here, other=0) - begin
    best = tl.full([NODES], float("-inf"), dtype=value.dtype.element_ty)
    choice = tl.where(count > 0, begin, NO_EDGE)
    gamma = tl.load(discount)
    most = tl.max(count)
    i = most * 0
    while i < most:
        there, edge = i < count, begin + i
        q = gamma * expectation(value, targets, outcomes, probabilities, edge, there, UNCERTAIN)
        if EDGE_REWARD:
            q += tl.load(edge_reward + edge, mask=there, other=0)
        better = there & (q > best)
        best = tl.where(better, q, best)
        choice = tl.where(better, edge, choice)
        i += 1
    if NODE_REWARD:
        best += tl.load(node_reward + at, mask=here, other=0)
    if STOP_REWARD:
        stop = tl.load(stop_reward + at, mask=here, other=0)
        stops = (stop >= best) | (count == 0)
        best = tl.where(stops, stop, best)
        choice = tl.where(stops, STOPPED, choice)
    else:
        best = tl.where(count == 0, 0.0, best)
    if LIMITED:
        done = k >= tl.load(limits + query)
        best = tl.where(done, tl.load(value + node, mask=here, other=0), best)
        choice = tl.where(done, UNCHANGED, choice)
    tl.store(after + at, best, mask=here)
    if KEEP:
        tl.store(choices + at, choice.to(tl.int32), mask=here)


@triton.jit(do_not_specialize=["nodes", "edge_stride"])
def gradient_kernel(
    in_offsets,
    in_sources,
    in_edges,
    outcome_edges,
    probabilities,
    discount,
    choices,
    flow,
    before,
    grad_node,
    grad_edge,
    grad_stop,
    nodes,
    edge_stride,
    UNCERTAIN: tl.constexpr,
    NODE_REWARD: tl.constexpr,
    EDGE_REWARD: tl.constexpr,
    STOP_REWARD: tl.constexpr,
    NODES: tl.constexpr,
):
    """From the gradient `flow` of V after an update to that `before` it; gradients of the rewards are added to."""
    query = tl.program_id(1).to(tl.int64)
    node = tl.program_id(0) * NODES + tl.arange(0, NODES)
    here = node < nodes
    flow += query * nodes
    choices += query * nodes
    own = tl.load(flow + node, mask=here, other=0)
    choice = tl.load(choices + node, mask=here, other=NO_EDGE)
    at = query * nodes + node
    if NODE_REWARD:
        moved = here & (choice >= 0)
        tl.store(grad_node + at, tl.load(grad_node + at, mask=moved, other=0) + own, mask=moved)
    if EDGE_REWARD:  # an edge has one source, so nobody else adds to its gradient
        moved, place = here & (choice >= 0), query * edge_stride + choice
        tl.store(grad_edge + place, tl.load(grad_edge + place, mask=moved, other=0) + own, mask=moved)
    if STOP_REWARD:
        stopped = here & (choice == STOPPED)
        tl.store(grad_stop + at, tl.load(grad_stop + at, mask=stopped, other=0) + own, mask=stopped)
    begin = tl.load(in_offsets + node, mask=here, other=0)
    count = tl.load(in_offsets + node + 1, mask=here, other=0) - begin
    gamma = tl.load(discount)
    total = tl.where(choice == UNCHANGED, own, 0.0)
    most = tl.max(count)
    i = most * 0
    while i < most:
        there = i < count
        source = tl.load(in_sources + begin + i, mask=there, other=0)
        edge = tl.load(in_edges + begin + i, mask=there, other=0)
        share = gamma
        if UNCERTAIN:
            share = gamma * tl.load(probabilities + edge, mask=there, other=0)
            edge = tl.load(outcome_edges + edge, mask=there, other=0)
        chosen = there & (tl.load(choices + source, mask=there, other=NO_EDGE) == edge)
        total += tl.where(chosen, share * tl.load(flow + source, mask=chosen, other=0), 0.0)
        i += 1
    tl.store(before + at, total, mask=here)
