"""MovingAI `.map`: the benchmark maps of Sturtevant (2012), https://movingai.com/benchmarks/formats.html.

Free are `.` and `G` (ground), `S` (swamp: the format calls it passable from ordinary ground) and `E` (where the robots
of the League of Robot Runners load and unload). Blocked are `@` and `O` (outside), `T` (trees) and `W` (water: can be
crossed, but not entered from the ground, so counted as an obstacle). A header may say its own letters instead.
"""

import os
import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import MapFile, check_readable, check_size

FREE = b".GSE"
BLOCKED = b"@OTW"
HEADER = ("type", "height", "width")
LETTERS = ("free", "obstacle")  # of a header that says its own
MAX_HEADER_LINE = 1024  # bytes


def read_movingai(path: Path) -> MapFile:
    """Read a `.map`: the header lines `type octile`, `height H`, `width W` and `map`, then H lines of W cells.

    A header that says its own letters has `free LETTERS` and `obstacle LETTERS` too, and needs neither `type` nor
    `map`. Lines may end with LF or CRLF.

    Returns: `MapFile`; line 1 after the header is row 0.
    Raises: InputError naming the line, what was expected and what came.
    """
    size = check_readable(path)
    with path.open("rb") as file:
        height, width, free, obstacle, number = _read_header(file, path)
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
    _check_letters(cells, number - height + 1, path, free, obstacle)
    blocked = np.zeros(256, dtype=bool)
    blocked[list(obstacle)] = True
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


def _read_header(file: BinaryIO, path: Path) -> tuple[int, int, bytes, bytes, int]:
    """Height, width, free and blocked letters, and the number of the header's last line; leaves `file` at row 0."""
    found: dict[str, str] = {}
    for number, raw in enumerate(iter(lambda: file.readline(MAX_HEADER_LINE), b""), 1):
        line = raw.decode("latin-1").rstrip()  # latin-1 reads any byte; the checks below refuse what is not ours
        own_letters = all(key in found for key in LETTERS)
        needed = HEADER[1:] if own_letters else HEADER
        missing = [key for key in needed if key not in found]
        key, _, value = line.partition(" ")
        if line == "map" and missing:
            raise InputError(f"{path}, line {number}: expected a header line '{missing[0]} ...' before 'map'.")
        if line == "map" or (own_letters and not missing and key not in HEADER + LETTERS):
            if line != "map":  # such a header ends where the rows begin
                file.seek(-len(raw), os.SEEK_CUR)
                number -= 1
            free, obstacle = (found[key].encode("latin-1") for key in LETTERS) if own_letters else (FREE, BLOCKED)
            if both := set(free) & set(obstacle):
                raise InputError(f"{path}: the header calls {chr(min(both))!r} both free and an obstacle.")
            return int(found["height"]), int(found["width"]), free, obstacle, number
        wanted = {"type": r"octile", "free": r"[!-~]+", "obstacle": r"[!-~]+"}.get(key, r"[0-9]{1,12}")
        if key not in HEADER + LETTERS or key in found or not re.fullmatch(wanted, value):
            raise InputError(
                f"{path}, line {number}: expected one each of 'type octile', 'height H', 'width W', and then 'map',"
                f" got {line[:40]!r}."
            )
        found[key] = value
    raise InputError(f"{path}: expected the line 'map' after the header, got the end of the file; it is truncated.")


def _check_letters(cells: np.ndarray, first_line: int, path: Path, free: bytes, obstacle: bytes) -> None:
    known = np.zeros(256, dtype=bool)
    known[list(free + obstacle)] = True
    for row, letters in enumerate(cells):
        bad = ~known[letters]
        if bad.any():
            col = int(bad.argmax())
            raise InputError(
                f"{path}, line {first_line + row}: expected cells out of {free.decode()} (free) and {obstacle.decode()}"
                f" (blocked), got {chr(letters[col])!r} in column {col + 1}."
            )
