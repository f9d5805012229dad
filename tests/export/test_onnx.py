"""ONNX: the numbers of PyTorch in ONNX Runtime, at the size of the export and at others."""

import json

import pytest
import torch

from torchvin import build_policy, generate_gridworld, load_policy
from torchvin.architectures.registry import MODULES, architecture
from torchvin.cli.main import main
from torchvin.export import to_onnx
from torchvin.maps.observe import encode

SIZES = ((16, 16), (23, 37))


def observation(height, width):
    return encode(*generate_gridworld(3, height, width, seed=1))


def in_onnx_runtime(path, planes):
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")
    session = runtime.InferenceSession(path)
    return torch.from_numpy(session.run(["logits"], {"observation": planes.numpy()})[0])


@pytest.fixture(autouse=True)
def _exporter():
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="needs the extra [onnx]")


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ("cnn", "fcn")])
def test_every_architecture_has_the_same_numbers_at_any_size(tmp_path, name):
    torch.manual_seed(0)
    policy = build_policy(architecture(name).config()).eval()
    assert to_onnx(policy, tmp_path / "model.onnx", num_iterations=4) == 4
    for size in SIZES:
        planes = observation(*size)
        with torch.no_grad():
            expected = policy(planes, num_iterations=4).logits
        torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn", "fcn"])
@pytest.mark.parametrize("size", SIZES)
def test_a_reactive_policy_has_the_same_numbers_at_its_size(tmp_path, name, size):
    torch.manual_seed(0)
    policy = build_policy(architecture(name).config(height=size[0], width=size[1])).eval()
    assert to_onnx(policy, tmp_path / "model.onnx") is None
    planes = observation(*size)
    with torch.no_grad():
        expected = policy(planes).logits
    torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-4, atol=1e-5)


def test_the_exact_design_makes_its_updates_in_onnx(tmp_path):
    policy = load_policy("maze-15")
    to_onnx(policy, str(tmp_path / "model.onnx"), num_iterations=30)
    planes = observation(9, 9)
    with torch.no_grad():
        expected = policy(planes).logits
    torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected)


def test_the_command_writes_a_model_or_nothing(tmp_path, capsys):
    path = tmp_path / "model.onnx"
    task = ["export", "--weights", "gridworld-8", "--out", str(path), "--iterations", "3", "--json"]
    assert main(task) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["iterations"] == 3
    assert path.stat().st_size > 1000
    for change, message in (
        (["--out", str(tmp_path / "a.txt")], "--out must end in .onnx"),
        (["--iterations", "0"], "at least 1"),
    ):
        assert main([*task[:-3], *change]) == 2
        assert message in capsys.readouterr().err
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model.onnx"]
