"""What the command prints: at every width of a terminal, and without one."""

import json
import os
import subprocess
import sys

import pytest

from torchvin.cli.main import VERBS, main
from torchvin.cli.output import print_entries, print_table
from torchvin.io import progress
from torchvin.io.progress import log_line, progress_bar
from torchvin.planning.kernels.registry import BACKENDS

COLUMNS = ("kernel", "here", "rate", "what it is")
ROWS = [
    ("cpu", "works", "99.87 %", "C++ with SIMD, all iterations in cache"),
    ("triton", "there is no GPU", "-", "all iterations of a small map in one launch"),
    ("reference", "works", "100.00 %", "plain PyTorch, any device; defines the semantics"),
]
TABLES = {
    80: """
  kernel      here                  rate   what it is
 ──────────────────────────────────────────────────────────────────────────────
  cpu         works              99.87 %   C++ with SIMD, all iterations in
                                           cache
  triton      there is no GPU          -   all iterations of a small map in
                                           one launch
  reference   works             100.00 %   plain PyTorch, any device; defines
                                           the semantics
""",
    140: """
  kernel      here                  rate   what it is
 ───────────────────────────────────────────────────────────────────────────────────────────
  cpu         works              99.87 %   C++ with SIMD, all iterations in cache
  triton      there is no GPU          -   all iterations of a small map in one launch
  reference   works             100.00 %   plain PyTorch, any device; defines the semantics
""",
}
ENTRIES = {"gridworld-8": "normalized, 5000 maps of 8x8", "gridworld-28-paper-all-cells": "paper, 5000 maps of 28x28"}
NARROW = """
  size       rate   maps
 ──────────────────────────────────────
  8x8     99.87 %   5,000 of the
                    authors' own
                    generator
  16x16         -   none
"""
LISTS = {
    40: """
presets
  gridworld-8
      normalized, 5000 maps of 8x8
  gridworld-28-paper-all-cells
      paper, 5000 maps of 28x28
""",
    80: """
presets
  gridworld-8                   normalized, 5000 maps of 8x8
  gridworld-28-paper-all-cells  paper, 5000 maps of 28x28
""",
    140: """
presets
  gridworld-8                   normalized, 5000 maps of 8x8
  gridworld-28-paper-all-cells  paper, 5000 maps of 28x28
""",
}


def printed(capsys) -> str:
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("width", [80, 140])
def test_a_table_at_every_width(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    print_table(COLUMNS, ROWS)
    assert printed(capsys).strip("\n") == TABLES[width].strip("\n")


def test_a_table_of_40_characters(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    rows = [("8x8", "99.87 %", "5,000 of the authors' own generator"), ("16x16", "-", "none")]
    print_table(("size", "rate", "maps"), rows)
    assert printed(capsys).strip("\n") == NARROW.strip("\n")


@pytest.mark.parametrize("width", LISTS)
def test_entries_at_every_width(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    print_entries("presets", ENTRIES)
    assert printed(capsys) == LISTS[width].rstrip("\n")


def test_without_a_terminal_a_table_is_140_characters_wide(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("shutil.os.get_terminal_size", lambda descriptor: (_ for _ in ()).throw(OSError))
    print_table(("name", "text"), [("one", "word " * 60)])
    assert max(map(len, capsys.readouterr().out.splitlines())) == 140


@pytest.mark.parametrize("width", [40, 80, 140])
def test_info_shows_the_kernels_whole_names_at_every_width(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["info"]) == 0
    lines = printed(capsys).splitlines()
    first_words = [line.split()[0] for line in lines if line.strip()]
    assert set(BACKENDS) <= set(first_words)
    assert max(map(len, (line for line in lines if not line.startswith("devices")))) <= width


@pytest.mark.parametrize("width", [40, 80, 140])
def test_list_is_left_aligned_with_whole_names(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["list"]) == 0
    lines = printed(capsys).splitlines()
    assert main(["list", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    for entries in content.values():
        for name in entries:
            assert any(line == f"  {name}" or line.startswith(f"  {name}  ") for line in lines), name


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_need_no_torch(option):
    code = f"import sys; from torchvin.cli.main import main; main([{option!r}]); print(*sys.modules)"
    loaded = run_python(code).stdout.splitlines()[-1].split()
    assert "torchvin.cli.main" in loaded
    assert not {"torch", "numpy", "tyro", "rich"} & set(loaded)


def test_help_names_every_verb(capsys):
    assert main(["--help"]) == 0
    help_text = capsys.readouterr().out
    assert all(f"  {verb} " in help_text and summary in help_text for verb, summary in VERBS.items())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_standard_output_on_a_full_disk_is_one_line():
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "torchvin", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("torchvin: cannot write the output: No space left on device; free space")


def test_an_error_that_is_no_full_disk_is_not_hidden(monkeypatch):
    monkeypatch.setattr("torchvin.cli.main._run", lambda verb, rest: (_ for _ in ()).throw(OSError(5, "I/O error")))
    with pytest.raises(OSError, match="I/O error"):
        main(["info"])


def test_a_full_disk_that_no_writer_foresaw_is_one_line(monkeypatch, capsys):
    full = OSError(28, "No space left on device", "events.log")
    monkeypatch.setattr("torchvin.cli.main._run", lambda verb, rest: (_ for _ in ()).throw(full))
    assert main(["info"]) == 2
    assert capsys.readouterr().err == (
        "torchvin: cannot write events.log: No space left on device; free space or choose another place.\n"
    )


def test_progress_without_a_terminal_is_a_line_at_each_tenth(capsys):
    with progress_bar("evaluating", 40) as advance:
        for _ in range(40):
            advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"evaluating: {done}/40" for done in range(4, 41, 4)]


def test_progress_of_slow_work_is_a_line_each_30_seconds(capsys, monkeypatch):
    clock = iter([0.0, *(10.0 * step for step in range(1, 10))])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress_bar("planning", 1000) as advance:
        for _ in range(7):
            advance(1)
    assert capsys.readouterr().err.splitlines() == [
        "planning: 3/1000, 30 s",
        "planning: 6/1000, 60 s",
        "planning: 7/1000, 80 s",
    ]


def test_progress_that_is_not_shown_prints_nothing(capsys):
    with progress_bar("training", 10, shown=False) as advance:
        advance(10)
    assert capsys.readouterr().err == ""


def test_a_log_line_goes_to_standard_error(capsys):
    log_line("epoch 1/3")
    assert capsys.readouterr() == ("", "epoch 1/3\n")
