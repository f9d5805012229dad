// Python's door: checks what the sizes must be to each other, lets go of the interpreter lock, calls forward.cpp and
// backward.cpp. Tensors come as addresses: a DLPack exchange of each would take longer than planning on a small map. That
// each has the size, type and layout it should is checked in cpu.py.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "pool.h"
#include "value_iteration.h"

namespace nb = nanobind;
using namespace torchvin;

namespace {

using Address = uintptr_t;
template <class T> T* at(Address address) { return reinterpret_cast<T*>(address); }

// As the fields of Shape lie.
using Sizes = std::array<int64_t, 9>;

Shape shape_of(const Sizes& s) {
    const Shape shape{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]};
    const auto expect = [](bool holds, const char* what) {
        if (!holds) throw nb::value_error(what);
    };
    expect(shape.orientations > 0 && shape.height > 0 && shape.width > 0 && shape.batch >= 0, "channels or sides missing");
    expect(shape.kernel_size % 2 == 1, "kernel must be odd");
    expect(shape.iterations >= 0 && shape.keep_every >= 0, "iterations and keep_every must not be negative");
    expect(shape.kernels == 1 || shape.kernels == shape.iterations + 1, "kernels must be 1 or K + 1");
    expect(shape.actions >= 1 && shape.actions <= 255, "1 to 255 actions");
    return shape;
}

template <class T>
bool run_forward(const Sizes& sizes, const std::array<Address, 8>& a, int threads, const std::string& instruction_set) {
    const Shape shape = shape_of(sizes);
    nb::gil_scoped_release released;
    return forward<T>(shape, {at<T>(a[0]), at<T>(a[1]), at<T>(a[2]), at<T>(a[3]), at<T>(a[4]), at<T>(a[5]), at<T>(a[6]),
                              at<uint8_t>(a[7])},
                      threads, instruction_set);
}

template <class T>
void run_backward(const Sizes& sizes, const std::array<Address, 11>& a, int threads, const std::string& instruction_set) {
    const Shape shape = shape_of(sizes);
    if (shape.keep_every == 0 && shape.iterations > 0) throw nb::value_error("nothing was kept for the backward pass");
    nb::gil_scoped_release released;
    backward<T>(shape, {at<T>(a[0]), at<T>(a[1]), at<T>(a[2]), at<T>(a[3]), at<T>(a[4]), at<T>(a[5]), at<T>(a[6]),
                        at<uint8_t>(a[7]), at<T>(a[8]), at<T>(a[9]), at<T>(a[10])},
                threads, instruction_set);
}

// Bytes from the pool, which go back to it with the last tensor that shares them.
nb::ndarray<nb::pytorch, uint8_t, nb::ndim<1>> lend(size_t bytes) {
    void* from = Pool::shared().take(bytes);
    nb::capsule owner(from, [](void* memory) noexcept { Pool::shared().give_back(memory); });
    return {from, {bytes}, owner};
}

}  // namespace

void bind_shortest_paths(nb::module_&);  // shortest_path_module.cpp
void bind_grid_search(nb::module_&);     // grid_search_module.cpp
void bind_graph_iteration(nb::module_&);  // graph_iteration_module.cpp

NB_MODULE(_cpu, module) {
    module.def("instruction_sets", &instruction_sets);
    module.def("peak_gflops", &peak_gflops, nb::arg("seconds"), nb::arg("instruction_set") = "");
    module.def("lend", &lend);
    module.def("forward_float32", &run_forward<float>);
    module.def("forward_float64", &run_forward<double>);
    module.def("backward_float32", &run_backward<float>);
    module.def("backward_float64", &run_backward<double>);
    bind_shortest_paths(module);
    bind_grid_search(module);
    bind_graph_iteration(module);
}
