"""`torchvin bench`: every field is there, values are checked before timing, nothing is claimed that was not measured."""

import json

import pytest
import torch

from torchvin.benchmarks import value_iteration as benchmark
from torchvin.benchmarks.value_iteration import Inputs, Shape, draw, measure, shapes, table
from torchvin.cli import bench
from torchvin.cli.main import main
from torchvin.planning.kernels import cpu

TIMING = {"samples": 2, "least_seconds": 0.0}
TINY = {
    "sweep": [Shape(5, 7, 2, 3), Shape(6, 6, 1, 4)],
    "formulations": ["cpu", "triton", "eager", "stacked"],
    "pipeline": {"generated_maps": 3, "evaluated_maps": 2},
    "timing": TIMING,
}
FIELDS = {
    "backend",
    "height",
    "width",
    "batch",
    "actions",
    "kernel_size",
    "iterations",
    "threads",
    "forward_ms",
    "forward_backward_ms",
    "cell_updates_per_second",
    "share_of_peak",
    "saved_bytes_per_cell_iteration",
    "reason",
}
MEASURED = ("forward_ms", "forward_backward_ms", "cell_updates_per_second", "saved_bytes_per_cell_iteration")
SHAPE = Shape(5, 7, 2, 3)


def rows_of(*formulations, shape=SHAPE, **options):
    return {row.backend: row for row in measure(shape, formulations=formulations, **TIMING, **options)}


def test_the_json_holds_every_field(capsys, tmp_path):
    bench.run(bench.Arguments("value-iteration", json=True, threads=1, out=tmp_path / "out"), **TINY)
    content = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(content) == {"peak_gflops", "machine", "date", "rows", "pipeline"}
    assert (content["peak_gflops"] is None) == (cpu.extension() is None)
    assert content["machine"]["torch"] == torch.__version__
    assert len(content["rows"]) == 8
    for row in content["rows"]:
        assert set(row) == FIELDS
        assert row["threads"] == 1
        for name in MEASURED:
            assert row[name] > 0 if row["reason"] is None else row[name] is None
        measurable = row["reason"] is None and content["peak_gflops"] is not None
        assert row["share_of_peak"] > 0 if measurable else row["share_of_peak"] is None
    assert {row["backend"] for row in content["rows"] if row["reason"] is None} >= {"eager", "stacked"}
    assert [entry["unit"] for entry in content["pipeline"]] == ["maps/s", "rollouts/s", "us", "us"]
    assert all(entry["value"] > 0 for entry in content["pipeline"])
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == content
    markdown = (tmp_path / "out" / "results.md").read_text()
    assert torch.__version__ in markdown
    assert "not measured, triton" in markdown
    assert (tmp_path / "out" / "costs.png").stat().st_size > 1000


def test_the_table_names_what_was_not_measured(capsys):
    before = torch.get_num_threads()
    bench.run(bench.Arguments("value-iteration", threads=1), **TINY)
    printed = capsys.readouterr().out
    assert "stacked" in printed
    assert "not measured" in printed
    assert "5x7, 2, 3" in printed
    assert torch.get_num_threads() == before


def test_the_sweep_is_that_of_the_contract():
    full = {(shape.height, shape.batch, shape.iterations) for shape in shapes(quick=False)}
    quick = {(shape.height, shape.batch, shape.iterations) for shape in shapes(quick=True)}
    assert quick < full
    bases = {8: 10, 16: 20, 28: 36, 64: 80, 128: 160, 512: 640}
    for side, base in bases.items():
        for batch in {128: (1, 8), 512: (1,)}.get(side, (1, 128)):
            assert (side, batch, base) in quick
            assert {(side, batch, base), (side, batch, 4 * base)} <= full


def test_what_eager_and_stacked_keep_is_what_autograd_needs():
    """eager: V (4 bytes) and its index (8) an iteration, V_K once more; stacked: [R, V] and the index."""
    rows = rows_of("eager", "stacked", shape=Shape(6, 6, 1, 10))
    assert 12 <= rows["eager"].saved_bytes_per_cell_iteration <= 12 + 0.4 + 1e-6
    assert 16 <= rows["stacked"].saved_bytes_per_cell_iteration <= 16 + 0.8 + 1e-6


def test_what_would_keep_or_take_too_much_is_left_out():
    row = rows_of("eager", most_bytes=100.0)["eager"]
    assert row.forward_ms > 0
    assert row.forward_backward_ms is None
    assert row.saved_bytes_per_cell_iteration is None
    assert "backward would keep" in row.reason
    row = rows_of("eager", most_seconds=0.0)["eager"]
    assert row.forward_ms is None
    assert "would take" in row.reason


def test_a_formulation_with_other_values_is_not_timed(monkeypatch):
    monkeypatch.setattr(benchmark, "stacked", lambda reward, weights, steps: torch.zeros_like(weights[:1, :1]))
    row = rows_of("eager", "stacked")["stacked"]
    assert row.forward_ms is None
    assert "differ from eager" in row.reason


@pytest.mark.parametrize("when", ["wrapping", "calling"])
def test_a_compiler_that_fails_gives_a_reason(monkeypatch, when):
    def broken(*arguments, **options):
        raise RuntimeError("no compiler\nhere")

    monkeypatch.setattr(torch, "compile", broken if when == "wrapping" else lambda plan, **options: broken)
    row = rows_of("eager", "compile")["compile"]
    assert row.forward_ms is None
    assert row.reason == "torch.compile failed: RuntimeError: no compiler"


def test_long_plans_are_not_compiled():
    assert "K > 40" in rows_of("compile", shape=Shape(4, 4, 1, 41))["compile"].reason


def test_compile_has_no_backward(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda plan, **options: plan)
    row = rows_of("compile")["compile"]
    assert row.forward_ms > 0
    assert row.forward_backward_ms is None
    assert row.reason == "forward only"


def test_ratios_are_to_cpu():
    row = {"height": 8, "width": 8, "batch": 1, "iterations": 10, "cell_updates_per_second": 1e6, "share_of_peak": None}
    row |= {"saved_bytes_per_cell_iteration": None, "reason": None}
    cells, reasons = table(
        [
            row | {"backend": "cpu", "forward_ms": 2.0, "forward_backward_ms": None, "reason": "why"},
            row | {"backend": "eager", "forward_ms": 5.0, "forward_backward_ms": 7.0},
        ]
    )
    assert cells[0][2:6] == ("2", "1.00", "not measured", "-")
    assert cells[1][2:6] == ("5", "2.50", "7", "-")
    assert reasons == ["not measured, cpu: why (everywhere)"]


def test_the_reward_goes_in_once():
    inputs = draw(SHAPE, torch.device("cpu"))
    again = Inputs(inputs.reward, inputs.weights)
    assert torch.equal(again.q_reward, inputs.q_reward)
    assert inputs.kernel.sum(dim=(1, 2, 3)).allclose(torch.tensor(0.99))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["value-iterations"], "Did you mean 'value-iteration'?"),
        (["value-iteration", "--threads", "0"], "--threads must be at least 1"),
        (["value-iteration", "--device", "cud"], "Did you mean 'cuda'?"),
    ],
)
def test_bad_input(capsys, arguments, part):
    assert main(["bench", *arguments]) == 2
    assert part in capsys.readouterr().err
