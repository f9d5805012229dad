"""`torchvin bench value-iteration`: every formulation of the operator side by side in one run, on this machine."""

import datetime
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

_PIPELINE = {
    "maps_per_second": "data generation, 28x28, maps/s",
    "rollouts_per_second": "evaluation, 28x28, rollouts/s",
    "decision_microseconds": "one decision on one 28x28 map, K = 36, microseconds",
    "dijkstra_microseconds": "scipy's Dijkstra on the same map, graph not counted, microseconds",
}


@dataclass(frozen=True)
class Arguments:
    """Options of `torchvin bench`."""

    what: tyro.conf.Positional[Literal["value-iteration"]]
    """What to time."""
    threads: int = 1
    """Threads of every formulation."""
    quick: bool = False
    """Leave out 4 times the paper's K, and 512x512."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the operator runs."""
    out: Path | None = None
    """Folder for results.json, results.md and cost.png."""
    json: bool = False
    """Print one JSON object on the last line."""


def run(arguments: Arguments) -> None:
    """Measure and print."""
    import torch

    from torchvin.bench import pipeline, value_iteration
    from torchvin.bench.machine import processor
    from torchvin.cli.output import print_json, print_table
    from torchvin.errors import InputError
    from torchvin.io.files import check_writable
    from torchvin.io.progress import progress_bar

    if arguments.threads < 1:
        raise InputError(f"--threads must be at least 1, got {arguments.threads}.")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda needs a GPU that PyTorch can use, and there is none. Use --device cpu.")
    if arguments.out:
        check_writable(arguments.out / "results.json")
    torch.set_num_threads(arguments.threads)
    cases = value_iteration.QUICK_CASES if arguments.quick else value_iteration.CASES
    peak = value_iteration.peak()
    rows: list[value_iteration.Row] = []
    with progress_bar("measuring", len(cases) + 1) as advance:
        for measured in value_iteration.measure(cases, peak_gflops=peak, device=arguments.device):
            rows += measured
            advance(1)
        steps = pipeline.measure()
        advance(1)
    content = {
        "peak_gflops": peak,
        "machine": {
            "processor": processor(),
            "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu",
            "threads": arguments.threads,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "date": datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat(),
        "rows": [asdict(row) for row in rows],
        "pipeline": [{"name": name, "value": value} for name, value in steps.items()],
    }
    columns, cells = table(rows)
    steps_table = [(_PIPELINE[name], f"{value:,.0f}") for name, value in steps.items()]
    if arguments.out:
        _write(arguments.out, content, rows, columns, cells, steps_table)
    if arguments.json:
        print_json(content)
        return
    print(f"peak of one thread: {f'{peak:.0f} GFLOP/s' if peak else 'not measured'}")
    print_table(columns, cells)
    print_table(("step", "this machine"), steps_table)


def table(rows: Sequence[Any]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Columns and cells of the printed table; ratios are to our kernel's time on the same shape."""
    ours = {_shape(row): row for row in rows if row.backend in ("cpu", "triton") and row.forward_ms is not None}
    columns = ("shape", "form", "fwd ms", "f+b ms", "Mcell/s", "peak", "B kept", "fwd x", "f+b x", "")
    cells: list[Sequence[str]] = []
    for row in rows:
        shape = f"{row.batch}x{row.height}x{row.width} K={row.iterations}"
        if row.forward_ms is None or row.forward_backward_ms is None:
            reason = "not measured" if row.backend == "triton" else row.reason
            cells.append((shape, row.backend, *("-",) * 7, str(reason)))
            continue
        base = ours.get(_shape(row))
        cells.append(
            (
                shape,
                row.backend,
                f"{row.forward_ms:.3f}",
                f"{row.forward_backward_ms:.3f}",
                f"{row.cell_updates_per_second / 1e6:,.0f}",
                f"{100 * row.share_of_peak:.0f} %" if row.share_of_peak else "-",
                f"{row.saved_bytes_per_cell_iteration:.1f}",
                f"{row.forward_ms / base.forward_ms:.1f}" if base else "-",
                f"{row.forward_backward_ms / base.forward_backward_ms:.1f}" if base else "-",
                "",
            )
        )
    return columns, cells


def _shape(row: Any) -> tuple[int, ...]:
    return (row.height, row.width, row.batch, row.iterations)


def _write(
    out: Path,
    content: dict[str, Any],
    rows: Sequence[Any],
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    steps: Sequence[Sequence[str]],
) -> None:
    from torchvin.bench.plot import plot_cost
    from torchvin.io.files import replacing

    machine = content["machine"]
    lines = [
        "# Benchmark of value iteration",
        "",
        f"{content['date']}, {machine['processor']}, {machine['threads']} thread(s), torch {machine['torch']}, peak "
        f"{content['peak_gflops'] or float('nan'):.0f} GFLOP/s a thread. `torchvin bench value-iteration`.",
        "",
        "Form: `cpu` and `triton` ours, `eager` the best in plain PyTorch (reward convolved once), `stacked` what "
        "public VINs do, `compile` torch.compile of `eager`. `x`: times as long as ours. `B kept`: bytes kept for the "
        "backward pass a cell and iteration.",
        "",
    ]
    for head, body in ((columns, cells), (("step", "this machine"), steps)):
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in body]
        lines.append("")
    for name, text in (("results.json", json.dumps(content, indent=1)), ("results.md", "\n".join(lines))):
        with replacing(out / name) as temporary:
            temporary.write_text(text + ("" if text.endswith("\n") else "\n"))
    plot_cost(rows, out / "cost.png")
