// The inner loops, as a table of functions for one instruction set and one type of number.
//
// Value iteration over orientations o, actions a and taps t (a tap is a pair of input orientation and offset):
//     Q_oa(s) = q_reward_oa(s) + sum over t of weight_oat * V(s + offset_t),   V_o(s) = max over a of Q_oa(s)
// Each function works on the vectors [first, last) of a map, so that a map can be cut into bands.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchvin {

template <class T> struct Sweeps {
    int lanes;
    // Actions are worked on in chunks of equal size: as many as fit the registers.
    int (*chunk_size)(int actions);
    // Weights [chunks][taps][chunk], q [chunks][vectors][chunk][lanes]. `value` points at cell 0 of the first input plane.
    struct Update {
        const T* value;
        const ptrdiff_t* offsets;
        int taps, chunks, chunk;
        ptrdiff_t vectors;
        const T* weights;
        const T* q;
        const void* mask;  // [vectors][lanes] integers as wide as T: all bits of the lanes that are cells
    };
    // The largest Q into `best` (zero where no cell is) and, unless null, the first action that has it into `action`.
    void (*maximise)(const Update&, ptrdiff_t first, ptrdiff_t last, T* best, uint8_t* action);
    // Every Q, as q lies, into `out`, which may be q itself.
    void (*look_ahead)(const Update&, ptrdiff_t first, ptrdiff_t last, T* out);
    // The gradient that flows through the action taken. gradient: of V_{k+1}, cell 0 of its plane; action: taken at k;
    // value: V_k. Adds to q_gradient [vectors][actions][lanes] and to weight_gradient [actions][taps9][lanes], where taps9
    // is the number of taps rounded up to a multiple of 9 (`offsets` has that many); either may be null.
    struct Correlate {
        const T* gradient;      // one plane, or with action == nullptr [actions] planes `plane` apart
        const uint8_t* action;
        ptrdiff_t plane;
        const T* value;
        const ptrdiff_t* offsets;
        int taps9, actions;
        T* q_gradient;
        T* weight_gradient;
    };
    void (*correlate)(const Correlate&, ptrdiff_t first, ptrdiff_t last);
    // out(s) (+)= sum over t of table[t][action(s - offset_t)] * gradient(s - offset_t); tables hold `entries` rounded up to 16.
    struct Gather {
        const T* gradient;
        const uint8_t* action;
        const ptrdiff_t* offsets;
        int taps, entries;
        const T* tables;
        const void* mask;
        bool add;
    };
    void (*gather)(const Gather&, ptrdiff_t first, ptrdiff_t last, T* out);
    // Between a dense [H, W] plane and vectors `step` apart; `mask` says which lanes are cells. expand returns whether a
    // number was NaN or positive infinity, compress whether one was not finite.
    bool (*expand)(const T* dense, const void* mask, ptrdiff_t vectors, ptrdiff_t step, T* out);
    bool (*compress)(const T* in, const void* mask, ptrdiff_t vectors, ptrdiff_t step, bool add, T* dense);
    // The largest difference between V (`value` of the first orientation given) and the largest of `actions` Q values.
    T (*residual)(const Update&, const T* q, int actions);
    // Giga multiply-adds a second that the machine reaches when nothing else is asked of it.
    double (*peak)(double seconds);
};

template <class T> const Sweeps<T>* sweeps_plain();
template <class T> const Sweeps<T>* sweeps_avx2();
template <class T> const Sweeps<T>* sweeps_avx512();

}  // namespace torchvin
