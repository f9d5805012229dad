"""Where the cells lie that a program works on: its region of the map, its blocks, and the planes of its scratch."""

import triton
import triton.language as tl


@triton.jit
def region(height, width, tile, halo):
    """What this program works on, and what it answers for: its tile without the halo, the end not included."""
    across = (width + tile - 1) // tile
    number = tl.program_id(1)
    top, left = (number // across) * tile, (number % across) * tile
    bottom, right = tl.minimum(top + tile, height), tl.minimum(left + tile, width)
    first_row, first_col = tl.maximum(top - halo, 0), tl.maximum(left - halo, 0)
    rows = tl.minimum(bottom + halo, height) - first_row
    cols = tl.minimum(right + halo, width) - first_col
    return first_row, first_col, rows, cols, top, left, bottom, right


@triton.jit
def plane_size(height, width, tile, halo, SIZE: tl.constexpr):
    """Numbers of one plane of the scratch."""
    rows, cols = tl.minimum(height, tile + 2 * halo), tl.minimum(width, tile + 2 * halo)
    return (rows + SIZE - 1) * (cols + SIZE - 1)


@triton.jit
def block(at_row, at_col, ROWS: tl.constexpr, COLS: tl.constexpr):
    """Rows and columns, within the region, of the cells that are worked on at once."""
    return at_row + tl.arange(0, ROWS)[:, None], at_col + tl.arange(0, COLS)[None, :]


@triton.jit
def located(
    at_row, at_col, first_row, first_col, rows, cols, top, left, bottom, right, width, stride,
    PAD: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr
):  # fmt: skip
    """The cells that are worked on at once: where they lie, which of them there are, and which are answered for.

    Row within the region, whether there is such a cell, place in the scratch, row, column and number in the map,
    whether the cell is the program's own.
    """
    row, col = block(at_row, at_col, ROWS, COLS)
    here = (row < rows) & (col < cols)
    map_row, map_col = first_row + row, first_col + col
    own = here & (map_row >= top) & (map_row < bottom) & (map_col >= left) & (map_col < right)
    return row, here, (row + PAD) * stride + col + PAD, map_row, map_col, map_row * width + map_col, own


@triton.jit
def clear(scratch, count, BLOCK: tl.constexpr):
    """Zeros."""
    for at in range(0, count, BLOCK):
        i = at + tl.arange(0, BLOCK)
        tl.store(scratch + i, tl.zeros([BLOCK], dtype=scratch.dtype.element_ty), mask=i < count)


@triton.jit
def neighbours(planes, place, here, plane, stride, SIGN: tl.constexpr, ORIENTATIONS: tl.constexpr, SIZE: tl.constexpr):
    """What lies at each tap of each orientation's plane: ahead of the cell (SIGN = 1), or behind it."""
    found = ()
    for o in tl.static_range(ORIENTATIONS):
        for tap in tl.static_range(SIZE * SIZE):
            offset = (tap // SIZE - SIZE // 2) * stride + (tap % SIZE - SIZE // 2)
            found = found + (tl.load(planes + o * plane + place + SIGN * offset, mask=here, other=0),)
    return found
