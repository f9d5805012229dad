"""What the figures of all pages share: the hardest task of a map, curves with a key, learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torchvin.plotting.figure import figure

#: One line of a figure by name: colour, line and marker, so that it reads without colour too.
Style = Mapping[str, Any]


def curves(
    axis: Any, lines: Mapping[str, tuple[Sequence[float | int], Sequence[float | int]]], styles: Mapping[str, Style]
) -> None:
    """Draw named curves (x, y), each in its style, with a grid and a key."""
    for name, (x, y) in lines.items():
        axis.plot(x, y, label=name, **{"markersize": 4, **styles[name]})
    axis.grid(alpha=0.3)
    if axis.lines:
        axis.legend(fontsize=8)


def learning_curves(
    path: Path,
    success: Mapping[str, Mapping[str, Sequence[float]]],
    missing: Mapping[str, Sequence[str]],
    styles: Mapping[str, Style],
) -> None:
    """Draw the share of validation states that fail against the epoch; a note names what has no history.

    Args:
        path: of the picture.
        success: panel -> network -> success rate after each epoch.
        missing: panel -> networks without a history at hand.
        styles: of the networks.

    Raises: InputError if `path` cannot be written.
    """
    with figure(path, 4.2 * len(success), 4.0, columns=len(success)) as axes:
        for axis, (panel, networks) in zip(axes[0], success.items(), strict=True):
            lines = {
                name: (range(1, len(rates) + 1), [max(1e-2, 100 * (1 - rate)) for rate in rates])
                for name, rates in networks.items()
            }
            curves(axis, lines, {name: {**styles[name], "marker": None} for name in lines})
            axis.set(xlabel="epoch", ylabel="validation states that fail [%]", yscale="log", title=panel)
        if notes := [f"{panel}, no history at hand: {'; '.join(names)}" for panel, names in missing.items() if names]:
            axes[0][0].figure.supxlabel("\n".join(notes), fontsize=8)
