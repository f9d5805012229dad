"""`torchvin bench`: what it reports, never how long it took."""

import json
from dataclasses import fields

import pytest
import torch

from torchvin.bench import pipeline, value_iteration
from torchvin.cli import bench
from torchvin.cli.main import main
from torchvin.planning.kernels.cpu import kernel as cpu

ROW = [
    "backend", "height", "width", "batch", "actions", "kernel_size", "iterations", "threads", "forward_ms",
    "forward_backward_ms", "cell_updates_per_second", "share_of_peak", "saved_bytes_per_cell_iteration",
]  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(value_iteration, "QUICK_CASES", (value_iteration.Case(6, 2, 4),))
    monkeypatch.setattr(value_iteration, "FORMULATIONS", ("cpu", "triton", "eager", "stacked"))
    steps = {
        "maps_per_second": 1.0, "rollouts_per_second": 1.0, "decision_microseconds": 1.0, "dijkstra_microseconds": 1.0
    }  # fmt: skip
    monkeypatch.setattr(pipeline, "measure", lambda: steps)
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
    assert json.loads((tmp_path / "results.json").read_text()) == content
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")
    assert "| 2x6x6 K=4 | stacked |" in (tmp_path / "results.md").read_text()


def test_a_row_has_the_fields_of_the_contract():
    assert [field.name for field in fields(value_iteration.Row)] == [*ROW, "reason"]


def test_the_table_says_what_was_not_measured():
    row = value_iteration.Row("triton", 8, 8, 1, 10, 3, 10, 1, reason="no CUDA device")
    assert bench.table([row])[1][0][-1] == "not measured"


def test_the_stacked_formulation_is_the_operator():
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 1, 5, 6, generator=generator)
    weights = torch.rand(3, 2, 3, 3, generator=generator) / 9
    q_reward = torch.nn.functional.conv2d(image, weights[:, :1], padding=1)
    expected = value_iteration.reference.value_iteration(q_reward, weights[:, 1:], torch.zeros_like(image), 4, "unroll")
    torch.testing.assert_close(value_iteration.stacked(image, weights, 4), expected[0])


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
