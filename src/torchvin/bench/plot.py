"""How cost grows with the side of the map and with K."""

from collections.abc import Sequence
from pathlib import Path

from torchvin.bench.formulations import Row
from torchvin.plotting.figure import figure

_STYLES = {"cpu": "o-", "triton": "P-", "eager": "s--", "stacked": "^:", "compile": "D-."}


def plot_cost(rows: Sequence[Row], path: Path) -> None:
    """Draw milliseconds against the side of the map, and nanoseconds per cell update against K, one line per backend.

    The left panel has the largest batch of each side and the smallest K. Lines are told apart by line and marker, so
    that the figure reads in greyscale.

    Raises: InputError if `path` cannot be written.
    """
    largest = {side: max(row.batch for row in rows if row.height == side) for side in {row.height for row in rows}}
    smallest_k = {side: min(row.iterations for row in rows if row.height == side) for side in largest}
    with figure(path, 10, 4.2, columns=2) as axes:
        left, right = axes[0]
        for name, style in _STYLES.items():
            mine = [row for row in rows if row.backend == name and row.forward_backward_ms is not None]
            by_side = [
                (row.height, row.forward_backward_ms)
                for row in mine
                if row.batch == largest[row.height] and row.iterations == smallest_k[row.height]
            ]
            if by_side:
                left.plot(*zip(*by_side, strict=True), style, label=name)
            one = [
                (row.iterations, 1e9 / row.cell_updates_per_second)
                for row in mine
                if row.batch == 1 and row.cell_updates_per_second
            ]
            if one:
                right.plot(*zip(*one, strict=True), style[0], label=name)
        left.set(
            xlabel="side of the map [cells]", ylabel="forward + backward [ms]", title="largest batch, the paper's K"
        )
        right.set(xlabel="iterations K", ylabel="forward [ns per cell and iteration]", title="one map, all sides")
        for axis in (left, right):
            axis.set_xscale("log", base=2)
            axis.set_yscale("log")
            axis.grid(visible=True, alpha=0.3)
            if axis.lines:
                axis.legend()
