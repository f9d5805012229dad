// Value iteration on graphs against a loop that follows the definition, and the way back against the sum that it stands
// for. Built with sanitizers by tests/planning/kernels/test_graph_search.py; needs neither Python nor torch.
#include "graph_iteration.h"
#include "graph_solve.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

using namespace torchvin;

namespace {

std::mt19937_64 generator(0);

int64_t whole(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(generator); }

template <class T> std::vector<T> numbers(int64_t count) {
    std::vector<T> made(count);
    for (T& value : made) value = static_cast<T>(whole(-8, 8)) / 8;
    return made;
}

// Heap blocks of exactly the right size: the address sanitizer sees every step outside.
template <class T> struct RandomWeb {
    bool uncertain;
    std::vector<int64_t> offsets{0}, outcomes{0}, in_offsets;
    std::vector<int32_t> targets, outcome_targets, in_sources, in_edges;
    std::vector<T> share;

    RandomWeb(int64_t N, bool uncertain) : uncertain(uncertain), in_offsets(N + 1) {
        for (int64_t node = 0; node < N; ++node) offsets.push_back(offsets.back() + whole(0, 20));
        for (int64_t edge = 0; edge < offsets.back(); ++edge) {
            targets.push_back(static_cast<int32_t>(whole(0, N - 1)));
            const int64_t many = uncertain ? whole(1, 3) : 1;
            for (int64_t m = 0; m < many; ++m) {
                outcome_targets.push_back(uncertain ? static_cast<int32_t>(whole(0, N - 1)) : targets.back());
                share.push_back(T(1) / static_cast<T>(many));
            }
            outcomes.push_back(static_cast<int64_t>(outcome_targets.size()));
        }
        for (int64_t to = 0; to < N; ++to) {
            for (int64_t node = 0; node < N; ++node)
                for (int64_t edge = offsets[node]; edge < offsets[node + 1]; ++edge)
                    for (int64_t m = outcomes[edge]; m < outcomes[edge + 1]; ++m)
                        if (outcome_targets[m] == to) {
                            in_sources.push_back(static_cast<int32_t>(node));
                            in_edges.push_back(static_cast<int32_t>(edge));
                        }
            in_offsets[to + 1] = static_cast<int64_t>(in_sources.size());
        }
    }
    Web<T> view() const {
        return {static_cast<int64_t>(in_offsets.size()) - 1, offsets.back(), offsets.data(), targets.data(),
                uncertain ? outcomes.data() : nullptr, outcome_targets.data(), share.data(), in_offsets.data(), in_sources.data(),
                in_edges.data()};
    }
};

template <class T> bool agrees() {
    const int64_t widths[] = {1, 8, 16, 32};
    const int64_t N = whole(1, 40), B = widths[whole(0, 3)], K = whole(0, 6);
    const bool uncertain = whole(0, 1), shared = whole(0, 1), stops = whole(0, 1), limited = whole(0, 1);
    const RandomWeb<T> made_up(N, uncertain);
    const auto& [_, offsets, outcomes, in_offsets, targets, outcome_targets, in_sources, in_edges, share] = made_up;
    const Web<T> web = made_up.view();
    const int64_t E = web.edges;
    const std::vector<T> node_reward = numbers<T>(N * B), edge_reward = numbers<T>(E * (shared ? 1 : B)), stop = numbers<T>(N * B);
    const T discount = T(0.75);
    const Rewards<T> rewards{B, node_reward.data(), edge_reward.data(), shared, stops ? stop.data() : nullptr, discount};
    std::vector<int64_t> limits(B);
    for (int64_t& limit : limits) limit = whole(0, K);
    std::vector<T> value = numbers<T>(N * B), residual(B);
    const std::vector<T> start = value;
    std::vector<int32_t> choices(K * N * B);
    const int threads = static_cast<int>(whole(1, 2));
    const int64_t made = graph_iterate<T>(web, rewards, K, limited ? limits.data() : nullptr, 0.0, false, threads, "plain",
                                          value.data(), choices.data(), true, residual.data());
    if (made != K) return false;

    std::vector<double> expected(start.begin(), start.end());
    for (int64_t k = 0; k < K; ++k) {
        std::vector<double> after = expected;
        for (int64_t b = 0; b < B; ++b) {
            if (limited && k >= limits[b]) continue;
            for (int64_t node = 0; node < N; ++node) {
                double best = stops ? stop[node * B + b] : -std::numeric_limits<double>::infinity();
                for (int64_t edge = offsets[node]; edge < offsets[node + 1]; ++edge) {
                    double q = node_reward[node * B + b] + edge_reward[shared ? edge : edge * B + b];
                    for (int64_t m = outcomes[edge]; m < outcomes[edge + 1]; ++m)
                        q += double(discount) * share[m] * expected[outcome_targets[m] * B + b];
                    best = std::max(best, q);
                }
                after[node * B + b] = std::isfinite(best) ? best : 0;
            }
        }
        expected = after;
    }
    double total = 0;
    for (int64_t at = 0; at < N * B; ++at) {
        if (!(std::abs(value[at] - expected[at]) < 1e-4)) return false;
        total += value[at];
    }

    // The sum of all values is linear in rewards and V_0 as long as the choices stay: gradients times both give it back.
    std::vector<T> grad(N * B, 1), grad_node(N * B), grad_edge(edge_reward.size()), grad_stop(N * B);
    graph_backward<T>(web, rewards, made, limited ? limits.data() : nullptr, choices.data(), threads, grad.data(),
                      grad_node.data(), grad_edge.data(), grad_stop.data());
    double through = 0;
    for (int64_t at = 0; at < N * B; ++at)
        through += double(grad[at]) * start[at] + double(grad_node[at]) * node_reward[at] + double(grad_stop[at]) * stop[at];
    for (size_t edge = 0; edge < edge_reward.size(); ++edge) through += double(grad_edge[edge]) * edge_reward[edge];
    return std::abs(total - through) < 1e-3 * (1 + std::abs(total));
}

// The fixed point, best values first, is to the last bit the one that updates reach, and so is what is chosen.
template <class T> bool solves(int64_t* searched) {
    const int64_t N = whole(1, 40), B = whole(1, 9), K = 200;
    const bool shared = whole(0, 1), with_edges = whole(0, 3), with_nodes = whole(0, 1);
    const RandomWeb<T> made_up(N, false);
    const Web<T> web = made_up.view();
    const T nothing = -std::numeric_limits<T>::infinity();
    // Costs with ties and zeros; few that are far from all others, or that forbid an edge; now and then a gain.
    const auto costs = [&](int64_t count, T unit) {
        std::vector<T> made(count);
        for (T& cost : made) {
            cost = -unit * static_cast<T>(whole(0, 6)) / 8;
            if (whole(0, 19) == 0) cost = whole(0, 1) ? cost * T(1e5) : nothing;
            if (whole(0, 2000) == 0) cost = unit;
        }
        return made;
    };
    const T unit = whole(0, 1) ? T(1) : T(0.37);
    const std::vector<T> node_reward = costs(N * B, unit), edge_reward = costs(web.edges * (shared ? 1 : B), unit);
    std::vector<T> stop(N * B, nothing);
    for (T& reward : stop)
        if (whole(0, 4) == 0) reward = static_cast<T>(whole(0, 40));
    const T discount = whole(0, 1) ? T(1) : T(0.75);
    const auto rewards = [&](int64_t b, int64_t queries) {
        return Rewards<T>{queries, with_nodes ? node_reward.data() + b * N : nullptr,
                          with_edges ? edge_reward.data() + (shared ? 0 : b * web.edges) : nullptr, shared || queries == 1, stop.data() + b * N,
                          discount};
    };
    std::vector<T> value(N * B);
    std::vector<int32_t> choices(N * B);
    if (graph_solve<T>(web, rewards(0, B), K, nullptr, static_cast<int>(whole(1, 2)), "plain", value.data(), choices.data()) == 0)
        return true;
    ++*searched;
    for (int64_t b = 0; b < B; ++b) {
        std::vector<T> expected(N, nothing), residual(1);
        std::vector<int32_t> chosen(N);
        graph_iterate<T>(web, rewards(b, 1), K, nullptr, 0.0, true, 1, "plain", expected.data(), chosen.data(), false, residual.data());
        for (int64_t node = 0; node < N; ++node)
            if (value[b * N + node] != expected[node] || choices[b * N + node] != chosen[node]) return false;
    }
    // The sum of all values is linear in the rewards as long as the choices stay and lead to a stop.
    std::vector<T> grad(N * B), grad_node(N * B), grad_edge(web.edges * (shared ? 1 : B)), grad_stop(N * B);
    double through = 0, total = 0;
    for (int64_t at = 0; at < N * B; ++at) {
        int64_t node = at % N, steps = 0;
        const int32_t* chosen = choices.data() + at / N * N;
        while (chosen[node] >= 0 && ++steps <= N) node = web.targets[chosen[node]];
        if (value[at] == nothing || steps > N) continue;
        grad[at] = 1;
        total += value[at];
    }
    graph_solve_backward<T>(web, rewards(0, B), choices.data(), 1, grad.data(), grad_node.data(), grad_edge.data(), grad_stop.data());
    for (int64_t at = 0; at < N * B; ++at) {
        if (grad_stop[at] != 0) through += double(grad_stop[at]) * stop[at];
        if (grad_node[at] != 0 && with_nodes) through += double(grad_node[at]) * node_reward[at];
    }
    for (size_t edge = 0; with_edges && edge < grad_edge.size(); ++edge)
        if (grad_edge[edge] != 0) through += double(grad_edge[edge]) * edge_reward[edge];
    return std::abs(total - through) < 1e-3 * (1 + std::abs(total));
}

}  // namespace

int main() {
    int64_t searched = 0;
    for (int round = 0; round < 400; ++round)
        if (!agrees<float>() || !agrees<double>() || !solves<float>(&searched) || !solves<double>(&searched)) {
            std::printf("round %d differs\n", round);
            return 1;
        }
    if (searched < 300) {
        std::printf("only %d of 800 were searched\n", static_cast<int>(searched));
        return 1;
    }
    std::printf("all cases agree, %d searched\n", static_cast<int>(searched));
}
