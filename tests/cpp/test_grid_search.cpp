// The search on one map against Bellman-Ford, with random tables of moves, costs and changes of cells. Built with sanitizers by
// tests/planning/kernels/test_graph_search.py; needs neither Python nor torch.
#include "grid_search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

using namespace torchvin;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
std::mt19937_64 generator(0);

int64_t whole(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(generator); }
double real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator); }

struct Map {
    int64_t height, width;
    std::vector<uint8_t> blocked;
    std::vector<double> entry;  // empty: 1
    Moves moves;

    bool blocked_at(int64_t row, int64_t col) const {
        return row < 0 || row >= height || col < 0 || col >= width || blocked[row * width + col];
    }
    uint16_t available(int64_t cell) const {
        int64_t pattern = 0;
        for (int64_t bit = 0; bit < 9; ++bit)
            pattern |= static_cast<int64_t>(blocked_at(cell / width + bit / 3 - 1, cell % width + bit % 3 - 1)) << bit;
        return moves.available[pattern];
    }
    // The cell that an action leads to; -1 where it cannot be taken.
    int64_t after(int64_t cell, int64_t action) const {
        const int64_t row = cell / width + moves.down[action], col = cell % width + moves.right[action];
        const bool on_map = row >= 0 && row < height && col >= 0 && col < width;
        return on_map && (available(cell) >> action & 1) ? row * width + col : -1;
    }
    double cost(int64_t action, int64_t to) const { return moves.cost[action] * (entry.empty() ? 1.0 : entry[to]); }
};

bool same(double one, double other) { return one == other || std::abs(one - other) < 1e-9 * (1 + std::abs(one)); }

// Whether a path is made of moves, ends at a goal and costs what it says.
bool is_path(const Map& map, const Path& path, int64_t start, const std::vector<int64_t>& goals) {
    if (path.cost == kInfinity) return path.cells.empty();
    if (path.cells.front() != start || std::find(goals.begin(), goals.end(), path.cells.back()) == goals.end()) return false;
    double total = 0;
    for (size_t i = 1; i < path.cells.size(); ++i) {
        double least = kInfinity;
        for (int64_t a = 0; a < map.moves.count(); ++a)
            if (map.after(path.cells[i - 1], a) == path.cells[i]) least = std::min(least, map.cost(a, path.cells[i]));
        total += least;
    }
    return same(total, path.cost);
}

bool agrees(bool physical, double spread) {
    Map map{whole(1, 9), whole(1, 9), {}, {}, {}};
    const int64_t cells = map.height * map.width, actions = physical ? 8 : whole(1, kMostActions);
    map.blocked.resize(cells);
    for (uint8_t& cell : map.blocked) cell = whole(0, 9) < 3;
    if (whole(0, 1)) {
        map.entry.resize(cells);
        for (double& factor : map.entry) factor = std::exp(real(-spread, spread));
    }
    for (int64_t a = 0; a < actions; ++a) {
        const int64_t neighbour = a < 4 ? 2 * a + 1 : 2 * (a - 4) + (a > 5);  // four straight ones, then the corners
        map.moves.down.push_back(physical ? neighbour / 3 - 1 : whole(-1, 1));
        map.moves.right.push_back(physical ? neighbour % 3 - 1 : whole(-1, 1));
        map.moves.cost.push_back(physical ? (a < 4 ? 1.0 : std::sqrt(2.0)) : real(0.1, 2));
    }
    for (uint16_t& set : map.moves.available) set = static_cast<uint16_t>(whole(0, (1 << actions) - 1) | whole(0, (1 << actions) - 1));
    GridSearch search(map.height, map.width, map.blocked.data(), map.entry.empty() ? nullptr : map.entry.data(), map.moves);
    for (int round = 0; round < 3; ++round) {
        std::vector<int64_t> goals(whole(1, 3));
        for (int64_t& goal : goals) goal = whole(0, cells - 1);
        std::vector<double> expected(cells, kInfinity);
        for (const int64_t goal : goals) expected[goal] = 0;
        for (int64_t step = 0; step < cells; ++step)
            for (int64_t cell = 0; cell < cells; ++cell)
                for (int64_t a = 0; a < actions; ++a)
                    if (const int64_t to = map.after(cell, a); to >= 0)
                        expected[cell] = std::min(expected[cell], map.cost(a, to) + expected[to]);
        search.solve(goals);
        for (int64_t cell = 0; cell < cells; ++cell) {
            const Path found = search.find(cell, goals), followed = search.follow(cell);
            if (!same(expected[cell], search.distance()[cell]) || !same(expected[cell], found.cost)) return false;
            if (!is_path(map, found, cell, goals) || !is_path(map, followed, cell, goals)) return false;
            const auto [count, walked] = search.walk(found.cells.data(), static_cast<int64_t>(found.cells.size()));
            if (found.cost < kInfinity && (count != static_cast<int64_t>(found.cells.size()) || !same(walked, found.cost))) return false;
            if (search.available(cell) != map.available(cell)) return false;
        }
        const int64_t changed = whole(0, cells - 1);
        map.blocked[changed] ^= 1;
        search.set_blocked(changed, map.blocked[changed]);
        if (search.is_blocked(changed) != (map.blocked[changed] != 0) || !search.distance().empty()) return false;
    }
    return true;
}

}  // namespace

int main() {
    for (int i = 0; i < 200; ++i)
        for (const bool physical : {true, false})
            for (const double spread : {0.5, 9.0})  // the second too wide for buckets: a heap
                if (!agrees(physical, spread)) return std::printf("case %d, physical %d, spread %g\n", i, physical, spread), 1;
    std::printf("all cases agree\n");
}
