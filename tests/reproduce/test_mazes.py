"""The machinery of the mazes on a few maps: what has weights is scored, what has none says so."""

import csv
import dataclasses
import json
import shutil

import pytest
import torch

from torchvin import evaluate
from torchvin.cli.main import main
from torchvin.errors import InputError
from torchvin.evaluation.published import MAZES
from torchvin.io.tables import table_of
from torchvin.maps.formats.contract import MapFile
from torchvin.maps.formats.map_file import write_map
from torchvin.maps.formats.scenarios import Scenario, write_scenarios
from torchvin.maps.generators.mazes import generate_mazes
from torchvin.mdp.motion import MOTION_MODELS
from torchvin.pretrained.store import load_policy
from torchvin.reproduce import maze_figures, maze_text
from torchvin.reproduce import maze_tasks as mazes
from torchvin.reproduce.book import ScoreBook
from torchvin.reproduce.maze_tasks import OTHER_MAPS, PLANNERS, TASKS, MazeRow, MazeTask, find_weights, maps_of
from torchvin.reproduce.trainings import train_run
from torchvin.tasks.gridworld import training_maps
from torchvin.training.presets import MAZE_SUFFIXES, PRESETS, preset


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two short trainings under the names that the tables look up."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("maze-15-normalized", "maze-15-drive-normalized"):
        config = preset(name)
        config = dataclasses.replace(
            config,
            data=dataclasses.replace(config.data, maps=40),
            training=dataclasses.replace(config.training, epochs=1),
        )
        train_run(f"{name}-s0", config, folder, command="test")
    return folder


@pytest.fixture
def few(monkeypatch):
    """Few maps, and no weights but those of the runs."""
    monkeypatch.setattr(mazes, "available", list)
    monkeypatch.setattr(
        mazes, "_MAPS", {budget: dict.fromkeys((15, 28, 35, 50, 65, 100, 101, 501), 3) for budget in ("quick", "full")}
    )
    monkeypatch.setattr(mazes, "LARGEST_ITERATED", 30)


def test_the_tasks_hold_the_sizes_and_mechanisms_of_the_papers():
    papers = {(task.side, task.motion) for task in TASKS if task.table == "papers"}
    assert papers >= {(side, name) for side in (15, 28) for name in MOTION_MODELS}
    assert papers >= {(side, "news") for side in (15, 28, 35, 50, 100)}
    assert {(row.side, row.motion) for row in MAZES} <= papers
    assert {task.side for task in TASKS if task.table == "transfer"} == {15, 35, 101, 501}
    assert set(MAZE_SUFFIXES) == set(MOTION_MODELS)


def test_the_eight_moves_are_scored_on_the_same_mazes_whatever_a_diagonal_costs():
    moore, octile = (maps_of(MazeTask("papers", "maze", 15, name), 20) for name in ("moore", "octile"))
    assert torch.equal(moore.blocked, octile.blocked)
    assert torch.equal(moore.goal, octile.goal)
    assert moore.moves != octile.moves
    assert not torch.equal(moore.optimal_actions, octile.optimal_actions)


def test_weights_are_looked_up_at_the_size_of_the_maps_and_at_15():
    drive = MazeTask("papers", "maze", 28, "differential-drive")
    assert mazes.names("normalized", drive) == ["maze-28-drive-normalized", "maze-15-drive-normalized"]
    assert mazes.names("shortest path", MazeTask("papers", "maze", 15)) == ["maze-15"]
    assert mazes.names("shortest path", MazeTask("transfer", "maze", 501)) == ["maze-15"]
    for mechanism in MOTION_MODELS:
        for planner in ("shortest path", "normalized"):
            assert set(mazes.names(planner, MazeTask("papers", "maze", 28, mechanism))) <= set(PRESETS)
    assert {"maze-15-vin", "maze-15-gppn", "maze-15-dynamic"} <= set(PRESETS)


def test_finished_runs_come_before_shipped_weights_and_nothing_is_nothing(runs):
    assert find_weights("maze-15-normalized", runs) == [str(runs / "maze-15-normalized-s0")]
    assert find_weights("gridworld-8", runs) == ["gridworld-8"]
    assert find_weights("maze-15-never", runs) == []


def test_a_run_of_version_0_1_is_found_and_scored_under_its_name_of_today(runs, tmp_path):
    shutil.copytree(runs / "maze-15-normalized-s0", tmp_path / "maze-15-normalised-s0")
    (weights,) = find_weights("maze-15-normalized", tmp_path)
    assert weights == str(tmp_path / "maze-15-normalised-s0")
    task, book = MazeTask("papers", "maze", 15), ScoreBook(None)
    mazes.measure("normalized", task, weights, load_policy(weights), maps_of(task, 2), book)
    assert list(book.entries) == ["maze-15-normalized-s0, maze 15 news, 2 maps, seed 0"]


@pytest.mark.parametrize("kind", [*OTHER_MAPS, "rooms", "caves", "scattered", "maze", "perfect-maze"])
def test_the_first_maps_of_a_larger_set_are_those_of_a_smaller_one(kind):
    task = MazeTask("other maps", kind, 15)
    assert maps_of(task, 3).blocked.equal(maps_of(task, 5).blocked[:3])
    assert not maps_of(task, 3).blocked.equal(maps_of(task, 3, seed=1).blocked)


def test_the_share_of_opened_walls_is_what_the_name_says():
    few = maps_of(MazeTask("other maps", "maze, 5% opened", 65), 3).blocked.float().mean()
    many = maps_of(MazeTask("other maps", "maze, 90% opened", 65), 3).blocked.float().mean()
    assert few > 0.45
    assert many < 0.2


def test_a_row_is_what_the_scorer_says_and_without_the_training_maps(runs):
    loaded = load_policy(runs / "maze-15-normalized-s0")
    trained = training_maps(
        dataclasses.replace(
            preset("maze-15-normalized"), data=dataclasses.replace(preset("maze-15-normalized").data, maps=40)
        ),
        None,
    )
    fresh = maps_of(MazeTask("papers", "maze", 15), 4)
    from torchvin.data.dataset import solve_maps

    mixed = solve_maps(
        torch.cat([trained.blocked[:2], fresh.blocked]), torch.cat([trained.goal[:2], fresh.goal]), moves=fresh.moves
    )
    assert mazes.without_training_maps(mixed, loaded).blocked.equal(fresh.blocked)
    row = mazes.measure(
        "normalized",
        MazeTask("papers", "maze", 15),
        str(runs / "maze-15-normalized-s0"),
        loaded,
        fresh,
        ScoreBook(None),
    )
    assert row.scores == evaluate(loaded, fresh).scores
    assert sum(part.states for part in row.lengths) == (fresh.optimal_actions != 0).sum()
    assert row.iterations == 60
    assert row.megabytes > 50


def test_weights_of_another_mechanism_are_refused(runs):
    task = MazeTask("papers", "maze", 15, "moore")
    loaded = load_policy(runs / "maze-15-normalized-s0")
    with pytest.raises(InputError, match="the maps have 8 moves, the policy 4 actions"):
        mazes.measure("normalized", task, "x", loaded, maps_of(task, 2), ScoreBook(None))


@pytest.mark.usefixtures("few")
def test_every_planner_has_a_row_and_the_published_ones_stand_beside(runs):
    tasks = [task for task in TASKS if task.side == 15]
    rows = mazes.score_all(tasks, "quick", ScoreBook(None), runs)
    ran = {(row.planner, row.task.motion, row.task.table, row.task.kind) for row in rows if row.scores}
    assert ran == {
        ("normalized", "news", "papers", "maze"),
        ("normalized", "differential-drive", "papers", "maze"),
        ("normalized", "news", "transfer", "maze"),
        ("normalized", "news", "transfer", "perfect-maze"),
    }
    assert len(rows) == 4 * len(PLANNERS) + 2 * 2
    lines = table_of(maze_text.COLUMNS, maze_text.with_published(rows)).lines
    assert sum(line[3] == "not run" for line in lines) == len(rows) - 4
    published = [line for line in lines if "(paper" in line[1]]
    assert len(published) == sum(row.side == 15 for row in MAZES)
    assert ("15x15", "GPPN (paper: GPPN)", "10,000", "97.8 %", "", "96.8 %") in [line[:6] for line in published]
    assert ("15x15", "SymGPPN (paper: SymVIN)", "10,000", "99.98 %", "", "") in [line[:6] for line in published]


@pytest.mark.usefixtures("few")
def test_planners_that_iterate_get_no_map_too_large_for_them(runs):
    task = MazeTask("transfer", "maze", 35)
    assert [row.planner for row in mazes.score_all([task], "quick", ScoreBook(None), runs) if row.scores] == []


@pytest.mark.usefixtures("few")
def test_reproduce_writes_a_page_a_table_and_figures(runs, capsys):
    assert main(["reproduce", "mazes", "--sizes", "15", "--out", str(runs), "--threads", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert len({tuple(row.items()) for row in rows}) == len(rows)
    assert sum(row["value"] is not None for row in rows) == 4 * 3  # mazes of 15x15 stand in two tables
    page = (runs / "mazes.md").read_text()
    assert "## Trained at 15x15 only" in page
    assert "| 15x15, drive | normalized | 32 of 15x15, seed 0 |" in page
    assert "unverified" in page
    lines = list(csv.DictReader((runs / "mazes.csv").read_text().splitlines()))
    assert len(rows) == 4 * (len(lines) - 2)
    assert {line["weights"] for line in lines} == {"not run", "maze-15-normalized-s0", "maze-15-drive-normalized-s0"}
    assert main(["reproduce", "mazes", "--sizes", "15", "--out", str(runs), "--threads", "1"]) == 0
    assert "not run" in capsys.readouterr().out


def test_a_score_that_is_in_the_book_is_not_measured_again(runs, monkeypatch):
    task = MazeTask("papers", "maze", 15)
    weights, loaded = str(runs / "maze-15-normalized-s0"), load_policy(runs / "maze-15-normalized-s0")
    book = ScoreBook(runs)
    first = mazes.measure("normalized", task, weights, loaded, maps_of(task, 2), book)
    monkeypatch.setattr(mazes, "evaluate", None)
    again = mazes.measure("normalized", task, weights, loaded, maps_of(task, 2), ScoreBook(runs))
    assert str(again) == str(first)  # as text: NaN is not itself


def test_figures_of_a_maze_and_of_path_lengths(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(maze_figures, "LARGE", 15)
    tasks = [MazeTask("transfer", "perfect-maze", 15)]
    rows = mazes.score_all(tasks, "quick", ScoreBook(None), runs)
    rows = [row for row in rows if row.scores]
    other = dataclasses.replace(rows[0], planner="shortest path")
    drawn = maze_figures.draw([*rows, other], tmp_path)
    assert [path.name for path in drawn] == ["maze-101.png", "maze-lengths.png"]
    assert all(path.stat().st_size > 5_000 for path in drawn)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "16"], "--sizes must be among 15, 28, 35, 50, 65, 100, 101, 501, got 16"),
        (["--maps", "/nowhere"], "--maps /nowhere: no such folder"),
        (["--threads", "0"], "--threads must be at least 1"),
    ],
)
def test_bad_input_is_one_line(capsys, tmp_path, arguments, message):
    assert main(["reproduce", "mazes", "--out", str(tmp_path), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_test_mazes_do_not_come_from_the_stream_of_trainings():
    drawn, _ = generate_mazes(20, 15, seed=(0, 1))
    assert not maps_of(MazeTask("papers", "maze", 15), 20).blocked.equal(drawn)


def test_benchmark_maps_are_scored_in_parts_that_are_kept(tmp_path, monkeypatch, draw):
    blocked = draw("........", ".####...", ".#..#.#.", ".####.#.", "......#.", "..#.....")
    write_map(tmp_path / "small.map", MapFile(blocked))
    free = (~blocked).nonzero().tolist()
    tasks = [Scenario(0, "small.map", 6, 8, tuple(free[0]), tuple(goal), 1.0) for goal in free[1:]]
    write_scenarios(tmp_path / "small-even-1.scen", tasks)
    (whole,) = mazes.real_maps(tmp_path, "gridworld-16", ScoreBook(None))
    monkeypatch.setattr(mazes, "GOALS_AT_ONCE", 10)
    (parts,) = mazes.real_maps(tmp_path, "gridworld-16", ScoreBook(tmp_path))
    assert len(json.loads((tmp_path / "scores.json").read_text())) == 4
    assert whole.tasks == parts.tasks == whole.plans == parts.plans == len(tasks)
    assert (parts.solvable, parts.found, parts.optimal) == (whole.solvable, whole.found, whole.optimal)
    assert parts.cost_ratio == pytest.approx(whole.cost_ratio)
    assert parts.worst_ratio == pytest.approx(whole.worst_ratio)
    monkeypatch.setattr(mazes, "score_tasks", None)  # all of it is in the book
    assert mazes.real_maps(tmp_path, "gridworld-16", ScoreBook(tmp_path)) == [parts]
    line = table_of(maze_text.REAL_COLUMNS, [parts]).lines[0]
    assert line[:3] == ("small", str(len(tasks)), str(parts.solvable))


def test_benchmark_maps_are_planned_with_the_moves_of_the_weights(runs, tmp_path, draw):
    write_map(tmp_path / "small.map", MapFile(draw(".#.", "...", "...")))
    write_scenarios(tmp_path / "small-even-1.scen", [Scenario(0, "small.map", 3, 3, (0, 0), (1, 1), 2.0)])
    for weights, cost in (("gridworld-16-shortest-path", 2**0.5), (str(runs / "maze-15-normalized-s0"), 2.0)):
        assert mazes.real_maps(tmp_path, weights, ScoreBook(None))[0].optimal_cost == pytest.approx(cost)
    with pytest.raises(InputError, match="the tasks of benchmark maps have no orientations"):
        mazes.real_maps(tmp_path, "maze-15-drive", ScoreBook(None))


def test_scores_of_before_are_measured_anew(runs):
    task = MazeTask("papers", "maze", 15)
    weights, loaded = str(runs / "maze-15-normalized-s0"), load_policy(runs / "maze-15-normalized-s0")
    book = ScoreBook(None)
    row = mazes.measure("normalized", task, weights, loaded, maps_of(task, 2), book)
    (entry,) = book.entries.values()
    for name in ("open_states_success_rate", "open_states_optimal_rate"):
        del entry["scores"][name]
    entry["scores"]["all_states_success_rate"] = 0.123
    again = mazes.measure("normalized", task, weights, loaded, maps_of(task, 2), book)
    assert str(again.scores) == str(row.scores)


def test_each_kind_of_maps_says_in_one_sentence_what_differs():
    rows = [MazeRow("GPPN", task) for task in TASKS if task.table == "papers"]
    lines = maze_text.differences(rows).splitlines()
    assert [line.split("**")[1] for line in lines] == [
        *(f"{side}x{side}{end}" for side in (15, 28) for end in ("", ", moore", ", drive", ", octile")),
        *(f"{side}x{side}" for side in (35, 50, 100)),
    ]
    assert all(line.count(". ") == 0 and line.endswith(".") for line in lines)
    assert "diagonals too" in lines[1]
    assert "10,000 or 25,000 or 100,000" in lines[1]
    assert "another metric" in lines[3]
