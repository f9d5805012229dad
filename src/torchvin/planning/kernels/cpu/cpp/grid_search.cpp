#include "grid_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

namespace torchvin {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint8_t kUnreached = 255;
constexpr int64_t kMostBuckets = 1 << 16;

struct Entry {
    double cost;   // of the state when it was queued: a lower one has been found since if they differ
    int32_t cell;
};

// Entries in buckets by priority, each narrower than the cheapest move. Inside a bucket the last comes first; an entry
// that was taken too early is queued again when it is bettered, so results are exact (a label-correcting search).
class BucketQueue {
public:
    BucketQueue(double width, double first, int64_t count) : inverse_(1 / width), first_(first) {
        int64_t size = 1;  // a power of two: a mask in place of a division
        while (size < count) size *= 2;
        buckets_.resize(size);
        mask_ = size - 1;
    }

    void push(double priority, Entry entry) {
        const int64_t index = std::max(index_of(priority), lowest_);
        buckets_[index & mask_].push_back(entry);
        ++size_;
    }
    bool pop(Entry* entry) {
        if (size_ == 0) return false;
        while (buckets_[lowest_ & mask_].empty()) ++lowest_;
        std::vector<Entry>& bucket = buckets_[lowest_ & mask_];
        *entry = bucket.back();
        bucket.pop_back();
        --size_;
        return true;
    }
    // Whether no entry that is queued can have a lower priority.
    bool passed(double priority) {
        while (size_ && buckets_[lowest_ & mask_].empty()) ++lowest_;
        return size_ == 0 || lowest_ > index_of(priority);
    }

private:
    int64_t index_of(double priority) const { return static_cast<int64_t>((priority - first_) * inverse_); }

    double inverse_, first_;
    int64_t lowest_ = 0, size_ = 0, mask_;
    std::vector<std::vector<Entry>> buckets_;
};

// For costs so unlike that buckets would be too many.
class HeapQueue {
public:
    void push(double priority, Entry entry) {
        entries_.emplace_back(priority, entry);
        std::push_heap(entries_.begin(), entries_.end(), later);
    }
    bool pop(Entry* entry) {
        if (entries_.empty()) return false;
        std::pop_heap(entries_.begin(), entries_.end(), later);
        *entry = entries_.back().second;
        entries_.pop_back();
        return true;
    }
    bool passed(double priority) const { return entries_.empty() || entries_.front().first >= priority; }

private:
    using Item = std::pair<double, Entry>;
    static bool later(const Item& a, const Item& b) { return a.first > b.first; }
    std::vector<Item> entries_;
};

// Least cost between two cells of a map without obstacles. It never overestimates, and along a move it falls by no more
// than the move costs.
struct Heuristic {
    int64_t row, col;
    double straight, diagonal, slack;

    double operator()(int64_t r, int64_t c) const {
        const auto down = static_cast<double>(std::abs(r - row)), right = static_cast<double>(std::abs(c - col));
        const double both = std::min(down, right);
        return std::max(0.0, both * diagonal + (std::max(down, right) - both) * straight - slack);
    }
};

template <class Search> void with_queue(double width, double first, double most_step, const Search& search) {
    const double count = width > 0 ? most_step / width + 3 : kInfinity;
    if (count <= kMostBuckets) {
        BucketQueue queue(width, first, static_cast<int64_t>(count));
        search(queue);
    } else {
        HeapQueue queue;
        search(queue);
    }
}

}  // namespace

GridSearch::GridSearch(int64_t height, int64_t width, const uint8_t* blocked, const double* entry_cost, Moves moves)
    : height_(height), width_(width), stride_(width + 2), moves_(std::move(moves)), padded_((height + 2) * stride_, 1) {
    for (int64_t row = 0; row < height; ++row)
        for (int64_t col = 0; col < width; ++col) padded_[(row + 1) * stride_ + col + 1] = blocked[row * width + col] != 0;
    if (entry_cost) {
        entry_cost_.assign(entry_cost, entry_cost + cells());
        const auto [least, most] = std::minmax_element(entry_cost_.begin(), entry_cost_.end());
        least_entry_ = *least, most_entry_ = *most;
        for (const double cost : entry_cost_)
            if (!(cost > 0 && std::isfinite(cost))) throw std::invalid_argument("entry costs must be positive and finite");
    }
    least_straight_ = least_diagonal_ = kInfinity;
    for (int64_t a = 0; a < moves_.count(); ++a) {
        if (!(moves_.cost[a] > 0 && std::isfinite(moves_.cost[a]))) throw std::invalid_argument("costs must be positive");
        double& least = moves_.down[a] != 0 && moves_.right[a] != 0 ? least_diagonal_ : least_straight_;
        least = std::min(least, moves_.cost[a]);
    }
    least_move_ = std::min(least_straight_, least_diagonal_);
    // In the place of a straight move two diagonal ones, or a part of one, may do; in that of a diagonal two straight ones.
    least_straight_ = std::min(least_straight_, least_diagonal_);
    least_diagonal_ = std::min(least_diagonal_, 2 * least_straight_);
}

int64_t GridSearch::pattern(int64_t cell) const {
    const uint8_t* middle = &padded_[padded_index(cell)];
    int64_t bits = 0;
    for (int64_t row = -1, bit = 0; row <= 1; ++row)
        for (int64_t col = -1; col <= 1; ++col, ++bit) bits |= static_cast<int64_t>(middle[row * stride_ + col]) << bit;
    return bits;
}

void GridSearch::set_blocked(int64_t cell, bool blocked) {
    padded_[padded_index(cell)] = blocked;
    distance_.clear();
    choice_.clear();
}

Path GridSearch::find(int64_t start, const std::vector<int64_t>& goals) {
    Path path;
    path.cost = kInfinity;
    if (goals.empty()) return path;
    if (nodes_.empty()) nodes_.assign(cells(), Node{0, 0, 0});
    if (++query_ == 0) {  // after 2^32 queries
        std::fill(nodes_.begin(), nodes_.end(), Node{0, 0, 0});
        query_ = 1;
    }
    int64_t furthest = 0;  // of the goals from the first one
    for (const int64_t goal : goals)
        furthest = std::max({furthest, std::abs(goal / width_ - goals[0] / width_), std::abs(goal % width_ - goals[0] % width_)});
    const Heuristic heuristic{goals[0] / width_, goals[0] % width_, least_straight_ * least_entry_,
                              least_diagonal_ * least_entry_, furthest * least_diagonal_ * least_entry_};
    const double most_move = *std::max_element(moves_.cost.begin(), moves_.cost.end()) * most_entry_;
    const double least = least_move_ * least_entry_;
    nodes_[start] = {0, query_, 0};
    int64_t end = -1;
    double best = kInfinity;
    with_queue(least / 2, heuristic(start / width_, start % width_), 2 * most_move + least, [&](auto& queue) {
        queue.push(heuristic(start / width_, start % width_), {0, static_cast<int32_t>(start)});
        Entry entry;
        while (!(end >= 0 && queue.passed(best)) && queue.pop(&entry)) {
            const int64_t cell = entry.cell, row = cell / width_, col = cell % width_;
            if (entry.cost > nodes_[cell].cost) continue;
            if (entry.cost < best && std::find(goals.begin(), goals.end(), cell) != goals.end()) best = entry.cost, end = cell;
            ++path.expanded;
            for (unsigned available = moves_.available[pattern(cell)]; available; available &= available - 1) {
                const int64_t action = __builtin_ctz(available);
                const int64_t to_row = row + moves_.down[action], to_col = col + moves_.right[action];
                if (to_row < 0 || to_row >= height_ || to_col < 0 || to_col >= width_) continue;
                const int64_t to = to_row * width_ + to_col;
                const double cost = entry.cost + moves_.cost[action] * (entry_cost_.empty() ? 1.0 : entry_cost_[to]);
                Node& node = nodes_[to];
                if (node.query == query_ && node.cost <= cost) continue;
                const double priority = cost + heuristic(to_row, to_col);
                if (priority > best) continue;
                node = {cost, query_, static_cast<uint8_t>(action)};
                queue.push(priority, {cost, static_cast<int32_t>(to)});
            }
        }
    });
    if (end < 0) return path;
    path.cost = best;
    for (int64_t cell = end; cell != start;) {
        path.cells.push_back(static_cast<int32_t>(cell));
        const int64_t action = nodes_[cell].action;
        cell -= moves_.down[action] * width_ + moves_.right[action];
    }
    path.cells.push_back(static_cast<int32_t>(start));
    std::reverse(path.cells.begin(), path.cells.end());
    return path;
}

std::pair<int64_t, double> GridSearch::walk(const int32_t* path, int64_t count) const {
    double total = 0;
    for (int64_t i = 1; i < count; ++i) {
        const int64_t down = path[i] / width_ - path[i - 1] / width_, right = path[i] % width_ - path[i - 1] % width_;
        const unsigned available = moves_.available[pattern(path[i - 1])];
        double least = kInfinity;
        for (int64_t a = 0; a < moves_.count(); ++a)
            if (moves_.down[a] == down && moves_.right[a] == right && (available >> a & 1)) least = std::min(least, moves_.cost[a]);
        if (least == kInfinity) return {i, total};
        total += least * (entry_cost_.empty() ? 1.0 : entry_cost_[path[i]]);
    }
    return {count, total};
}

void GridSearch::solve(const std::vector<int64_t>& goals) {
    // All arrays have the margin of `padded_`, where nothing is available: no move needs to be checked for the border.
    const int64_t size = static_cast<int64_t>(padded_.size());
    std::vector<uint16_t> available(size, 0);
    for (int64_t row = 1; row <= height_; ++row) {
        const uint8_t* middle = &padded_[row * stride_];
        const auto column = [&](int64_t col) {  // the three bits of a column of the pattern
            return middle[col - stride_] | middle[col] << 3 | middle[col + stride_] << 6;
        };
        int64_t left = column(0), here = column(1);
        for (int64_t col = 1; col <= width_; ++col) {
            const int64_t right = column(col + 1);
            available[row * stride_ + col] = moves_.available[left | here << 1 | right << 2];
            left = here, here = right;
        }
    }
    std::vector<int64_t> offset(moves_.count());
    for (int64_t a = 0; a < moves_.count(); ++a) offset[a] = moves_.down[a] * stride_ + moves_.right[a];
    std::vector<double> distance(size, kInfinity);
    std::vector<uint8_t> choice(size, kUnreached);
    const double most_move = *std::max_element(moves_.cost.begin(), moves_.cost.end()) * most_entry_;
    const double least = least_move_ * least_entry_;
    with_queue(least, 0, most_move + least, [&](auto& queue) {
        for (const int64_t goal : goals) {
            const int64_t cell = padded_index(goal);
            distance[cell] = 0;
            choice[cell] = static_cast<uint8_t>(moves_.count());
            queue.push(0, {0, static_cast<int32_t>(cell)});
        }
        Entry entry;
        while (queue.pop(&entry)) {
            const int64_t cell = entry.cell;
            if (entry.cost > distance[cell]) continue;
            const double factor = entry_cost_.empty() ? 1.0 : entry_cost_[(cell / stride_ - 1) * width_ + cell % stride_ - 1];
            for (int64_t action = 0; action < moves_.count(); ++action) {
                const int64_t from = cell - offset[action];
                const double cost = entry.cost + moves_.cost[action] * factor;
                if (!(available[from] >> action & 1) || cost >= distance[from]) continue;
                distance[from] = cost;
                choice[from] = static_cast<uint8_t>(action);
                queue.push(cost, {cost, static_cast<int32_t>(from)});
            }
        }
    });
    distance_.resize(cells());
    choice_.resize(cells());
    for (int64_t row = 0; row < height_; ++row) {
        const int64_t from = (row + 1) * stride_ + 1;
        std::copy_n(distance.begin() + from, width_, distance_.begin() + row * width_);
        std::copy_n(choice.begin() + from, width_, choice_.begin() + row * width_);
    }
}

Path GridSearch::follow(int64_t start) const {
    Path path;
    path.cost = kInfinity;
    if (distance_.empty() || choice_[start] == kUnreached) return path;
    path.cost = distance_[start];
    for (int64_t cell = start;;) {
        path.cells.push_back(static_cast<int32_t>(cell));
        const int64_t action = choice_[cell];
        if (action == moves_.count()) return path;
        cell += moves_.down[action] * width_ + moves_.right[action];
    }
}

}  // namespace torchvin
