"""The public names: complete, typed, and none removed or changed by accident.

`python tests/test_api.py` writes the surface anew into api_surface.json; a removed name also needs a line in the changelog.
"""

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import torchvin

SURFACE = Path(__file__).with_name("api_surface.json")
SOURCE = Path(torchvin.__file__)

USER_FILE = """
import torch
from typing_extensions import assert_type

from torchvin import InputError, NormalizedTransition, Policy, PlannerOutput, ValueIteration, load_policy

layer = ValueIteration(transition=NormalizedTransition(num_actions=4), num_iterations=40)


def success(name: str, backend: str = "auto") -> Policy | None:
    try:
        return load_policy(name)
    except InputError:
        return None


assert_type(success("gridworld-8"), Policy | None)
"""


def described(value: Any) -> dict[str, str]:
    """What a caller can rely on: the kind of a name, its parameters, and the public attributes of a class."""
    if inspect.isclass(value):
        members = [name for name in dir(value) if not name.startswith("_") and owned_by_us(value, name)]
        kind = {"kind": "class", "members": " ".join(members)}
    elif callable(value):
        kind = {"kind": "function"}
    else:
        return {"kind": type(value).__name__}
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # a class that takes what its base takes
        return kind
    return {**kind, "signature": f"({', '.join(plain(parameter) for parameter in parameters)})"}


def owned_by_us(kind: type, name: str) -> bool:
    return any(name in base.__dict__ for base in kind.__mro__ if base.__module__.startswith("torchvin"))


def plain(parameter: inspect.Parameter) -> str:
    """A parameter without its annotation, which the type checker guards."""
    prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{'keyword ' if parameter.kind is parameter.KEYWORD_ONLY else ''}{prefix}{parameter.name}"
    if parameter.default is parameter.empty:
        return text
    default = re.sub(r"<(?:function|class) '?([\w.]+)'?.*>", r"\1", repr(parameter.default))
    return f"{text}={default}"


def surface() -> dict[str, dict[str, str]]:
    return {name: described(getattr(torchvin, name)) for name in sorted(torchvin.__all__)}


EXPECTED = json.loads(SURFACE.read_text()) if SURFACE.exists() else {}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_name_is_what_it_was(name):
    assert name in torchvin.__all__, (
        f"{name} was removed: say so in CHANGELOG.md, then run python {Path(__file__).name}"
    )
    assert described(getattr(torchvin, name)) == EXPECTED[name]


def test_a_new_public_name_is_listed():
    assert set(torchvin.__all__) == set(EXPECTED)


def test_the_three_lists_of_names_agree():
    """For the import system, for `from torchvin import *`, and for type checkers."""
    tree = ast.parse(SOURCE.read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == {name: f"torchvin.{module}" for name, module in torchvin._WHERE.items()}
    assert torchvin.__all__ == ["__version__", *torchvin._WHERE]
    literal = next(
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert ast.literal_eval(literal) == torchvin.__all__


def test_former_spellings_are_the_same_objects():
    for former, name in torchvin._FORMER.items():
        assert getattr(torchvin, former) is getattr(torchvin, name)
        assert former not in torchvin.__all__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'torchvin' has no attribute 'ValueIterations'"):
        _ = torchvin.ValueIterations


def test_a_users_file_passes_the_strict_type_checker(tmp_path):
    """PyTorch's and NumPy's types are left out: they take a minute to read."""
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(USER_FILE)
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = True\nfollow_imports = silent\n"
        "[mypy-torch.*,numpy.*,scipy.*,jaxtyping.*]\nfollow_imports = skip\n"
    )
    assert SOURCE.with_name("py.typed").exists()
    command = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", "user.py"]
    environment = {"MYPYPATH": str(SOURCE.parents[1]), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    SURFACE.write_text(json.dumps(surface(), indent=1) + "\n")
