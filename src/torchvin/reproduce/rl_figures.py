"""Figures of learning from reward: success against environment steps and against time, with the spread of the seeds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torchvin.plotting.figure import figure
from torchvin.reproduce.rl_scores import Measured

#: Colour and line of a network.
STYLES: Mapping[str, tuple[str, str]] = {
    "VIN": ("black", "-"),
    "VIN, 4 moves": ("tab:blue", "-."),
    "CNN": ("tab:red", "--"),
    "CNN, 4 moves": ("tab:orange", ":"),
}


def draw(rows: Sequence[Measured], out: Path) -> dict[Path, str]:
    """Draw the learning curves of the trainings with a history into `out`/figures; returns picture -> caption.

    Raises: InputError if `out` cannot be written.
    """
    known = [row for row in rows if row.on == row.side and len(row.training.success) > 1 and row.network in STYLES]
    if not known:
        return {}
    sides = sorted({row.side for row in known})
    path = out / "figures" / "rl_learning.png"
    with figure(path, 10, 3.8 * len(sides), columns=2, rows=len(sides)) as axes:
        for line, side in zip(axes, sides, strict=True):
            mine = [row for row in known if row.side == side]
            _curves(line[0], mine, lambda row: row.steps, f"{side}x{side}", "environment steps")
            _curves(line[1], mine, lambda row: row.training.record["seconds"], f"{side}x{side}", "training [s]")
    return {
        path: "Validation states from which the goal is not reached, after each epoch: the mean of the seeds, and the "
        "band between the lowest and the highest. An epoch is taken to last as long as any other of its training."
    }


def _curves(axis: Any, rows: Sequence[Measured], whole: Callable[[Measured], float], title: str, label: str) -> None:
    """One line per network; `whole` is the length of a training on the x axis."""
    for network, (color, line) in STYLES.items():
        group = [row for row in rows if row.network == network]
        if not group:
            continue
        epochs = min(len(row.training.success) for row in group)
        length = sum(whole(row) / len(row.training.success) for row in group) / len(group)
        x = [length * (epoch + 1) for epoch in range(epochs)]
        fails = [[max(1e-2, 100 * (1 - rate)) for rate in row.training.success[:epochs]] for row in group]
        each = list(zip(*fails, strict=True))
        axis.plot(
            x, [sum(values) / len(values) for values in each], line, color=color, label=f"{network} ({len(group)})"
        )
        axis.fill_between(
            x, [min(values) for values in each], [max(values) for values in each], color=color, alpha=0.15
        )
    axis.set(xlabel=label, ylabel="states that fail [%]", yscale="log", title=title)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
