"""`torchvin bench value-iteration`: every formulation of the operator side by side in one run, on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from torchvin.bench import formulations
from torchvin.bench.formulations import Row
from torchvin.bench.plot import plot_cost
from torchvin.bench.timer import Timer
from torchvin.errors import InputError
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of

_LEGEND = """\
Form: `cpu` and `triton` are ours, `eager` is the best in plain PyTorch (the reward is convolved once), `stacked` is
what public VINs do, `compile` is torch.compile of `eager`. `x`: times as long as ours. `B kept`: bytes kept for the
backward pass per cell and iteration."""


@dataclass(frozen=True)
class ValueIterationTimer(Timer):
    """Benchmark of value iteration: ours, the best in plain PyTorch, what public VINs do, torch.compile."""

    name: ClassVar[str] = "value-iteration"

    quick: bool = False
    """Leave out 4 times the paper's K, and 512x512."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the operator runs."""

    @property
    def device_name(self) -> str:
        """Name of the device that is measured."""
        return torch.cuda.get_device_name() if self.device == "cuda" else "cpu"

    def check(self) -> None:
        """See `Timer.check`."""
        super().check()
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("--device cuda needs a GPU that PyTorch can use, and there is none. Use --device cpu.")

    def measure(self) -> dict[str, Any]:
        """The machine's peak, and one row per formulation and shape."""
        cases = formulations.QUICK_CASES if self.quick else formulations.CASES
        peak = formulations.peak()
        rows: list[Row] = []
        with progress_bar("measuring", len(cases)) as advance:
            for measured in formulations.measure(cases, peak_gflops=peak, device=self.device):
                rows += measured
                advance(1)
        return {"peak_gflops": peak, "rows": [asdict(row) for row in rows]}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per formulation and shape; ratios are to our kernel's time on the same shape."""
        peak = content["peak_gflops"]
        title = f"Peak of one thread: {f'{peak:.0f} GFLOP/s' if peak else 'not measured'}"
        return [_table([Row(**row) for row in content["rows"]], title)]

    def write(self, content: Mapping[str, Any], out: Path) -> None:
        """Also draws `cost.png`."""
        super().write(content, out)
        plot_cost([Row(**row) for row in content["rows"]], out / "cost.png")

    def report(self, content: Mapping[str, Any]) -> str:
        """With the meaning of the columns."""
        return f"{super().report(content)}\n{_LEGEND}\n"


def _table(rows: Sequence[Row], title: str) -> Table:
    ours = {_shape(row): row for row in rows if row.backend in ("cpu", "triton") and row.forward_ms is not None}

    def number(name: str, digits: int = 3, scale: float | int = 1.0, unit: str = "") -> Column[Row]:
        """A field of the row; a dash where it was not measured."""

        def text(row: Row) -> str:
            value = getattr(row, name)
            return "-" if value is None else f"{scale * value:,.{digits}f}{unit}"

        return Column(_HEADINGS[name], text)

    def ratio(heading: str, name: str) -> Column[Row]:
        """How many times as long as ours."""

        def text(row: Row) -> str:
            base, value = ours.get(_shape(row)), getattr(row, name)
            return f"{value / getattr(base, name):.1f}" if base and value is not None else "-"

        return Column(heading, text)

    columns = [
        Column("shape", lambda row: f"{row.batch}x{row.height}x{row.width} K={row.iterations}"),
        Column("form", lambda row: row.backend),
        number("forward_ms"),
        number("forward_backward_ms"),
        number("cell_updates_per_second", 0, 1e-6),
        number("share_of_peak", 0, 100, " %"),
        number("saved_bytes_per_cell_iteration", 1),
        ratio("fwd x", "forward_ms"),
        ratio("f+b x", "forward_backward_ms"),
        Column("", _why_not),
    ]
    return table_of(columns, rows, title=title)


_HEADINGS = {
    "forward_ms": "fwd ms",
    "forward_backward_ms": "f+b ms",
    "cell_updates_per_second": "Mcell/s",
    "share_of_peak": "peak",
    "saved_bytes_per_cell_iteration": "B kept",
}


def _why_not(row: Row) -> str:
    if row.forward_ms is not None:
        return ""
    return "not measured" if row.backend == "triton" else str(row.reason)


def _shape(row: Row) -> tuple[int, ...]:
    return (row.height, row.width, row.batch, row.iterations)
