// Python's door: checks shapes, lets go of the interpreter lock, calls value_iteration.cpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "shortest_path.h"
#include "value_iteration.h"

namespace nb = nanobind;
using namespace torchvin;

template <class T> using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
using Bytes = nb::ndarray<uint8_t, nb::c_contig, nb::device::cpu>;

namespace {

void expect(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

template <class T, class K> Shape shape_of(const Array<T>& q, const Array<K>& kernel, int64_t iterations, int64_t keep_every) {
    expect(q.ndim() == 4, "q_reward must be [B, O*A, H, W]");
    expect(kernel.ndim() == 5, "kernel must be [S, O*A, O, F, F]");
    const auto size = [](const auto& array, size_t axis) { return static_cast<int64_t>(array.shape(axis)); };
    const int64_t orientations = size(kernel, 2);
    expect(orientations > 0 && size(kernel, 1) == size(q, 1) && size(q, 1) % orientations == 0, "channels do not match");
    expect(size(kernel, 3) == size(kernel, 4) && size(kernel, 3) % 2 == 1, "kernel must be square and odd");
    const Shape shape{size(q, 0), orientations, size(q, 1) / orientations, size(q, 2), size(q, 3), size(kernel, 3),
                      size(kernel, 0), iterations, keep_every};
    expect(iterations >= 0 && keep_every >= 0, "iterations and keep_every must not be negative");
    expect(shape.kernels == 1 || shape.kernels == iterations + 1, "kernels must be 1 or K + 1");
    expect(shape.actions >= 1 && shape.actions <= 255, "1 to 255 actions");
    return shape;
}

void check_kept(const Shape& s, size_t values, size_t actions) {
    const int64_t plane = s.batch * s.orientations * s.span();
    expect(static_cast<int64_t>(values) == s.kept_values() * plane, "kept values have another size");
    expect(static_cast<int64_t>(actions) == (s.keep_every == 1 ? s.iterations * plane : 0), "kept actions have another size");
}

template <class T>
bool run_forward(Array<const T> q, Array<const T> kernel, Array<const T> value, int64_t iterations, int64_t keep_every,
                 int threads, const std::string& instruction_set, Array<T> q_values, Array<T> final_value, Array<T> residual,
                 Array<T> values, Bytes actions) {
    const Shape shape = shape_of(q, kernel, iterations, keep_every);
    check_kept(shape, values.size(), actions.size());
    const size_t cells = shape.batch * shape.orientations * shape.height * shape.width;
    expect(value.size() == cells && final_value.size() == cells && q_values.size() == q.size() &&
               static_cast<int64_t>(residual.size()) == shape.batch,
           "values, Q values or residual have another size");
    nb::gil_scoped_release released;
    return forward<T>(shape, {q.data(), kernel.data(), value.data(), q_values.data(), final_value.data(), residual.data(),
                              values.data(), actions.data()},
                      threads, instruction_set);
}

template <class T>
void run_backward(Array<const T> grad_q_values, Array<const T> grad_value, Array<const T> q, Array<const T> kernel,
                  Array<const T> final_value, Array<const T> values, Bytes actions, int64_t iterations, int64_t keep_every,
                  int threads, const std::string& instruction_set, Array<T> grad_q, Array<T> grad_kernel,
                  Array<T> grad_initial) {
    const Shape shape = shape_of(q, kernel, iterations, keep_every);
    expect(keep_every > 0 || iterations == 0, "nothing was kept for the backward pass");
    check_kept(shape, values.size(), actions.size());
    const size_t cells = shape.batch * shape.orientations * shape.height * shape.width;
    expect(grad_q_values.size() == q.size() && grad_q.size() == q.size() && grad_value.size() == cells &&
               final_value.size() == cells && grad_initial.size() == cells &&
               (grad_kernel.size() == 0 || grad_kernel.size() == kernel.size()),
           "gradients have another size");
    nb::gil_scoped_release released;
    backward<T>(shape, {grad_q_values.data(), grad_value.data(), q.data(), kernel.data(), final_value.data(), values.data(),
                        actions.data(), grad_q.data(), grad_kernel.size() ? grad_kernel.data() : nullptr, grad_initial.data()},
                threads, instruction_set);
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

NB_MODULE(_cpu, module) {
    module.def("instruction_sets", &instruction_sets);
    module.def("peak_gflops", &peak_gflops, nb::arg("seconds"), nb::arg("instruction_set") = "");
    module.def("forward", &run_forward<float>);
    module.def("forward", &run_forward<double>);
    module.def("backward", &run_backward<float>);
    module.def("backward", &run_backward<double>);
    module.def("shortest_paths", &run_shortest_paths<float>);
    module.def("shortest_paths", &run_shortest_paths<double>);
    module.def("shortest_paths_backward", &run_shortest_paths_backward<float>);
    module.def("shortest_paths_backward", &run_shortest_paths_backward<double>);
}
