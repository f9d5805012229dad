#include "value_iteration.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "layout.h"
#include "sweeps.h"
#include "team.h"

namespace torchvin {
namespace {

// A map is cut into bands of about this many cells. Sums over a band are kept apart and added in order, so that results
// do not depend on how many threads there are.
constexpr ptrdiff_t band_cells = 8192;
// Below so many multiply-adds a second thread costs more than it brings (starting one takes some 30 us).
constexpr double least_work_for_threads = 1e7;
// Gradients of the kernel are summed in T for so many iterations, then in double.
constexpr int64_t iterations_between_flushes = 16;

// What is kept for going back is megabytes of fresh memory: in pages of 4 kB, the machine's first touch of each costs as
// much as planning.
void prefer_large_pages([[maybe_unused]] void* from, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
    constexpr uintptr_t page = 4096;
    const auto first = (reinterpret_cast<uintptr_t>(from) + page - 1) / page * page;
    const auto last = (reinterpret_cast<uintptr_t>(from) + bytes) / page * page;
    if (last > first + (1 << 21)) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

template <class T> class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(size_t count) : count_(count), data_(static_cast<T*>(std::aligned_alloc(64, bytes(count)))) {
        if (!data_) throw std::bad_alloc();
        clear();
    }
    T* get() const { return data_.get(); }
    T& operator[](size_t index) const { return data_.get()[index]; }
    void clear() const { std::memset(static_cast<void*>(data_.get()), 0, bytes(count_)); }

  private:
    static size_t bytes(size_t count) { return std::max<size_t>((count * sizeof(T) + 63) / 64 * 64, 64); }
    struct Free {
        void operator()(T* data) const { std::free(data); }
    };
    size_t count_ = 0;
    std::unique_ptr<T, Free> data_;
};

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

template <class T> const Sweeps<T>& choose(const std::string& name) {
    const auto sets = available<T>();
    for (const auto& set : sets)
        if (name.empty() || name == set.name) return *set.sweeps;
    throw std::invalid_argument("this machine has no instruction set '" + name + "'");
}

// What all maps of a call share.
template <class T> struct Plan {
    const Shape shape;
    const Sweeps<T>& sweeps;
    const Layout layout;
    const int64_t O, A, window, taps, taps9, lanes;
    int64_t chunk, chunks, bands, band_vectors, entries;
    std::vector<ptrdiff_t> offsets;      // of the taps, all input orientations
    std::vector<ptrdiff_t> window_only;  // of one orientation's
    Buffer<T> weights;                   // [S][O][chunks][taps][chunk]
    Buffer<unsigned char> mask;

    Plan(const Shape& shape, const Sweeps<T>& sweeps, const T* kernel)
        : shape(shape), sweeps(sweeps), layout(shape.height, shape.width, shape.kernel_size, sweeps.lanes),
          O(shape.orientations), A(shape.actions), window(shape.kernel_size * shape.kernel_size), taps(O * window),
          taps9((taps + 8) / 9 * 9), lanes(sweeps.lanes) {
        chunk = sweeps.chunk_size(static_cast<int>(A));
        chunks = (A + chunk - 1) / chunk;
        band_vectors = band_cells / lanes;
        bands = (layout.vectors + band_vectors - 1) / band_vectors;
        entries = (A + 15) / 16 * 16;
        for (int64_t o = 0; o < O; ++o)
            for (int64_t d = 0; d < window; ++d) {
                const ptrdiff_t row = d / shape.kernel_size - layout.pad, col = d % shape.kernel_size - layout.pad;
                if (o == 0) window_only.push_back(row * layout.stride + col);
                offsets.push_back(o * layout.plane + row * layout.stride + col);
            }
        while (static_cast<int64_t>(offsets.size()) < taps9) offsets.push_back(offsets[0]);
        weights = Buffer<T>(shape.kernels * O * chunks * taps * chunk);
        for (int64_t s = 0; s < shape.kernels; ++s)
            for (int64_t o = 0; o < O; ++o)
                for (int64_t a = 0; a < A; ++a)
                    for (int64_t t = 0; t < taps; ++t)
                        weights[(((s * O + o) * chunks + a / chunk) * taps + t) * chunk + a % chunk] =
                            kernel[((s * O + o) * A + a) * taps + t];
        mask = Buffer<unsigned char>(layout.vectors * lanes * sizeof(T));
        for (int64_t row = 0; row < shape.height; ++row)
            std::memset(mask.get() + row * layout.stride * sizeof(T), 0xff, shape.width * sizeof(T));
    }

    int64_t kernel_of(int64_t iteration) const { return shape.kernels == 1 ? 0 : iteration; }
    int64_t cells() const { return shape.height * shape.width; }
    double work() const { return double(shape.batch) * (shape.iterations + 1) * O * A * taps * layout.span; }
    std::pair<ptrdiff_t, ptrdiff_t> band(int64_t index) const {
        return {index * band_vectors, std::min<ptrdiff_t>((index + 1) * band_vectors, layout.vectors)};
    }
    typename Sweeps<T>::Update update(const T* value, const T* q, int64_t iteration, int64_t o) const {
        return {value + layout.origin, offsets.data(), int(taps), int(chunks), int(chunk), layout.vectors,
                weights.get() + (kernel_of(iteration) * O + o) * chunks * taps * chunk, q + o * q_size(), mask.get()};
    }
    int64_t q_step() const { return chunk * lanes; }
    int64_t q_place(int64_t o, int64_t a) const {
        return o * q_size() + a / chunk * layout.vectors * q_step() + a % chunk * lanes;
    }
    int64_t q_size() const { return layout.vectors * chunks * chunk * lanes; }
};

// Planes that planning on one map needs.
template <class T> struct Field {
    const Plan<T>& plan;
    Buffer<T> q, value[2];
    Buffer<uint8_t> action;  // planes like a value's
    bool finite = true;

    explicit Field(const Plan<T>& plan)
        : plan(plan), q(plan.O * plan.q_size()), action(plan.O * plan.layout.plane) {
        for (auto& buffer : value) buffer = Buffer<T>(plan.O * plan.layout.plane);
        for (int64_t at = plan.A; at < plan.chunks * plan.chunk; ++at)  // fills up the last chunk, and never wins
            for (int64_t o = 0; o < plan.O; ++o)
                for (int64_t v = 0; v < plan.layout.vectors; ++v)
                    for (int64_t lane = 0; lane < plan.lanes; ++lane)
                        q[plan.q_place(o, at) + v * plan.q_step() + lane] =
                            -std::numeric_limits<T>::infinity();
    }

    void read_reward(const T* q_reward) {
        for (int64_t o = 0; o < plan.O; ++o)
            for (int64_t a = 0; a < plan.A; ++a)
                finite &= !plan.sweeps.expand(q_reward + (o * plan.A + a) * plan.cells(), plan.mask.get(),
                                              plan.layout.vectors, plan.q_step(), q.get() + plan.q_place(o, a));
    }
    void read_value(const T* dense, T* planes) {
        for (int64_t o = 0; o < plan.O; ++o)
            finite &= !plan.sweeps.expand(dense + o * plan.cells(), plan.mask.get(), plan.layout.vectors, plan.lanes,
                                          planes + o * plan.layout.plane + plan.layout.origin);
    }
    void keep_planes(const T* planes, T* to) const {
        for (int64_t o = 0; o < plan.O; ++o)
            std::memcpy(to + o * plan.layout.span, planes + o * plan.layout.plane + plan.layout.origin,
                        plan.layout.span * sizeof(T));
    }
    template <class Number> void restore_planes(const Number* from, Number* planes) const {
        for (int64_t o = 0; o < plan.O; ++o)
            std::memcpy(planes + o * plan.layout.plane + plan.layout.origin, from + o * plan.layout.span,
                        plan.layout.span * sizeof(Number));
    }

    // V_{k+1} from V_k, and where wanted V_k into `keep_value` and the actions taken into `keep_action`.
    void step(int64_t k, const T* from, T* to, T* keep_value, uint8_t* keep_action, Team& team) {
        if (keep_value) keep_planes(from, keep_value);
        team.for_each(plan.bands, [&](int64_t index, int) {
            const auto [first, last] = plan.band(index);
            for (int64_t o = 0; o < plan.O; ++o) {
                const ptrdiff_t place = o * plan.layout.plane + plan.layout.origin;
                plan.sweeps.maximise(plan.update(from, q.get(), k, o), first, last, to + place,
                                     keep_action ? action.get() + place : nullptr);
            }
        });
        if (keep_action)
            for (int64_t o = 0; o < plan.O; ++o)
                std::memcpy(keep_action + o * plan.layout.span,
                            action.get() + o * plan.layout.plane + plan.layout.origin, plan.layout.span);
    }
};

template <class T> void plan_map(const Plan<T>& plan, const Forward<T>& f, int64_t b, Field<T>& field, Team& team) {
    const Shape& shape = plan.shape;
    const int64_t channels = plan.O * plan.A, kept = plan.O * plan.layout.span;
    field.read_reward(f.q_reward + b * channels * plan.cells());
    field.read_value(f.value + b * plan.O * plan.cells(), field.value[0].get());
    T *from = field.value[0].get(), *to = field.value[1].get();
    for (int64_t k = 0; k < shape.iterations; ++k) {
        const bool keep = shape.keep_every && k % shape.keep_every == 0;
        field.step(k, from, to, keep ? f.values + (b * shape.kept_values() + k / shape.keep_every) * kept : nullptr,
                   shape.keep_every == 1 ? f.actions + (b * shape.iterations + k) * kept : nullptr, team);
        std::swap(from, to);
    }
    T worst = 0;
    for (int64_t o = 0; o < plan.O; ++o) {
        const T* value = from + o * plan.layout.plane + plan.layout.origin;
        T* out = field.q.get() + o * plan.q_size();  // in place: each q has done its duty once its Q is known
        team.for_each(plan.bands, [&](int64_t index, int) {
            const auto [first, last] = plan.band(index);
            plan.sweeps.look_ahead(plan.update(from, field.q.get(), shape.iterations, o), first, last, out);
        });
        for (int64_t a = 0; a < plan.A; ++a)
            plan.sweeps.compress(field.q.get() + plan.q_place(o, a), plan.mask.get(), plan.layout.vectors, plan.q_step(), false,
                                 f.q_values + ((b * plan.O + o) * plan.A + a) * plan.cells());
        field.finite &= !plan.sweeps.compress(value, plan.mask.get(), plan.layout.vectors, plan.lanes, false,
                                              f.final_value + (b * plan.O + o) * plan.cells());
        auto update = plan.update(from, out, shape.iterations, o);
        update.value = value;
        worst = std::max(worst, plan.sweeps.residual(update, out, int(plan.A)));
    }
    f.residual[b] = worst;
}

// One thread's planes for going back.
template <class T> struct Tape {
    Buffer<T> gradient[2], q_gradient, dense, packed, lanes_sum;
    std::vector<T> kept_values;
    std::vector<uint8_t> kept_actions;

    explicit Tape(const Plan<T>& plan)
        : q_gradient(plan.O * plan.layout.vectors * plan.A * plan.lanes), dense(plan.O * plan.A * plan.layout.plane),
          packed(plan.layout.vectors * plan.lanes), lanes_sum(plan.bands * plan.O * plan.A * plan.taps9 * plan.lanes) {
        for (auto& buffer : gradient) buffer = Buffer<T>(plan.O * plan.layout.plane);
        if (plan.shape.keep_every > 1) {
            const int64_t count = std::min(plan.shape.keep_every, plan.shape.iterations) * plan.O * plan.layout.span;
            kept_values.resize(count);
            kept_actions.resize(count);
        }
    }
};

// What going back shares: the kernel as tables of actions, and as taps of the transposed look-ahead.
template <class T> struct Transposed {
    Buffer<T> tables;   // [S][O in][O out][window][entries]
    Buffer<T> weights;  // [O in][O out * A * window], the look-ahead's
    std::vector<ptrdiff_t> offsets;

    Transposed(const Plan<T>& plan, const T* kernel)
        : tables(plan.shape.kernels * plan.O * plan.O * plan.window * plan.entries),
          weights(plan.O * plan.O * plan.A * plan.window) {
        const T* last = kernel + plan.kernel_of(plan.shape.iterations) * plan.O * plan.A * plan.taps;
        for (int64_t o = 0; o < plan.O; ++o)
            for (int64_t a = 0; a < plan.A; ++a)
                for (int64_t in = 0; in < plan.O; ++in)
                    for (int64_t d = 0; d < plan.window; ++d) {
                        const int64_t from = ((o * plan.A + a) * plan.O + in) * plan.window + d;
                        weights[in * plan.O * plan.A * plan.window + (o * plan.A + a) * plan.window + d] = last[from];
                        for (int64_t s = 0; s < plan.shape.kernels; ++s)
                            tables[(((s * plan.O + in) * plan.O + o) * plan.window + d) * plan.entries + a] =
                                kernel[s * plan.O * plan.A * plan.taps + from];
                    }
        for (int64_t channel = 0; channel < plan.O * plan.A; ++channel)
            for (int64_t d = 0; d < plan.window; ++d)
                offsets.push_back(channel * plan.layout.plane - plan.window_only[d]);
    }
};

// Adds the lanes of every band to `to` [O*A*taps], in order, and clears them.
template <class T> void flush(const Plan<T>& plan, const Tape<T>& tape, double* to) {
    T* from = tape.lanes_sum.get();
    for (int64_t band = 0; band < plan.bands; ++band)
        for (int64_t channel = 0; channel < plan.O * plan.A; ++channel)
            for (int64_t tap = 0; tap < plan.taps9; ++tap, from += plan.lanes) {
                if (tap >= plan.taps) continue;
                for (int64_t half = plan.lanes / 2; half > 0; half /= 2)
                    for (int64_t lane = 0; lane < half; ++lane) from[lane] += from[lane + half];
                to[channel * plan.taps + tap] += from[0];
            }
    tape.lanes_sum.clear();
}

template <class T>
void go_back(const Plan<T>& plan, const Transposed<T>& transposed, const Backward<T>& g, int64_t b, Field<T>& field,
             Tape<T>& tape, double* kernel_sums, Team& team) {
    const Shape& shape = plan.shape;
    const int64_t channels = plan.O * plan.A, kept = plan.O * plan.layout.span, cells = plan.cells();
    const ptrdiff_t plane = plan.layout.plane, origin = plan.layout.origin;
    const bool weights = g.grad_kernel != nullptr;
    T *now = tape.gradient[0].get(), *before = tape.gradient[1].get(), *value = field.value[0].get();
    const auto sums_of = [&](int64_t k) { return kernel_sums + plan.kernel_of(k) * channels * plan.taps; };
    const auto lanes_of = [&](int64_t band, int64_t o) {
        return weights ? tape.lanes_sum.get() + ((band * plan.O + o) * plan.A) * plan.taps9 * plan.lanes : nullptr;
    };
    tape.q_gradient.clear();

    // The look-ahead: every action carries gradient.
    for (int64_t channel = 0; channel < channels; ++channel)
        plan.sweeps.expand(g.grad_q_values + (b * channels + channel) * cells, plan.mask.get(), plan.layout.vectors,
                           plan.lanes, tape.dense.get() + channel * plane + origin);
    field.read_value(g.final_value + b * plan.O * cells, value);
    for (int64_t o = 0; o < plan.O; ++o) {
        plan.sweeps.expand(g.grad_value + (b * plan.O + o) * cells, plan.mask.get(), plan.layout.vectors, plan.lanes,
                           tape.packed.get());
        const int64_t taps = channels * plan.window;
        const typename Sweeps<T>::Update update{tape.dense.get() + origin, transposed.offsets.data(), int(taps), 1, 1, plan.layout.vectors,
                                                transposed.weights.get() + o * taps, tape.packed.get(), plan.mask.get()};
        team.for_each(plan.bands, [&](int64_t index, int) {
            const auto [first, last] = plan.band(index);
            plan.sweeps.maximise(update, first, last, now + o * plane + origin, nullptr);
            if (weights)
                plan.sweeps.correlate({tape.dense.get() + o * plan.A * plane + origin, nullptr, plane, value + origin,
                                       plan.offsets.data(), int(plan.taps9), int(plan.A), nullptr, lanes_of(index, o)},
                                      first, last);
        });
    }
    if (weights && (shape.kernels > 1 || shape.iterations == 0)) flush(plan, tape, sums_of(shape.iterations));

    const int64_t segment = std::max<int64_t>(shape.keep_every, 1);
    bool reward_read = false;
    for (int64_t k = shape.iterations - 1; k >= 0; --k) {
        const T* values = g.values + (b * shape.kept_values() + k / segment) * kept;
        const uint8_t* actions = g.actions + (b * shape.iterations + k) * kept;
        if (segment > 1) {
            const int64_t first = k / segment * segment;
            if (k == shape.iterations - 1 || (k + 1) % segment == 0) {  // plan the segment again, this time keeping all
                if (!reward_read) field.read_reward(g.q_reward + b * channels * cells);
                reward_read = true;
                T *from = field.value[0].get(), *to = field.value[1].get();
                field.restore_planes(values, from);
                for (int64_t again = first; again <= k; ++again) {
                    field.step(again, from, to, tape.kept_values.data() + (again - first) * kept,
                               tape.kept_actions.data() + (again - first) * kept, team);
                    std::swap(from, to);
                }
            }
            values = tape.kept_values.data() + (k - first) * kept;
            actions = tape.kept_actions.data() + (k - first) * kept;
        }
        field.restore_planes(values, value);
        field.restore_planes(actions, field.action.get());
        team.for_each(plan.bands, [&](int64_t index, int) {
            const auto [first, last] = plan.band(index);
            for (int64_t o = 0; o < plan.O; ++o) {
                const ptrdiff_t place = o * plane + origin;
                plan.sweeps.correlate({now + place, field.action.get() + place, 0, value + origin, plan.offsets.data(),
                                       int(plan.taps9), int(plan.A),
                                       tape.q_gradient.get() + o * plan.layout.vectors * plan.A * plan.lanes,
                                       lanes_of(index, o)},
                                      first, last);
                for (int64_t in = 0; in < plan.O; ++in)
                    plan.sweeps.gather({now + place, field.action.get() + place, plan.window_only.data(), int(plan.window),
                                        int(plan.A),
                                        transposed.tables.get() + ((plan.kernel_of(k) * plan.O + in) * plan.O + o) *
                                                                      plan.window * plan.entries,
                                        plan.mask.get(), o > 0},
                                       first, last, before + in * plane + origin);
            }
        });
        std::swap(now, before);
        if (weights && (shape.kernels > 1 || k % iterations_between_flushes == 0)) flush(plan, tape, sums_of(k));
    }

    std::memcpy(g.grad_q_reward + b * channels * cells, g.grad_q_values + b * channels * cells, channels * cells * sizeof(T));
    for (int64_t o = 0; o < plan.O; ++o) {
        for (int64_t a = 0; a < plan.A; ++a)
            plan.sweeps.compress(tape.q_gradient.get() + (o * plan.layout.vectors * plan.A + a) * plan.lanes, plan.mask.get(),
                                 plan.layout.vectors, plan.A * plan.lanes, true,
                                 g.grad_q_reward + (b * channels + o * plan.A + a) * cells);
        plan.sweeps.compress(now + o * plane + origin, plan.mask.get(), plan.layout.vectors, plan.lanes, false,
                             g.grad_initial + (b * plan.O + o) * cells);
    }
}

// Few large maps share the threads by bands, many maps by map.
template <class T> std::pair<int, int> share_threads(const Plan<T>& plan, int threads) {
    if (plan.work() < least_work_for_threads) return {1, 1};
    const auto maps = static_cast<int>(std::min<int64_t>(plan.shape.batch, threads));
    if (maps == threads || plan.bands == 1) return {maps, 1};
    return {1, threads};
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const auto& set : available<float>()) names.push_back(set.name);
    return names;
}

double peak_gflops(double seconds, const std::string& instruction_set) {
    return 2 * choose<float>(instruction_set).peak(seconds);
}

template <class T>
bool forward(const Shape& shape, const Forward<T>& f, int threads, const std::string& instruction_set) {
    const Plan<T> plan(shape, choose<T>(instruction_set), f.kernel);
    const int64_t count = shape.kernels * plan.O * plan.A * plan.taps;
    for (int64_t index = 0; index < count; ++index)
        if (!(f.kernel[index] - f.kernel[index] == 0)) return false;
    const size_t kept = shape.batch * plan.O * shape.span();
    prefer_large_pages(f.values, shape.kept_values() * kept * sizeof(T));
    if (shape.keep_every == 1) prefer_large_pages(f.actions, shape.iterations * kept);
    const auto [outer_size, inner_size] = share_threads(plan, threads);
    Team outer(outer_size), inner(inner_size);
    std::vector<std::unique_ptr<Field<T>>> fields(outer_size);
    outer.for_each(shape.batch, [&, &inner = inner](int64_t b, int member) {
        if (!fields[member]) fields[member] = std::make_unique<Field<T>>(plan);
        plan_map(plan, f, b, *fields[member], inner);
    });
    bool finite = true;
    for (const auto& field : fields) finite &= !field || field->finite;
    return finite;
}

template <class T>
void backward(const Shape& shape, const Backward<T>& g, int threads, const std::string& instruction_set) {
    const Plan<T> plan(shape, choose<T>(instruction_set), g.kernel);
    const Transposed<T> transposed(plan, g.kernel);
    const int64_t count = shape.kernels * plan.O * plan.A * plan.taps;
    std::vector<double> sums(g.grad_kernel ? shape.batch * count : 0);
    const auto [outer_size, inner_size] = share_threads(plan, threads);
    Team outer(outer_size), inner(inner_size);
    std::vector<std::unique_ptr<Field<T>>> fields(outer_size);
    std::vector<std::unique_ptr<Tape<T>>> tapes(outer_size);
    outer.for_each(shape.batch, [&, &inner = inner](int64_t b, int member) {
        if (!fields[member]) {
            fields[member] = std::make_unique<Field<T>>(plan);
            tapes[member] = std::make_unique<Tape<T>>(plan);
        }
        go_back(plan, transposed, g, b, *fields[member], *tapes[member], sums.data() + b * count, inner);
    });
    if (!g.grad_kernel) return;
    for (int64_t index = 0; index < count; ++index) {
        double sum = 0;
        for (int64_t b = 0; b < shape.batch; ++b) sum += sums[b * count + index];
        g.grad_kernel[index] = static_cast<T>(sum);
    }
}

template bool forward<float>(const Shape&, const Forward<float>&, int, const std::string&);
template bool forward<double>(const Shape&, const Forward<double>&, int, const std::string&);
template void backward<float>(const Shape&, const Backward<float>&, int, const std::string&);
template void backward<double>(const Shape&, const Backward<double>&, int, const std::string&);

}  // namespace torchvin
