// The C++ kernel against loops that follow the definition, on shapes chosen to find the edges. Built with sanitizers by
// tests/planning/kernels/test_fused.py; needs neither Python nor torch.
#include "value_iteration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <type_traits>

using namespace torchvin;

namespace {

std::mt19937_64 generator(0);

template <class T> std::vector<T> random_numbers(int64_t count) {
    std::normal_distribution<double> normal;
    std::vector<T> numbers(count);
    for (auto& number : numbers) number = static_cast<T>(normal(generator));
    return numbers;
}

// Heap blocks of exactly the right size: the address sanitizer sees every step outside.
template <class T> bool agrees(const Shape& shape, const std::string& instruction_set, int threads) {
    const int64_t B = shape.batch, O = shape.orientations, A = shape.actions, H = shape.height, W = shape.width,
                  F = shape.kernel_size, S = shape.kernels, K = shape.iterations, cells = H * W;
    const auto q = random_numbers<T>(B * O * A * cells);
    auto start = random_numbers<T>(B * O * cells);
    if (generator() % 2) std::fill(start.begin(), start.end(), T{0});  // the first update is another
    auto kernel = random_numbers<T>(S * O * A * O * F * F);
    for (auto& weight : kernel) weight /= static_cast<T>(O * F * F);
    std::vector<T> q_values(q.size()), final_value(start.size()), residual(B), values(shape.kept_size(shape.kept_values()));
    std::vector<uint8_t> actions(shape.kept_size(shape.kept_actions()));
    const Forward<T> f{q.data(), kernel.data(), start.data(), q_values.data(), final_value.data(), residual.data(), values.data(), actions.data()};
    if (!forward(shape, f, threads, instruction_set)) return false;

    const double tolerance = std::is_same_v<T, float> ? 1e-4 : 1e-11;
    const auto look = [&](const std::vector<double>& value, int64_t k, int64_t b, int64_t o, int64_t a, int64_t r, int64_t c) {
        double sum = q[((b * O + o) * A + a) * cells + r * W + c];
        for (int64_t in = 0; in < O; ++in)
            for (int64_t i = 0; i < F; ++i)
                for (int64_t j = 0; j < F; ++j) {
                    const int64_t y = r + i - F / 2, x = c + j - F / 2;
                    if (y < 0 || y >= H || x < 0 || x >= W) continue;
                    sum += double(kernel[((((S == 1 ? 0 : k) * O + o) * A + a) * O + in) * F * F + i * F + j]) *
                           value[(b * O + in) * cells + y * W + x];
                }
        return sum;
    };
    std::vector<double> value(start.begin(), start.end());
    for (int64_t k = 0; k < K; ++k) {
        std::vector<double> next(value.size(), -INFINITY);
        for (int64_t b = 0; b < B; ++b)
            for (int64_t o = 0; o < O; ++o)
                for (int64_t a = 0; a < A; ++a)
                    for (int64_t s = 0; s < cells; ++s) {
                        auto& best = next[(b * O + o) * cells + s];
                        best = std::max(best, look(value, k, b, o, a, s / W, s % W));
                    }
        value = next;
    }
    for (size_t s = 0; s < value.size(); ++s)
        if (std::abs(value[s] - final_value[s]) > tolerance * (1 + std::abs(value[s]))) return false;
    for (int64_t b = 0; b < B; ++b)
        for (int64_t o = 0; o < O; ++o)
            for (int64_t a = 0; a < A; ++a)
                for (int64_t s = 0; s < cells; ++s) {
                    const double expected = look(value, K, b, o, a, s / W, s % W);
                    if (std::abs(expected - q_values[((b * O + o) * A + a) * cells + s]) > tolerance * (1 + std::abs(expected)))
                        return false;
                }
    if (!shape.keep_every && K > 0) return true;

    // The sum of all gradients of q_reward is known: each cell of each V_k passes on what it got, through one action.
    const auto grad_q = random_numbers<T>(q.size()), grad_value = random_numbers<T>(start.size());
    std::vector<T> out_q(q.size()), out_kernel(kernel.size()), out_start(start.size());
    const Backward<T> g{grad_q.data(), grad_value.data(), q.data(), kernel.data(), start.data(), final_value.data(), values.data(), actions.data(), out_q.data(), out_kernel.data(), out_start.data()};
    backward(shape, g, threads, instruction_set);
    // Along the direction of the inputs themselves the function is homogeneous in (q_reward, V_0): f = <df, (q, V_0)>.
    double direct = 0, through = 0, size = 1;
    for (size_t s = 0; s < q.size(); ++s) direct += double(grad_q[s]) * q_values[s], through += double(out_q[s]) * q[s];
    for (size_t s = 0; s < start.size(); ++s) direct += double(grad_value[s]) * final_value[s], through += double(out_start[s]) * start[s];
    for (size_t s = 0; s < q.size(); ++s) size += std::abs(double(grad_q[s]) * q_values[s]);
    return std::abs(direct - through) <= tolerance * size;
}

}  // namespace

int main() {
    int cases = 0;
    const int64_t sides[] = {1, 2, 3, 7, 8, 15, 16, 17, 33};
    for (const auto& set : instruction_sets())
        for (int round = 0; round < 120; ++round) {
            const auto pick = [&](int64_t count) { return static_cast<int64_t>(generator() % count); };
            const int64_t K = pick(8);
            const Shape shape{1 + pick(3), 1 + pick(2), 1 + pick(18), sides[pick(9)], sides[pick(9)], 1 + 2 * pick(4),
                              pick(3) ? 1 : K + 1, K, pick(4)};
            const int threads = 1 + static_cast<int>(pick(3));
            for (const bool good : {agrees<float>(shape, set, threads), agrees<double>(shape, set, threads)}) {
                ++cases;
                if (good) continue;
                std::printf("%s: B=%ld O=%ld A=%ld H=%ld W=%ld F=%ld S=%ld K=%ld keep=%ld differ\n", set.c_str(), long(shape.batch),
                            long(shape.orientations), long(shape.actions), long(shape.height), long(shape.width), long(shape.kernel_size),
                            long(shape.kernels), long(K), long(shape.keep_every));
                return 1;
            }
        }
    // Bands and threads: one map larger than a band, few iterations.
    for (const auto& set : instruction_sets())
        for (const int64_t keep : {1, 2}) {
            ++cases;
            if (!agrees<float>(Shape{1, 1, 4, 130, 130, 3, 1, 20, keep}, set, 3)) return std::puts("bands differ"), 1;
        }
    std::printf("%d cases agree\n", cases);
}
