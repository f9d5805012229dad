"""MovingAI `.map`: the benchmark maps of Sturtevant (2012), https://movingai.com/benchmarks/formats.html.

Free are `.` and `G` (ground) and `S` (swamp: the format calls it passable from ordinary ground). Blocked are `@` and
`O` (outside), `T` (trees) and `W` (water: can be crossed, but not entered from the ground, so counted as an obstacle).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile, check_readable, check_size

FREE = b".GS"
BLOCKED = b"@OTW"
HEADER = ("type", "height", "width")
MAX_HEADER_LINE = 1024  # bytes


def read_movingai(path: Path) -> MapFile:
    """Read a `.map`: the header lines `type octile`, `height H`, `width W` and `map`, then H lines of W cells.

    Lines may end with LF or CRLF.

    Returns: `MapFile`; line 1 after the header is row 0.
    Raises: InputError naming the line, what was expected and what came.
    """
    size = check_readable(path)
    with path.open("rb") as file:
        lines = enumerate(iter(lambda: file.readline(MAX_HEADER_LINE), b""), 1)
        height, width, number = _read_header(lines, path)
        check_size(height, width, path)
        if height * width > size:  # each cell is one byte: refuse before the array is allocated
            raise InputError(
                f"{path}: expected {height} rows of {width} cells as the header says, got a file of {size} bytes;"
                " it is truncated, or its header is wrong."
            )
        cells = np.empty((height, width), dtype=np.uint8)
        for row in range(height):
            number += 1
            line = file.readline(width + 3).rstrip(b"\r\n")  # one more than a row with its CRLF: shows a longer row
            if len(line) != width:
                came = f"more than {width}" if len(line) > width else str(len(line))
                raise InputError(f"{path}, line {number}: expected {width} cells (row {row} of {height}), got {came}.")
            cells[row] = np.frombuffer(line, dtype=np.uint8)
        rest = file.read(MAX_HEADER_LINE).strip()
    if rest:
        raise InputError(f"{path}: expected the end after {height} rows, got {rest[:20].decode('latin-1')!r}.")
    _check_letters(cells, number - height + 1, path)
    blocked = np.zeros(256, dtype=bool)
    blocked[list(BLOCKED)] = True
    return MapFile(torch.from_numpy(np.stack([blocked[row] for row in cells])), source=str(path))


def write_movingai(path: Path, map_file: MapFile) -> None:
    """Write a `.map` with `@` for blocked and `.` for free, whole or not at all.

    Raises: InputError if `path` cannot be written.
    """
    blocked = map_file.blocked.cpu().numpy()
    height, width = blocked.shape
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(f"type octile\nheight {height}\nwidth {width}\nmap\n".encode())
        for row in blocked:
            file.write(np.where(row, np.uint8(ord("@")), np.uint8(ord("."))).tobytes() + b"\n")


def _read_header(lines: Iterator[tuple[int, bytes]], path: Path) -> tuple[int, int, int]:
    """Height, width, and the number of the line that says `map`."""
    found: dict[str, str] = {}
    for number, raw in lines:
        line = raw.decode("latin-1").rstrip()  # latin-1 reads any byte; the checks below refuse what is not ours
        if line == "map":
            missing = [key for key in HEADER if key not in found]
            if missing:
                raise InputError(f"{path}, line {number}: expected a header line '{missing[0]} ...' before 'map'.")
            return int(found["height"]), int(found["width"]), number
        key, _, value = line.partition(" ")
        wanted = r"octile" if key == "type" else r"[0-9]{1,12}"
        if key not in HEADER or key in found or not re.fullmatch(wanted, value):
            raise InputError(
                f"{path}, line {number}: expected one each of 'type octile', 'height H', 'width W', and then 'map',"
                f" got {line[:40]!r}."
            )
        found[key] = value
    raise InputError(f"{path}: expected the line 'map' after the header, got the end of the file; it is truncated.")


def _check_letters(cells: np.ndarray, first_line: int, path: Path) -> None:
    known = np.zeros(256, dtype=bool)
    known[list(FREE + BLOCKED)] = True
    for row, letters in enumerate(cells):
        bad = ~known[letters]
        if bad.any():
            col = int(bad.argmax())
            raise InputError(
                f"{path}, line {first_line + row}: expected cells out of {FREE.decode()} (free) and {BLOCKED.decode()}"
                f" (blocked), got {chr(letters[col])!r} in column {col + 1}."
            )
