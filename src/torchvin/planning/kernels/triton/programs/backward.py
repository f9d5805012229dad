"""The program that goes back through a plan, following the actions taken, and the sum over its maps."""

import triton
import triton.language as tl

from torchvin.planning.kernels.triton.programs.cells import block, clear, located, neighbours, plane_size, region


@triton.jit
def zero_sums(COUNT: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr, dtype: tl.constexpr):
    """Sums for each cell of a block, in registers."""
    sums = ()
    for _ in tl.static_range(COUNT):
        sums = sums + (tl.zeros([ROWS, COLS], dtype=dtype),)
    return sums


@triton.jit
def add_products(sums, shares, values, GROUP: tl.constexpr, TAPS: tl.constexpr):
    """Add each share times each value."""
    added = ()
    for a in tl.static_range(GROUP):
        for tap in tl.static_range(TAPS):
            added = added + (sums[a * TAPS + tap] + shares[a] * values[tap],)
    return added


@triton.jit
def store_sums(sums, partial, channel, channels, GROUP: tl.constexpr, TAPS: tl.constexpr):
    """The sums over the cells, in the order of the kernel."""
    for a in tl.static_range(GROUP):
        for tap in tl.static_range(TAPS):
            tl.store(partial + (channel + a) * TAPS + tap, tl.sum(sums[a * TAPS + tap]), mask=channel + a < channels)


@triton.jit
def neighbours_in_map(
    planes, row, col, here, height, width, SIGN: tl.constexpr, ORIENTATIONS: tl.constexpr, SIZE: tl.constexpr
):
    """`neighbours` in planes without a border: zero outside the map."""
    found = ()
    for o in tl.static_range(ORIENTATIONS):
        for tap in tl.static_range(SIZE * SIZE):
            to_row = row + SIGN * (tap // SIZE - SIZE // 2)
            to_col = col + SIGN * (tap % SIZE - SIZE // 2)
            inside = here & (to_row >= 0) & (to_row < height) & (to_col >= 0) & (to_col < width)
            to = planes + o * height * width + to_row * width + to_col
            found = found + (tl.load(to, mask=inside, other=0.0),)
    return found


@triton.jit(
    do_not_specialize=[
        "first",
        "last",
        "steps",
        "count",
        "has_q_values",
        "has_value",
        "slot",
        "ahead",
        "height",
        "width",
        "tile",
        "halo",
    ],
    do_not_specialize_on_alignment=[
        "kernel",
        "start",
        "grad_q_values",
        "grad_value",
        "final_value",
        "values",
        "actions",
        "scratch",
        "taken_scratch",
        "end",
        "grad_q_reward",
        "partial",
    ],
)
def backward_kernel(
    kernel,
    start,
    grad_q_values,
    grad_value,
    final_value,
    values,
    actions,
    scratch,
    taken_scratch,
    end,
    grad_q_reward,
    partial,
    first,
    last,
    steps,
    count,
    has_q_values,
    has_value,
    slot,
    ahead,
    height,
    width,
    tile,
    halo,
    BEGINS: tl.constexpr,
    ORIENTATIONS: tl.constexpr,
    ACTIONS: tl.constexpr,
    SIZE: tl.constexpr,
    UNTIED: tl.constexpr,
    KERNEL_GRADIENT: tl.constexpr,
    GROUP: tl.constexpr,
    ROWS: tl.constexpr,
    COLS: tl.constexpr,
):
    """The gradient of V before `steps` iterations, from number `last` of the `count` kept ones down, into `end`.

    The first launch (BEGINS) finds the gradient of V_K itself, from those of Q and V; a later one is given it in
    `start`. What this map adds to the gradient of GROUP actions' kernel goes into row `slot` of `partial`, or, with a
    kernel for each iteration, into the row of that iteration. Number 0 of the kept ones is iteration `first`; `ahead`
    is the kernel of the look-ahead.
    """
    TAPS: tl.constexpr = ORIENTATIONS * SIZE * SIZE
    CHANNELS: tl.constexpr = ORIENTATIONS * ACTIONS
    NUMBERS: tl.constexpr = CHANNELS * TAPS
    SUMS: tl.constexpr = GROUP * TAPS if KERNEL_GRADIENT else 0
    PAD: tl.constexpr = SIZE // 2
    PORTIONS: tl.constexpr = (ACTIONS + GROUP - 1) // GROUP
    MIDDLE: tl.constexpr = SIZE * SIZE // 2
    dtype: tl.constexpr = end.dtype.element_ty
    b = tl.program_id(0).to(tl.int64)
    at_map = b * tl.num_programs(1) + tl.program_id(1)
    mine, lowest = tl.program_id(2) // PORTIONS, tl.program_id(2) % PORTIONS * GROUP  # orientation, first action
    cells = height * width
    first_row, first_col, rows, cols, top, left, bottom, right = region(height, width, tile, halo)
    plane, stride = plane_size(height, width, tile, halo, SIZE), cols + 2 * PAD
    states = ORIENTATIONS * cells.to(tl.int64)
    program = at_map * tl.num_programs(2) + tl.program_id(2)
    scratch += program * (2 * ORIENTATIONS * plane)
    taken_scratch += program * (2 * ORIENTATIONS * plane)
    start += b * states
    end += b * states
    final_value += b * states
    grad_value += b * states
    grad_q_values += b * states * ACTIONS
    grad_q_reward += b * states * ACTIONS
    values += b * states * count
    actions += b * states * count
    # Conditions on scalars as limits of rows, which a mask in the interpreter can hold.
    answered = tl.where(tl.program_id(2) == 0, bottom, 0)  # by one of the programs of a map
    rows_of_partial = tl.num_programs(0).to(tl.int64) * tl.num_programs(1)
    partial += at_map * NUMBERS
    clear(scratch, 2 * ORIENTATIONS * plane, ROWS * COLS)
    clear(taken_scratch, 2 * ORIENTATIONS * plane, ROWS * COLS)
    tl.debug_barrier()
    sums = zero_sums(SUMS, ROWS, COLS, dtype)
    kernel_ahead = kernel + ahead * NUMBERS
    for at_row in range(0, rows, ROWS):
        for at_col in range(0, cols, COLS):
            row, here, place, map_row, map_col, cell, own = located(
                at_row,
                at_col,
                first_row,
                first_col,
                rows,
                cols,
                top,
                left,
                bottom,
                right,
                width,
                stride,
                PAD,
                ROWS,
                COLS,
            )
            for o in tl.static_range(ORIENTATIONS):
                at = tl.load(
                    actions + last * states + o * cells + cell, mask=here & (row < rows * tl.minimum(steps, 1)), other=0
                )
                tl.store(taken_scratch + o * plane + place, at, mask=here)
            if BEGINS:
                given = here & (row < rows * has_q_values)
                for source in tl.static_range(ORIENTATIONS):
                    total = tl.load(grad_value + source * cells + cell, mask=here & (row < rows * has_value), other=0.0)
                    for c in tl.static_range(CHANNELS):
                        behind = neighbours_in_map(
                            grad_q_values + c * cells, map_row, map_col, given, height, width, -1, 1, SIZE
                        )
                        for tap in tl.static_range(SIZE * SIZE):
                            weight = tl.load(kernel_ahead + (c * ORIENTATIONS + source) * (SIZE * SIZE) + tap)
                            total += weight * behind[tap]
                    tl.store(scratch + source * plane + place, total, mask=here)
                for c in tl.static_range(CHANNELS):
                    grad = tl.load(grad_q_values + c * cells + cell, mask=own & given, other=0.0)
                    tl.store(grad_q_reward + c * cells + cell, grad, mask=own & (map_row < answered))
                if KERNEL_GRADIENT:
                    shares = ()
                    for a in tl.static_range(GROUP):
                        of_action = own & given & (map_row < tl.where(lowest + a < ACTIONS, bottom, 0))
                        channel = mine * ACTIONS + lowest + a
                        shares = shares + (tl.load(grad_q_values + channel * cells + cell, mask=of_action, other=0.0),)
                    seen = neighbours_in_map(final_value, map_row, map_col, own, height, width, 1, ORIENTATIONS, SIZE)
                    sums = add_products(sums, shares, seen, GROUP, TAPS)
            else:
                for o in tl.static_range(ORIENTATIONS):
                    tl.store(scratch + o * plane + place, tl.load(start + o * cells + cell, mask=here), mask=here)
    tl.debug_barrier()
    if (KERNEL_GRADIENT and BEGINS) and UNTIED:
        into = partial + ahead * rows_of_partial * NUMBERS + mine * ACTIONS * TAPS
        store_sums(sums, into, lowest, ACTIONS, GROUP, TAPS)
    for step in range(steps):
        k = last - step
        kernel_now = kernel
        if UNTIED:
            kernel_now = kernel + (first + k) * NUMBERS
            sums = zero_sums(SUMS, ROWS, COLS, dtype)
        now = scratch + (step % 2) * ORIENTATIONS * plane
        before = scratch + (1 - step % 2) * ORIENTATIONS * plane
        taken_now = taken_scratch + (step % 2) * ORIENTATIONS * plane
        taken_before = taken_scratch + (1 - step % 2) * ORIENTATIONS * plane
        for at_row in range(0, rows, ROWS):
            for at_col in range(0, cols, COLS):
                row, here, place, map_row, map_col, cell, own = located(
                    at_row,
                    at_col,
                    first_row,
                    first_col,
                    rows,
                    cols,
                    top,
                    left,
                    bottom,
                    right,
                    width,
                    stride,
                    PAD,
                    ROWS,
                    COLS,
                )
                grads = neighbours(now, place, here, plane, stride, -1, ORIENTATIONS, SIZE)
                taken = neighbours(taken_now, place, here, plane, stride, -1, ORIENTATIONS, SIZE)
                for o in tl.static_range(ORIENTATIONS):
                    chosen = taken[o * SIZE * SIZE + MIDDLE].to(tl.int32)
                    to = grad_q_reward + (o * ACTIONS + chosen) * cells + cell
                    grad = tl.load(to, mask=own & (map_row < answered)) + grads[o * SIZE * SIZE + MIDDLE]
                    tl.store(to, grad, mask=own & (map_row < answered))
                    next_taken = tl.load(
                        actions + (k - 1) * states + o * cells + cell,
                        mask=here & (row < rows * tl.minimum(steps - step - 1, 1)),
                        other=0,
                    )
                    tl.store(taken_before + o * plane + place, next_taken, mask=here)
                if KERNEL_GRADIENT:
                    grad = tl.load(now + mine * plane + place, mask=own, other=0.0)
                    chosen = tl.load(taken_now + mine * plane + place, mask=own, other=0).to(tl.int32)
                    shares = ()
                    for a in tl.static_range(GROUP):
                        shares = shares + (tl.where(chosen == lowest + a, grad, 0.0),)
                    seen = neighbours_in_map(
                        values + k * states, map_row, map_col, own, height, width, 1, ORIENTATIONS, SIZE
                    )
                    sums = add_products(sums, shares, seen, GROUP, TAPS)
                for source in tl.static_range(ORIENTATIONS):
                    total = tl.zeros([ROWS, COLS], dtype=dtype)
                    for o in tl.static_range(ORIENTATIONS):
                        for tap in tl.static_range(SIZE * SIZE):
                            channel = o * ACTIONS + taken[o * SIZE * SIZE + tap].to(tl.int32)
                            index = (channel * ORIENTATIONS + source) * (SIZE * SIZE) + tap
                            total += grads[o * SIZE * SIZE + tap] * tl.load(kernel_now + index, mask=here, other=0.0)
                    tl.store(before + source * plane + place, total, mask=here)
        tl.debug_barrier()
        if KERNEL_GRADIENT and UNTIED:
            into = partial + (first + k) * rows_of_partial * NUMBERS + mine * ACTIONS * TAPS
            store_sums(sums, into, lowest, ACTIONS, GROUP, TAPS)
    if KERNEL_GRADIENT and not UNTIED:
        into = partial + slot * rows_of_partial * NUMBERS + mine * ACTIONS * TAPS
        store_sums(sums, into, lowest, ACTIONS, GROUP, TAPS)
    now = scratch + (steps % 2) * ORIENTATIONS * plane
    for at_row in range(0, rows, ROWS):
        for at_col in range(0, cols, COLS):
            row, col = block(at_row, at_col, ROWS, COLS)
            map_row, map_col = first_row + row, first_col + col
            own = (map_row >= top) & (map_row < bottom) & (map_col >= left) & (map_col < right)
            own = own & (map_row < answered)
            place = (row + PAD) * stride + col + PAD
            for o in tl.static_range(ORIENTATIONS):
                grad = tl.load(now + o * plane + place, mask=own)
                tl.store(end + o * cells + map_row * width + map_col, grad, mask=own)


@triton.jit(do_not_specialize=["rows", "numbers_of_kernel"], do_not_specialize_on_alignment=["partial", "grad_kernel"])
def reduction_kernel(partial, grad_kernel, rows, numbers_of_kernel, ROWS: tl.constexpr, COLS: tl.constexpr):
    """The sum over the `rows` of each kernel, in double precision and in a fixed order."""
    kernel = tl.program_id(0).to(tl.int64)
    col = tl.program_id(1) * COLS + tl.arange(0, COLS)
    real = col < numbers_of_kernel
    total = tl.zeros([COLS], dtype=tl.float64)
    for at in range(0, rows, ROWS):
        row = at + tl.arange(0, ROWS)
        from_rows = partial + (kernel * rows + row[:, None]) * numbers_of_kernel + col[None, :]
        some = tl.load(from_rows, mask=(row < rows)[:, None] & real[None, :], other=0.0)
        total += tl.sum(some.to(tl.float64), axis=0)
    tl.store(grad_kernel + kernel * numbers_of_kernel + col, total.to(grad_kernel.dtype.element_ty), mask=real)
