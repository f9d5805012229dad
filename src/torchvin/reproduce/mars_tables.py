"""Tables of the page `mars`: one per set of maps, and what was aimed at beside what was measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torchvin.evaluation.metrics import Scores, margin
from torchvin.io.tables import Column, Table, table_of
from torchvin.reproduce.book import Training
from torchvin.reproduce.mars_maps import headline

_HARD = "classifier + shortest path"


@dataclass(frozen=True)
class MarsScore:
    """One policy on one set of maps.

    Attributes:
        policy: row of the table.
        split: name of the set.
        training: of the policy; None of the straight line.
        scores: on the true maps.
    """

    policy: str
    split: str
    training: Training | None
    scores: Scores


Line = tuple[str, list[MarsScore]]


def grouped(measured: Sequence[MarsScore]) -> dict[tuple[str, str], list[MarsScore]]:
    """The trainings of each policy on each set of maps."""
    groups: dict[tuple[str, str], list[MarsScore]] = {}
    for entry in measured:
        groups.setdefault((entry.policy, entry.split), []).append(entry)
    return groups


def split_table(measured: Sequence[MarsScore], split: str) -> Table:
    """The table of one set of maps."""
    mine = [(policy, group) for (policy, of), group in grouped(measured).items() if of == split]
    return table_of(_COLUMNS, mine, title=headline(split).replace("`", ""))


def aims_table(measured: Sequence[MarsScore]) -> Table:
    """What this work aimed at, and what came of it, in points of success."""
    success = {key: 100 * _mean((key[0], group), "success_rate") for key, group in grouped(measured).items()}
    lines = []
    for what, one, other, least in _AIMS:
        if one in success and (other is None or other in success):
            value = success[one] - (success[other] if other else 0.0)
            lines.append((what, f"{least:g}", f"{value:.2f}", "yes" if value >= least else "**no**"))
    if ("VIN", "turned") in success:
        change = abs(success["VIN", "turned"] - success["VIN", "not turned"])
        lines.append(("change of the VIN by turning", "at most 1", f"{change:.2f}", "yes" if change < 1 else "**no**"))
    return Table(("aim, in points of success", "at least", "measured", "met"), tuple(lines), title="aims")


#: what, (policy, split), what it is compared with, the least difference
_AIMS: list[tuple[str, tuple[str, str], tuple[str, str] | None, float]] = [
    ("VIN, 16x16 cells", ("VIN", "test"), None, 95.0),
    ("VIN, 32x32 cells, trained at 16x16", ("VIN", "32x32"), None, 90.0),
    ("VIN over classifier + shortest path, 16x16", ("VIN", "test"), (_HARD, "test"), -2.0),
    ("VIN over classifier + cautious paths, 16x16", ("VIN", "test"), ("classifier + cautious paths", "test"), -2.0),
    ("VIN over reactive CNN, 16x16", ("VIN", "test"), ("reactive CNN", "test"), 15.0),
    ("VIN over reactive CNN, 32x32", ("VIN", "32x32"), ("reactive CNN", "32x32"), 15.0),
    ("VIN over classifier + shortest path, Mars", ("VIN", "mars"), (_HARD, "mars"), -3.0),
    ("VIN over classifier + shortest path, the Moon", ("VIN", "moon"), (_HARD, "moon"), -3.0),
    ("straight line over VIN with wrong images", ("straight line", "wrong image"), ("VIN", "wrong image"), 0.0),
]


def _mean(line: Line, metric: str) -> float:
    return sum(float(getattr(entry.scores, metric)) for entry in line[1]) / len(line[1])


def _rate(metric: str) -> Callable[[Line], str]:
    return lambda line: f"{100 * _mean(line, metric):.2f} %"


def _interval(line: Line) -> str:
    return f"{100 * margin(_mean(line, 'success_rate'), line[1][0].scores.maps):.2f}"


def _trainings(line: Line) -> str:
    """Their number, and where their success lies if there are several."""
    success = [100 * entry.scores.success_rate for entry in line[1]]
    spread = f" ({min(success):.2f} to {max(success):.2f})" if len(success) > 1 else ""
    return f"{len(success)}{spread}" if line[1][0].training else "-"


_COLUMNS: list[Column[Line]] = [
    Column("policy", lambda line: line[0], "policy"),
    Column("success", _rate("success_rate"), "success"),
    Column("+-", _interval, "+-"),
    Column("optimal", _rate("optimal_rate"), "optimal"),
    Column("extra steps", lambda line: f"{_mean(line, 'trajectory_difference'):.2f}", "extra"),
    Column("success, all states", _rate("all_states_success_rate"), "all states"),
    Column("maps", lambda line: str(line[1][0].scores.maps), "maps"),
    Column("trainings", _trainings, "trainings"),
]
