// Value iteration on directed graphs in CSR form, many queries at once, and the way back along the chosen edges.
#pragma once

#include <cstdint>
#include <string>

namespace torchvin {

constexpr int32_t kStopped = -1, kNoEdge = -2;  // a choice that is no edge

// Edge e of node s, offsets[s] <= e < offsets[s + 1], leads to targets[e]. With outcomes (else null) it leads to each
// outcome_targets[m], outcomes[e] <= m < outcomes[e + 1], with outcome_probabilities[m], and `targets` is not read.
// Predecessors (in_offsets, in_sources) are those of all targets and outcomes. Without outcomes in_edges tells the edge
// by which each leads to the node; with them it is null.
template <class T> struct Web {
    int64_t nodes, edges;
    const int64_t* offsets;
    const int32_t* targets;
    const int64_t* outcomes;
    const int32_t* outcome_targets;
    const T* outcome_probabilities;
    const int64_t* in_offsets;
    const int32_t* in_sources;
    const int32_t* in_edges;
};

// B queries: 1, 8 or a multiple of 16. Arrays per node are [N, B] and per edge [E, B]: the queries of a node lie side by side. Null is zeros for
// rewards, and no stopping for `stop_reward`. Of `edge_reward` there may be one column for all queries.
template <class T> struct Rewards {
    int64_t queries;
    const T* node_reward;
    const T* edge_reward;
    bool shared_edges;
    const T* stop_reward;
    T discount;
};

// V(s) = max(stop_reward(s), node_reward(s) + max over e of (edge_reward(e) + discount * E[V])), at most `iterations`
// times from `value` [N, B], which becomes the result. Query b makes min(iterations, limits[b]) updates. The first of
// equals is chosen, stopping before edges. choices: [iterations, N, B] where every update is kept, [N, B] where the last
// one is (keep_all false), or null. Ends early where nothing changes by more than `tolerance` times the largest |V| of
// its query. Returns the number of updates made; residual [B]: the largest change in the last of them.
template <class T>
int64_t graph_iterate(const Web<T>&, const Rewards<T>&, int64_t iterations, const int64_t* limits, double tolerance,
                      bool may_stop_early, int threads, const std::string& instruction_set, T* value, int32_t* choices, bool keep_all, T* residual);

// From the gradient of V_K to those of the rewards and of V_0, through the `made` updates whose choices were kept. `grad`
// [N, B] holds the gradient of V_K and becomes that of V_0. Gradients of rewards are added to; null is not wanted.
template <class T>
void graph_backward(const Web<T>&, const Rewards<T>&, int64_t made, const int64_t* limits, const int32_t* choices,
                    int threads, T* grad, T* grad_node, T* grad_edge, T* grad_stop);

}  // namespace torchvin
