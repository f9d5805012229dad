// The graph search against Bellman-Ford on random grids, and the way back against the sum that it stands for. Built with
// sanitizers by tests/planning/kernels/test_shortest_path.py; needs neither Python nor torch.
#include "shortest_path.h"

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

// Heap blocks of exactly the right size: the address sanitizer sees every step outside.
template <class T> bool agrees(double least) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const int64_t B = whole(1, 3), O = whole(1, 3), A = whole(1, 4), H = whole(1, 7), W = whole(1, 7), cells = H * W, states = O * cells;
    std::vector<Step> steps(O * A);
    for (Step& step : steps) step = {whole(0, O - 1), whole(-2, 2), whole(-2, 2)};
    std::vector<T> cost(B * A * states), goal(B * states);
    for (T& value : cost) value = whole(0, 9) < 2 ? infinity : static_cast<T>(least + whole(0, 5) / 4.0);
    for (T& value : goal) value = whole(0, 9) < 9 ? infinity : static_cast<T>(whole(0, 9) / 2.0);
    const Grid grid{B, O, A, H, W, steps.data()};
    std::vector<double> distance(B * states), expected(goal.begin(), goal.end());
    std::vector<uint8_t> choice(B * states);
    std::vector<int32_t> order(B * states);
    shortest_paths(grid, cost.data(), goal.data(), static_cast<int>(whole(1, 2)), distance.data(), choice.data(), order.data());

    // For each move that stays on the map: f(from, to, index of its cost).
    const auto moves = [&](int64_t b, const auto& f) {
        for (int64_t channel = 0; channel < O * A; ++channel)
            for (int64_t row = 0; row < H; ++row)
                for (int64_t col = 0; col < W; ++col) {
                    const int64_t down = row + steps[channel].down, right = col + steps[channel].right;
                    if (down < 0 || down >= H || right < 0 || right >= W) continue;
                    f(b * states + channel / A * cells + row * W + col,
                      b * states + steps[channel].orientation * cells + down * W + right,
                      (b * O * A + channel) * cells + row * W + col);
                }
    };
    for (int64_t b = 0; b < B; ++b)
        for (int64_t round = 0; round < states; ++round)
            moves(b, [&](int64_t from, int64_t to, int64_t index) {
                expected[from] = std::min(expected[from], cost[index] + expected[to]);
            });
    for (int64_t s = 0; s < B * states; ++s)
        if (distance[s] != expected[s] && !(std::abs(distance[s] - expected[s]) < 1e-5)) return false;

    // The sum of all distances, once directly and once as its gradient times the costs: it is linear in them.
    std::vector<double> ones(B * states);
    double total = 0, through = 0;
    for (int64_t s = 0; s < B * states; ++s)
        if (std::isfinite(distance[s])) ones[s] = 1, total += distance[s];
    std::vector<T> grad_cost(cost.size()), grad_goal(goal.size());
    shortest_paths_backward(grid, ones.data(), choice.data(), order.data(), 1, grad_cost.data(), grad_goal.data());
    for (size_t i = 0; i < cost.size(); ++i) through += grad_cost[i] != 0 ? grad_cost[i] * cost[i] : 0;
    for (size_t i = 0; i < goal.size(); ++i) through += grad_goal[i] != 0 ? grad_goal[i] * goal[i] : 0;
    return std::abs(total - through) < 1e-4 * (1 + std::abs(total));
}

}  // namespace

int main() {
    for (int i = 0; i < 600; ++i)
        for (const double least : {0.0, 1e-9, 0.25})  // the first two by heap, the last by buckets
            if (!agrees<float>(least) || !agrees<double>(least)) return std::printf("case %d, least cost %g\n", i, least), 1;
    std::printf("all cases agree\n");
}
