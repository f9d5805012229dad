"""ONNX: the numbers of PyTorch in ONNX Runtime, at the size of the export and at others."""

import json

import pytest
import torch

from torchvin import (
    CNNConfig,
    InputError,
    NormalizedConfig,
    PaperConfig,
    TerrainClassifierConfig,
    TerrainConfig,
    build_policy,
    generate_gridworld,
    load_policy,
)
from torchvin.architectures.registry import MODULES, architecture
from torchvin.cli.main import main
from torchvin.data.draw import draw_maps
from torchvin.export import frozen, to_onnx
from torchvin.maps.observe import encode

pytestmark = pytest.mark.usefixtures("_unchecked_shapes")  # sizes of a traced program are no numbers

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


@pytest.mark.parametrize(
    "name",
    ["normalized"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in MODULES if name not in ("cnn", "fcn", "normalized")],
)
def test_every_architecture_has_the_same_numbers_at_any_size(tmp_path, name):
    torch.manual_seed(0)
    policy = build_policy(architecture(name).config()).eval()
    assert to_onnx(policy, tmp_path / "model.onnx", num_iterations=4) == 4
    for size in SIZES:
        planes = observation(*size)
        with torch.no_grad():
            expected = policy(planes, num_iterations=4).logits
        torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_network_on_images_takes_pixels_of_any_size(tmp_path):
    torch.manual_seed(0)
    policy = build_policy(TerrainConfig(encoder_channels=4, encoder_blocks=1, caution=3.0)).eval()
    assert to_onnx(policy, tmp_path / "model.onnx", size=(12, 9)) == 24
    for size in ((8, 8), (12, 9)):
        planes = draw_maps("terrain", 2, *size, seed=1).planes()
        with torch.no_grad():
            expected = policy(planes).logits
        torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-3, atol=1e-3)


def test_a_search_outside_of_torch_is_not_exported(tmp_path):
    policy = build_policy(TerrainClassifierConfig(encoder_channels=4))
    with pytest.raises(InputError, match="searches outside of torch, which no exported program"):
        to_onnx(policy, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["maze-15-drive", "maze-15-drive-normalized"])
def test_orientations_and_another_batch(tmp_path, name):
    policy = load_policy(name)
    to_onnx(policy, tmp_path / "model.onnx", num_iterations=12)
    blocked, goal = generate_gridworld(5, 11, 13, seed=2)
    planes = encode(blocked, goal)
    planes = torch.cat([planes, torch.zeros(5, 3, 11, 13)], dim=1)  # goals head north
    with torch.no_grad():
        expected = frozen(policy, num_iterations=12, iterate=True)(planes)
    torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_policy_that_plans_to_its_fixed_point_makes_k_updates(tmp_path):
    torch.manual_seed(0)
    policy = build_policy(NormalizedConfig(gradient="implicit")).eval()
    with pytest.raises(InputError, match="hold 10,000 updates one after another, more than 4,096"):
        to_onnx(policy, tmp_path / "model.onnx")
    to_onnx(policy, tmp_path / "model.onnx", num_iterations=9)
    unrolled = build_policy(NormalizedConfig()).eval()
    unrolled.load_state_dict(policy.state_dict())
    planes = observation(9, 7)
    with torch.no_grad():
        expected = unrolled(planes, num_iterations=9).logits
    torch.testing.assert_close(in_onnx_runtime(tmp_path / "model.onnx", planes), expected, rtol=1e-4, atol=1e-5)
    assert policy.planner.iteration.gradient == "implicit"


def test_k_may_be_zero_and_must_be_one_that_the_policy_takes(tmp_path):
    assert to_onnx(build_policy(NormalizedConfig()), tmp_path / "model.onnx", num_iterations=0) == 0
    with pytest.raises(InputError, match="kernel must have shape"):
        to_onnx(build_policy(PaperConfig(untied=5)), tmp_path / "untied.onnx")
    with pytest.raises(InputError, match="makes no iterations"):
        to_onnx(build_policy(CNNConfig(height=8, width=8)), tmp_path / "cnn.onnx", num_iterations=3)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
