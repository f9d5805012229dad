// One update of one node of a graph for some queries side by side, for each instruction set.
#pragma once

#include "graph_iteration.h"

namespace torchvin {

// Queries that are updated side by side: all there are if 1 or 8, else a multiple of 16.
constexpr int kLanes = 16;
inline int lanes_of(int64_t queries) { return queries == 1 ? 1 : queries == 8 ? 8 : kLanes; }

// V after the update, and what was chosen, of queries first, first + 1, ... at `node`.
template <class T>
using UpdateNode = void (*)(const Web<T>&, const Rewards<T>&, int64_t node, int64_t first, const T* value, T* best, int32_t* choice);

template <class T> UpdateNode<T> update_node_plain(int lanes);
template <class T> UpdateNode<T> update_node_avx2(int lanes);
template <class T> UpdateNode<T> update_node_avx512(int lanes);

// The one for the instruction set of that name (graph_iteration.cpp).
template <class T> UpdateNode<T> choose_update(const std::string& name, int lanes);

}  // namespace torchvin
