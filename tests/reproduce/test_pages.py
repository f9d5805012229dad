"""What every page shares: rows, templates, figures, and a page of one's own."""

import math
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import ClassVar

import pytest
from matplotlib.figure import Figure

from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores, margin
from torchvin.io.tables import Column, table_of, write_csv
from torchvin.reproduce import figures
from torchvin.reproduce import text as prose
from torchvin.reproduce.page import Page
from torchvin.reproduce.registry import PAGES
from torchvin.reproduce.row import Row, row_of
from torchvin.reproduce.table1_figures import rollout_title


def scores(maps=100, **rates):
    return Scores(**{**{field.name: 0.5 for field in fields(Scores)}, "maps": maps, "rollouts": 700, **rates})


def test_a_row_is_the_mean_over_trainings_with_its_interval_over_maps():
    row = row_of(
        "gridworld-8", "vin", "test", "success_rate", [scores(success_rate=0.9), scores(success_rate=1.0)], 0.996
    )
    assert (row.value, row.n, row.seeds, row.published) == (0.95, 100, 2, 0.996)
    assert row.interval == margin(0.95, 100)


def test_numbers_that_are_no_rate_have_no_interval_and_what_was_not_run_has_no_value():
    assert row_of("t", "vin", "test", "trajectory_difference", [scores()]).interval is None
    missing = row_of("t", "vin", "test", "success_rate", [])
    assert (missing.value, missing.n, missing.seeds, missing.interval) == (None, 0, 0, None)


def test_trainings_without_a_value_are_left_out_of_the_mean():
    measured = [scores(trajectory_difference=math.nan), scores(trajectory_difference=0.25)]
    assert row_of("t", "vin", "test", "trajectory_difference", measured).value == 0.25


def test_pages_stand_under_their_names_and_say_what_they_are():
    assert list(PAGES) == ["table1", "mazes", "rl", "mars", "control", "webnav"]
    for name, page in PAGES.items():
        assert page.name == name
        assert page.__doc__.endswith((".", ".\n    "))


@dataclass(frozen=True)
class Toy(Page):
    """A page of one number.

    More about it.
    """

    name: ClassVar[str] = "toy"
    number: float = 0.5

    def measure(self, book):
        return book.keep("number", lambda: {"value": self.number})["value"]

    def rows(self, measured):
        return [Row("toy", "expert", "test", "success_rate", measured, 1, 1, None, None)]

    def tables(self, measured):
        return [table_of([Column("value", str, "value")], [measured], short=True)]

    def write(self, measured):
        return [prose.write_text(self.folder / "toy.md", f"{measured}\n")]


def test_a_page_of_ones_own_needs_no_change_elsewhere(tmp_path):
    outcome = Toy(out=tmp_path, budget="full").run()
    assert outcome.rows[0].value == 0.5
    assert outcome.tables[0].lines == (("0.5",),)
    assert outcome.files[0].read_text() == "0.5\n"
    assert Toy(out=tmp_path, budget="full", number=0.7).run().rows[0].value == 0.5  # from the book
    assert Toy(out=tmp_path, number=0.7).run().rows[0].value == 0.7  # quick: measured anew
    with pytest.raises(InputError, match="--threads must be at least 1, got 0"):
        Toy(threads=0).run()


def test_a_paragraph_without_content_disappears_and_a_forgotten_placeholder_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "page.md").write_text("# Title\n\n${first}\n\n${second}\n")
    monkeypatch.setattr(prose, "TEMPLATES", tmp_path)
    assert prose.filled("page", {"first": "", "second": "text"}) == "# Title\n\ntext\n"
    with pytest.raises(KeyError, match="second"):
        prose.filled("page", {"first": ""})


def test_a_csv_leaves_what_an_entry_lacks_empty(tmp_path):
    write_csv(tmp_path / "table.csv", [{"a": 1}, {"a": 2, "b": 3}])
    assert (tmp_path / "table.csv").read_text().splitlines() == ["a,b", "1,", "2,3"]


def test_learning_curves_name_the_networks_without_a_history(tmp_path, monkeypatch):
    canvas = Figure()

    @contextmanager
    def drawn(path, width, height, columns):
        yield canvas.subplots(1, columns, squeeze=False)

    monkeypatch.setattr(figures, "figure", drawn)
    styles = {"VIN": {"color": "black"}, "CNN": {"color": "red"}}
    success = {"8x8": {"VIN": [0.5, 0.9]}, "16x16": {"CNN": [0.5]}}
    figures.learning_curves(tmp_path / "x.png", success, {"8x8": ["CNN", "FCN"], "16x16": []}, styles)
    assert canvas.get_supxlabel() == "8x8, no history at hand: CNN; FCN"
    assert canvas.axes[0].lines[0].get_ydata() == pytest.approx([50.0, 10.0])


@pytest.mark.parametrize(
    ("failed", "title"),
    [
        ([], "map 2: all arrive"),
        (["FCN"], "map 2: FCN fails"),
        (["VIN", "CNN", "FCN"], "map 2: VIN, CNN and FCN fail"),
        (["CNN", "VIN, every cell"], "map 2: CNN; VIN, every cell fail"),
    ],
)
def test_the_title_of_a_map_says_who_fails(failed, title):
    assert rollout_title(2, failed) == title
