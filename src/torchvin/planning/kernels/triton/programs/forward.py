"""The program that plans."""

import triton
import triton.language as tl

from torchvin.planning.kernels.triton.programs.cells import block, clear, neighbours, plane_size, region


@triton.jit
def numbers(pointer, COUNT: tl.constexpr, HELD: tl.constexpr):
    """A tuple of scalars, or an empty one if they are too many to be held."""
    held = ()
    if HELD:
        for index in tl.static_range(COUNT):
            held = held + (tl.load(pointer + index),)
    return held


@triton.jit
def number(held, pointer, index: tl.constexpr, HELD: tl.constexpr):
    """One of `numbers`."""
    if HELD:
        return held[index]
    else:
        return tl.load(pointer + index)


@triton.jit
def look_ahead(
    q_reward, cell, here, cells, values, weights, kernel, channel: tl.constexpr, TAPS: tl.constexpr, HELD: tl.constexpr
):
    """Q of one action."""
    q = tl.load(q_reward + channel * cells + cell, mask=here, other=0.0)
    for tap in tl.static_range(TAPS):
        q += number(weights, kernel, channel * TAPS + tap, HELD) * values[tap]
    return q


@triton.jit
def better(q, best):
    """Whether `q` replaces `best`: the first of equals stays, and the first NaN, as in torch.max."""
    return ~(q <= best) & (best == best)


@triton.jit(
    do_not_specialize=["first", "steps", "count", "keep_every", "last", "height", "width", "tile", "halo"],
    do_not_specialize_on_alignment=[
        "q_reward",
        "kernel",
        "start",
        "scratch",
        "values",
        "actions",
        "end",
        "q_values",
        "residual",
    ],
)
def forward_kernel(
    q_reward,
    kernel,
    start,
    scratch,
    values,
    actions,
    end,
    q_values,
    residual,
    first,
    steps,
    count,
    keep_every,
    last,
    height,
    width,
    tile,
    halo,
    ORIENTATIONS: tl.constexpr,
    ACTIONS: tl.constexpr,
    SIZE: tl.constexpr,
    UNTIED: tl.constexpr,
    KEEP_ACTIONS: tl.constexpr,
    HELD: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
):
    """V after `steps` iterations from `first` on, of `count`, into `end`.

    Every `keep_every`-th V is kept, none if it is 0; of the actions all, or none. `last` is the number of the kernel
    that looks ahead at the end, for Q and the residual; -1 if the plan does not end here.
    """
    TAPS: tl.constexpr = ORIENTATIONS * SIZE * SIZE
    NUMBERS: tl.constexpr = ORIENTATIONS * ACTIONS * TAPS
    PAD: tl.constexpr = SIZE // 2
    b = tl.program_id(0).to(tl.int64)
    program = b * tl.num_programs(1) + tl.program_id(1)
    cells = height * width
    first_row, first_col, rows, cols, top, left, bottom, right = region(height, width, tile, halo)
    plane, stride = plane_size(height, width, tile, halo, SIZE), cols + 2 * PAD
    states = ORIENTATIONS * cells.to(tl.int64)
    scratch += program * (2 * ORIENTATIONS * plane)
    start += b * states
    end += b * states
    q_reward += b * states * ACTIONS
    q_values += b * states * ACTIONS
    values += b * states * ((count + keep_every - 1) // tl.maximum(keep_every, 1))
    actions += b * states * count
    clear(scratch, 2 * ORIENTATIONS * plane, ROWS * COLS)
    tl.debug_barrier()
    for at_row in range(0, rows, ROWS):
        for at_col in range(0, cols, COLS):
            row, col = block(at_row, at_col, ROWS, COLS)
            here = (row < rows) & (col < cols)
            cell, place = (first_row + row) * width + first_col + col, (row + PAD) * stride + col + PAD
            for o in tl.static_range(ORIENTATIONS):
                tl.store(scratch + o * plane + place, tl.load(start + o * cells + cell, mask=here), mask=here)
    tl.debug_barrier()
    held = numbers(kernel, NUMBERS, HELD and not UNTIED)
    for step in range(steps):
        k = first + step
        kernel_now = kernel
        weights = held
        if UNTIED:
            kernel_now = kernel + k * NUMBERS
            weights = numbers(kernel_now, NUMBERS, HELD)
        now = scratch + (step % 2) * ORIENTATIONS * plane
        after = scratch + (1 - step % 2) * ORIENTATIONS * plane
        for at_row in range(0, rows, ROWS):
            for at_col in range(0, cols, COLS):
                row, col = block(at_row, at_col, ROWS, COLS)
                here = (row < rows) & (col < cols)
                cell, place = (first_row + row) * width + first_col + col, (row + PAD) * stride + col + PAD
                own = here & (first_row + row >= top) & (first_row + row < bottom)
                own = own & (first_col + col >= left) & (first_col + col < right)
                ahead = neighbours(now, place, here, plane, stride, 1, ORIENTATIONS, SIZE)
                for o in tl.static_range(ORIENTATIONS):
                    for a in tl.static_range(ACTIONS):
                        q = look_ahead(
                            q_reward, cell, here, cells, ahead, weights, kernel_now, o * ACTIONS + a, TAPS, HELD
                        )
                        if a == 0:
                            best = q
                            taken = tl.zeros([ROWS, COLS], dtype=tl.int32)
                        else:
                            replaces = better(q, best)
                            best = tl.where(replaces, q, best)
                            taken = tl.where(replaces, a, taken)
                    tl.store(after + o * plane + place, best, mask=here)
                    if keep_every > 0:
                        if k % keep_every == 0:
                            kept = values + k // keep_every * states + o * cells
                            tl.store(kept + cell, ahead[o * SIZE * SIZE + SIZE * SIZE // 2], mask=own)
                    if KEEP_ACTIONS:
                        tl.store(actions + k * states + o * cells + cell, taken.to(tl.uint8), mask=own)
        tl.debug_barrier()
    now = scratch + (steps % 2) * ORIENTATIONS * plane
    change = tl.zeros([ROWS, COLS], dtype=end.dtype.element_ty)
    lost = tl.zeros([ROWS, COLS], dtype=tl.int32)  # NaN, which a maximum in Triton passes over
    kernel += tl.maximum(last, 0) * NUMBERS
    weights = numbers(kernel, NUMBERS, HELD)
    for at_row in range(0, rows, ROWS):
        for at_col in range(0, cols, COLS):
            row, col = block(at_row, at_col, ROWS, COLS)
            cell, place = (first_row + row) * width + first_col + col, (row + PAD) * stride + col + PAD
            own = (first_row + row >= top) & (first_row + row < bottom)
            own = own & (first_col + col >= left) & (first_col + col < right)
            ahead = neighbours(now, place, own, plane, stride, 1, ORIENTATIONS, SIZE)
            for o in tl.static_range(ORIENTATIONS):
                value = ahead[o * SIZE * SIZE + SIZE * SIZE // 2]
                tl.store(end + o * cells + cell, value, mask=own)
                if last >= 0:
                    for a in tl.static_range(ACTIONS):
                        q = look_ahead(q_reward, cell, own, cells, ahead, weights, kernel, o * ACTIONS + a, TAPS, HELD)
                        tl.store(q_values + (o * ACTIONS + a) * cells + cell, q, mask=own)
                        if a == 0:
                            best = q
                        best = tl.where(better(q, best), q, best)
                    moved = tl.where(own, tl.abs(best - value), 0.0)
                    lost += (moved != moved).to(tl.int32)
                    change = tl.maximum(change, moved)
    if last >= 0:
        tl.store(residual + program, tl.where(tl.sum(lost) > 0, float("nan"), tl.max(change)))
