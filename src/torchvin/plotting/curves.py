"""Learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torchvin.plotting.figure import figure


def plot_history(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw loss and rates against the epoch, from the rows of a training's history.

    Raises: InputError if `path` cannot be written.
    """
    epochs = [row["epoch"] for row in history]
    with figure(path, 9, 3.4, columns=2) as axes:
        loss, rates = axes[0]
        loss.plot(epochs, [row["loss"] for row in history], color="black", marker=".")
        loss.set(xlabel="epoch", ylabel="loss a cell [nats]", yscale="log", title="Training loss")
        for name, label, style in (
            ("success_rate", "reaches the goal", "-"),
            ("optimal_rate", "at optimal cost", "--"),
        ):
            failures = [max(100 * (1 - row[name]), 1e-3) for row in history]
            rates.plot(epochs, failures, style, marker=".", color="black" if style == "-" else "tab:blue", label=label)
        rates.set(
            xlabel="epoch",
            ylabel="states that fail [%], at least 0.001",
            yscale="log",
            title="Validation: rollouts from every state",
        )
        rates.legend()
        for axis in axes[0]:
            axis.grid(alpha=0.3)
