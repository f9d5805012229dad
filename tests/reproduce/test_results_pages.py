"""The page of results is what the score book says: a book of version 0.1, without runs and without measuring."""

import shutil
from pathlib import Path

import pytest

from torchvin.io.tables import table_of
from torchvin.reproduce import ablations, table1
from torchvin.reproduce.book import ScoreBook
from torchvin.reproduce.table1 import cells
from torchvin.reproduce.table1_text import _ABLATIONS, COLUMNS, page_text

RESULTS = Path(__file__).parents[2] / "docs" / "results"


class Maps(list):
    """As many maps as the book asks for, without a cell in them."""

    def __init__(self, side, number, seed=0):
        super().__init__([None] * number)
        self.size = (side, side)


@pytest.fixture
def measured(tmp_path, monkeypatch, _unchecked_shapes):  # the maps here are empty
    shutil.copy(RESULTS / "gridworld.json", tmp_path / "scores.json")
    for module in (table1, ablations):
        monkeypatch.setattr(module, "fresh_maps", Maps)
    book = ScoreBook(tmp_path)
    rows = table1.full(table1.SIDES, tmp_path, book, None, new=False)
    return rows, ablations.run(tmp_path, book, False, "test"), ablations.iterations(rows, book)


def lines(text):
    """The tables without the dates of today."""
    return [line for line in text.splitlines() if line.startswith("|")]


def test_the_page_in_docs_is_that_of_the_score_book(measured):
    rows, ablated, iterations = measured
    page = (RESULTS / "gridworld.md").read_text()
    assert table_of(COLUMNS, cells(rows)).markdown() in page
    assert table_of(_ABLATIONS, ablated).markdown() in page
    assert lines(page_text("test", cells(rows), rows, ablated, iterations, {})) == lines(page)
    assert len(cells(rows)) == len(table1.SIDES) * len(table1.weights_of(8))


def test_every_policy_of_the_page_has_a_name_in_its_rows(measured):
    scores = table1.Table1Scores(tuple(measured[0]))
    rows = table1.Table1().rows(scores)
    vin = [row for row in rows if (row.task, row.policy, row.metric) == ("gridworld-28", "vin", "success_rate")]
    assert [(round(row.value, 4), row.n, row.seeds, row.published, row.split) for row in vin] == [
        (0.9645, 5_000, 3, 0.97, "test")
    ]
    assert {row.policy for row in rows} == {
        "vin", "cnn", "fcn", "vin-authors-start", "vin-best-start", "vin-all-cells", "normalized"
    }  # fmt: skip
    assert len(rows) == 5 * len(cells(measured[0]))


def test_runs_of_version_0_1_are_found_under_their_old_name(tmp_path):
    shutil.copytree(Path(table1.__file__).parents[1] / "pretrained/weights/gridworld-8", tmp_path / "normalised-s0")
    (tmp_path / "normalised-s0" / "history.csv").write_text("epoch,success_rate\n1,0.5\n")
    training = ScoreBook(None).training(tmp_path / "normalized-s0")
    assert (training.name, training.weights) == ("normalized-s0", str(tmp_path / "normalised-s0"))
