// Value iteration on batches of grids, forward and backward; the whole of it but the inner loops (sweeps.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torchvin {

// q_reward [B, O*A, H, W], kernel [S, O*A, O, F, F], value [B, O, H, W]. O orientations (value channels), each with A
// actions; S = 1, or K + 1 where each update and the look-ahead have a kernel of their own. keep_every: 0 nothing is
// kept for the backward pass, 1 every V_k and every action taken, n > 1 only V_n, V_2n, ... V_0 and V_K are at hand.
struct Shape {
    int64_t batch, orientations, actions, height, width, kernel_size, kernels, iterations, keep_every;

    int64_t plane() const { return orientations * height * width; }
    int64_t kept_values() const { return keep_every && iterations ? (iterations - 1) / keep_every : 0; }
    int64_t kept_actions() const { return keep_every == 1 ? iterations : 0; }
    // Numbers around what is kept that are read, as neighbours of cells at the edge, and not used.
    int64_t guard() const { return kernel_size / 2 * (width + 1) + 16; }
    int64_t kept_size(int64_t planes) const { return planes ? batch * planes * plane() + 2 * guard() : 0; }
};

template <class T> struct Forward {
    const T *q_reward, *kernel, *value;
    T *q_values, *final_value, *residual;
    T* values;         // guard, [B, kept_values, O, H, W], guard
    uint8_t* actions;  // guard, [B, kept_actions, O, H, W], guard
};

template <class T> struct Backward {
    const T *grad_q_values, *grad_value, *q_reward, *kernel, *value, *final_value, *values;
    const uint8_t* actions;
    T *grad_q_reward, *grad_kernel, *grad_initial;  // grad_kernel and grad_value may be null
};

// The instruction sets this machine can run, best first.
std::vector<std::string> instruction_sets();

// Returns false where a number that is not finite (-inf in q_reward excepted) came in or out: then the caller must let
// the reference answer, whose rules for NaN these loops do not follow. Throws std::invalid_argument for an unknown
// instruction set; "" means the best.
template <class T> bool forward(const Shape&, const Forward<T>&, int threads, const std::string& instruction_set);
template <class T> void backward(const Shape&, const Backward<T>&, int threads, const std::string& instruction_set);

double peak_gflops(double seconds, const std::string& instruction_set);

}  // namespace torchvin
