// Dijkstra's algorithm backwards from the goals, one map a thread.
#include "shortest_path.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "team.h"

namespace torchvin {
namespace {

using Entry = std::pair<double, int32_t>;  // a state with a distance that may have been bettered since
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A queue of buckets as wide as the cheapest move: what lies in the lowest bucket can no longer be bettered (Dinic 1978),
// so nothing is ever sorted. On grids, whose costs are few and alike, that is several times as fast as a heap.
class Buckets {
public:
    Buckets(double width, int64_t count) : width_(width), buckets_(count) {}

    void push(double distance, int32_t state) {
        const int64_t index = std::max(static_cast<int64_t>((distance - first_) / width_), lowest_);
        buckets_[index % buckets_.size()].emplace_back(distance, state);
        ++size_;
    }
    bool pop(Entry* entry) {
        if (size_ == 0) return false;
        while (buckets_[lowest_ % buckets_.size()].empty()) ++lowest_;
        std::vector<Entry>& bucket = buckets_[lowest_ % buckets_.size()];
        *entry = bucket.back();
        bucket.pop_back();
        --size_;
        return true;
    }
    // Where the distances begin.
    void begin(double distance) { first_ = distance; }

private:
    double width_, first_ = 0;
    int64_t lowest_ = 0, size_ = 0;
    std::vector<std::vector<Entry>> buckets_;
};

class Heap {
public:
    void push(double distance, int32_t state) {
        entries_.emplace_back(distance, state);
        std::push_heap(entries_.begin(), entries_.end(), std::greater<Entry>());
    }
    bool pop(Entry* entry) {
        if (entries_.empty()) return false;
        std::pop_heap(entries_.begin(), entries_.end(), std::greater<Entry>());
        *entry = entries_.back();
        entries_.pop_back();
        return true;
    }
    void begin(double) {}

private:
    std::vector<Entry> entries_;
};

struct Arrival {  // a move seen from where it leads
    int64_t orientation, action, down, right;
};

template <class T, class Queue>
void settle(const Grid& grid, const std::vector<std::vector<Arrival>>& arrivals, const T* cost, const T* goal_cost, Queue& queue,
            double* distance, uint8_t* choice, int32_t* order) {
    const int64_t cells = grid.cells(), states = grid.states();
    std::fill(distance, distance + states, kInfinity);
    std::fill(choice, choice + states, kUnreachable);
    double first = kInfinity;
    for (int64_t s = 0; s < states; ++s) first = std::min(first, static_cast<double>(goal_cost[s]));
    if (first == kInfinity) first = 0;
    queue.begin(first);
    for (int64_t s = 0; s < states; ++s) {
        if (goal_cost[s] == std::numeric_limits<T>::infinity()) continue;
        distance[s] = goal_cost[s];
        choice[s] = static_cast<uint8_t>(grid.actions);
        queue.push(distance[s], static_cast<int32_t>(s));
    }
    std::vector<bool> settled(states, false);
    int64_t count = 0;
    Entry entry;
    while (queue.pop(&entry)) {
        const int64_t here = entry.second;
        if (settled[here] || entry.first > distance[here]) continue;
        settled[here] = true;
        order[count++] = static_cast<int32_t>(here);
        const int64_t cell = here % cells, row = cell / grid.width, col = cell % grid.width;
        for (const Arrival& move : arrivals[here / cells]) {
            const int64_t from_row = row - move.down, from_col = col - move.right;
            if (from_row < 0 || from_row >= grid.height || from_col < 0 || from_col >= grid.width) continue;
            const int64_t from_cell = from_row * grid.width + from_col;
            const int64_t from = move.orientation * cells + from_cell;
            if (settled[from]) continue;
            const double through =
                entry.first + static_cast<double>(cost[(move.orientation * grid.actions + move.action) * cells + from_cell]);
            if (through < distance[from]) {
                distance[from] = through;
                choice[from] = static_cast<uint8_t>(move.action);
                queue.push(through, static_cast<int32_t>(from));
            }
        }
    }
    std::fill(order + count, order + states, -1);
}

constexpr int64_t kMostBuckets = 1 << 16;

// A thread costs more to start than a small map to solve.
int team_size(const Grid& grid, int threads) {
    const int64_t worth = grid.batch * grid.states() >> 15;
    return static_cast<int>(std::max<int64_t>(1, std::min<int64_t>({threads, grid.batch, worth})));
}

}  // namespace

template <class T>
void shortest_paths(const Grid& grid, const T* cost, const T* goal_cost, int threads, double* distance, uint8_t* choice,
                    int32_t* order) {
    std::vector<std::vector<Arrival>> arrivals(grid.orientations);
    for (int64_t o = 0; o < grid.orientations; ++o)
        for (int64_t a = 0; a < grid.actions; ++a) {
            const Step& step = grid.steps[o * grid.actions + a];
            arrivals[step.orientation].push_back({o, a, step.down, step.right});
        }
    const int64_t states = grid.states(), moves = states * grid.actions;
    std::atomic<bool> bad{false};
    Team(team_size(grid, threads)).for_each(grid.batch, [&](int64_t map, int) {
        const T* costs = cost + map * moves;
        const T* goals = goal_cost + map * states;
        T least = std::numeric_limits<T>::infinity(), most = 0, least_goal = least, most_goal = -least;
        for (int64_t i = 0; i < moves; ++i) {
            if (!(costs[i] >= 0)) bad = true;
            if (costs[i] < least) least = costs[i];
            if (costs[i] > most && std::isfinite(costs[i])) most = costs[i];
        }
        for (int64_t i = 0; i < states; ++i) {
            if (!(goals[i] >= 0)) bad = true;
            if (!std::isfinite(goals[i])) continue;
            least_goal = std::min(least_goal, goals[i]);
            most_goal = std::max(most_goal, goals[i]);
        }
        if (bad) return;
        const double span = std::max<double>(most, most_goal > least_goal ? most_goal - least_goal : 0);
        const double buckets = least > 0 && std::isfinite(least) ? span / least + 3 : kInfinity;
        if (buckets <= kMostBuckets) {
            Buckets queue(least, static_cast<int64_t>(buckets));
            settle(grid, arrivals, costs, goals, queue, distance + map * states, choice + map * states, order + map * states);
        } else {
            Heap queue;
            settle(grid, arrivals, costs, goals, queue, distance + map * states, choice + map * states, order + map * states);
        }
    });
    if (bad) throw std::invalid_argument("costs must not be negative or NaN");
}

template <class T>
void shortest_paths_backward(const Grid& grid, const double* grad_distance, const uint8_t* choice, const int32_t* order,
                             int threads, T* grad_cost, T* grad_goal_cost) {
    const int64_t cells = grid.cells(), states = grid.states(), moves = states * grid.actions;
    Team(team_size(grid, threads)).for_each(grid.batch, [&](int64_t map, int) {
        std::vector<double> grad(grad_distance + map * states, grad_distance + (map + 1) * states);
        std::fill(grad_cost + map * moves, grad_cost + (map + 1) * moves, T(0));
        std::fill(grad_goal_cost + map * states, grad_goal_cost + (map + 1) * states, T(0));
        for (int64_t i = states - 1; i >= 0; --i) {
            const int64_t here = order[map * states + i];
            if (here < 0) continue;
            const int64_t action = choice[map * states + here];
            if (action == grid.actions) {
                grad_goal_cost[map * states + here] = static_cast<T>(grad[here]);
                continue;
            }
            const int64_t cell = here % cells, orientation = here / cells, channel = orientation * grid.actions + action;
            const Step& step = grid.steps[channel];
            grad_cost[map * moves + channel * cells + cell] = static_cast<T>(grad[here]);
            grad[step.orientation * cells + cell + step.down * grid.width + step.right] += grad[here];
        }
    });
}

template void shortest_paths(const Grid&, const float*, const float*, int, double*, uint8_t*, int32_t*);
template void shortest_paths(const Grid&, const double*, const double*, int, double*, uint8_t*, int32_t*);
template void shortest_paths_backward(const Grid&, const double*, const uint8_t*, const int32_t*, int, float*, float*);
template void shortest_paths_backward(const Grid&, const double*, const uint8_t*, const int32_t*, int, double*, double*);

}  // namespace torchvin
