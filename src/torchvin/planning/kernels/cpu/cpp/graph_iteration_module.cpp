// Python's door to value iteration on graphs. Tensors come as addresses, and are looked at in kernels/graph/cpu.py.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>

#include "graph_iteration.h"
#include "graph_solve.h"

namespace nb = nanobind;
using namespace torchvin;

namespace {

using Address = uintptr_t;
template <class T> T* at(Address address) { return reinterpret_cast<T*>(address); }

// nodes, edges; then the pointers of Web as they stand there.
template <class T> Web<T> web_of(const std::array<int64_t, 2>& sizes, const std::array<Address, 8>& a) {
    return {sizes[0], sizes[1], at<int64_t>(a[0]), at<int32_t>(a[1]), at<int64_t>(a[2]), at<int32_t>(a[3]), at<T>(a[4]),
            at<int64_t>(a[5]), at<int32_t>(a[6]), at<int32_t>(a[7])};
}

// node_reward, edge_reward, stop_reward.
template <class T> Rewards<T> rewards_of(int64_t queries, const std::array<Address, 3>& a, bool shared_edges, double discount) {
    return {queries, at<T>(a[0]), at<T>(a[1]), shared_edges, at<T>(a[2]), static_cast<T>(discount)};
}

template <class T>
int64_t run_iterate(const std::array<int64_t, 2>& sizes, const std::array<Address, 8>& web, int64_t queries,
                    const std::array<Address, 3>& rewards, bool shared_edges, double discount, int64_t iterations, Address limits,
                    double tolerance, bool may_stop_early, int threads, const std::string& instruction_set, Address value, Address choices, bool keep_all,
                    Address residual) {
    nb::gil_scoped_release released;
    return graph_iterate<T>(web_of<T>(sizes, web), rewards_of<T>(queries, rewards, shared_edges, discount), iterations,
                            at<int64_t>(limits), tolerance, may_stop_early, threads, instruction_set, at<T>(value), at<int32_t>(choices), keep_all,
                            at<T>(residual));
}

// grads: of V_K (becomes that of V_0), node_reward, edge_reward, stop_reward.
template <class T>
void run_backward(const std::array<int64_t, 2>& sizes, const std::array<Address, 8>& web, int64_t queries,
                  const std::array<Address, 3>& rewards, bool shared_edges, double discount, int64_t made, Address limits,
                  Address choices, int threads, const std::array<Address, 4>& grads) {
    nb::gil_scoped_release released;
    graph_backward<T>(web_of<T>(sizes, web), rewards_of<T>(queries, rewards, shared_edges, discount), made, at<int64_t>(limits),
                      at<int32_t>(choices), threads, at<T>(grads[0]), at<T>(grads[1]), at<T>(grads[2]), at<T>(grads[3]));
}

template <class T>
int64_t run_solve(const std::array<int64_t, 2>& sizes, const std::array<Address, 8>& web, int64_t queries,
                  const std::array<Address, 3>& rewards, bool shared_edges, double discount, int64_t iterations, Address limits,
                  int threads, const std::string& instruction_set, Address value, Address choices) {
    nb::gil_scoped_release released;
    return graph_solve<T>(web_of<T>(sizes, web), rewards_of<T>(queries, rewards, shared_edges, discount), iterations,
                          at<int64_t>(limits), threads, instruction_set, at<T>(value), at<int32_t>(choices));
}

// grads: of V (becomes what passes through each node), node_reward, edge_reward, stop_reward.
template <class T>
void run_solve_backward(const std::array<int64_t, 2>& sizes, const std::array<Address, 8>& web, int64_t queries, bool shared_edges,
                        double discount, Address choices, int threads, const std::array<Address, 4>& grads) {
    nb::gil_scoped_release released;
    graph_solve_backward<T>(web_of<T>(sizes, web), rewards_of<T>(queries, {0, 0, 0}, shared_edges, discount), at<int32_t>(choices),
                            threads, at<T>(grads[0]), at<T>(grads[1]), at<T>(grads[2]), at<T>(grads[3]));
}

}  // namespace

void bind_graph_iteration(nb::module_& module) {
    module.def("graph_iterate_float32", &run_iterate<float>);
    module.def("graph_iterate_float64", &run_iterate<double>);
    module.def("graph_backward_float32", &run_backward<float>);
    module.def("graph_backward_float64", &run_backward<double>);
    module.def("graph_solve_float32", &run_solve<float>);
    module.def("graph_solve_float64", &run_solve<double>);
    module.def("graph_solve_backward_float32", &run_solve_backward<float>);
    module.def("graph_solve_backward_float64", &run_solve_backward<double>);
}
