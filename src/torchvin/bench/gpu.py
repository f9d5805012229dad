"""`torchvin bench gpu`: planning on a GPU, called and replayed from a CUDA graph, and the host's part of a call."""

import importlib.metadata
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from torchvin.bench.fake_launches import fake_launches
from torchvin.bench.timer import Timer
from torchvin.devices import captured
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of
from torchvin.planning.kernels import autograd

#: (side, batch, K) -> microseconds of the kernels before this form: forward, forward and backward, forward in a graph.
EARLIER = {
    (8, 128, 10): (273, 1203, 29),
    (16, 128, 20): (225, 1522, 48),
    (28, 128, 36): (237, 2320, 100),
    (28, 1, 36): (237, 1228, 88),
    (28, 1024, 36): (772, 5781, 653),
    (64, 128, 80): (712, 3932, 621),
    (128, 8, 160): (2688, 5722, 2427),
    (512, 1, 640): (12176, 32884, 11854),
}
_EARLIER_WHERE = "the kernels before this form, on one H100 80 GB, torch 2.11, Triton 3.6"
_ACTIONS, _SIZE = 10, 3
_DEVICE_TIMES = ("forward_us", "forward_backward_us", "graph_forward_us", "graph_forward_backward_us")


@dataclass(frozen=True)
class Gpu(Timer):
    """Planning on a GPU: device time per call, in a CUDA graph, and the host's part.

    10 actions, 3x3 kernels, float32, gradients of all inputs. The host's part is measured on any machine, with launches
    that do nothing; it holds all of a call but the launches of the CUDA driver and its allocator.
    """

    name: ClassVar[str] = "gpu"

    calls: int = 50
    """Calls that a median is taken of."""

    @property
    def device_name(self) -> str:
        return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"

    def measure(self) -> dict[str, Any]:
        """One row per shape."""
        rows = []
        with progress_bar("measuring", len(EARLIER)) as advance:
            for side, batch, iterations in EARLIER:
                shape = {"height": side, "width": side, "batch": batch, "iterations": iterations}
                times = self._on_device(side, batch, iterations) if torch.cuda.is_available() else {}
                rows.append({**shape, **dict.fromkeys(_DEVICE_TIMES), **times})
                advance(1)
        return {"rows": rows, "host": None if torch.cuda.is_available() else _host_part(max(self.calls, 500))}

    def _on_device(self, side: int, batch: int, iterations: int) -> dict[str, float]:
        leaves, grad = problem(side, batch, "cuda")
        runs = {
            "forward_us": lambda: _forward(leaves, iterations),
            "forward_backward_us": lambda: _forward_backward(leaves, grad, iterations),
        }
        times = {}
        for name, run in runs.items():
            times[name] = _median_of_events(run, self.calls)
            times[f"graph_{name}"] = _median_of_events(captured(run)[0], self.calls)
        return times

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """The device's times beside the earlier kernels', and the host's part."""

        def earlier(row: Mapping[str, Any], index: int) -> str:
            return f"{EARLIER[(row['height'], row['batch'], row['iterations'])][index]:,}"

        columns: list[Column[Mapping[str, Any]]] = [
            Column("map", lambda row: f"{row['height']}x{row['width']}"),
            Column("batch", lambda row: f"{row['batch']:,}"),
            Column("K", lambda row: str(row["iterations"])),
            Column("forward", lambda row: _microseconds(row["forward_us"])),
            Column("forward, earlier", lambda row: earlier(row, 0)),
            Column("forward + backward", lambda row: _microseconds(row["forward_backward_us"])),
            Column("forward + backward, earlier", lambda row: earlier(row, 1)),
            Column("forward in a graph", lambda row: _microseconds(row["graph_forward_us"])),
            Column("forward in a graph, earlier", lambda row: earlier(row, 2)),
            Column("forward + backward in a graph", lambda row: _microseconds(row["graph_forward_backward_us"])),
        ]
        device = content["machine"]["device"] if "machine" in content else self.device_name
        title = f"Microseconds on: {device}; earlier: {_EARLIER_WHERE}"
        tables = [table_of(columns, content["rows"], title=title)]
        if content["host"]:
            host: list[Column[Mapping[str, Any]]] = [
                Column("forward", lambda row: f"{row['forward_us']:.0f}"),
                Column("backward", lambda row: f"{row['backward_us']:.0f}"),
                Column("forward + backward", lambda row: f"{row['forward_backward_us']:.0f}"),
                Column("launches", lambda row: str(row["launches"])),
            ]
            version = content["host"]["triton"]
            title = f"Microseconds of the host, on this CPU, with launches that do nothing; Triton {version}"
            tables.append(table_of(host, [content["host"]], title=title))
        return tables


def problem(side: int, batch: int, device: str) -> tuple[list[Tensor], Tensor]:
    """Leaves q_reward, kernel and V_0 of a random plan, and a gradient of Q."""
    generator = torch.Generator().manual_seed(0)
    q_reward = torch.randn(batch, _ACTIONS, side, side, generator=generator)
    kernel = torch.randn(_ACTIONS, 1, _SIZE**2, generator=generator).softmax(-1).view(_ACTIONS, 1, _SIZE, _SIZE) * 0.98
    leaves = [q_reward, kernel, torch.zeros(batch, 1, side, side)]
    grad = torch.randn(q_reward.shape, generator=generator)
    return [leaf.to(device).requires_grad_() for leaf in leaves], grad.to(device)


def _forward(leaves: list[Tensor], iterations: int) -> None:
    with torch.no_grad():
        autograd.value_iteration(leaves[0], leaves[1], leaves[2], iterations, "unroll", "triton")


def _forward_backward(leaves: list[Tensor], grad: Tensor, iterations: int) -> None:
    q_values = autograd.value_iteration(leaves[0], leaves[1], leaves[2], iterations, "unroll", "triton")[0]
    torch.autograd.grad(q_values, leaves, grad)


def _median_of_events(run: Callable[[], None], calls: int) -> float:
    """Microseconds between two events around a call."""
    for _ in range(3):
        run()
    cuda: Any = torch.cuda  # partly without types
    times: list[float] = []
    for _ in range(calls):
        begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1000)
    return statistics.median(times)


def _host_part(calls: int) -> dict[str, Any] | None:
    """Microseconds of the host for a call at 28x28, batch 128, K = 36; None where Triton is not installed."""
    leaves, grad = problem(28, 128, "cpu")
    forward: list[float] = []
    backward: list[float] = []
    try:
        with fake_launches() as driver:
            for call in range(calls + 1):
                if call == 1:  # the first compiles
                    launches = driver.launches
                    forward.clear()
                    backward.clear()
                times = [time.perf_counter()]
                q_values = autograd.value_iteration(leaves[0], leaves[1], leaves[2], 36, "unroll", "triton")[0]
                times.append(time.perf_counter())
                torch.autograd.grad(q_values, leaves, grad)
                times.append(time.perf_counter())
                forward.append(times[1] - times[0])
                backward.append(times[2] - times[1])
    except (ImportError, RuntimeError):
        return None
    both = [one + other for one, other in zip(forward, backward, strict=True)]
    medians = [statistics.median(times) * 1e6 for times in (forward, backward, both)]
    names = ("forward_us", "backward_us", "forward_backward_us")
    versions = {"triton": importlib.metadata.version("triton")}
    return {**dict(zip(names, medians, strict=True)), "launches": launches, "calls": calls, **versions}


def _microseconds(time: float | None) -> str:
    return "not measured" if time is None else f"{time:,.0f}"
