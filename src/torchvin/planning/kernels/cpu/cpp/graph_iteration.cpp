#include "graph_iteration.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "graph_update.h"
#include "team.h"

namespace torchvin {

namespace {

constexpr int64_t kNodesAtOnce = 2048;  // that a thread takes

using Flags = std::vector<std::atomic<uint8_t>>;

template <class T> void largest(const T* value, int64_t nodes, int64_t B, std::vector<T>& found) {
    found.assign(B, 0);
    for (int64_t node = 0; node < nodes; ++node)
        for (int64_t b = 0; b < B; ++b) {
            const T size = std::abs(value[node * B + b]);
            if (size > found[b] && size < std::numeric_limits<T>::infinity()) found[b] = size;
        }
}

}  // namespace

template <class T> UpdateNode<T> choose_update(const std::string& name, int lanes) {
#if defined(TORCHVIN_X86)
    if (name == "avx512") return update_node_avx512<T>(lanes);
    if (name == "avx2") return update_node_avx2<T>(lanes);
#endif
    return update_node_plain<T>(lanes);
}
template UpdateNode<float> choose_update<float>(const std::string&, int);
template UpdateNode<double> choose_update<double>(const std::string&, int);

template <class T>
int64_t graph_iterate(const Web<T>& web, const Rewards<T>& r, int64_t iterations, const int64_t* limits, double tolerance,
                      bool may_stop_early, int threads, const std::string& instruction_set, T* value, int32_t* choices, bool keep_all, T* residual) {
    const int64_t N = web.nodes, B = r.queries, size = N * B;
    const int lanes = lanes_of(B);
    const int64_t chunks = (N + kNodesAtOnce - 1) / kNodesAtOnce, blocks = B / lanes;
    const UpdateNode<T> update = choose_update<T>(instruction_set, lanes);
    Team team(static_cast<int>(std::min<int64_t>(threads, chunks * blocks)));
    std::vector<T> other(value, value + size);
    T *from = value, *into = other.data();
    // What has to be updated: nodes of which a successor has changed. All of them, where marking would cost as much.
    Flags active(N);
    std::vector<uint8_t> changed(N);
    bool everything = true;
    std::vector<std::vector<T>> moved(chunks * blocks, std::vector<T>(lanes));
    std::vector<int64_t> work(chunks);
    std::vector<T> largest_values;
    int64_t made = 0;
    for (int64_t b = 0; b < B; ++b) residual[b] = 0;
    for (; made < iterations; ++made) {
        int32_t* kept = !choices ? nullptr : keep_all ? choices + made * size : choices;
        const int32_t* before = !choices || made == 0 ? nullptr : keep_all ? kept - size : kept;
        std::fill(changed.begin(), changed.end(), 0);
        const auto sweep = [&](int64_t task, int) {
            const int64_t chunk = task / blocks, block = task % blocks, first = block * lanes;
            const int count = lanes;
            auto& most = moved[task];
            std::fill(most.begin(), most.end(), 0);
            const int64_t end = std::min(N, (chunk + 1) * kNodesAtOnce);
            for (int64_t node = chunk * kNodesAtOnce; node < end; ++node) {
                const int64_t at = node * B + first;
                if (!everything && !active[node].load(std::memory_order_relaxed)) {
                    for (int l = 0; l < count; ++l) into[at + l] = from[at + l];
                    if (kept && kept != before)
                        for (int l = 0; l < count; ++l) kept[at + l] = before[at + l];
                    continue;
                }
                T best[kLanes];
                int32_t choice[kLanes];
                update(web, r, node, first, from, best, choice);
                bool different = false;
                for (int l = 0; l < count; ++l) {
                    const bool over = limits && made >= limits[first + l];
                    const T next = over ? from[at + l] : best[l];
                    if (next != from[at + l]) {
                        different = true;
                        const T change = std::abs(next - from[at + l]);
                        if (!(change <= most[l])) most[l] = change;
                    }
                    into[at + l] = next;
                    if (kept && !(over && kept == before)) kept[at + l] = over ? (before ? before[at + l] : kNoEdge) : choice[l];
                }
                if (different) changed[node] = 1;  // several blocks may write the same 1
            }
        };
        team.for_each(chunks * blocks, sweep);
        std::swap(from, into);
        for (int64_t b = 0; b < B; ++b) {
            T most = 0;
            for (int64_t chunk = 0; chunk < chunks; ++chunk) most = std::max(most, moved[chunk * blocks + b / lanes][b % lanes]);
            residual[b] = most;
        }
        // Marks the predecessors of what changed, where they are fewer than a part of the edges.
        std::fill(work.begin(), work.end(), 0);
        team.for_each(chunks, [&](int64_t chunk, int) {
            for (int64_t node = chunk * kNodesAtOnce; node < std::min(N, (chunk + 1) * kNodesAtOnce); ++node) {
                active[node].store(0, std::memory_order_relaxed);
                if (changed[node]) work[chunk] += web.in_offsets[node + 1] - web.in_offsets[node];
            }
        });
        int64_t marks = 0;
        for (const int64_t part : work) marks += part;
        everything = marks > web.in_offsets[N] / 4;
        if (!everything)
            team.for_each(chunks, [&](int64_t chunk, int) {
                for (int64_t node = chunk * kNodesAtOnce; node < std::min(N, (chunk + 1) * kNodesAtOnce); ++node)
                    if (changed[node])
                        for (int64_t m = web.in_offsets[node]; m < web.in_offsets[node + 1]; ++m)
                            active[web.in_sources[m]].store(1, std::memory_order_relaxed);
            });
        if (!may_stop_early) continue;
        bool settled = true;
        if (tolerance > 0) largest(from, N, B, largest_values);
        for (int64_t b = 0; b < B; ++b)
            settled = settled && residual[b] <= static_cast<T>(tolerance > 0 ? tolerance * largest_values[b] : 0);
        if (settled) {
            ++made;
            break;
        }
    }
    if (from != value) std::copy(from, from + size, value);
    return made;
}

template <class T>
void graph_backward(const Web<T>& web, const Rewards<T>& r, int64_t made, const int64_t* limits, const int32_t* choices,
                    int threads, T* grad, T* grad_node, T* grad_edge, T* grad_stop) {
    const int64_t N = web.nodes, B = r.queries, size = N * B;
    const int lanes = lanes_of(B);
    const int64_t blocks = B / lanes;
    // The gradient of shared edges is a sum over queries, which threads must not write at once.
    Team team(static_cast<int>(grad_edge && r.shared_edges ? 1 : std::min<int64_t>(threads, blocks)));
    std::vector<T> other(size);
    team.for_each(blocks, [&](int64_t block, int) {
        const int64_t first = block * lanes;
        const int count = lanes;
        T *after = grad, *before = other.data();
        for (int64_t k = made - 1; k >= 0; --k) {
            const int32_t* chosen = choices + k * size;
            for (int64_t node = 0; node < N; ++node)
                for (int l = 0; l < count; ++l) before[node * B + first + l] = 0;
            for (int64_t node = 0; node < N; ++node)
                for (int l = 0; l < count; ++l) {
                    const int64_t at = node * B + first + l;
                    const T g = after[at];
                    if (g == 0) continue;
                    if (limits && k >= limits[first + l]) {
                        before[at] += g;
                        continue;
                    }
                    const int32_t edge = chosen[at];
                    if (edge == kStopped) {
                        if (grad_stop) grad_stop[at] += g;
                    } else if (edge >= 0) {
                        if (grad_node) grad_node[at] += g;
                        if (grad_edge) grad_edge[r.shared_edges ? edge : edge * B + first + l] += g;
                        if (!web.outcomes) before[web.targets[edge] * B + first + l] += r.discount * g;
                        else
                            for (int64_t m = web.outcomes[edge]; m < web.outcomes[edge + 1]; ++m)
                                before[web.outcome_targets[m] * B + first + l] += r.discount * web.outcome_probabilities[m] * g;
                    }
                }
            std::swap(after, before);
        }
        if (after != grad)
            for (int64_t node = 0; node < N; ++node)
                for (int l = 0; l < count; ++l) grad[node * B + first + l] = after[node * B + first + l];
    });
}

template int64_t graph_iterate<float>(const Web<float>&, const Rewards<float>&, int64_t, const int64_t*, double, bool, int,
                                      const std::string&, float*,
                                      int32_t*, bool, float*);
template int64_t graph_iterate<double>(const Web<double>&, const Rewards<double>&, int64_t, const int64_t*, double, bool, int,
                                       const std::string&, double*,
                                       int32_t*, bool, double*);
template void graph_backward<float>(const Web<float>&, const Rewards<float>&, int64_t, const int64_t*, const int32_t*, int, float*, float*,
                                    float*, float*);
template void graph_backward<double>(const Web<double>&, const Rewards<double>&, int64_t, const int64_t*, const int32_t*, int, double*,
                                     double*, double*, double*);

}  // namespace torchvin
