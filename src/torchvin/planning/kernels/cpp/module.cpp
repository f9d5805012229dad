// Python's door: checks shapes, lets go of the interpreter lock, calls value_iteration.cpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

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

}  // namespace

void bind_shortest_paths(nb::module_&);  // shortest_path_module.cpp

NB_MODULE(_cpu, module) {
    bind_shortest_paths(module);
    module.def("instruction_sets", &instruction_sets);
    module.def("peak_gflops", &peak_gflops, nb::arg("seconds"), nb::arg("instruction_set") = "");
    module.def("forward", &run_forward<float>);
    module.def("forward", &run_forward<double>);
    module.def("backward", &run_backward<float>);
    module.def("backward", &run_backward<double>);
}
