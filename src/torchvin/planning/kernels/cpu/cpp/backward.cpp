// Going back through the iterations of a batch of maps, along the actions taken.
#include "plan.h"

namespace torchvin {
namespace {

// The gradients of several updates are held at a time: as many as fit in so many bytes, and not more than so many, for
// then sums in T go over to double.
constexpr int64_t bytes_of_gradients = 256 * 1024, least_held = 4, most_held = 64;

// The kernel as tables of actions, and as the last look-ahead's weights with the input orientation first.
template <class T> struct Transposed {
    int64_t entries;
    Buffer<T> tables;   // [S][O in][O out][window][entries]
    Buffer<T> weights;  // [O in][O out * A][window]

    Transposed(const Plan<T>& plan, const T* kernel)
        : entries((plan.A + 15) / 16 * 16), tables(plan.shape.kernels * plan.O * plan.O * plan.window * entries),
          weights(plan.O * plan.O * plan.A * plan.window) {
        const T* last = kernel + plan.kernel_of(plan.shape.iterations) * plan.O * plan.A * plan.taps;
        for (int64_t channel = 0; channel < plan.O * plan.A; ++channel)
            for (int64_t in = 0; in < plan.O; ++in)
                for (int64_t d = 0; d < plan.window; ++d) {
                    const int64_t from = (channel * plan.O + in) * plan.window + d;
                    weights[(in * plan.O * plan.A + channel) * plan.window + d] = last[from];
                    for (int64_t s = 0; s < plan.shape.kernels; ++s)
                        tables[(((s * plan.O + in) * plan.O + channel / plan.A) * plan.window + d) * entries +
                               channel % plan.A] = kernel[s * plan.O * plan.A * plan.taps + from];
                }
    }
    const T* table(const Plan<T>& plan, int64_t k, int64_t in, int64_t o) const {
        return tables.get() + ((plan.kernel_of(k) * plan.O + in) * plan.O + o) * plan.window * entries;
    }
};

// One thread's memory for going back.
template <class T> class Tape {
  public:
    Tape(const Plan<T>& plan, const Backward<T>& g, const Transposed<T>& transposed)
        : plan_(plan), shape_(plan.shape), layout_(plan.layout), g_(g), transposed_(transposed), field_(plan),
          size_(shape_.plane()), channels_(plan.O * plan.A), taps9_(static_cast<int64_t>(plan.offsets.size())), blocks_(taps9_ / 9) {
        const int64_t segment = shape_.keep_every > 1 ? std::min(shape_.keep_every, shape_.iterations) : 0;
        const int64_t plane_bytes = plan.O * layout_.plane * sizeof(T);
        held_ = std::clamp<int64_t>(bytes_of_gradients / plane_bytes, least_held, most_held);
        held_ = std::min(held_, std::max<int64_t>(segment ? segment : shape_.iterations, 1));
        gradients_ = Buffer<T>((held_ + 1) * plan.O * layout_.plane);
        for (int64_t slot = 0; slot <= held_; ++slot)
            slots_.push_back(gradients_.get() + slot * plan.O * layout_.plane + layout_.origin);
        shares_ = Buffer<T>(plan.O * plan.copies_size());
        start_ = Buffer<T>(size_ + 2 * shape_.guard());
        if (g.grad_kernel) {
            finals_ = Buffer<T>(plan.group * plan.O * plan.copies_size());
            lanes_sum_ = Buffer<T>(plan.bands * channels_ * taps9_ * plan.lanes);
            rows_ = Buffer<T>(shape_.kernels * plan.bands * channels_ * blocks_ * row_copies * row_size);
            find_neighbours();
        }
        again_values_ = Buffer<T>(segment ? segment * size_ + 2 * shape_.guard() : 0);
        again_actions_ = Buffer<uint8_t>(segment ? segment * size_ + 2 * shape_.guard() : 0);
        for (int64_t t = 0; t < taps9_; ++t) {
            const int64_t tap = t < plan.taps ? t : 0, d = tap % plan.window, i = d / layout_.size, j = d % layout_.size;
            offsets_.push_back(tap / plan.window * plan.cells() + layout_.row(i) + layout_.column(j));
        }
    }

    // The gradients of the maps [begin, end); the kernel's are added to `sums` [S][O*A][taps].
    void go_back(int64_t begin, int64_t end, double* sums, Team& team) {
        for (int64_t b = begin; b < end; ++b) go_back(b, sums, team);
        if (!g_.grad_kernel) return;
        flush(sums);
        correlate(begin, end, sums + plan_.kernel_of(shape_.iterations) * channels_ * plan_.taps, team);
    }

  private:
    void find_neighbours() {
        neighbours_.resize(layout_.vectors * plan_.lanes * blocks_);
        uint16_t* of_vector = neighbours_.data();
        for (ptrdiff_t at = 0; at < layout_.vectors; ++at, of_vector += plan_.lanes * blocks_)
            for (int64_t t = 0; t < plan_.taps; ++t) {
                const int64_t d = t % plan_.window;
                const unsigned lanes = layout_.neighbours(d / layout_.size, d % layout_.size, at);
                uint16_t* of_lane = of_vector + t / 9;
                for (int64_t lane = 0; lane < plan_.lanes; ++lane, of_lane += blocks_)
                    *of_lane |= static_cast<uint16_t>((lanes >> lane & 1) << t % 9);
            }
    }

    void go_back(int64_t b, double* sums, Team& team) {
        values_ = shape_.kept_values() ? g_.values + shape_.guard() + b * shape_.kept_values() * size_ : nullptr;
        look_ahead(b, team);
        std::memcpy(start_.get() + shape_.guard(), g_.value + b * size_, size_ * sizeof(T));
        const int64_t segment = shape_.keep_every > 1 ? shape_.keep_every : shape_.iterations;
        if (shape_.keep_every > 1) field_.read_reward(g_.q_reward + b * channels_ * plan_.cells());
        for (int64_t last = shape_.iterations; last > 0;) {
            const int64_t first = (last - 1) / segment * segment;
            if (shape_.keep_every > 1) plan_again(first, last, team);
            for (; last > first; last = std::max(last - held_, first)) {
                const int64_t from = std::max(last - held_, first);
                updates(b, from, last, first, team);
                if (shape_.kernels == 1 && shape_.iterations > held_ && g_.grad_kernel) flush(sums);
            }
        }
        for (int64_t o = 0; o < plan_.O; ++o)
            std::memcpy(g_.grad_initial + b * size_ + o * plan_.cells(), slots_[top_] + o * layout_.plane,
                        plan_.cells() * sizeof(T));
    }

    // Adds the rows of all bands to `sums`, in order, and clears them.
    void flush(double* sums) {
        const T* row = rows_.get();
        for (int64_t s = 0; s < shape_.kernels; ++s)
            for (int64_t band = 0; band < plan_.bands; ++band)
                for (int64_t channel = 0; channel < channels_; ++channel, row += blocks_ * row_copies * row_size)
                    for (int64_t tap = 0; tap < plan_.taps; ++tap)
                        for (int64_t copy = 0; copy < row_copies; ++copy)
                            sums[(s * channels_ + channel) * plan_.taps + tap] += row[(tap / 9 * row_copies + copy) * row_size + tap % 9];
        rows_.clear();
    }

    T* lanes_of(int64_t band, int64_t o) const {
        return lanes_sum_.get() + (band * channels_ + o * plan_.A) * taps9_ * plan_.lanes;
    }
    T* rows_of(int64_t k, int64_t band, int64_t o) const {
        return rows_.get() + ((plan_.kernel_of(k) * plan_.bands + band) * channels_ + o * plan_.A) * blocks_ * row_copies * row_size;
    }

    // The look-ahead, where every action carries gradient; what it passes to V_K goes into the top slot.
    void look_ahead(int64_t b, Team& team) {
        const int64_t cells = plan_.cells();
        std::memcpy(g_.grad_q_reward + b * channels_ * cells, g_.grad_q_values + b * channels_ * cells,
                    channels_ * cells * sizeof(T));
        top_ = held_;
        each_band(team, [&](int64_t, int64_t in, ptrdiff_t first, ptrdiff_t last) {
            plan_.sweeps.gather_all({&layout_, g_.grad_q_values + b * channels_ * cells,
                                     transposed_.weights.get() + in * channels_ * plan_.window, int(channels_), shares(in)},
                                    first, last);
        });
        each_band(team, [&](int64_t, int64_t in, ptrdiff_t first, ptrdiff_t last) {
            plan_.sweeps.combine(layout_, shares(in), g_.grad_value ? g_.grad_value + b * size_ + in * cells : nullptr,
                                 slots_[top_] + in * layout_.plane, first, last);
        });
    }

    // Adds what the look-ahead of the maps [begin, end) gives to `sums` [O*A][taps] of its kernel, band by band.
    void correlate(int64_t begin, int64_t end, double* sums, Team& team) {
        lanes_sum_.clear();
        T* finals = finals_.get() + layout_.origin;
        for (int64_t plane = 0; plane < (end - begin) * plan_.O; ++plane)
            plan_.sweeps.copies(layout_, g_.final_value + begin * size_ + plane * plan_.cells(), finals + plane * plan_.copies_size());
        each_band(team, [&](int64_t band, int64_t o, ptrdiff_t first, ptrdiff_t last) {
            plan_.sweeps.correlate({&layout_, int(end - begin), int(plan_.A),
                                    g_.grad_q_values + (begin * channels_ + o * plan_.A) * plan_.cells(), finals,
                                    channels_ * plan_.cells(), plan_.O * plan_.copies_size(), plan_.offsets.data(),
                                    int(taps9_), lanes_of(band, o)},
                                   first, last);
        });
        const T* lanes = lanes_sum_.get();
        for (int64_t band = 0; band < plan_.bands; ++band)
            for (int64_t channel = 0; channel < channels_; ++channel, lanes += taps9_ * plan_.lanes)
                for (int64_t tap = 0; tap < plan_.taps; ++tap) {
                    double sum[16];
                    for (int64_t lane = 0; lane < plan_.lanes; ++lane) sum[lane] = lanes[tap * plan_.lanes + lane];
                    for (int64_t half = plan_.lanes / 2; half > 0; half /= 2)
                        for (int64_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
                    sums[channel * plan_.taps + tap] += sum[0];
                }
    }

    // Values and actions of the updates [first, last) from V_first, which was kept.
    void plan_again(int64_t first, int64_t last, Team& team) {
        field_.read_value(first ? values_ + (first / shape_.keep_every - 1) * size_ : start_.get() + shape_.guard());
        for (int64_t k = first; k < last; ++k)
            field_.step(k, again_values_.get() + shape_.guard() + (k - first) * size_,
                        again_actions_.get() + shape_.guard() + (k - first) * size_, team);
    }

    // Where the actions of update k, and V_k, of the segment that begins at `first` are.
    const uint8_t* actions(int64_t b, int64_t k, int64_t first) const {
        if (shape_.keep_every > 1) return again_actions_.get() + shape_.guard() + (k - first) * size_;
        return g_.actions + shape_.guard() + (b * shape_.iterations + k) * size_;
    }
    const T* value(int64_t k, int64_t first) const {
        if (k == 0) return start_.get() + shape_.guard();
        if (shape_.keep_every <= 1) return values_ + (k - 1) * size_;
        return k == first ? values_ + (k / shape_.keep_every - 1) * size_
                          : again_values_.get() + shape_.guard() + (k - 1 - first) * size_;
    }

    // The updates [from, to), in the segment that begins at `first`: first the gradients of all V, then what they pass on.
    void updates(int64_t b, int64_t from, int64_t to, int64_t first, Team& team) {
        for (int64_t k = to - 1; k >= from; --k) {
            const T* gradient = slots_[top_ - (to - 1 - k)];
            T* before = slots_[top_ - (to - k)];
            each_band(team, [&](int64_t, int64_t in, ptrdiff_t begin, ptrdiff_t end) {
                for (int64_t o = 0; o < plan_.O; ++o)
                    plan_.sweeps.gather({&layout_, gradient + o * layout_.plane, actions(b, k, first) + o * plan_.cells(),
                                         transposed_.table(plan_, k, in, o), int(plan_.A), int(transposed_.entries), o > 0,
                                         shares(in), actions(b, std::max(k - 1, first), first) + o * plan_.cells(),
                                         value(k, first) + in * plan_.cells()},
                                        begin, end);
            });
            each_band(team, [&](int64_t, int64_t in, ptrdiff_t begin, ptrdiff_t end) {
                plan_.sweeps.combine(layout_, shares(in), nullptr, before + in * layout_.plane, begin, end);
            });
        }
        const int64_t count = to - from;
        each_band(team, [&](int64_t band, int64_t o, ptrdiff_t begin, ptrdiff_t end) {
            const T *gradients[most_held], *values[most_held];
            const uint8_t* taken[most_held];
            for (int64_t n = 0; n < count; ++n) {
                gradients[n] = slots_[top_ - (count - 1 - n)] + o * layout_.plane;
                values[n] = value(from + n, first);
                taken[n] = actions(b, from + n, first) + o * plan_.cells();
            }
            T* q_gradient = g_.grad_q_reward + (b * channels_ + o * plan_.A) * plan_.cells();
            const auto accumulate = [&](int64_t n, int64_t updates, int64_t block, T* q, T* rows) {
                plan_.sweeps.accumulate({&layout_, int(updates), gradients + n, taken + n, values + n, offsets_.data() + 9 * block,
                                         neighbours_.data() + block, q, rows, blocks_},
                                        begin, end);
            };
            // The sums of updates that have a kernel each must be kept apart.
            const bool together = g_.grad_kernel && shape_.kernels == 1;
            if (!together) accumulate(0, count, 0, q_gradient, nullptr);
            if (!g_.grad_kernel) return;
            for (int64_t n = 0; n < count; n += together ? count : 1)
                for (int64_t block = 0; block < blocks_; ++block)
                    accumulate(n, together ? count : 1, block, together && !block ? q_gradient : nullptr,
                               rows_of(from + n, band, o) + block * row_copies * row_size);
        });
        std::swap(slots_[top_ - count], slots_[held_]);  // the top of what comes before
        top_ = held_;
    }

    template <class Task> void each_band(Team& team, const Task& task) {
        team.for_each(plan_.bands, [&](int64_t band, int) {
            const auto [first, last] = plan_.band(band);
            for (int64_t o = 0; o < plan_.O; ++o) task(band, o, first, last);
        });
    }
    T* shares(int64_t in) const { return shares_.get() + in * plan_.copies_size() + layout_.origin; }

    const Plan<T>& plan_;
    const Shape& shape_;
    const Layout& layout_;
    const Backward<T>& g_;
    const Transposed<T>& transposed_;
    Field<T> field_;
    const int64_t size_, channels_, taps9_, blocks_;
    int64_t held_, top_ = 0;
    Buffer<T> gradients_, shares_, finals_, start_, lanes_sum_, rows_, again_values_;
    Buffer<uint8_t> again_actions_;
    std::vector<T*> slots_;  // of gradients_, V_{k+1}'s above V_k's
    std::vector<ptrdiff_t> offsets_;    // of the taps in a dense value
    std::vector<uint16_t> neighbours_;  // [cells][blocks], a bit for each of 9 taps that exists
    const T* values_ = nullptr;
};

}  // namespace

template <class T>
void backward(const Shape& shape, const Backward<T>& g, int threads, const std::string& instruction_set) {
    const Plan<T> plan(shape, choose_sweeps<T>(instruction_set), g.kernel);
    const Transposed<T> transposed(plan, g.kernel);
    const int64_t count = shape.kernels * plan.O * plan.A * plan.taps;
    std::vector<double> sums(g.grad_kernel ? plan.groups() * count : 0);
    const auto [outer_size, inner_size] = plan.share_threads(threads);
    Team outer(outer_size), inner(inner_size);
    std::vector<std::unique_ptr<Tape<T>>> tapes(outer_size);
    outer.for_each(plan.groups(), [&, &inner = inner](int64_t index, int member) {
        if (!tapes[member]) tapes[member] = std::make_unique<Tape<T>>(plan, g, transposed);
        double* sum = sums.data() + (g.grad_kernel ? index * count : 0);
        tapes[member]->go_back(index * plan.group, std::min((index + 1) * plan.group, shape.batch), sum, inner);
    });
    if (!g.grad_kernel) return;
    for (int64_t index = 0; index < count; ++index) {
        double sum = 0;
        for (int64_t group = 0; group < plan.groups(); ++group) sum += sums[group * count + index];
        g.grad_kernel[index] = static_cast<T>(sum);
    }
}

template void backward<float>(const Shape&, const Backward<float>&, int, const std::string&);
template void backward<double>(const Shape&, const Backward<double>&, int, const std::string&);

}  // namespace torchvin
