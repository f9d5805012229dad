#include "graph_solve.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "graph_update.h"
#include "team.h"

namespace torchvin {

namespace {

constexpr int64_t kBuckets = 1024;
constexpr int64_t kNodesAtOnce = 256;   // whose edges are looked at before any reward is read
constexpr int64_t kAhead = 32;          // entries by which memory is asked for early
constexpr int64_t kMostIndex = 1ll << 50;
constexpr int64_t kFewUpdates = 12;     // of a query among eight or more cost less than its search

void fetch(const void* address) {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#endif
}

template <class T> Rewards<T> of_query(const Web<T>& web, const Rewards<T>& r, int64_t query) {
    const auto row = [&](const T* rows, int64_t width) { return rows ? rows + query * width : nullptr; };
    return {1, row(r.node_reward, web.nodes), r.shared_edges ? r.edge_reward : row(r.edge_reward, web.edges), true,
            row(r.stop_reward, web.nodes), r.discount};
}

// Least and largest of the finite numbers; 0 and 0 if there are none.
template <class T> std::pair<T, T> range(const T* numbers, int64_t count) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    if (!numbers) return {0, 0};
    constexpr int64_t lanes = 16;  // each on its own, so that the compiler may take them at once
    T least[lanes], most[lanes];
    std::fill(least, least + lanes, infinity);
    std::fill(most, most + lanes, -infinity);
    const auto look = [&](int64_t i, int64_t lane) {
        const T finite = numbers[i] > -infinity ? numbers[i] : infinity;
        least[lane] = finite < least[lane] ? finite : least[lane];
        most[lane] = numbers[i] > most[lane] ? numbers[i] : most[lane];
    };
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; ++lane) look(i + lane, lane);
    for (; i < count; ++i) look(i, 0);
    const T lowest = *std::min_element(least, least + lanes), highest = *std::max_element(most, most + lanes);
    return highest == -infinity ? std::pair<T, T>{0, 0} : std::pair<T, T>{lowest, highest};
}

// The median of at most 1,024 of the finite numbers.
template <class T> T median(const T* numbers, int64_t count) {
    std::vector<T> sample;
    for (int64_t i = 0; numbers && i < count; i += 1 + count / 1024)
        if (std::isfinite(numbers[i])) sample.push_back(numbers[i]);
    if (sample.empty()) return 0;
    std::nth_element(sample.begin(), sample.begin() + sample.size() / 2, sample.end());
    return sample[sample.size() / 2];
}

// Nodes by value, best first, in buckets of one width. What lies behind the last bucket waits apart.
class Queue {
public:
    Queue(double top, double width) : top_(top), per_width_(1 / width), buckets_(kBuckets) {}

    int64_t index(double value) const {
        const double index = (top_ - value) * per_width_;
        return index < static_cast<double>(kMostIndex) ? static_cast<int64_t>(index) : kMostIndex;
    }
    void push(int64_t index, int32_t node) {
        if (index >= lowest_ + kBuckets) {
            far_.push_back({index, node});
            nearest_far_ = std::min(nearest_far_, index);
        } else {
            buckets_[index % kBuckets].push_back(node);
            ++near_;
        }
    }
    // The nodes of the best bucket, in `nodes`, and its index; -1 if all are empty. Nodes may have left it since.
    int64_t pop(std::vector<int32_t>& nodes) {
        nodes.clear();
        if (near_ == 0 && far_.empty()) return -1;
        if (near_ == 0) lowest_ = nearest_far_;
        for (;; ++lowest_) {
            if (lowest_ >= nearest_far_) bring_near();
            std::vector<int32_t>& bucket = buckets_[lowest_ % kBuckets];
            if (bucket.empty()) continue;
            nodes.swap(bucket);
            near_ -= static_cast<int64_t>(nodes.size());
            return lowest_;
        }
    }

private:
    struct Far {
        int64_t index;
        int32_t node;
    };
    void bring_near() {
        std::vector<Far> waiting;
        waiting.swap(far_);
        nearest_far_ = std::numeric_limits<int64_t>::max();
        for (const Far& entry : waiting) push(entry.index, entry.node);
    }

    double top_, per_width_;
    int64_t lowest_ = 0, near_ = 0, nearest_far_ = std::numeric_limits<int64_t>::max();
    std::vector<std::vector<int32_t>> buckets_;
    std::vector<Far> far_;
};

// An edge that may better its source; value of the node behind it, later of the edge; edges from there to the stop.
template <class T> struct Candidate {
    int32_t source, edge;
    T value;
    int32_t length;
};

// Label setting (Dijkstra 1959) with buckets (Dial 1969; Meyer and Sanders 2003): a node that is bettered after its turn
// gets another. Returns the most edges of a best path, or -1 if a node is worth more than the node behind it.
//
// Memory is what takes the time. So the edges of many nodes are sifted first by V alone, then by their rewards, without a
// branch that would have to wait for either.
template <class T> int64_t search(const Web<T>& web, const Rewards<T>& r, T* value) {
    constexpr T nothing = -std::numeric_limits<T>::infinity();
    const int64_t N = web.nodes;
    const auto [least_stop, top] = range(r.stop_reward, N);
    const auto [least_edge, most_edge] = range(r.edge_reward, web.edges);
    const auto [least_node, most_node] = range(r.node_reward, N);
    const double usual = std::max<double>(top, 0) * (1 - r.discount) - median(r.edge_reward, web.edges) - median(r.node_reward, N);
    // As wide as the cheapest edge: nothing is bettered by its own bucket. But not so narrow that the stops, or what usual
    // edges lead to, would lie far away.
    double width = std::max<double>({double(-(most_edge + most_node)), usual / 16, double(top - least_stop) / (16 * kBuckets)});
    if (!(width > 0)) width = 1;
    Queue queue(top, width);
    std::vector<int32_t> length(N);
    for (int64_t node = 0; node < N; ++node) {
        value[node] = r.stop_reward[node];
        if (value[node] > nothing) queue.push(queue.index(value[node]), static_cast<int32_t>(node));
    }
    std::vector<int32_t> nodes;
    std::vector<Candidate<T>> found;
    for (int64_t index; (index = queue.pop(nodes)) >= 0;) {
        if (static_cast<int64_t>(nodes.size()) > N / 32) {  // in order of memory, and each once
            nodes.resize(N);
            int64_t count = 0;
            for (int64_t node = 0; node < N; ++node) {
                nodes[count] = static_cast<int32_t>(node);
                count += value[node] > nothing && queue.index(value[node]) == index;
            }
            nodes.resize(count);
        }
        const int64_t size = static_cast<int64_t>(nodes.size());
        for (int64_t first = 0; first < size; first += kNodesAtOnce) {
            const int64_t last = std::min(size, first + kNodesAtOnce);
            int64_t edges = 0, kept = first;
            for (int64_t i = first; i < last; ++i) {
                if (i + kAhead < size) fetch(value + nodes[i + kAhead]);
                const int32_t node = nodes[i];
                nodes[kept] = node;
                kept += queue.index(value[node]) == index;  // else it has been bettered, and had its turn
                fetch(web.in_offsets + node);
            }
            for (int64_t i = first; i < kept; ++i) {
                const int64_t begin = web.in_offsets[nodes[i]], end = web.in_offsets[nodes[i] + 1];
                edges += end - begin;
                fetch(web.in_sources + begin);
                fetch(web.in_edges + begin);
            }
            if (static_cast<int64_t>(found.size()) <= edges) found.resize(edges + 1);
            int64_t count = 0;
            for (int64_t i = first; i < kept; ++i) {
                const int32_t node = nodes[i];
                const T behind = value[node], most = (behind * r.discount + most_edge) + most_node;
                for (int64_t m = web.in_offsets[node]; m < web.in_offsets[node + 1]; ++m) {
                    const int32_t source = web.in_sources[m];
                    found[count] = {source, web.in_edges[m], behind, length[node]};
                    count += value[source] < most;
                }
            }
            int64_t better = 0;
            bool rises = false;
            for (int64_t i = 0; i < count; ++i) {
                if (r.edge_reward && i + kAhead < count) fetch(r.edge_reward + found[i + kAhead].edge);
                const Candidate<T> c = found[i];
                T q = c.value * r.discount;
                if (r.edge_reward) q += r.edge_reward[c.edge];
                if (r.node_reward) q += r.node_reward[c.source];
                found[better] = {c.source, c.edge, q, c.length};
                better += q > value[c.source];
                rises |= q > c.value;
            }
            if (rises) return -1;
            for (int64_t i = 0; i < better; ++i) {
                const Candidate<T> c = found[i];
                if (!(c.value > value[c.source])) continue;  // two edges of one node
                value[c.source] = c.value;
                length[c.source] = c.length + 1;
                queue.push(queue.index(c.value), c.source);
            }
        }
    }
    int32_t longest = 0;
    for (int64_t node = 0; node < N; ++node) longest = std::max(longest, length[node]);
    return longest;
}

}  // namespace

template <class T>
int64_t graph_solve(const Web<T>& web, const Rewards<T>& r, int64_t iterations, const int64_t* limits, int threads,
                    const std::string& instruction_set, T* value, int32_t* choices) {
    const int64_t N = web.nodes, B = r.queries;
    if (web.outcomes || !r.stop_reward || N == 0) return 0;
    std::atomic<int64_t> most{0};
    std::atomic<bool> fits{true};
    const UpdateNode<T> update = choose_update<T>(instruction_set, 1);
    const auto solve = [&](int64_t b, int) {
        if (!fits) return;
        const Rewards<T> own = of_query(web, r, b);
        const int64_t longest = search(web, own, value + b * N), made = longest + 2;  // the last changes nothing
        if (longest < 0 || made > std::min(iterations, limits ? limits[b] : iterations)) {
            fits = false;
            return;
        }
        for (int64_t before = most; before < made && !most.compare_exchange_weak(before, made);) {}
        if (!choices) return;
        for (int64_t node = 0; node < N; ++node) {
            T best;
            update(web, own, node, 0, value + b * N, &best, choices + b * N + node);
        }
    };
    solve(0, 0);
    if (B >= 8 && most < kFewUpdates) return 0;
    if (fits && B > 1)
        Team(static_cast<int>(std::min<int64_t>(threads, B - 1))).for_each(B - 1, [&](int64_t b, int) { solve(b + 1, 0); });
    return fits ? most.load() : 0;
}

template <class T>
void graph_solve_backward(const Web<T>& web, const Rewards<T>& r, const int32_t* choices, int threads, T* grad, T* grad_node,
                          T* grad_edge, T* grad_stop) {
    const int64_t N = web.nodes, B = r.queries;
    // The gradient of shared edges is a sum over queries, which threads must not write at once.
    Team team(static_cast<int>(grad_edge && r.shared_edges ? 1 : std::min<int64_t>(threads, B)));
    team.for_each(B, [&](int64_t b, int) {
        const int32_t* chosen = choices + b * N;
        T* flow = grad + b * N;
        std::vector<int32_t> next(N), waits(N);  // the node that is chosen, or -1; how many that chose a node are not done
        for (int64_t node = 0; node < N; ++node) {
            next[node] = chosen[node] >= 0 ? web.targets[chosen[node]] : -1;
            if (next[node] >= 0) ++waits[next[node]];
        }
        constexpr int32_t done = -1;
        for (int64_t leaf = 0; leaf < N; ++leaf)
            for (int64_t node = leaf; node >= 0 && waits[node] == 0; node = next[node]) {
                waits[node] = done;
                if (next[node] < 0) continue;
                flow[next[node]] += r.discount * flow[node];
                --waits[next[node]];
            }
        for (int64_t start = 0; start < N; ++start) {
            if (waits[start] == done) continue;
            T round = 0, factor = 1;  // what comes back to the start of what passes the circle once, and how much of it
            int64_t node = start;
            do {
                round = flow[node] + r.discount * round;
                factor *= r.discount;
                node = next[node];
            } while (node != start);
            T before = factor < 1 ? round / (1 - factor) : 0;
            do {
                before = flow[node] = factor < 1 ? flow[node] + r.discount * before : round;
                waits[node] = done;
                node = next[node];
            } while (node != start);
        }
        for (int64_t node = 0; node < N; ++node) {
            if (chosen[node] == kStopped) {
                if (grad_stop) grad_stop[b * N + node] += flow[node];
            } else if (chosen[node] >= 0) {
                if (grad_node) grad_node[b * N + node] += flow[node];
                if (grad_edge) grad_edge[(r.shared_edges ? 0 : b * web.edges) + chosen[node]] += flow[node];
            }
        }
    });
}

template int64_t graph_solve<float>(const Web<float>&, const Rewards<float>&, int64_t, const int64_t*, int, const std::string&, float*,
                                    int32_t*);
template int64_t graph_solve<double>(const Web<double>&, const Rewards<double>&, int64_t, const int64_t*, int, const std::string&,
                                     double*, int32_t*);
template void graph_solve_backward<float>(const Web<float>&, const Rewards<float>&, const int32_t*, int, float*, float*, float*, float*);
template void graph_solve_backward<double>(const Web<double>&, const Rewards<double>&, const int32_t*, int, double*, double*, double*,
                                           double*);

}  // namespace torchvin
