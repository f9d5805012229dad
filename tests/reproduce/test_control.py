"""The page of continuous control: splits, rows, bars and files, from networks that were not trained."""

from dataclasses import replace

import pytest

from torchvin.errors import InputError
from torchvin.evaluation.control import ControlScores
from torchvin.reproduce import control
from torchvin.reproduce.control import SPLITS, Control, ControlScore, arenas_table, bars, split_table
from torchvin.training import presets

GOOD = ControlScores(200, 0.96, 0.99, 0.03, 0.01, 0.005, 55.0)
BAD = replace(GOOD, success_rate=0.4, final_distance=0.2)


def entry(policy, split, scores, arenas=200):
    return ControlScore(policy, split, None, scores, 0 if policy == "expert" else arenas)


MEASURED = [
    *(entry("expert", split, replace(GOOD, success_rate=1.0)) for split in SPLITS),
    *(entry("VIN", split, GOOD) for split in SPLITS),
    *(entry("CNN", split, BAD) for split in ("test", "twice")),
    entry("CNN", "train", replace(BAD, success_rate=0.7)),
]


def test_bars_say_what_was_reached():
    found = {text: (value, reached) for text, value, _, reached in bars(MEASURED)}
    assert all(reached for _, reached in found.values())
    assert found["VIN's test success as a share of the expert's, at least"][0] == pytest.approx(0.96)
    worse = [
        entry("VIN", part.split, BAD) if (part.policy, part.split) == ("VIN", "test") else part for part in MEASURED
    ]
    missed = {text for text, _, _, reached in bars(worse) if not reached}
    assert {
        "VIN's test success as a share of the expert's, at least",
        "VIN's mean test distance, at most 0.7 of the CNN's",
    } <= missed


def test_tables_average_over_seeds_and_keep_numbers_of_arenas_apart():
    measured = [*MEASURED, entry("VIN", "test", replace(GOOD, success_rate=0.9)), entry("VIN", "test", BAD, arenas=50)]
    lines = split_table(measured, "test").lines
    assert [line[0] for line in lines] == ["expert", "VIN", "CNN"]
    assert lines[1][1] == "93.0 (90.0 to 96.0)"
    assert lines[1][-1] == "2"
    assert arenas_table(MEASURED) is None
    table = arenas_table([*measured, entry("VIN", "train", GOOD, arenas=50)])
    assert [line[:2] for line in table.lines] == [("VIN", "50"), ("VIN", "200"), ("CNN", "200")]
    rows = Control().rows(measured)
    assert {row.split for row in rows if row.value == 0.4} == {"test", "test-50", "twice"}
    assert all(row.published is None for row in rows)
    assert next(row for row in rows if row.policy == "expert").seeds == 0


@pytest.mark.slow
def test_a_page_from_networks_of_one_epoch(tmp_path, monkeypatch):
    for name in ("control", "control-cnn"):
        chosen = presets.PRESETS[name]
        short = replace(
            chosen,
            training=replace(chosen.training, epochs=1),
            control=replace(chosen.control, passes=1, starts=1, aggregations=0),
        )
        monkeypatch.setitem(presets.PRESETS, name, short)
    monkeypatch.setattr(control, "NETWORKS", {"VIN": "control", "CNN": "control-cnn"})
    monkeypatch.setattr(control, "SEEDS", (0,))
    monkeypatch.setattr(control, "TRAINING_ARENAS", (4,))
    monkeypatch.setattr(control, "SPLITS", {name: SPLITS[name] for name in ("test", "grid-32")})
    monkeypatch.setattr(control, "TRAINED_ON", 4)
    outcome = Control(budget="full", out=tmp_path, maps=6, threads=1).run()
    found = {(row.policy, row.split) for row in outcome.rows}
    assert found == {("expert", "test"), ("vin", "test"), ("cnn", "test"), ("vin", "grid-32")}
    assert all(path.stat().st_size > 100 for path in outcome.files)
    assert {path.suffix for path in outcome.files} == {".md", ".csv", ".png", ".gif"}
    text = (tmp_path / "control.md").read_text()
    assert "as recalled, not verified" in text
    assert "${" not in text
    again = Control(budget="full", out=tmp_path, maps=6, train=False, threads=1).run()
    assert again.rows == outcome.rows  # from the book


def test_bad_options_are_refused(tmp_path):
    with pytest.raises(InputError, match="--maps must be at least 1, got 0"):
        Control(maps=0, out=tmp_path).run()
    with pytest.raises(InputError, match="holds no finished run; leave out --no-train"):
        Control(budget="full", train=False, out=tmp_path).run()
