"""MovingAI `.scen`: the start and goal pairs of a benchmark map, https://movingai.com/benchmarks/formats.html."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from torchvin.errors import InputError
from torchvin.io.files import replacing
from torchvin.maps.formats.contract import check_readable, check_size

FIELDS = ("bucket", "map", "width", "height", "start x", "start y", "goal x", "goal y", "optimal length")


@dataclass(frozen=True)
class Scenario:
    """One problem on a map.

    Attributes:
        bucket: problems of like length share one (length // 4).
        map_name: the `.map` file, as the scenario file writes it.
        height, width: cells of the map that the coordinates refer to.
        start, goal: (row, col); the file's x is the column, its y the row.
        optimal_length: of the shortest path, in cells, diagonals sqrt(2), to 8 decimals. The benchmark never cuts
            corners (`GridMotion(corner_cutting=False)`): with the paper's moves the optimum may be shorter.
    """

    bucket: int
    map_name: str
    height: int
    width: int
    start: tuple[int, int]
    goal: tuple[int, int]
    optimal_length: float


def read_scenarios(path: str | PathLike[str]) -> list[Scenario]:
    """Read a `.scen`: `version 1`, then lines of nine fields between tabs (`FIELDS`); older files have spaces.

    Raises: InputError naming the line, what was expected and what came.
    """
    path = Path(path)
    check_readable(path)
    scenarios = []
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            where = f"{path}, line {number}"
            try:
                line = raw.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InputError(f"{where}: expected UTF-8 text, got the bytes {raw[:20]!r}.") from error
            if number == 1:
                _check_version(line, where)
            elif line.strip():
                scenarios.append(_scenario(_fields(line), where))
    if number == 0:
        _check_version("", f"{path}, line 1")
    return scenarios


def write_scenarios(path: str | PathLike[str], scenarios: Iterable[Scenario]) -> None:
    """Write a `.scen`, whole or not at all; lengths get 8 decimals as in the benchmark's own files.

    Raises: InputError if `path` cannot be written or a scenario could not be read again.
    """
    lines = ["version 1"]
    for index, scenario in enumerate(scenarios):
        (start_row, start_col), (goal_row, goal_col) = scenario.start, scenario.goal
        numbers = scenario.width, scenario.height, start_col, start_row, goal_col, goal_row
        fields = [str(field) for field in (scenario.bucket, scenario.map_name, *numbers)]
        fields.append(f"{scenario.optimal_length:.8f}")
        _scenario("\t".join(fields).split("\t"), f"{path}: scenario {index}")
        if "\n" in scenario.map_name:
            raise InputError(f"{path}: scenario {index}: expected a map name of one line, got {scenario.map_name!r}.")
        lines.append("\t".join(fields))
    with replacing(Path(path)) as temporary:
        temporary.write_bytes("".join(line + "\n" for line in lines).encode())


def _check_version(line: str, where: str) -> None:
    if not re.fullmatch(r"version 1(\.0)?\s*", line):
        raise InputError(f"{where}: expected 'version 1', got {line[:40]!r}; is this a MovingAI scenario file?")


def _fields(line: str) -> list[str]:
    """The fields of a line: between tabs, or in older files between spaces, which the map's name may hold too."""
    if "\t" in line:
        return line.split("\t")
    bucket, _, rest = line.strip().partition(" ")
    return [bucket, *rest.strip().rsplit(maxsplit=len(FIELDS) - 2)]


def _scenario(fields: list[str], where: str) -> Scenario:
    if len(fields) != len(FIELDS):
        raise InputError(
            f"{where}: expected {len(FIELDS)} fields between tabs, {', '.join(FIELDS)}; got {len(fields)}."
        )
    numbers = {}
    for name, field in zip(FIELDS, fields, strict=True):
        if name not in ("map", "optimal length"):
            if not re.fullmatch(r"[0-9]{1,12}", field):
                raise InputError(f"{where}: expected a whole number for {name}, got {field[:40]!r}.")
            numbers[name] = int(field)
    length = _length(fields[-1], where)
    height, width = numbers["height"], numbers["width"]
    check_size(height, width, where)
    for name in ("start", "goal"):
        row, col = numbers[f"{name} y"], numbers[f"{name} x"]
        if row >= height or col >= width:
            raise InputError(f"{where}: expected a {name} on the {height}x{width} map, got row {row}, col {col}.")
    start = numbers["start y"], numbers["start x"]
    goal = numbers["goal y"], numbers["goal x"]
    return Scenario(numbers["bucket"], fields[1], height, width, start, goal, length)


def _length(field: str, where: str) -> float:
    try:
        length = float(field)
    except ValueError:
        length = math.nan
    if not 0 <= length < math.inf:
        raise InputError(f"{where}: expected an optimal length of 0 or more, got {field[:40]!r}.")
    return length
