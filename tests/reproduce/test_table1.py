"""The table's machinery on a few maps: the numbers are those of the scorer, kept, reported and drawn."""

import csv
import dataclasses
import json
import shutil

import pytest
import torch

from torchvin import build_policy, evaluate
from torchvin.cli.main import main
from torchvin.errors import InputError
from torchvin.evaluation.metrics import Scores
from torchvin.pretrained.store import available, load_policy, save_policy
from torchvin.reproduce import ablations, table1, table1_figures
from torchvin.reproduce import book as scoring
from torchvin.reproduce.book import ScoreBook, Training, shipped_training
from torchvin.reproduce.gridworld import Measured, fresh_maps
from torchvin.reproduce.table1 import Table1, Table1Scores, cells
from torchvin.reproduce.table1_text import COLUMNS
from torchvin.reproduce.trainings import train_run

ROW = ["task", "policy", "split", "metric", "value", "n", "seeds", "interval", "published"]


@pytest.fixture
def small(monkeypatch):
    """Few maps, short trainings."""
    monkeypatch.setattr(table1, "QUICK_MAPS", 6)
    monkeypatch.setattr(table1, "FULL_MAPS", 6)
    monkeypatch.setattr(table1, "QUICK_CNN_MAPS", {8: 4, 16: 3, 28: 2})
    monkeypatch.setattr(table1, "QUICK_TRAINING_MAPS", 70)
    monkeypatch.setattr(table1, "QUICK_EPOCHS", dict.fromkeys(table1.QUICK_EPOCHS, 1))
    monkeypatch.setattr(table1_figures, "MAPS", {"length": 4, "iterations": 4})
    monkeypatch.setattr(ablations, "MAPS", 6)


def scores(**rates):
    names = [field.name for field in dataclasses.fields(Scores)]
    return Scores(**{**dict.fromkeys(names, 0.5), "maps": 100, "rollouts": 700, **rates})


def row(network="VIN", side=8, seed=0, **rates):
    record = {"seconds": 3.0, "data": "generated", "config": {"seed": seed}}
    return Measured(network, side, Training(f"x-s{seed}", record), 10, scores(**rates))


def as_text(cell):
    """Heading -> text; the two columns `ours` are one."""
    return {column.heading: column.cell(cell) for column in COLUMNS}


def test_fresh_maps_are_other_maps_for_another_seed_and_size():
    assert not fresh_maps(8, 4).blocked.equal(fresh_maps(8, 4, seed=1).blocked)
    assert fresh_maps(16, 2).size == (16, 16)


def test_every_cell_of_the_table_has_weights():
    wanted = {name for side in table1.SIDES for name in table1.weights_of(side).values()}
    assert wanted <= set(available())


def test_the_book_keeps_what_was_scored(tmp_path, monkeypatch):
    training, maps = shipped_training("gridworld-8"), fresh_maps(8, 5)
    first = ScoreBook(tmp_path).score(training, maps, "fresh")
    assert first == evaluate(training.policy(), maps).scores
    entries = json.loads((tmp_path / "scores.json").read_text())
    assert list(entries) == ["gridworld-8, fresh, 5 maps of 8x8, K 16"]
    monkeypatch.setattr(scoring, "evaluate", None)
    assert ScoreBook(tmp_path).score(training, maps, "fresh") == first  # not measured again


@pytest.fixture
def run(tmp_path):
    """A finished training in a folder of its own."""
    config = table1.preset("gridworld-8-paper")
    training = dataclasses.replace(config.training, epochs=2)
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, maps=20), training=training)
    return train_run("gridworld-8-paper-s0", config, tmp_path, command="test")


def test_the_book_knows_a_training_when_its_folder_is_gone(run):
    book, maps = ScoreBook(run.parent), fresh_maps(8, 3)
    there = book.training(run)
    scored = book.score(there, maps, "fresh")
    assert (there.weights, len(there.success), there.seed) == (str(run), 2, 0)
    shutil.rmtree(run)
    book = ScoreBook(run.parent)
    gone = book.training(run)
    assert gone == dataclasses.replace(there, weights=None)
    assert book.score(gone, maps, "fresh") == scored
    with pytest.raises(InputError, match="gridworld-8-paper-s0: its weights are gone"):
        book.score(gone, maps, "others")
    assert book.training(run.parent / "never-run") is None


def test_the_book_asks_for_a_training_only_once(run):
    asked = []

    def train():
        asked.append(run)
        return run

    book = ScoreBook(run.parent)
    missing = run.parent / "missing"
    assert book.training(missing) is None
    assert book.training(missing, train).name == run.name
    assert book.training(run, train).name == run.name
    assert asked == [run]


def test_a_training_that_begins_with_another_s_weights_has_it_trained_first(tmp_path, monkeypatch):
    trained = []

    def train_run(name, config, out, *, command, authors):
        trained.append((name, config.init, config.seed, authors))
        return out / name

    monkeypatch.setattr(table1, "train_run", train_run)
    table1._train("gridworld-28-paper-all-cells", 2, tmp_path, tmp_path / "authors")
    table1._train("gridworld-16-paper-authors-start", 1, tmp_path, None)
    first = "gridworld-16-paper-all-cells-s2"
    assert trained == [
        (first, "", 2, None),
        ("gridworld-28-paper-all-cells-s2", str(tmp_path / first), 2, tmp_path / "authors"),
        ("gridworld-16-paper-authors-start-s1", "authors", 1, None),
    ]


def test_scores_of_a_training_before_are_not_those_of_this_one(run):
    book, maps = ScoreBook(run.parent), fresh_maps(8, 3)
    book.score(book.training(run), maps, "fresh")
    other = shipped_training("gridworld-8-paper")
    save_policy(run, load_policy("gridworld-8-paper"))
    again = book.training(run)
    assert again.record == other.record
    assert book.score(again, maps, "fresh") == evaluate(other.policy(), maps).scores


def test_shipped_weights_answer_for_a_training_that_is_gone(tmp_path):
    book = ScoreBook(tmp_path)
    record = {name: value for name, value in shipped_training("gridworld-8-fcn").record.items() if name != "stored"}
    book.keep("gridworld-8-fcn-s0, training", lambda: {"record": record, "success": [0.5]})
    assert book.training(tmp_path / "gridworld-8-fcn-s0").weights == "gridworld-8-fcn"


def test_a_damaged_book_is_refused(tmp_path, capsys):
    (tmp_path / "scores.json").write_text('{"gridworld-8')
    assert main(["reproduce", "table1", "--budget", "full", "--no-train", "--out", str(tmp_path)]) == 2
    assert "scores.json: expected trainings and scores as JSON" in capsys.readouterr().err


def test_seeds_are_averaged_and_shown():
    measured = cells([row(success_rate=0.9), row(seed=1, success_rate=1.0), row("CNN", success_rate=0.25)])
    vin, cnn = (as_text(cell) for cell in measured)
    assert tuple(vin.values())[:5] == ("8x8", "VIN", "99.6 %", "95.00 %", "4.51")
    assert vin["seeds"] == "0: 90.00 1: 100.00"
    assert (cnn["success, paper"], cnn["success, ours"], cnn["seeds"]) == ("97.9 %", "25.00 %", "1")


def test_a_row_the_paper_does_not_have_shows_no_number_of_it():
    line = as_text(cells([row(table1.BETTER)])[0])
    assert line["success, paper"] == line["pred. loss, paper"] == "-"


def test_the_csv_has_one_line_per_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(table1_figures, "draw", lambda rows, out: {})
    Table1(out=tmp_path).write(Table1Scores((row(), row(seed=1))))
    with (tmp_path / "table1.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["seed"] for line in lines] == ["0", "1"]
    assert lines[0]["success_rate"] == "0.5"


def test_quick_prints_the_same_twice(small, capsys, tmp_path):
    outputs = []
    for name in ("one", "two"):
        assert main(["reproduce", "table1", "--sizes", "8", "--out", str(tmp_path / name), "--threads", "1"]) == 0
        outputs.append(capsys.readouterr().out.replace(str(tmp_path / name), "OUT"))
    assert outputs[0] == outputs[1]
    assert outputs[0].count("8x8") >= 8  # four rows of the table, four trainings
    for file in ("table1.md", "table1.csv", "figures/rollouts.png", "figures/length.png", "figures/iterations.png"):
        assert (tmp_path / "one" / file).stat().st_size > 100


def test_full_scores_the_runs_that_are_there_and_builds_the_page(small, capsys, tmp_path):
    arguments = ["reproduce", "table1", "--budget", "full", "--sizes", "8", "--out", str(tmp_path), "--threads", "1"]
    assert main([*arguments, "--no-train"]) == 2
    assert "holds no finished run" in capsys.readouterr().err
    for name in ("gridworld-8-paper", "gridworld-8-cnn"):
        config = table1.preset(name)
        training = dataclasses.replace(config.training, epochs=1)
        config = dataclasses.replace(config, data=dataclasses.replace(config.data, maps=70), training=training)
        assert train_run(f"{name}-s0", config, tmp_path, command="test") == tmp_path / f"{name}-s0"
    assert main([*arguments, "--no-train", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert {(entry["policy"], entry["n"]) for entry in rows} == {("vin", 6), ("cnn", 6)}
    assert all(list(entry) == ROW for entry in rows)
    text = (tmp_path / "gridworld.md").read_text()
    assert "| 8x8 | VIN | 99.6 % |" in text
    assert all((tmp_path / "figures" / name).is_file() for name in ("learning.png", "network.png"))
    for picture in (tmp_path / "figures").glob("*.png"):
        assert f"(figures/{picture.name})" in text
    for folder in tmp_path.glob("gridworld-8-*"):
        shutil.rmtree(folder)
    assert main([*arguments, "--no-train", "--json"]) == 0  # from the book alone
    again = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert again == rows
    after = (tmp_path / "gridworld.md").read_text()
    assert _tables(after) == _tables(text)  # but for other K, which asks for the weights
    assert "(figures/learning.png)" in after
    assert "(figures/rollouts.png)" not in after  # no weights to draw it with


def _tables(page):
    return [line for line in page.split("K halved")[0].splitlines() if line.startswith("|")]


def test_every_ablation_changes_what_it_says():
    for name, (_, config) in ablations.ABLATIONS.items():
        policy = build_policy(config.policy)
        assert policy(torch.zeros(1, 2, 16, 16)).logits.shape == (1, 8, 16, 16), name
    assert len({config for _, config in ablations.ABLATIONS.values()}) == len(ablations.ABLATIONS)
    untied = build_policy(ablations.ABLATIONS["untied-5000"][1].policy)
    assert untied.planner.iteration.transition.weight.shape[0] == untied.default_iterations(16, 16) + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "9"], "--sizes must be among 8, 16, 28, got 9"),
        (["--threads", "0"], "--threads must be at least 1"),
        (["--budget", "full", "--authors-data", "/nowhere"], "no such folder"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, arguments, message):
    assert main(["reproduce", "table1", "--out", str(tmp_path), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_unknown_size_is_refused():
    with pytest.raises(InputError, match="--sizes must be among 8, 16, 28, got 12"):
        Table1(sizes=(8, 12)).check()
