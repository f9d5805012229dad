// Shortest paths on one map whose moves are decided by the 3x3 pattern of obstacles around a cell: A* for one query, and
// the tree of all shortest paths to a goal. Nothing is computed for a cell that a query does not reach.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace torchvin {

constexpr int64_t kPatterns = 512;  // bit 3 * (row + 1) + col + 1 is set where the neighbour (row, col) is blocked
constexpr int64_t kMostActions = 16;

// What each action does: its step in cells (at most one in each direction) and its cost; and, for each pattern, the set of
// actions that are available.
struct Moves {
    std::vector<int64_t> down, right;
    std::vector<double> cost;
    std::array<uint16_t, kPatterns> available;

    int64_t count() const { return static_cast<int64_t>(cost.size()); }
};

struct Path {
    double cost = 0;              // infinite if there is none
    std::vector<int32_t> cells;   // from the start to the cell where the agent stops; row * width + col
    int64_t expanded = 0;         // cells whose moves were looked at
};

class GridSearch {
public:
    // blocked [H, W]: 0 = free. entry_cost [H, W]: factor on the cost of a move that ends in a cell, positive; nullptr if 1.
    GridSearch(int64_t height, int64_t width, const uint8_t* blocked, const double* entry_cost, Moves moves);

    // A cell becomes free or blocked. The tree is forgotten.
    void set_blocked(int64_t cell, bool blocked);
    bool is_blocked(int64_t cell) const { return padded_[padded_index(cell)] != 0; }
    int64_t cells() const { return height_ * width_; }
    int64_t height() const { return height_; }
    int64_t width() const { return width_; }
    const Moves& moves() const { return moves_; }
    uint16_t available(int64_t cell) const { return moves_.available[pattern(cell)]; }

    // A shortest path from the start to the nearest of the goals, by A*.
    Path find(int64_t start, const std::vector<int64_t>& goals);

    // How many of these cells an agent comes to that takes the moves between them, and what they cost: a move that is not
    // available leaves it where it is for ever.
    std::pair<int64_t, double> walk(const int32_t* cells, int64_t count) const;

    // Solves every cell; then `follow` and the two arrays below hold.
    void solve(const std::vector<int64_t>& goals);
    Path follow(int64_t start) const;
    const std::vector<double>& distance() const { return distance_; }
    const std::vector<uint8_t>& choice() const { return choice_; }  // action; count() = stop; 255 = unreachable

private:
    struct Node {
        double cost;       // from the start
        uint32_t query;    // the query that wrote this node
        uint8_t action;    // that led here
    };

    int64_t padded_index(int64_t cell) const { return (cell / width_ + 1) * stride_ + cell % width_ + 1; }
    int64_t pattern(int64_t cell) const;

    int64_t height_, width_, stride_;
    Moves moves_;
    std::vector<uint8_t> padded_;  // with a blocked margin of one cell
    std::vector<double> entry_cost_;
    double least_move_, least_straight_, least_diagonal_, least_entry_ = 1, most_entry_ = 1;
    std::vector<Node> nodes_;
    uint32_t query_ = 0;
    std::vector<double> distance_;
    std::vector<uint8_t> choice_;
};

}  // namespace torchvin
