"""`torchvin bench`: what it reports, never how long it took."""

import json
from dataclasses import asdict, fields

import pytest
import torch

from torchvin.bench import control, formulations, pipeline, planners
from torchvin.bench.fixed_point_memory import FixedPointMemory, train_steps
from torchvin.bench.registry import TIMERS
from torchvin.bench.value_iteration import ValueIterationTimer
from torchvin.cli.main import main
from torchvin.planning.kernels.cpu import kernel as cpu

ROW = [
    "backend", "height", "width", "batch", "actions", "kernel_size", "iterations", "threads", "forward_ms",
    "forward_backward_ms", "cell_updates_per_second", "share_of_peak", "saved_bytes_per_cell_iteration",
]  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(formulations, "QUICK_CASES", (formulations.Case(6, 2, 4),))
    monkeypatch.setattr(formulations, "FORMULATIONS", ("cpu", "triton", "eager", "stacked"))
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)


def test_the_contract_of_the_json(small, capsys, tmp_path):
    threads = torch.get_num_threads()
    assert main(["bench", "value-iteration", "--quick", "--json", "--out", str(tmp_path)]) == 0
    torch.set_num_threads(threads)
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"peak_gflops", "rows"} <= set(content)
    assert set(ROW) <= set(content["rows"][0])
    by_name = {row["backend"]: row for row in content["rows"]}
    assert by_name["eager"]["forward_ms"] > 0
    assert by_name["triton"]["forward_ms"] is None
    assert by_name["triton"]["reason"]
    if cpu.extension:
        assert content["peak_gflops"] > 0
        assert (
            5 <= by_name["cpu"]["saved_bytes_per_cell_iteration"] < by_name["eager"]["saved_bytes_per_cell_iteration"]
        )
    assert json.loads((tmp_path / "value-iteration.json").read_text()) == content
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")
    assert "| 2x6x6 K=4 | stacked |" in (tmp_path / "value-iteration.md").read_text()


def test_a_row_has_the_fields_of_the_contract():
    assert [field.name for field in fields(formulations.Row)] == [*ROW, "reason"]


def test_the_table_says_what_was_not_measured():
    row = formulations.Row("triton", 8, 8, 1, 10, 3, 10, 1, reason="no CUDA device")
    content = {"peak_gflops": None, "rows": [asdict(row)]}
    assert ValueIterationTimer().tables(content)[0].lines[0][-1] == "not measured"


def test_the_stacked_formulation_is_the_operator():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 1, 5, 6, generator=generator)
    weights = torch.rand(3, 2, 3, 3, generator=generator) / 9
    q_reward = torch.nn.functional.conv2d(image, weights[:, :1], padding=1)
    expected = formulations.reference.value_iteration(q_reward, weights[:, 1:], torch.zeros_like(image), 4, "unroll")
    torch.testing.assert_close(formulations.stacked(image, weights, 4), expected[0])


def test_the_steps_are_measured():
    steps = pipeline.measure(side=8, num_maps=4, iterations=4)
    assert all(value > 0 for value in steps.values())


def test_threads_must_be_positive(capsys):
    assert main(["bench", "value-iteration", "--threads", "0"]) == 2
    assert "--threads must be at least 1" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_input_error(capsys):
    assert main(["bench", "value-iteration", "--device", "cuda"]) == 2
    assert "needs a GPU" in capsys.readouterr().err


def test_every_timer_stands_under_its_name_and_says_what_it_measures():
    names = ["value-iteration", "plan", "planners", "fixed-point-memory", "graph", "pipeline", "environments", "images"]
    assert list(TIMERS) == [*names, "control", "gpu"]
    assert all(timer.name == name and timer.summary() for name, timer in TIMERS.items())


def test_paths_are_timed_beside_what_is_installed(monkeypatch, capsys, tmp_path):
    (tmp_path / "room.map").write_text("type octile\nheight 4\nwidth 5\nmap\n.....\n.@@..\n.....\n....@\n")
    command = [
        "bench",
        "plan",
        "--maps",
        str(tmp_path),
        "--maze",
        "9",
        "--cave",
        "20",
        "--queries",
        "2",
        "--many",
        "3",
        "--json",
    ]
    assert main(command) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = {(row["map"], row["planner"]): row for row in content["rows"]}
    for name in ("room", "perfect maze 9", "cave 20"):
        assert {"torchvin, new map", "torchvin, same map", "SciPy"} <= {
            planner for map_name, planner in rows if map_name == name
        }
    assert rows["room", "SciPy"]["many_starts_s"] >= 0
    assert rows["room", "torchvin, same map"]["many_goals_s"] >= 0
    assert all(row["query_ms"] > 0 for row in rows.values())
    assert main(command[:-1]) == 0
    assert "not measured" in capsys.readouterr().out


def test_planners_are_timed(monkeypatch, capsys, tmp_path):
    chosen = {name: planners.CONFIGS[name] for name in ("normalized", "gppn (F 9), bfloat16")}
    monkeypatch.setattr(planners, "CONFIGS", chosen)
    monkeypatch.setattr(planners, "_CALLS", 1)
    arguments = ["bench", "planners", "--side", "7", "--batch", "2", "--json", "--out", str(tmp_path)]
    assert main(arguments) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [(row["planner"], row["updates"]) for row in rows] == [("normalized", 14), ("gppn (F 9), bfloat16", 10)]
    assert all(row["forward_ms_per_map"] > 0 and row["training_ms_per_map"] > 0 for row in rows)
    assert "| normalized | 473 | 14 |" in (tmp_path / "planners.md").read_text()


def test_paths_on_images_are_timed(capsys):
    assert main(["bench", "images", "--sides", "32", "48", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["rows"]
    assert [(row["side"], row["cells"]) for row in rows] == [(32, 16), (48, 36)]
    assert all(row["ms"] > 0 and row["peak_mb"] > 50 for row in rows)
    assert main(["bench", "images", "--sides", "36"]) == 2
    assert "--sides must be multiples of 8 from 32 on, got (36,)" in capsys.readouterr().err


def test_the_memory_of_a_mode_is_that_of_its_training():
    options = FixedPointMemory(side=9, batch=2, steps=1)
    row = train_steps(options, "implicit", 0)
    assert row["mb_peak"] >= row["mb_before"] > 50
    assert 9 < row["updates"] < 2000
    assert row["residual"] < 1e-5
    assert train_steps(options, "unroll", row["updates"])["loss"] == pytest.approx(row["loss"], rel=1e-4)
    assert options.tables({"rows": [row]})[0].lines[0][:2] == ("implicit", str(row["updates"]))


@pytest.mark.slow
def test_each_mode_has_a_process_of_its_own():
    rows = FixedPointMemory(side=9, batch=2, steps=1).run()["rows"]
    assert [row["gradient"] for row in rows] == ["implicit", "checkpoint", "unroll"]
    assert len({row["updates"] for row in rows}) == 1


def test_control_times_steps_policies_and_solvers(monkeypatch):
    monkeypatch.setattr(control, "_SECONDS", 0.001)
    content = control.Control(agents=3, arenas=1).measure()
    calls = {row["call"]: row for row in content["rows"]}
    assert calls["step of the environment"]["per_second"] > 0
    assert calls["control, one body, pushes"]["ms"] > 0
    assert {"ours, all at once"} <= {row["solver"] for row in content["solvers"]}
    assert all(row["success_rate"] == 1.0 for row in content["solvers"] if row["obstacles"] == 3)
    assert [len(table.lines) for table in control.Control(agents=3, arenas=1).tables(content)] == [
        len(content["rows"]),
        len(content["solvers"]),
    ]


def test_graphs_are_timed_beside_a_loop_and_dijkstra_which_agree(capsys):
    assert main(["bench", "graph", "--nodes", "300", "--edges", "2000", "--json"]) == 0
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["planner"] for row in content["rows"]] == [
        "torchvin, implicit",
        "torchvin, unroll",
        "scatter_reduce loop",
        "SciPy's Dijkstra",
    ]
    assert all(row["largest_difference"] < 1e-4 for row in content["rows"])
    assert main(["bench", "graph", "--nodes", "300", "--edges", "2000"]) == 0
    assert "updates to the fixed point" in capsys.readouterr().out
    assert main(["bench", "graph", "--nodes", "1"]) == 2
    assert "--nodes must be at least 2" in capsys.readouterr().err
