"""How cost grows with the side of the map and with K."""

from collections.abc import Sequence
from pathlib import Path

from torchvin.bench.value_iteration import Row
from torchvin.io.files import replacing

_STYLES = {"cpu": "o-", "triton": "P-", "eager": "s--", "stacked": "^:", "compile": "D-."}


def plot_cost(rows: Sequence[Row], path: Path) -> None:
    """Draw milliseconds against map side (batch 128 or 8) and nanoseconds a cell update against K, one line a backend.

    Told apart by line and marker, so that it reads in greyscale.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, style in _STYLES.items():
        mine = [row for row in rows if row.backend == name and row.forward_backward_ms is not None]
        largest = {side: max(row.batch for row in rows if row.height == side) for side in {row.height for row in rows}}
        smallest_k = {side: min(row.iterations for row in rows if row.height == side) for side in largest}
        by_side = [row for row in mine if row.batch == largest[row.height] and row.iterations == smallest_k[row.height]]
        if by_side:
            left.plot([row.height for row in by_side], [row.forward_backward_ms for row in by_side], style, label=name)
        one = [row for row in mine if row.batch == 1 and row.cell_updates_per_second]
        if one:
            right.plot(
                [row.iterations for row in one],
                [1e9 / (row.cell_updates_per_second or 1.0) for row in one],
                style[0],
                label=name,
            )
    left.set(xlabel="side of the map [cells]", ylabel="forward + backward [ms]", title="largest batch, K of the paper")
    right.set(xlabel="iterations K", ylabel="forward [ns a cell and iteration]", title="one map, all sides")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.grid(visible=True, alpha=0.3)
        if axes.lines:
            axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
