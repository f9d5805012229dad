"""Learning curves."""

from collections.abc import Mapping, Sequence
from os import PathLike

from torchvin.plotting.figure import figure


def plot_history(history: Sequence[Mapping[str, float | int]], path: str | PathLike[str]) -> None:
    """Draw loss, or the reward of learning from reward, and failure rates against the epoch.

    Args:
        history: one row per epoch, with `epoch`, `loss` or `reward`, `success_rate` and perhaps `optimal_rate`:
            `Trained.history`.
        path: of the picture.

    Raises: InputError if `path` cannot be written.
    """
    epochs = [row["epoch"] for row in history]
    with figure(path, 9, 3.4, columns=2) as axes:
        loss, rates = axes[0]
        if "reward" in history[0]:
            loss.plot(epochs, [row["reward"] for row in history], color="black", marker=".")
            loss.set(xlabel="epoch", ylabel="mean reward of an episode", title="Reward in training")
        else:
            loss.plot(epochs, [row["loss"] for row in history], color="black", marker=".")
            loss.set(xlabel="epoch", ylabel="loss per cell [nats]", yscale="log", title="Training loss")
        for name, label, style, color in (
            ("success_rate", "does not reach the goal", "-", "black"),
            ("optimal_rate", "not at optimal cost", "--", "tab:blue"),
        ):
            if name not in history[0]:
                continue
            failures = [max(100 * (1 - row[name]), 1e-3) for row in history]
            rates.plot(epochs, failures, style, marker=".", color=color, label=label)
        rates.set(
            xlabel="epoch",
            ylabel="states that fail [%], at least 0.001",
            yscale="log",
            title="Validation: rollouts from every state",
        )
        rates.legend()
        for axis in axes[0]:
            axis.grid(alpha=0.3)
