"""What all figures share: a canvas without a display, written whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from torchvin.errors import InputError, unknown_name
from torchvin.io.files import replacing

SUFFIXES = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 130


@contextmanager
def figure(
    path: str | PathLike[str], width: float | int, height: float | int, rows: int = 1, columns: int = 1
) -> Iterator[Any]:
    """Yield the axes [rows, columns] of a new figure; then write it, without an empty margin.

    Uses no global state of matplotlib and no display.

    Args:
        path: of the picture; the suffix says its kind.
        width, height: in inches.
        rows, columns: of axes.

    Raises: InputError if the suffix is not a picture's or `path` cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with figure(f"{folder}/line.png", 2, 2) as axes:
    ...         lines = axes[0][0].plot([0, 1], [1, 0])
    ...     Path(folder, "line.png").is_file()
    True
    """
    from matplotlib.figure import Figure

    path = Path(path)
    check_picture(path)
    canvas = Figure(figsize=(width, height), layout="constrained")
    yield canvas.subplots(rows, columns, squeeze=False)
    with replacing(path) as temporary:
        canvas.savefig(temporary, dpi=DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.08)


def check_picture(path: str | PathLike[str], suffixes: Sequence[str] = SUFFIXES) -> None:
    """Check the suffix of a picture before the work that fills it.

    Args:
        path: of the picture.
        suffixes: that are allowed.

    Raises: InputError.
    """
    suffix = Path(path).suffix
    if not suffix:
        raise InputError(f"{path}: a picture needs a suffix, one of {', '.join(suffixes)}.")
    if suffix not in suffixes:
        raise unknown_name("kind of picture", suffix, suffixes)


def legend_below(axes: Any, *, columns: int) -> None:
    """One legend for all axes [rows, columns] of a figure, below them: it covers nothing."""
    entries: dict[str, Any] = {}
    for axis in axes.flat:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    axes.flat[0].figure.legend(
        entries.values(), entries.keys(), loc="outside lower center", ncols=columns, facecolor="lightgrey", fontsize=8
    )
