// The inner loops, as a table of functions for one instruction set and one type of number.
//
// Value iteration over orientations o, actions a and taps t (a tap is an input orientation and a place (i, j) of the kernel):
//     Q_oa(s) = q_reward_oa(s) + sum over t of weight_oat * V(s + offset_t),   V_o(s) = max over a of Q_oa(s)
// Each function works on the vectors [first, last) of a map, so that a map can be cut into bands. Planes and copies are
// those of layout.h; pointers to one point at its cell 0. "Dense" is H * W numbers without margins.
#pragma once

#include <cstddef>
#include <cstdint>

#include "layout.h"

namespace torchvin {

// The sums of 9 taps are a row; several, added up at the end, because a sum must not wait for the last one.
constexpr ptrdiff_t row_size = 16, row_copies = 4;

template <class T> struct Sweeps {
    int lanes;
    // Actions are worked on in chunks of equal size: as many as fit the registers.
    int (*chunk_size)(int actions);

    // q_reward of one orientation, dense [actions][cells], to q [chunks][vectors][chunk][lanes]; the last chunk is filled
    // up with -inf, which never wins. Returns whether a number was NaN or positive infinity.
    bool (*interleave)(const Layout&, const T* q_reward, int actions, T* q);

    // A dense plane into the copies of a value. Tells what it saw.
    struct Seen {
        bool finite, zero;
    };
    Seen (*copies)(const Layout&, const T* dense, T* value);

    struct Update {
        const Layout* layout;
        const T* value;  // copies of the first input orientation
        const ptrdiff_t* offsets;
        int taps, chunks, chunk;  // no taps: the value is zero
        const T* weights;         // [chunks][taps][chunk]
        const T* q;
    };
    // The largest Q into copies, and unless null also dense, with the first action that has it.
    void (*maximise)(const Update&, ptrdiff_t first, ptrdiff_t last, T* value, T* dense, uint8_t* action);
    // Every Q, dense [actions][cells]. Returns how far `value`, a plane, is from the largest Q at most, and whether it is
    // finite.
    struct Reached {
        T residual;
        bool finite;
    };
    Reached (*look_ahead)(const Update&, ptrdiff_t first, ptrdiff_t last, const T* value, int actions, T* q_values);

    // Going back one update: the share that each column of the kernel has in the gradient of V, before it is shifted into
    // place. share_j(s) = sum over i of weight(s - row_i)_ij * gradient(s - row_i), where the weight is that of the action
    // taken; `shares` are planes.
    struct Gather {
        const Layout* layout;
        const T* gradient;
        const uint8_t* action;
        const T* tables;  // [i][j][entries]
        int actions, entries;
        bool add;
        T* shares;
        const uint8_t* prefetch_action;  // what will be wanted next, at the same cells
        const T* prefetch_value;
    };
    void (*gather)(const Gather&, ptrdiff_t first, ptrdiff_t last);
    // The same back from the look-ahead, where every action carries gradient.
    struct GatherAll {
        const Layout* layout;
        const T* gradients;  // dense [channels][cells]
        const T* weights;    // [channels][i][j]
        int channels;
        T* shares;
    };
    void (*gather_all)(const GatherAll&, ptrdiff_t first, ptrdiff_t last);
    // The shares shifted into place and added, to a dense `start` unless null, into a plane.
    void (*combine)(const Layout&, const T* shares, const T* start, T* gradient, ptrdiff_t first, ptrdiff_t last);

    // The gradients that one orientation's actions pass on, over updates `count` - 1 down to 0: adds to dense q_gradient
    // [actions][cells] unless null, and to weight_gradient [actions][blocks][row_copies][row_size] unless null, whose rows
    // begin with 9 taps. The pointers are those of one block of 9.
    struct Accumulate {
        const Layout* layout;
        int count;
        const T* const* gradients;       // planes
        const uint8_t* const* actions;   // dense
        const T* const* values;          // dense, readable up to a margin before and after
        const ptrdiff_t* offsets;        // of the 9 taps in a dense value
        const uint16_t* neighbours;      // [cells][blocks], a bit for each tap that exists
        T* q_gradient;
        T* weight_gradient;
        ptrdiff_t blocks;
    };
    void (*accumulate)(const Accumulate&, ptrdiff_t first, ptrdiff_t last);
    // The weights' gradient of the look-ahead, of one orientation's actions over several maps.
    struct Correlate {
        const Layout* layout;
        int maps, actions;
        const T* gradients;  // dense [maps][actions][cells]
        const T* value;      // [maps], copies of the first input orientation
        ptrdiff_t gradients_stride, value_stride;  // from map to map
        const ptrdiff_t* offsets;  // [taps9] in copies
        int taps9;                 // a multiple of 9
        T* weight_gradient;        // [actions][taps9][lanes]
    };
    void (*correlate)(const Correlate&, ptrdiff_t first, ptrdiff_t last);

    // Giga multiply-adds a second that the machine reaches when nothing else is asked of it.
    double (*peak)(double seconds);
};

template <class T> const Sweeps<T>* sweeps_plain();
template <class T> const Sweeps<T>* sweeps_avx2();
template <class T> const Sweeps<T>* sweeps_avx512();

}  // namespace torchvin
