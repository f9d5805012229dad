// The fixed point of value iteration on a graph of certain edges, best values first, and its adjoint. Arrays are [B, N]
// and [B, E] here: each query is solved alone.
#pragma once

#include <cstdint>
#include <string>

#include "graph_iteration.h"

namespace torchvin {

// V = max(stop_reward, node_reward + max over e of (edge_reward(e) + discount * V(targets[e]))) from V_0 = -inf, to the
// last bit what value iteration converges to. `value` [B, N] and, if not null, `choices` [B, N] are written.
//
// Returns the number of updates after which value iteration stops (at equal paths, at the latest), or 0 if it has to be
// done that way: by some edge a node is worth more than the node behind it, so that values do not only fall along a path;
// some query needs more updates than its limit (`iterations`, and limits[b] if not null); or there are many queries and few
// updates, which are faster side by side.
template <class T>
int64_t graph_solve(const Web<T>&, const Rewards<T>&, int64_t iterations, const int64_t* limits, int threads,
                    const std::string& instruction_set, T* value, int32_t* choices);

// From the gradient of V [B, N] to those of the rewards, along the chosen edges. Gradients of rewards are added to; null
// is not wanted. Afterwards `grad` holds the gradient that passes through each node. A circle of chosen edges is summed up
// in closed form (without a discount, where that sum is infinite, the gradient runs round it once).
template <class T>
void graph_solve_backward(const Web<T>&, const Rewards<T>&, const int32_t* choices, int threads, T* grad, T* grad_node,
                          T* grad_edge, T* grad_stop);

}  // namespace torchvin
