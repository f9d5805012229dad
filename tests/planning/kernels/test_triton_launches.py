"""What a plan asks of a GPU: launches, PyTorch's operators and programs to compile. Counted; nothing is computed."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import agreement
from torchvin.planning.kernels import autograd as fused
from torchvin.planning.kernels.triton import launches

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed"),
    pytest.mark.without_type_hook,
]


class Operators(TorchDispatchMode):
    """The names of PyTorch's operators that are called."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def launched(monkeypatch):
    """What is launched: name of the program, arguments and options; the launches do nothing."""
    seen = []

    def run(program, grid, device, arguments, **options):
        seen.append((program.fn.__name__, grid, arguments, options))

    monkeypatch.setattr(launches, "run", run)
    return seen


def plan(height, width, gradient="unroll", *, iterations=20, untied=False, grad_value=False):
    sizes = (3, 1, 10, height, width, 3, iterations + 1 if untied else 1, torch.float32)
    inputs, grads = agreement.problem(torch.Generator().manual_seed(0), *sizes)
    leaves = [tensor.requires_grad_() for tensor in inputs]
    with Operators() as operators:
        outputs = fused.value_iteration(*leaves, iterations, gradient, "triton")
        which = 1 if grad_value else 0
        torch.autograd.grad(outputs[which], leaves, grads[which])  # `backward` would copy into the leaves
    return operators.names


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("size", [(8, 8), (28, 28), (64, 64), (5, 300)])
def test_a_plan_with_its_gradients_is_three_launches(launched, size, untied):
    plan(*size, untied=untied)
    assert [launch[0] for launch in launched] == ["forward_kernel", "backward_kernel", "reduction_kernel"]


@pytest.mark.parametrize("grad_value", [False, True], ids=["of Q", "of V"])
def test_pytorch_only_gives_memory(launched, grad_value):
    names = plan(28, 28, grad_value=grad_value)
    views = {"view", "unsqueeze", "detach", "select", "alias"}
    assert {name for name in names if name not in views} == {"empty_like", "new_empty"}
    assert len([name for name in names if name not in views]) <= 13


def test_a_large_map_takes_a_launch_for_eight_updates(launched):
    plan(128, 128, iterations=159)  # and the look-ahead is the 160th
    names = [launch[0] for launch in launched]
    assert [names.count(name) for name in ("forward_kernel", "backward_kernel", "reduction_kernel")] == [20, 20, 1]


def test_no_program_is_compiled_anew_for_another_map_size(launched, monkeypatch):
    """Triton's own keys, by its binder: maps of 20 to 64 cells a side, other batches, K and gradients wanted."""
    jit = pytest.importorskip("triton.runtime.jit")
    pytest.importorskip("triton.experimental.gluon")  # the binder imports it, which must be under the interpreter
    from triton.backends.compiler import GPUTarget
    from triton.compiler import make_backend

    backend = make_backend(GPUTarget("cuda", 90, 32))
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    programs = {}
    for part in ("forward", "backward"):
        path = Path(launches.programs().__file__).with_name(f"{part}.py")
        spec = importlib.util.spec_from_file_location(f"compiled_{part}", path)
        compiled = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, f"compiled_{part}", compiled)
        spec.loader.exec_module(compiled)
        programs |= vars(compiled)
    plan(28, 28, iterations=36)
    plan(64, 64, iterations=80)
    plan(17, 63, iterations=1, grad_value=True)
    plan(40, 33, iterations=16)
    keys = set()
    for name, _, arguments, options in launched:
        program = programs[name]
        bind = jit.create_function_from_signature(program.signature, program.params, backend)
        _, specialization, rest = bind(*arguments, **options)
        keys.add((name, str(specialization), str(rest)))
    assert len(launched) == 12
    assert len(keys) == 3
