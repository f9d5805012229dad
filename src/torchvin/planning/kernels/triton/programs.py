"""What runs on the GPU: the programs behind `triton`, in Triton's language. Arrays are contiguous.

`first`, `last` and `steps` count iterations within the arrays given; O, A and F are the reference's.
"""

import triton
import triton.language as tl


@triton.jit
def region(height, width, TILE: tl.constexpr, HALO: tl.constexpr):
    """Rows and columns that this program works on, and those it answers for: its tile without the halo."""
    across = (width + TILE - 1) // TILE
    tile = tl.program_id(1)
    top, left = (tile // across) * TILE, (tile % across) * TILE
    bottom, right = tl.minimum(top + TILE, height), tl.minimum(left + TILE, width)
    first_row, first_col = tl.maximum(top - HALO, 0), tl.maximum(left - HALO, 0)
    rows = tl.minimum(bottom + HALO, height) - first_row
    cols = tl.minimum(right + HALO, width) - first_col
    return first_row, first_col, rows, cols, top, left, bottom, right


@triton.jit
def locate(at, first_row, first_col, rows, cols, width, BLOCK: tl.constexpr):
    """The next cells: number within the region, whether there is one, row and column there, number within the map."""
    i = at + tl.arange(0, BLOCK)
    row, col = i // cols, i % cols
    return i, i < rows * cols, row, col, (first_row + row) * width + first_col + col


@triton.jit
def copy_in(dense, scratch, first_row, first_col, rows, cols, cells, width, ORIENTATIONS, SCRATCH, BLOCK):
    """The region of each orientation's plane into the scratch."""
    for o in tl.static_range(ORIENTATIONS):
        for at in range(0, rows * cols, BLOCK):
            i, here, _row, _col, cell = locate(at, first_row, first_col, rows, cols, width, BLOCK)
            tl.store(scratch + o * SCRATCH + i, tl.load(dense + o * cells + cell, mask=here), mask=here)
    tl.debug_barrier()


@triton.jit
def forward_kernel(
    q_reward,
    kernel,
    kernel_stride,
    start,
    scratch,
    end,
    values,
    values_stride,
    actions,
    actions_stride,
    first,
    steps,
    keep_every,
    height,
    width,
    TILE: tl.constexpr,
    HALO: tl.constexpr,
    ORIENTATIONS: tl.constexpr,
    ACTIONS: tl.constexpr,
    SIZE: tl.constexpr,
    KEEP_VALUES: tl.constexpr,
    KEEP_ACTIONS: tl.constexpr,
    SCRATCH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """V after `steps` iterations from `first` on, into `end`; keeps V and the actions of the program's own cells."""
    b = tl.program_id(0).to(tl.int64)
    cells = height * width
    first_row, first_col, rows, cols, top, left, bottom, right = region(height, width, TILE, HALO)
    scratch += (b * tl.num_programs(1) + tl.program_id(1)) * 2 * ORIENTATIONS * SCRATCH
    start += b * ORIENTATIONS * cells
    end += b * ORIENTATIONS * cells
    q_reward += b * ORIENTATIONS * ACTIONS * cells
    copy_in(start, scratch, first_row, first_col, rows, cols, cells, width, ORIENTATIONS, SCRATCH, BLOCK)
    for step in range(steps):
        k = first + step
        weights = kernel + step * kernel_stride
        now = scratch + (step % 2) * ORIENTATIONS * SCRATCH
        after = scratch + (1 - step % 2) * ORIENTATIONS * SCRATCH
        for at in range(0, rows * cols, BLOCK):
            i, here, row, col, cell = locate(at, first_row, first_col, rows, cols, width, BLOCK)
            own = here & (first_row + row >= top) & (first_row + row < bottom)
            own = own & (first_col + col >= left) & (first_col + col < right)
            for o in tl.static_range(ORIENTATIONS):
                # Unrolled: each neighbour is loaded once and stays in a register for all actions.
                for a in tl.static_range(ACTIONS):
                    q = tl.load(q_reward + (o * ACTIONS + a) * cells + cell, mask=here, other=0.0)
                    for source in tl.static_range(ORIENTATIONS):
                        for tap in tl.static_range(SIZE * SIZE):
                            to_row = row + (tap // SIZE - SIZE // 2)
                            to_col = col + (tap % SIZE - SIZE // 2)
                            inside = here & (to_row >= 0) & (to_row < rows) & (to_col >= 0) & (to_col < cols)
                            to = now + source * SCRATCH + to_row * cols + to_col
                            x = tl.load(to, mask=inside, other=0.0)
                            index = ((o * ACTIONS + a) * ORIENTATIONS + source) * (SIZE * SIZE) + tap
                            q += tl.load(weights + index) * x
                    if a == 0:
                        best = q
                        taken = tl.zeros([BLOCK], dtype=tl.int32)
                    else:  # the first of equals, and the first NaN, as torch.max
                        better = (q > best) | ((q != q) & (best == best))
                        best = tl.where(better, q, best)
                        taken = tl.where(better, a, taken)
                tl.store(after + o * SCRATCH + i, best, mask=here)
                if KEEP_VALUES:
                    if k % keep_every == 0:
                        kept = values + b * values_stride + (k // keep_every * ORIENTATIONS + o) * cells
                        tl.store(kept + cell, tl.load(now + o * SCRATCH + i, mask=own), mask=own)
                if KEEP_ACTIONS:
                    kept_actions = actions + b * actions_stride + (k * ORIENTATIONS + o) * cells
                    tl.store(kept_actions + cell, taken.to(tl.uint8), mask=own)
                if step == steps - 1:
                    tl.store(end + o * cells + cell, best, mask=own)
        tl.debug_barrier()


@triton.jit
def backward_kernel(
    start,
    kernel,
    kernel_stride,
    actions,
    actions_stride,
    scratch,
    end,
    grad_q_reward,
    grads,
    grads_stride,
    last,
    steps,
    height,
    width,
    TILE: tl.constexpr,
    HALO: tl.constexpr,
    ORIENTATIONS: tl.constexpr,
    ACTIONS: tl.constexpr,
    SIZE: tl.constexpr,
    KEEP: tl.constexpr,
    SCRATCH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The gradient of V before `steps` iterations, from `last` down, given the one after them, `start`."""
    b = tl.program_id(0).to(tl.int64)
    cells = height * width
    first_row, first_col, rows, cols, top, left, bottom, right = region(height, width, TILE, HALO)
    scratch += (b * tl.num_programs(1) + tl.program_id(1)) * 2 * ORIENTATIONS * SCRATCH
    start += b * ORIENTATIONS * cells
    end += b * ORIENTATIONS * cells
    grad_q_reward += b * ORIENTATIONS * ACTIONS * cells
    copy_in(start, scratch, first_row, first_col, rows, cols, cells, width, ORIENTATIONS, SCRATCH, BLOCK)
    for step in range(steps):
        k = last - step
        weights = kernel - step * kernel_stride
        now = scratch + (step % 2) * ORIENTATIONS * SCRATCH
        before = scratch + (1 - step % 2) * ORIENTATIONS * SCRATCH
        for at in range(0, rows * cols, BLOCK):
            i, here, row, col, cell = locate(at, first_row, first_col, rows, cols, width, BLOCK)
            own = here & (first_row + row >= top) & (first_row + row < bottom)
            own = own & (first_col + col >= left) & (first_col + col < right)
            for o in tl.static_range(ORIENTATIONS):
                grad = tl.load(now + o * SCRATCH + i, mask=own, other=0.0)
                taken = tl.load(
                    actions + b * actions_stride + (k * ORIENTATIONS + o) * cells + cell, mask=own, other=0
                ).to(tl.int32)
                to = grad_q_reward + (o * ACTIONS + taken) * cells + cell
                tl.store(to, tl.load(to, mask=own) + grad, mask=own)
                if KEEP:
                    kept = grads + b * grads_stride + (k * ORIENTATIONS + o) * cells
                    tl.store(kept + cell, grad, mask=own)
            for source in tl.static_range(ORIENTATIONS):
                total = tl.zeros([BLOCK], dtype=start.dtype.element_ty)
                for o in tl.static_range(ORIENTATIONS):
                    for tap in tl.static_range(SIZE * SIZE):
                        from_row = row - (tap // SIZE - SIZE // 2)
                        from_col = col - (tap % SIZE - SIZE // 2)
                        inside = here & (from_row >= 0) & (from_row < rows) & (from_col >= 0) & (from_col < cols)
                        grad = tl.load(now + o * SCRATCH + from_row * cols + from_col, mask=inside, other=0.0)
                        from_cell = (first_row + from_row) * width + first_col + from_col
                        taken = tl.load(
                            actions + b * actions_stride + (k * ORIENTATIONS + o) * cells + from_cell,
                            mask=inside,
                            other=0,
                        ).to(tl.int32)
                        index = ((o * ACTIONS + taken) * ORIENTATIONS + source) * (SIZE * SIZE) + tap
                        total += grad * tl.load(weights + index, mask=inside, other=0.0)
                tl.store(before + source * SCRATCH + i, total, mask=here)
                if step == steps - 1:
                    tl.store(end + source * cells + cell, total, mask=own)
        tl.debug_barrier()


@triton.jit
def kernel_gradient_kernel(
    grads,
    grads_stride,
    actions,
    actions_stride,
    values,
    values_stride,
    partial,
    count,
    iterations,
    height,
    width,
    ORIENTATIONS: tl.constexpr,
    ACTIONS: tl.constexpr,
    SIZE: tl.constexpr,
    GROUP: tl.constexpr,
    TAPS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """What some iterations of a map add to the gradient of GROUP channels: sum of gradient times V at each tap."""
    b = tl.program_id(0).to(tl.int64)
    portion = tl.program_id(1)
    cells = height * width
    channel = tl.program_id(2) * GROUP + tl.arange(0, GROUP)[:, None, None]
    tap = tl.arange(0, TAPS)[None, :, None]
    real_channel = channel < ORIENTATIONS * ACTIONS
    real_tap = tap < ORIENTATIONS * SIZE * SIZE
    orientation = channel // ACTIONS
    source = tap // (SIZE * SIZE)
    down, right = tap % (SIZE * SIZE) // SIZE - SIZE // 2, tap % SIZE - SIZE // 2
    sums = tl.zeros([GROUP, TAPS, BLOCK], dtype=partial.dtype.element_ty)
    for k in range(portion * iterations, tl.minimum((portion + 1) * iterations, count)):
        for at in range(0, cells, BLOCK):
            i = at + tl.arange(0, BLOCK)[None, None, :]
            here = (i < cells) & real_channel
            place = (k * ORIENTATIONS + orientation) * cells + i
            taken = tl.load(actions + b * actions_stride + place, mask=here, other=0).to(tl.int32)
            grad = tl.load(grads + b * grads_stride + place, mask=here, other=0.0)
            grad = tl.where(taken == channel % ACTIONS, grad, 0.0)
            row, col = i // width + down, i % width + right
            inside = real_tap & (i < cells) & (row >= 0) & (row < height) & (col >= 0) & (col < width)
            from_value = values + b * values_stride + (k * ORIENTATIONS + source) * cells + row * width + col
            sums += grad * tl.load(from_value, mask=inside, other=0.0)
    total = tl.sum(sums, axis=2)
    channel = tl.program_id(2) * GROUP + tl.arange(0, GROUP)[:, None]
    tap = tl.arange(0, TAPS)[None, :]
    place = ((b * tl.num_programs(1) + portion) * ORIENTATIONS * ACTIONS + channel) * (ORIENTATIONS * SIZE * SIZE) + tap
    tl.store(partial + place, total, mask=(channel < ORIENTATIONS * ACTIONS) & (tap < ORIENTATIONS * SIZE * SIZE))
