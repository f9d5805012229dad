// Python's door to the search on one map: checks sizes, lets go of the interpreter lock, calls grid_search.cpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "grid_search.h"

namespace nb = nanobind;
using namespace torchvin;

namespace {

template <class T> using Plane = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T> using Row = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void expect(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

// A vector as a NumPy array that owns it.
template <class T> nb::ndarray<nb::numpy, T, nb::ndim<1>> array_of(std::vector<T> values) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* memory) noexcept { delete static_cast<std::vector<T>*>(memory); });
    return {kept->data(), {kept->size()}, owner};
}

// The search, with every cell that comes from Python checked.
class Door {
public:
    Door(Plane<uint8_t> blocked, std::optional<Plane<double>> entry_cost, nb::ndarray<const int64_t, nb::ndim<2>, nb::c_contig> steps,
         Row<double> costs, Row<uint16_t> available)
        : search_(size(blocked, 0), size(blocked, 1), blocked.data(), entry_data(blocked, entry_cost),
                  moves_of(steps, costs, available)) {}

    nb::tuple find(int64_t start, const std::vector<int64_t>& goals) {
        check(start);
        for (const int64_t goal : goals) check(goal);
        Path path;
        {
            nb::gil_scoped_release released;
            path = search_.find(start, goals);
        }
        return nb::make_tuple(path.cost, array_of(std::move(path.cells)), path.expanded);
    }
    void solve(const std::vector<int64_t>& goals) {
        for (const int64_t goal : goals) check(goal);
        nb::gil_scoped_release released;
        search_.solve(goals);
    }
    nb::tuple follow(int64_t start) const {
        check(start);
        Path path = search_.follow(start);
        return nb::make_tuple(path.cost, array_of(std::move(path.cells)));
    }
    nb::tuple solution() const { return nb::make_tuple(array_of(search_.distance()), array_of(search_.choice())); }
    void set_blocked(int64_t cell, bool blocked) {
        check(cell);
        search_.set_blocked(cell, blocked);
    }
    nb::tuple walk(Row<int32_t> cells) const {
        for (size_t i = 0; i < cells.shape(0); ++i) check(cells.data()[i]);
        const auto [count, cost] = search_.walk(cells.data(), static_cast<int64_t>(cells.shape(0)));
        return nb::make_tuple(count, cost);
    }

private:
    static int64_t size(const Plane<uint8_t>& plane, size_t axis) { return static_cast<int64_t>(plane.shape(axis)); }

    static const double* entry_data(const Plane<uint8_t>& blocked, const std::optional<Plane<double>>& entry_cost) {
        expect(blocked.size() > 0 && blocked.size() < (size_t{1} << 31), "a map has 1 to 2^31 cells");
        if (!entry_cost) return nullptr;
        expect(entry_cost->shape(0) == blocked.shape(0) && entry_cost->shape(1) == blocked.shape(1), "entry costs have another size");
        return entry_cost->data();
    }

    static Moves moves_of(const nb::ndarray<const int64_t, nb::ndim<2>, nb::c_contig>& steps, const Row<double>& costs,
                          const Row<uint16_t>& available) {
        const size_t actions = costs.shape(0);
        expect(actions >= 1 && actions <= kMostActions, "1 to 16 actions");
        expect(steps.shape(0) == actions && steps.shape(1) == 2, "steps must be [A, 2]");
        expect(available.shape(0) == kPatterns, "available must have 512 sets");
        Moves moves;
        for (size_t a = 0; a < actions; ++a) {
            const int64_t down = steps.data()[2 * a], right = steps.data()[2 * a + 1];
            expect(down >= -1 && down <= 1 && right >= -1 && right <= 1, "a step leads to one of the eight neighbours");
            moves.down.push_back(down);
            moves.right.push_back(right);
            moves.cost.push_back(costs.data()[a]);
        }
        for (int64_t p = 0; p < kPatterns; ++p) {
            expect(available.data()[p] >> actions == 0, "a set holds an action that does not exist");
            moves.available[p] = available.data()[p];
        }
        return moves;
    }

    void check(int64_t cell) const { expect(cell >= 0 && cell < search_.cells(), "no such cell"); }

    GridSearch search_;
};

}  // namespace

void bind_grid_search(nb::module_& module) {
    nb::class_<Door>(module, "GridSearch")
        .def(nb::init<Plane<uint8_t>, std::optional<Plane<double>>, nb::ndarray<const int64_t, nb::ndim<2>, nb::c_contig>,
                      Row<double>, Row<uint16_t>>(),
             nb::arg("blocked"), nb::arg("entry_cost").none(), nb::arg("steps"), nb::arg("costs"), nb::arg("available"))
        .def("find", &Door::find)
        .def("solve", &Door::solve)
        .def("follow", &Door::follow)
        .def("solution", &Door::solution)
        .def("set_blocked", &Door::set_blocked)
        .def("walk", &Door::walk);
}
