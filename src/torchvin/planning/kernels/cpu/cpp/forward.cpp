// Planning on a batch of maps: each map all its iterations, in cache.
#include <stdexcept>

#include "plan.h"

namespace torchvin {
namespace {

template <class T> struct InstructionSet {
    const char* name;
    const Sweeps<T>* sweeps;
};

template <class T> std::vector<InstructionSet<T>> available() {
    std::vector<InstructionSet<T>> sets;
#if defined(TORCHVIN_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        sets.push_back({"avx512", sweeps_avx512<T>()});
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back({"avx2", sweeps_avx2<T>()});
#endif
    sets.push_back({"plain", sweeps_plain<T>()});
    return sets;
}

template <class T> void plan_map(const Plan<T>& plan, const Forward<T>& f, int64_t b, Field<T>& field, Team& team) {
    const Shape& shape = plan.shape;
    const int64_t channels = plan.O * plan.A, size = shape.plane();
    field.read_reward(f.q_reward + b * channels * plan.cells());
    field.read_value(f.value + b * size);
    T* values = shape.kept_values() ? f.values + shape.guard() + b * shape.kept_values() * size : nullptr;
    uint8_t* actions = shape.kept_actions() ? f.actions + shape.guard() + b * shape.iterations * size : nullptr;
    for (int64_t k = 0; k < shape.iterations; ++k) {
        T* keep = nullptr;
        if (k + 1 == shape.iterations) keep = f.final_value + b * size;
        else if (shape.keep_every && (k + 1) % shape.keep_every == 0) keep = values + ((k + 1) / shape.keep_every - 1) * size;
        field.step(k, keep, actions ? actions + k * size : nullptr, team);
    }
    if (shape.iterations == 0) std::memcpy(f.final_value + b * size, f.value + b * size, size * sizeof(T));
    team.for_each(plan.bands, [&](int64_t index, int) {
        const auto [first, last] = plan.band(index);
        for (int64_t o = 0; o < plan.O; ++o)
            field.reached[index * plan.O + o] =
                plan.sweeps.look_ahead(field.update(shape.iterations, o), first, last, field.own(o), int(plan.A),
                                       f.q_values + (b * channels + o * plan.A) * plan.cells());
    });
    f.residual[b] = 0;
    for (const auto& part : field.reached) {
        f.residual[b] = std::max(f.residual[b], part.residual);
        field.finite &= part.finite;
    }
}

}  // namespace

template <class T> const Sweeps<T>& choose_sweeps(const std::string& name) {
    const auto sets = available<T>();
    for (const auto& set : sets)
        if (name.empty() || name == set.name) return *set.sweeps;
    throw std::invalid_argument("this machine has no instruction set '" + name + "'");
}
template const Sweeps<float>& choose_sweeps<float>(const std::string&);
template const Sweeps<double>& choose_sweeps<double>(const std::string&);

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const auto& set : available<float>()) names.push_back(set.name);
    return names;
}

double peak_gflops(double seconds, const std::string& instruction_set) {
    return 2 * choose_sweeps<float>(instruction_set).peak(seconds);
}

template <class T>
bool forward(const Shape& shape, const Forward<T>& f, int threads, const std::string& instruction_set) {
    const Plan<T> plan(shape, choose_sweeps<T>(instruction_set), f.kernel);
    const int64_t count = shape.kernels * plan.O * plan.A * plan.taps;
    for (int64_t index = 0; index < count; ++index)
        if (!(f.kernel[index] - f.kernel[index] == 0)) return false;
    const auto clear_guards = [&](auto* kept, int64_t planes) {
        if (!planes) return;
        std::fill_n(kept, shape.guard(), 0);
        std::fill_n(kept + shape.kept_size(planes) - shape.guard(), shape.guard(), 0);
    };
    clear_guards(f.values, shape.kept_values());
    clear_guards(f.actions, shape.kept_actions());
    const auto [outer_size, inner_size] = plan.share_threads(threads);
    Team outer(outer_size), inner(inner_size);
    std::vector<std::unique_ptr<Field<T>>> fields(outer_size);
    outer.for_each(plan.groups(), [&, &inner = inner](int64_t index, int member) {
        if (!fields[member]) fields[member] = std::make_unique<Field<T>>(plan);
        for (int64_t b = index * plan.group; b < std::min((index + 1) * plan.group, shape.batch); ++b)
            plan_map(plan, f, b, *fields[member], inner);
    });
    bool finite = true;
    for (const auto& field : fields) finite &= !field || field->finite;
    return finite;
}

template bool forward<float>(const Shape&, const Forward<float>&, int, const std::string&);
template bool forward<double>(const Shape&, const Forward<double>&, int, const std::string&);

}  // namespace torchvin
