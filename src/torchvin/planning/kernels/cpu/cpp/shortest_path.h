// Exact shortest paths on batches of grids, and the way back for gradients along the tree of chosen moves.
#pragma once

#include <cstdint>

namespace torchvin {

// Channel o * A + a (O orientations, A actions each) leads from (o, row, col) to (orientation, row + down, col + right).
struct Step {
    int64_t orientation, down, right;
};

struct Grid {
    int64_t batch, orientations, actions, height, width;
    const Step* steps;  // [O*A]

    int64_t cells() const { return height * width; }
    int64_t states() const { return orientations * cells(); }
};

constexpr uint8_t kUnreachable = 255;  // a choice; A stands for stopping, so A is at most 254

// cost [B, O*A, H, W] of each move, not negative, infinite where there is none; goal_cost [B, O, H, W] of stopping.
// distance [B, O, H, W]: least cost to a stop, infinite where none is reached. choice [B, O, H, W]: the action that
// begins it. order [B, O*H*W]: states as they were settled, -1 after the last, so that a state comes after the one that
// its choice leads to. Throws std::invalid_argument for a negative or NaN cost.
template <class T>
void shortest_paths(const Grid&, const T* cost, const T* goal_cost, int threads, double* distance, uint8_t* choice,
                    int32_t* order);

// The gradient of `distance` handed down the tree: distance(s) = cost of the chosen move + distance where it leads.
template <class T>
void shortest_paths_backward(const Grid&, const double* grad_distance, const uint8_t* choice, const int32_t* order,
                             int threads, T* grad_cost, T* grad_goal_cost);

}  // namespace torchvin
