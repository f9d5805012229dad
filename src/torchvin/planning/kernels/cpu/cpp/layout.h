// How a map lies in memory while it is planned on.
//
// A plane is one flat run of H * W cells, as the caller has them: vectors run on over the ends of rows, and sizes need not
// be multiples of anything. Margins of zeros before and after serve as the rows above and below the map.
//
// What lies left or right of a cell at the edge is not its neighbour in the plane. So values are kept in F copies, each
// shifted by another column offset, with zeros where the map ends: copy j holds at cell s the value of the cell at column
// offset j - pad in the same row. All F * F neighbours of a vector are then plain loads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#define TORCHVIN_INLINE inline __attribute__((always_inline))

namespace torchvin {

// Plain numbers, to be copied: what a loop keeps in its own copy need not be read again after each store.
struct Geometry {
    ptrdiff_t height, width, pad, size, cells, vectors, lanes, origin, plane;
    // [size][vectors], a bit for each lane: set where the cell, and the cell at column offset pad - j from it, exist.
    const uint16_t* columns;

    // What the inner loops call is always inlined: it must not be shared between instruction sets.

    // The distance of a neighbour in a plane.
    TORCHVIN_INLINE ptrdiff_t row(ptrdiff_t i) const { return (i - pad) * width; }
    TORCHVIN_INLINE ptrdiff_t column(ptrdiff_t j) const { return j - pad; }

    // Which of the cells at, at + 1, ... of a vector's lanes there are.
    TORCHVIN_INLINE uint16_t inside(ptrdiff_t at) const {
        const ptrdiff_t past = cells - at < 0 ? 0 : cells - at < lanes ? cells - at : lanes;
        const ptrdiff_t before = -at < 0 ? 0 : -at < lanes ? -at : lanes;
        return static_cast<uint16_t>((1u << past) - (1u << before));
    }

    // The lanes of a vector whose neighbour at (i, j) exists.
    TORCHVIN_INLINE uint16_t neighbours(ptrdiff_t i, ptrdiff_t j, ptrdiff_t vector) const {
        return static_cast<uint16_t>(columns[(size - 1 - j) * vectors + vector] & inside(vector * lanes + row(i)));
    }
};

// A geometry with the memory of its bits.
struct Layout : Geometry {
    Layout(ptrdiff_t height, ptrdiff_t width, ptrdiff_t kernel_size, ptrdiff_t lanes) : Geometry{} {
        this->height = height;
        this->width = width;
        this->lanes = lanes;
        pad = kernel_size / 2;
        size = kernel_size;
        cells = height * width;
        vectors = (cells + lanes - 1) / lanes;
        const ptrdiff_t margin = pad * width + pad;
        origin = (margin + lanes - 1) / lanes * lanes;
        plane = (origin + vectors * lanes + margin + 2 * lanes - 1) / lanes * lanes;
        bits_.assign(size * vectors, static_cast<uint16_t>((1u << lanes) - 1));
        columns = bits_.data();
        for (ptrdiff_t j = 0; j < size; ++j) {
            const ptrdiff_t shift = j - pad;
            const ptrdiff_t begin = shift > 0 ? 0 : width + shift, end = shift > 0 ? shift : width;
            for (ptrdiff_t row = 0; row < height; ++row)
                for (ptrdiff_t column = begin < 0 ? 0 : begin; column < end && column < width; ++column)
                    forget(j, row * width + column);
            for (ptrdiff_t cell = cells; cell < vectors * lanes; ++cell) forget(j, cell);
        }
    }

    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;

  private:
    void forget(ptrdiff_t j, ptrdiff_t cell) {
        bits_[j * vectors + cell / lanes] &= static_cast<uint16_t>(~(1u << cell % lanes));
    }
    std::vector<uint16_t> bits_;
};

}  // namespace torchvin
