"""What all figures share: a canvas without a display, written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torchvin.errors import InputError, unknown_name
from torchvin.io.files import replacing

SUFFIXES = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 130


@contextmanager
def figure(path: Path, width: float, height: float, rows: int = 1, columns: int = 1) -> Iterator[Any]:
    """Yield the axes [rows, columns] of a new figure of `width` x `height` inches; then write it to `path`.

    Uses no global state of matplotlib and no display.

    Raises: InputError if the suffix is not a picture's or `path` cannot be written.
    """
    from matplotlib.figure import Figure

    check_picture(path)
    canvas = Figure(figsize=(width, height), layout="constrained")
    yield canvas.subplots(rows, columns, squeeze=False)
    with replacing(path) as temporary:
        canvas.savefig(temporary, dpi=DOTS_PER_INCH)


def check_picture(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Check the suffix of a picture before the work that fills it.

    Raises: InputError.
    """
    if not path.suffix:
        raise InputError(f"{path}: a picture needs a suffix, one of {', '.join(suffixes)}.")
    if path.suffix not in suffixes:
        raise unknown_name("kind of picture", path.suffix, suffixes)
