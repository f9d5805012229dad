// Python's door to the graph search: checks shapes, lets go of the interpreter lock, calls shortest_path.cpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "shortest_path.h"

namespace nb = nanobind;
using namespace torchvin;

namespace {

template <class T> using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<uint8_t, nb::c_contig, nb::device::cpu>;

void expect(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

using Steps = nb::ndarray<const int64_t, nb::c_contig, nb::device::cpu>;

// steps [O*A, 3]: orientation, down, right of each channel. cost [B, O*A, H, W], plane [B, O, H, W].
template <class C, class P> Grid grid_of(const Steps& steps, const C& cost, const P& plane) {
    const auto size = [](const auto& array, size_t axis) { return static_cast<int64_t>(array.shape(axis)); };
    expect(cost.ndim() == 4 && plane.ndim() == 4 && steps.ndim() == 2 && steps.shape(1) == 3, "wrong number of axes");
    const int64_t orientations = size(plane, 1);
    expect(orientations > 0 && size(cost, 1) % orientations == 0 && size(steps, 0) == size(cost, 1), "channels do not match");
    for (size_t axis : {0, 2, 3}) expect(cost.shape(axis) == plane.shape(axis), "cost and goal_cost have different sizes");
    const Grid grid{size(cost, 0), orientations, size(cost, 1) / orientations, size(cost, 2), size(cost, 3),
                    reinterpret_cast<const Step*>(steps.data())};
    expect(grid.actions >= 1 && grid.actions <= 254, "1 to 254 actions");
    expect(grid.states() < (int64_t{1} << 31), "a map has at most 2^31 states");
    for (size_t channel = 0; channel < cost.shape(1); ++channel)
        expect(grid.steps[channel].orientation >= 0 && grid.steps[channel].orientation < orientations, "no such orientation");
    return grid;
}

template <class T>
void run_shortest_paths(Steps steps, Array<const T> cost, Array<const T> goal_cost, int threads, Array<double> distance,
                        Bytes choice, Array<int32_t> order) {
    const Grid grid = grid_of(steps, cost, goal_cost);
    const size_t states = grid.batch * grid.states();
    expect(distance.size() == states && choice.size() == states && order.size() == states, "results have another size");
    nb::gil_scoped_release released;
    shortest_paths<T>(grid, cost.data(), goal_cost.data(), threads, distance.data(), choice.data(), order.data());
}

template <class T>
void run_shortest_paths_backward(Steps steps, Array<const double> grad_distance, Bytes choice, Array<const int32_t> order,
                                 int threads, Array<T> grad_cost, Array<T> grad_goal_cost) {
    const Grid grid = grid_of(steps, grad_cost, grad_goal_cost);
    const size_t states = grid.batch * grid.states();
    expect(grad_distance.size() == states && choice.size() == states && order.size() == states, "plan has another size");
    nb::gil_scoped_release released;
    shortest_paths_backward<T>(grid, grad_distance.data(), choice.data(), order.data(), threads, grad_cost.data(),
                               grad_goal_cost.data());
}

}  // namespace

void bind_shortest_paths(nb::module_& module) {
    module.def("shortest_paths", &run_shortest_paths<float>);
    module.def("shortest_paths", &run_shortest_paths<double>);
    module.def("shortest_paths_backward", &run_shortest_paths_backward<float>);
    module.def("shortest_paths_backward", &run_shortest_paths_backward<double>);
}
