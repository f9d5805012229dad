// How a map lies in memory while it is planned on.
//
// A plane is one flat run of cells. Each row is followed by `pad` cells that stay zero, which serve as the right margin
// of their row and the left margin of the next; `pad` rows of zeros come before and after. So every neighbour of a cell
// is at a fixed distance from it, vectors run on over the ends of rows, and sizes need not be multiples of anything.
#pragma once

#include <cstddef>

namespace torchvin {

struct Layout {
    ptrdiff_t height, width, pad, stride, span, vectors, origin, plane;

    Layout(ptrdiff_t height, ptrdiff_t width, ptrdiff_t kernel_size, ptrdiff_t lanes)
        : height(height), width(width), pad(kernel_size / 2), stride(width + pad), span(height * stride) {
        const ptrdiff_t margin = pad * stride + pad;
        vectors = (span + lanes - 1) / lanes;
        origin = (margin + lanes - 1) / lanes * lanes;
        plane = (origin + vectors * lanes + margin + 2 * lanes - 1) / lanes * lanes;
    }
};

}  // namespace torchvin
