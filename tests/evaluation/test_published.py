import dataclasses

import pytest

from torchvin.data.draw import draw_maps
from torchvin.evaluation.published import (
    DT_VIN_RECALLED,
    MAZE_SOURCES,
    MAZES,
    VIN_PAPER,
    VIN_TABLE_1,
    PublishedScore,
    vin_in_the_paper,
)
from torchvin.mdp.motion import GridMotion


def test_the_table_is_the_papers():
    """Table 1 of the NIPS paper, typed a second time: loss, success, trajectory difference."""
    expected = {
        "VIN": {8: (0.004, 0.996, 0.001), 16: (0.05, 0.993, 0.089), 28: (0.11, 0.97, 0.086)},
        "CNN": {8: (0.02, 0.979, 0.006), 16: (0.10, 0.876, 0.06), 28: (0.13, 0.742, 0.078)},
        "FCN": {8: (0.01, 0.973, 0.004), 16: (0.07, 0.883, 0.05), 28: (0.09, 0.766, 0.08)},
    }
    assert {
        network: {side: PublishedScore(*numbers) for side, numbers in rows.items()}
        for network, rows in expected.items()
    } == VIN_TABLE_1
    assert "1602.02867" in VIN_PAPER


def test_the_rows_of_mazes_are_those_of_their_papers():
    """The rows that ours are compared with, typed a second time: %Opt and %Suc, or success alone."""
    rows = {(row.source, row.network, row.side, row.motion, row.maps): row for row in MAZES}
    assert len(rows) == len(MAZES) == 2 * 12 + 15
    expected = {
        ("GPPN", "GPPN", 15, "news", 10_000): (0.968, 0.978),
        ("GPPN", "VIN", 15, "news", 10_000): (0.774, 0.790),
        ("GPPN", "VIN", 15, "moore", 10_000): (0.860, 0.893),
        ("GPPN", "GPPN", 15, "differential-drive", 10_000): (0.991, 0.997),
        ("GPPN", "GPPN", 28, "differential-drive", 25_000): (0.953, 0.980),
        ("SymVIN", "SymGPPN", 50, "news", 10_000): (None, 0.9949),
        ("SymVIN", "VIN", 28, "news", 10_000): (None, 0.6757),
    }
    for key, (optimal, success) in expected.items():
        assert rows[key].optimal_rate == (None if optimal is None else pytest.approx(optimal))
        assert rows[key].success_rate == pytest.approx(success)
    assert {row.source for row in MAZES} <= set(MAZE_SOURCES)
    assert all(0.5 < row.success_rate < 1 and (row.optimal_rate or 0) <= row.success_rate for row in MAZES)


def test_what_was_not_read_at_its_source_says_so():
    assert "unverified" in DT_VIN_RECALLED
    assert not any(row.source == "DT-VIN" for row in MAZES)


@pytest.mark.parametrize("side", [8, 16, 28])
def test_the_papers_numbers_are_for_the_papers_task(side):
    drawn = draw_maps("gridworld", 2, side, side)
    assert vin_in_the_paper(drawn) == VIN_TABLE_1["VIN"][side]
    assert vin_in_the_paper(dataclasses.replace(drawn, source="authors")) == VIN_TABLE_1["VIN"][side]


@pytest.mark.parametrize(
    "other",
    [
        lambda: draw_maps("gridworld", 2, 9, 9),
        lambda: draw_maps("gridworld", 2, 8, 16),
        lambda: draw_maps("maze", 2, 16, 16),
        lambda: draw_maps("gridworld", 2, 16, 16, moves=GridMotion(4)),
        lambda: draw_maps("gridworld", 2, 16, 16, moves=GridMotion(corner_cutting=False)),
        lambda: draw_maps("gridworld", 2, 16, 16, terrain_costs=(1.0, 2.0)),
        lambda: dataclasses.replace(draw_maps("gridworld", 2, 16, 16), source=""),
        lambda: dataclasses.replace(draw_maps("gridworld", 2, 16, 16), source="own"),
    ],
    ids=["size", "not square", "mazes", "four moves", "corners", "terrain", "unknown", "own"],
)
def test_other_tasks_have_no_number_of_the_paper(other):
    assert vin_in_the_paper(other()) is None
