"""The programs of README, documentation and examples: Python runs, commands are read by the command line's own parser."""

import importlib
import re
import runpy
import shlex
from pathlib import Path

import pytest
import torch

from torchvin.cli.main import VERBS, main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "packages").glob("*/README.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))

#: Options that make an example take seconds.
TINY = {
    "gridworld.py": ["--maps", "20", "--sides", "8", "--training-maps", "80", "--epochs", "1"],
    "own_environment.py": ["--steps", "1024"],
    "drive_a_map.py": [],
}
#: Files that an example writes into --out, which the others do not have.
WRITTEN = {"gridworld.py": ("network.png", "values.gif", "history.png"), "drive_a_map.py": ("drive.png",)}
#: What an example needs beyond the package.
NEEDS = {"own_environment.py": "stable_baselines3"}


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        parts = re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)
        found += [(f"{page.relative_to(ROOT)}, {number}", part) for number, part in enumerate(parts)]
    return found


def commands() -> list[str]:
    """The lines of shell blocks, without their comments."""
    lines = [line for _, block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    return list(dict.fromkeys(shlex.join(parts) for line in lines if (parts := shlex.split(line, comments=True))))


def mentioned() -> list[str]:
    """Commands in running text: `torchvin VERB ...` with some of its options."""
    text = "".join(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL) for page in PAGES)
    return sorted(set(re.findall(r"`(torchvin [a-z][^`]*)`", text.replace("\n", " "))))


@pytest.mark.parametrize(("place", "program"), blocks("python"), ids=[place for place, _ in blocks("python")])
def test_a_python_block_runs(place, program):
    torch.manual_seed(0)
    exec(compile(program, place, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("command", commands())
def test_a_shell_command_is_understood(command, monkeypatch, capsys):
    name, *arguments = shlex.split(command)
    if name == "make":
        assert set(arguments) <= TARGETS
    elif name == "python":
        assert (ROOT / arguments[0]).is_file()
    elif name == "torchvin":
        called = []
        module = importlib.import_module(f"torchvin.cli.{arguments[0]}")
        monkeypatch.setattr(module, "run", called.append)
        assert main(arguments) == 0, capsys.readouterr().err
        assert len(called) == 1
    else:
        assert name == "pip"
        assert arguments[0] == "install"


@pytest.mark.parametrize("command", mentioned())
def test_a_command_in_running_text_has_its_options(command, capsys):
    verb, *arguments = command.split()[1:]
    assert verb in VERBS
    options = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    subcommand = [
        word for word in arguments[:1] if verb in ("bench", "reproduce") and re.fullmatch(r"[a-z][a-z0-9-]+", word)
    ]
    preset = (
        arguments[arguments.index("--preset") :][:2] if "--preset" in arguments else []
    )  # decides the --policy ones
    with pytest.raises(SystemExit):
        main([verb, *subcommand, *preset, "--help"])
    assert options <= set(re.findall(r"--[\w.-]+", capsys.readouterr().out))


def test_the_pages_have_programs_and_commands():
    assert len(blocks("python")) > 8
    assert len(commands()) > 8
    assert len(mentioned()) > 5
    assert set(TINY) == {path.name for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(path, tmp_path, monkeypatch, capsys):
    if library := NEEDS.get(path.name):
        pytest.importorskip(library, reason=f"{path.name} needs the extra [rl]")
    out, written = tmp_path / "run", WRITTEN.get(path.name, ())
    monkeypatch.setattr("sys.argv", [str(path), *(["--out", str(out)] if written else []), *TINY[path.name]])
    runpy.run_path(str(path), run_name="__main__")
    assert "success" in capsys.readouterr().out
    assert all((out / name).stat().st_size > 0 for name in written)
