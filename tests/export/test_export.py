"""torch.export of every architecture, with free batch, height and width; saved programs load after `import torchvin`."""

import subprocess
import sys

import pytest
import torch

from torchvin import InputError, build_policy, generate_gridworld, load_policy
from torchvin.architectures.registry import MODULES, architecture
from torchvin.export import frozen
from torchvin.maps.observe import encode

ANY_SIZE = [name for name in MODULES if name not in ("cnn", "fcn")]
FREE = {
    0: torch.export.Dim("batch", min=1),
    2: torch.export.Dim("height", min=4),
    3: torch.export.Dim("width", min=4),
}


def observation(number, height, width):
    return encode(*generate_gridworld(number, height, width, seed=1))


@pytest.mark.parametrize("name", ANY_SIZE)
def test_every_architecture_of_any_size_is_exported_with_free_sizes(name):
    torch.manual_seed(0)
    policy = build_policy(architecture(name).config()).eval()
    program = torch.export.export(
        policy,
        (observation(2, 9, 12),),
        {"num_iterations": 5},
        dynamic_shapes={"observation": FREE, "num_iterations": None},
    )
    for number, height, width in ((2, 9, 12), (3, 16, 7), (1, 11, 23)):
        planes = observation(number, height, width)
        expected, got = policy(planes, num_iterations=5), program.module()(planes, num_iterations=5)
        torch.testing.assert_close(got.logits, expected.logits, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(got.plan.value, expected.plan.value, rtol=1e-5, atol=1e-6)
        assert got.plan.num_iterations == 5


@pytest.mark.parametrize("name", ["cnn", "fcn"])
def test_a_reactive_policy_is_exported_for_its_size(name):
    torch.manual_seed(0)
    policy = build_policy(architecture(name).config(height=9, width=12)).eval()
    program = torch.export.export(frozen(policy), (observation(2, 9, 12),))
    torch.testing.assert_close(
        program.module()(observation(2, 9, 12)), policy(observation(2, 9, 12)).logits, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("name", ["gridworld-16", "gridworld-16-shortest-path"])
def test_shipped_weights_are_exported_as_they_are(name):
    policy = load_policy(name)
    program = torch.export.export(policy, (observation(1, 16, 16),))
    planes = observation(1, 16, 16)
    assert torch.equal(program.module()(planes).logits, policy(planes).logits)


def test_an_exact_policy_is_exported_with_free_sizes():
    policy = load_policy("gridworld-16-shortest-path")
    program = torch.export.export(policy, (observation(2, 9, 12),), dynamic_shapes={"observation": FREE})
    planes = observation(3, 30, 17)
    assert torch.equal(program.module()(planes).logits, policy(planes).logits)


@pytest.mark.parametrize("name", ["gridworld-8", "maze-15"])
def test_a_saved_program_loads_after_the_import_of_the_package(tmp_path, name):
    policy = load_policy(name)
    planes = observation(1, 12, 12)
    torch.export.save(
        torch.export.export(frozen(policy, num_iterations=None if policy.planner.exact else 9), (planes,)),
        tmp_path / "program.pt2",
    )
    torch.save(planes, tmp_path / "planes.pt")
    code = (
        "import torch, torchvin\n"
        f"program = torch.export.load({str(tmp_path / 'program.pt2')!r})\n"
        f"torch.save(program.module()(torch.load({str(tmp_path / 'planes.pt')!r})), {str(tmp_path / 'logits.pt')!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    expected = policy(planes, num_iterations=None if policy.planner.exact else 9).logits
    assert torch.equal(torch.load(tmp_path / "logits.pt"), expected)


def test_a_frozen_policy_is_a_copy_with_k():
    policy = load_policy("gridworld-8")
    module = frozen(policy, num_iterations=9)
    planes = observation(2, 8, 8)
    assert torch.equal(module(planes), policy(planes, num_iterations=9).logits)
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert all(parameter.requires_grad for parameter in policy.parameters())


def test_k_is_given_where_it_is_used_and_only_there():
    with pytest.raises(InputError, match="is frozen with its number of iterations: give num_iterations"):
        frozen(load_policy("gridworld-8"))
    exact = load_policy("maze-15")
    with pytest.raises(InputError, match="makes no iterations: leave num_iterations out, or set iterate=True"):
        frozen(exact, num_iterations=5)
    assert frozen(exact, num_iterations=5, iterate=True).policy.planner.solve == "iterate"
    assert exact.planner.solve == "exact"
