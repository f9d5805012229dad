"""`torchvin bench fixed-point-memory`: peak memory of training steps on large maps, by gradient mode."""

import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch

from torchvin.architectures.normalized import NormalizedConfig
from torchvin.architectures.registry import build_policy
from torchvin.bench.machine import peak_megabytes
from torchvin.bench.timer import Timer
from torchvin.data.dataset import solve_maps
from torchvin.io.progress import progress_bar
from torchvin.io.tables import Column, Table, table_of
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.mdp.motion import GridMotion
from torchvin.training.imitation.losses import optimal_set_loss

Mode = Literal["implicit", "checkpoint", "unroll"]


@dataclass(frozen=True)
class FixedPointMemory(Timer):
    """Peak memory of training to the fixed point, by gradient mode.

    Each mode trains the normalized design on mazes in a process of its own; the peak is that of the whole process,
    PyTorch included. "implicit" plans to the fixed point, the modes after it make as many value updates as it needed.
    """

    name: ClassVar[str] = "fixed-point-memory"

    side: int = 101
    """Rows and columns of the mazes."""
    batch: int = 8
    """Mazes in one training step."""
    steps: int = 3
    """Training steps."""
    discount: float = 0.99
    """Of the design."""
    modes: tuple[Mode, ...] = ("implicit", "checkpoint", "unroll")
    """Gradient modes, in this order."""
    iterations: int = 2000
    """Value updates of the modes that do not stop by themselves, where "implicit" has not said how many it needed."""

    def measure(self) -> dict[str, Any]:
        """One row per mode."""
        rows: list[dict[str, Any]] = []
        iterations = self.iterations
        with progress_bar("measuring", len(self.modes)) as advance:
            for mode in self.modes:
                fresh = multiprocessing.get_context("spawn")  # memory of another mode would count in a forked process
                with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as process:
                    rows.append(process.submit(train_steps, self, mode, iterations).result())
                if mode == "implicit":
                    iterations = rows[-1]["updates"]
                advance(1)
        return {"rows": rows}

    def tables(self, content: Mapping[str, Any]) -> list[Table]:
        """One line per mode."""
        columns: list[Column[Mapping[str, Any]]] = [
            Column("gradient", lambda row: row["gradient"]),
            Column("value updates", lambda row: f"{row['updates']:,}"),
            Column("residual", lambda row: f"{row['residual']:.2g}"),
            Column("largest value", lambda row: f"{row['largest_value']:.3g}"),
            Column("loss", lambda row: f"{row['loss']:.4f}"),
            Column("processor [s per step]", lambda row: f"{row['cpu_seconds_per_step']:.2f}"),
            Column("before [MB]", lambda row: f"{row['mb_before']:,.0f}"),
            Column("peak [MB]", lambda row: f"{row['mb_peak']:,.0f}"),
        ]
        title = f"{self.batch} mazes of {self.side}x{self.side}, {self.steps} training steps"
        return [table_of(columns, content["rows"], title=title)]


def train_steps(options: FixedPointMemory, mode: Mode, iterations: int) -> dict[str, Any]:
    """One row: train in this process."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    dataset = solve_maps(*generate_mazes(options.batch, options.side, seed=0), moves=GridMotion(4))
    policy = build_policy(NormalizedConfig(num_actions=4, gradient=mode, discount=options.discount))
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    observation, cells = dataset.planes(), dataset.optimal_actions != 0
    before = peak_megabytes()
    began = time.process_time()
    for _ in range(options.steps):
        output = policy(observation, num_iterations=None if mode == "implicit" else iterations)
        loss = optimal_set_loss(output.logits, dataset.optimal_actions, cells) / cells.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return {
        "gradient": mode,
        "updates": output.plan.num_iterations,
        "residual": output.plan.residual.max().item(),
        "largest_value": output.plan.value.max().item(),
        "loss": loss.item(),
        "cpu_seconds_per_step": (time.process_time() - began) / options.steps,
        "mb_before": before,
        "mb_peak": peak_megabytes(),
    }
