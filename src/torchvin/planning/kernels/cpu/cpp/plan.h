// What planning forward and going back share: the kernel laid out for the inner loops, and the planes of one map.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "layout.h"
#include "sweeps.h"
#include "team.h"
#include "value_iteration.h"

namespace torchvin {

// A map is cut into bands of about this many cells. Sums over a band are kept apart and added in order, so that results
// do not depend on how many threads there are.
constexpr ptrdiff_t band_cells = 8192;
// A thread takes small maps several at a time: so many cells.
constexpr ptrdiff_t group_cells = 1024;
// Below so many multiply-adds a second thread costs more than it brings (starting one takes some 30 us).
constexpr double least_work_for_threads = 1e7;

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

template <class T> const Sweeps<T>& choose_sweeps(const std::string& instruction_set);

// What all maps of a call share.
template <class T> struct Plan {
    const Shape shape;
    const Sweeps<T>& sweeps;
    const Layout layout;
    const int64_t O, A, window, taps, lanes;
    int64_t chunk, chunks, bands, band_vectors, group;
    std::vector<ptrdiff_t> offsets;  // of the taps in copies of all orientations, filled up to a multiple of 9
    Buffer<T> weights;               // [S][O][chunks][taps][chunk]

    Plan(const Shape& shape, const Sweeps<T>& sweeps, const T* kernel)
        : shape(shape), sweeps(sweeps), layout(shape.height, shape.width, shape.kernel_size, sweeps.lanes),
          O(shape.orientations), A(shape.actions), window(shape.kernel_size * shape.kernel_size), taps(O * window),
          lanes(sweeps.lanes) {
        chunk = sweeps.chunk_size(static_cast<int>(A));
        chunks = (A + chunk - 1) / chunk;
        band_vectors = band_cells / lanes;
        bands = (layout.vectors + band_vectors - 1) / band_vectors;
        group = std::max<int64_t>(group_cells / (O * layout.cells), 1);
        for (int64_t o = 0; o < O; ++o)
            for (int64_t i = 0; i < shape.kernel_size; ++i)
                for (int64_t j = 0; j < shape.kernel_size; ++j)
                    offsets.push_back((o * shape.kernel_size + j) * layout.plane + layout.row(i));
        while (offsets.size() % 9) offsets.push_back(offsets[0]);
        weights = Buffer<T>(shape.kernels * O * chunks * taps * chunk);
        for (int64_t s = 0; s < shape.kernels; ++s)
            for (int64_t o = 0; o < O; ++o)
                for (int64_t a = 0; a < A; ++a)
                    for (int64_t t = 0; t < taps; ++t)
                        weights[(((s * O + o) * chunks + a / chunk) * taps + t) * chunk + a % chunk] =
                            kernel[((s * O + o) * A + a) * taps + t];
    }

    int64_t kernel_of(int64_t iteration) const { return shape.kernels == 1 ? 0 : iteration; }
    int64_t cells() const { return layout.cells; }
    int64_t groups() const { return (shape.batch + group - 1) / group; }
    std::pair<ptrdiff_t, ptrdiff_t> band(int64_t index) const {
        return {index * band_vectors, std::min<ptrdiff_t>((index + 1) * band_vectors, layout.vectors)};
    }
    // Sizes of one orientation's copies, and of its q.
    int64_t copies_size() const { return shape.kernel_size * layout.plane; }
    int64_t q_size() const { return layout.vectors * chunks * chunk * lanes; }

    // How many threads take groups of maps, and how many share the bands of one map: few large maps, or many.
    std::pair<int, int> share_threads(int threads) const {
        const double work = double(shape.batch) * (shape.iterations + 1) * O * A * taps * cells();
        if (work < least_work_for_threads) return {1, 1};
        const auto outer = static_cast<int>(std::min<int64_t>(groups(), threads));
        if (outer == threads || bands == 1) return {outer, 1};
        return {1, threads};
    }
};

// Planes that planning on one map needs.
template <class T> struct Field {
    const Plan<T>& plan;
    Buffer<T> q, value[2];
    std::vector<typename Sweeps<T>::Reached> reached;  // [bands][O]
    bool finite = true, from_zero = false;
    T *from, *to;  // copies of V_k and of V_{k+1}

    explicit Field(const Plan<T>& plan) : plan(plan), q(plan.O * plan.q_size()), reached(plan.bands * plan.O) {
        for (auto& buffer : value) buffer = Buffer<T>(plan.O * plan.copies_size());
        from = value[0].get() + plan.layout.origin;
        to = value[1].get() + plan.layout.origin;
    }

    void read_reward(const T* q_reward) {
        for (int64_t o = 0; o < plan.O; ++o)
            finite &= !plan.sweeps.interleave(plan.layout, q_reward + o * plan.A * plan.cells(), int(plan.A),
                                              q.get() + o * plan.q_size());
    }
    void read_value(const T* dense) {
        from_zero = true;
        for (int64_t o = 0; o < plan.O; ++o) {
            const auto seen = plan.sweeps.copies(plan.layout, dense + o * plan.cells(), from + o * plan.copies_size());
            finite &= seen.finite;
            from_zero &= seen.zero;
        }
    }

    typename Sweeps<T>::Update update(int64_t k, int64_t o) const {
        const int64_t taps = from_zero ? 0 : plan.taps;  // nothing comes from neighbours worth nothing
        return {&plan.layout, from, plan.offsets.data(), int(taps), int(plan.chunks), int(plan.chunk),
                plan.weights.get() + (plan.kernel_of(k) * plan.O + o) * plan.chunks * plan.taps * plan.chunk,
                q.get() + o * plan.q_size()};
    }

    // V_{k+1} from V_k, and where wanted also into dense planes, with the actions taken.
    void step(int64_t k, T* keep_value, uint8_t* keep_action, Team& team) {
        team.for_each(plan.bands, [&](int64_t index, int) {
            const auto [first, last] = plan.band(index);
            for (int64_t o = 0; o < plan.O; ++o)
                plan.sweeps.maximise(update(k, o), first, last, to + o * plan.copies_size(),
                                     keep_value ? keep_value + o * plan.cells() : nullptr,
                                     keep_action ? keep_action + o * plan.cells() : nullptr);
        });
        std::swap(from, to);
        from_zero = false;
    }

    // The copy that is not shifted.
    const T* own(int64_t o) const { return from + o * plan.copies_size() + plan.layout.pad * plan.layout.plane; }
};

}  // namespace torchvin
