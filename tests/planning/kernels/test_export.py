"""The layer as a program for others: torch.export, a saved program in a new process, ONNX."""

import subprocess
import sys

import pytest
import torch

from torchvin import NormalizedTransition, ValueIteration

FREE = {
    0: torch.export.Dim("batch", min=1),
    2: torch.export.Dim("height", min=2),
    3: torch.export.Dim("width", min=2),
}
pytestmark = [
    pytest.mark.usefixtures("_unchecked_shapes"),  # beartype does not know symbolic sizes
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),  # of the exporters themselves
]


class Layer(torch.nn.Module):
    """A reward in, the plan's Q values out."""

    def __init__(self, **options) -> None:
        super().__init__()
        torch.manual_seed(0)
        transition = NormalizedTransition(num_actions=4, discount=0.9)
        self.plan = ValueIteration(transition=transition, num_iterations=7, **options)

    def forward(self, q_reward):
        return self.plan(q_reward).q_values


def maps(*sizes):
    return torch.randn(sizes[0], 4, *sizes[1:], generator=torch.Generator().manual_seed(1))


def assert_plans_everywhere(program, layer):
    """At the size of the export and at others; "implicit" makes all its updates in a program."""
    layer.plan.gradient = "unroll"
    for size in ((2, 6, 9), (1, 16, 16), (3, 23, 37)):
        torch.testing.assert_close(program(maps(*size)), layer(maps(*size)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("strict", [False, pytest.param(True, marks=pytest.mark.without_type_hook)])
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint", "implicit"])
def test_the_layer_is_exported_with_free_sizes(gradient, strict):
    layer = Layer(gradient=gradient).eval()
    program = torch.export.export(layer, (maps(2, 6, 9),), dynamic_shapes=(FREE,), strict=strict)
    assert_plans_everywhere(program.module(), layer)


def test_the_whole_output_is_exported():
    layer = Layer().plan
    program = torch.export.export(layer, (maps(2, 6, 9),), dynamic_shapes=(FREE,)).module()
    plan, expected = program(maps(3, 8, 5)), layer(maps(3, 8, 5))
    assert type(plan) is type(expected)
    assert torch.equal(plan.value, expected.value)
    assert torch.equal(plan.residual, expected.residual)
    assert (plan.num_iterations, plan.solved) == (7, False)


@pytest.mark.parametrize("line", ["import torchvin", "from torchvin import ValueIteration"])
def test_a_saved_program_loads_in_a_new_process(tmp_path, line):
    torch.export.save(torch.export.export(Layer().eval(), (maps(1, 6, 6),)), tmp_path / "layer.pt2")
    code = f"import torch\n{line}\nprint(torch.export.load({str(tmp_path / 'layer.pt2')!r}).module()(torch.zeros(1, 4, 6, 6)).shape)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "torch.Size([1, 4, 6, 6])"


@pytest.mark.parametrize(
    "options", [{}, {"backend": "reference"}, {"gradient": "checkpoint"}, {"gradient": "implicit"}]
)
def test_onnx_runtime_has_the_same_numbers_at_every_size(tmp_path, options):
    for name in ("onnx", "onnxscript"):
        pytest.importorskip(name, reason="needs the extra [onnx]")
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]")
    layer, path = Layer(**options).eval(), str(tmp_path / "layer.onnx")
    torch.onnx.export(layer, (maps(2, 6, 9),), path, dynamo=True, verbose=False, dynamic_shapes=(FREE,))
    session = runtime.InferenceSession(path)
    (entry,) = session.get_inputs()
    assert_plans_everywhere(lambda x: torch.from_numpy(session.run(None, {entry.name: x.numpy()})[0]), layer)


def test_a_saved_program_of_the_reference_loads(tmp_path):
    """What a machine without the compiled kernel exports."""
    program = torch.export.export(Layer(backend="reference").eval(), (maps(1, 6, 6),))
    torch.export.save(program, tmp_path / "layer.pt2")
    loaded = torch.export.load(tmp_path / "layer.pt2").module()
    assert torch.equal(loaded(maps(1, 6, 6)), Layer(backend="reference")(maps(1, 6, 6)))
