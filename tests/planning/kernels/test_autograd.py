"""The compiled kernel against the reference: values, gradients, every instruction set, and as a PyTorch operator."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement import assert_same, problem, with_gradients
from torchvin import NormalizedConfig, PaperConfig, build_policy
from torchvin.errors import ShapeError
from torchvin.planning.kernels import autograd as fused
from torchvin.planning.kernels import reference
from torchvin.planning.kernels.cpu import kernel as cpu
from torchvin.planning.kernels.kernel import Problem
from torchvin.planning.value_iteration import value_iteration

pytestmark = pytest.mark.skipif(cpu.extension is None, reason="the C++ kernel is not compiled")

INSTRUCTION_SETS = cpu.extension.instruction_sets() if cpu.extension else []
SOURCES = Path(__file__).parents[3] / "src" / "torchvin" / "planning" / "kernels" / "cpu" / "cpp"


@pytest.fixture(params=INSTRUCTION_SETS)
def instruction_set(request, monkeypatch):
    monkeypatch.setenv("TORCHVIN_INSTRUCTION_SET", request.param)
    return request.param


@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    orientations=st.sampled_from([1, 1, 1, 2, 4]),
    actions=st.integers(1, 16),
    height=st.sampled_from([1, 2, 3, 7, 8, 16, 19, 33]),
    width=st.sampled_from([1, 2, 3, 5, 8, 15, 16, 17, 31, 40]),
    size=st.sampled_from([1, 3, 3, 5, 7]),
    num_iterations=st.sampled_from([0, 1, 2, 3, 7, 17, 50]),
    untied=st.booleans(),
    gradient=st.sampled_from(["unroll", "checkpoint"]),
    instructions=st.sampled_from(INSTRUCTION_SETS or [""]),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_agrees_with_the_reference_in_float64(
    seed, batch, orientations, actions, height, width, size, num_iterations, untied, gradient, instructions
):
    generator = torch.Generator().manual_seed(seed)
    kernels = num_iterations + 1 if untied else 1
    inputs, grads = problem(generator, batch, orientations, actions, height, width, size, kernels, torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHVIN_INSTRUCTION_SET", instructions)
        assert_same(inputs, grads, num_iterations, gradient)


@given(
    seed=st.integers(0, 2**31),
    actions=st.integers(1, 16),
    height=st.sampled_from([1, 4, 8, 16, 28]),
    width=st.sampled_from([1, 5, 8, 16, 28]),
    size=st.sampled_from([3, 3, 5, 7]),
    num_iterations=st.sampled_from([1, 2, 5]),
    instructions=st.sampled_from(INSTRUCTION_SETS or [""]),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_agrees_with_the_reference_in_float32(seed, actions, height, width, size, num_iterations, instructions):
    """Numbers with few bits, so that sums are exact in both precisions: ties are ties, and the same action wins."""
    generator = torch.Generator().manual_seed(seed)

    def few_bits(*shape):
        return torch.randint(-4, 5, shape, generator=generator).float()

    inputs = [
        few_bits(2, actions, height, width),
        torch.randint(0, 3, (1, actions, 1, size, size), generator=generator) / 4.0,
        few_bits(2, 1, height, width),
    ]
    grads = [few_bits(*inputs[0].shape), few_bits(*inputs[2].shape)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHVIN_INSTRUCTION_SET", instructions)
        assert_same(inputs, grads, min(num_iterations, 3 if size > 3 else 5))


@pytest.mark.parametrize("kernels", [1, 13])
def test_more_small_maps_than_a_thread_takes_at_a_time(instruction_set, kernels):
    inputs, grads = problem(torch.Generator().manual_seed(kernels), 37, 1, 10, 8, 7, 3, kernels, torch.float64)
    assert_same(inputs, grads, 12)


@pytest.mark.parametrize("side", [8, 16, 28])
def test_the_papers_sizes_in_float32(instruction_set, side):
    inputs, _ = problem(torch.Generator().manual_seed(side), 4, 1, 10, side, side, 3, 1, torch.float32)
    expected = reference.value_iteration(*(tensor.double() for tensor in inputs), 36, "unroll")
    got = fused.value_iteration(*inputs, 36, "unroll", "cpu")
    for one, other in zip(got[:2], expected, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def test_at_a_tie_the_first_action_carries_the_gradient(instruction_set):
    q_reward = torch.zeros(1, 14, 3, 5, requires_grad=True)  # 14 actions: more than one chunk
    value_iteration(q_reward, torch.zeros(14, 1, 3, 3), num_iterations=1, backend="cpu").value.sum().backward()
    assert q_reward.grad is not None
    assert torch.equal(q_reward.grad[:, :1], torch.ones(1, 1, 3, 5))
    assert not q_reward.grad[:, 1:].any()


def test_minus_infinity_rules_an_action_out(instruction_set):
    inputs, grads = problem(torch.Generator().manual_seed(1), 2, 1, 5, 6, 9, 3, 1, torch.float64)
    inputs[0][:, 1:][torch.rand(2, 4, 6, 9, generator=torch.Generator().manual_seed(2)) < 0.4] = -torch.inf
    expected = with_gradients(lambda *x: reference.value_iteration(*x, 6, "unroll"), inputs, grads)
    got = with_gradients(lambda *x: fused.value_iteration(*x, 6, "unroll", "cpu"), inputs, grads)
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", ["reward", "all rewards of a cell", "kernel", "value"])
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
def test_numbers_that_are_not_finite_spread_as_in_the_reference(bad, place, gradient):
    inputs, grads = problem(torch.Generator().manual_seed(3), 2, 1, 4, 6, 7, 3, 1, torch.float64)
    if place == "reward":
        inputs[0][0, 2, 3, 3] = bad
    elif place == "all rewards of a cell":
        inputs[0][0, :, 3, 3] = bad
    elif place == "kernel":
        inputs[1][0, 1, 0, 0, 0] = bad
    else:
        inputs[2][1, 0, 2, 2] = bad
    expected = with_gradients(lambda *x: reference.value_iteration(*x, 4, "unroll"), inputs, grads)
    got = with_gradients(lambda *x: fused.value_iteration(*x, 4, gradient, "cpu"), inputs, grads)
    for one, other in zip(got, expected, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True, rtol=1e-11, atol=1e-11)


def test_values_too_large_overflow_as_in_the_reference():
    inputs = [torch.full((1, 2, 4, 4), 3.0e38), torch.ones(1, 2, 1, 3, 3), torch.zeros(1, 1, 4, 4)]
    expected = reference.value_iteration(*inputs, 3, "unroll")
    got = fused.value_iteration(*inputs, 3, "unroll", "cpu")
    assert torch.equal(got[0], expected[0])
    assert torch.equal(got[1], expected[1])


@pytest.mark.parametrize(("batch", "side"), [(6, 28), (1, 150)], ids=["threads over maps", "threads over bands"])
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
def test_one_thread_and_two_give_the_same_bits(batch, side, gradient):
    inputs, grads = problem(torch.Generator().manual_seed(4), batch, 1, 9, side, side + 1, 3, 1, torch.float32)

    def run():
        return with_gradients(lambda *x: fused.value_iteration(*x, 60, gradient, "cpu"), inputs, grads)

    assert batch * side * side * 61 * 81 > 1e7  # enough work that threads are used
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one, again = run(), run()
        torch.set_num_threads(2)
        two = run()
        torch.set_num_threads(3)
        three = run()
    finally:
        torch.set_num_threads(threads)
    for tensors in zip(one, again, two, three, strict=True):
        for other in tensors[1:]:
            assert torch.equal(tensors[0], other)


def test_what_is_kept_is_at_most_six_bytes_a_cell_and_iteration():
    for side, num_iterations in ((8, 10), (16, 20), (28, 36), (64, 80)):
        sizes = []
        q_reward = torch.randn(2, 10, side, side, requires_grad=True)
        kernel = torch.rand(10, 1, 3, 3)
        inputs = {q_reward.data_ptr(), kernel.data_ptr()}

        def pack(tensor, inputs=inputs, sizes=sizes):
            if tensor.data_ptr() not in inputs:
                sizes.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            value_iteration(q_reward, kernel, num_iterations=num_iterations, backend="cpu")
        assert 5 * 2 * side * side * num_iterations <= sum(sizes) <= 6 * 2 * side * side * num_iterations


@pytest.mark.usefixtures("_unchecked_shapes")  # beartype does not know symbols and tracers
def test_opcheck():
    arguments = (
        torch.randn(2, 4, 5, 6, requires_grad=True),
        torch.rand(1, 4, 1, 3, 3, requires_grad=True),
        torch.randn(2, 1, 5, 6, requires_grad=True),
    )
    for keep_every in (1, 3):
        torch.library.opcheck(torch.ops.torchvin.value_iteration.default, (*arguments, 4, keep_every, "cpu"))


@pytest.mark.without_type_hook
@pytest.mark.parametrize("config", [NormalizedConfig(), PaperConfig()], ids=["normalized", "paper"])
def test_a_policy_compiles_whole(config):
    torch.manual_seed(0)
    policy = build_policy(config)
    planes = torch.zeros(2, 2, 9, 7)
    planes[:, 1, 3, 3] = 10
    compiled = torch.compile(policy, fullgraph=True, backend="aot_eager")
    loss, expected = (run(planes, num_iterations=14).logits.square().sum() for run in (compiled, policy))
    torch.testing.assert_close(loss, expected)
    parameters = list(policy.parameters())
    gradients = (torch.autograd.grad(one, parameters, allow_unused=True) for one in (loss, expected))
    for one, other in zip(*gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)


def test_autocast_plans_in_float32():
    q_reward, kernel = torch.randn(1, 3, 5, 5), torch.rand(3, 1, 3, 3) / 9
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plan = value_iteration(q_reward.bfloat16(), kernel, num_iterations=5)
    expected = value_iteration(q_reward.bfloat16().float(), kernel, num_iterations=5)
    assert plan.q_values.dtype == torch.float32
    assert torch.equal(plan.q_values, expected.q_values)


def test_vmap_over_maps_and_over_kernels():
    generator = torch.Generator().manual_seed(5)
    q_reward, kernels = (
        torch.randn(3, 2, 4, 5, 6, generator=generator),
        torch.rand(3, 4, 1, 3, 3, generator=generator) / 9,
    )

    def run(q_reward, kernel):
        return value_iteration(q_reward, kernel, num_iterations=4, backend="cpu").value

    expected = torch.stack([run(one, kernel) for one, kernel in zip(q_reward, kernels, strict=True)])
    assert torch.equal(torch.vmap(run)(q_reward, kernels), expected)
    assert torch.equal(
        torch.vmap(run, in_dims=(0, None))(q_reward, kernels[0]),
        torch.stack([run(one, kernels[0]) for one in q_reward]),
    )


def test_double_backward_goes_through_the_reference():
    generator = torch.Generator().manual_seed(6)
    q_reward = torch.randn(1, 3, 3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    kernel = torch.rand(3, 1, 3, 3, dtype=torch.float64, generator=generator, requires_grad=True)

    def run(q_reward, kernel):
        plan = value_iteration(q_reward, kernel, num_iterations=3, backend="cpu")
        return plan.q_values, plan.value

    assert torch.autograd.gradcheck(run, (q_reward, kernel))
    assert torch.autograd.gradgradcheck(run, (q_reward, kernel))


def test_a_copied_policy_plans_the_same():
    policy = build_policy(NormalizedConfig())
    planes = torch.rand(1, 2, 6, 6)
    assert torch.equal(policy(planes).logits, copy.deepcopy(policy)(planes).logits)


def test_inputs_need_not_be_contiguous():
    q_reward = torch.randn(2, 6, 5, 4).transpose(2, 3)[:, ::2]
    kernel = torch.rand(3, 1, 3, 3).transpose(2, 3)
    got = value_iteration(q_reward, kernel, num_iterations=3, backend="cpu")
    expected = value_iteration(q_reward, kernel, num_iterations=3, backend="reference")
    torch.testing.assert_close(got.q_values, expected.q_values)


def test_plans_that_live_together_share_no_memory_and_the_next_uses_theirs():
    q_reward, kernel = torch.randn(8, 10, 64, 64), torch.rand(10, 1, 3, 3) / 9
    one = value_iteration(q_reward, kernel, num_iterations=2, backend="cpu").q_values
    before = one.clone()
    other = value_iteration(2 * q_reward, kernel, num_iterations=2, backend="cpu").q_values
    assert torch.equal(one, before)
    places = {one.data_ptr(), other.data_ptr()}
    assert len(places) == 2
    part = one[:1]  # a view keeps the whole alive
    del one, other
    again = [value_iteration(q_reward, kernel, num_iterations=2, backend="cpu").q_values for _ in range(2)]
    assert len({part.data_ptr(), *(tensor.data_ptr() for tensor in again)}) == 3
    assert places & {tensor.data_ptr() for tensor in again}
    assert torch.equal(part, before[:1])


def test_what_the_kernel_is_not_given():
    q_reward, value = torch.zeros(1, 2, 3, 3), torch.zeros(1, 1, 3, 3)
    with pytest.raises(ValueError, match="kernel must be"):
        cpu.forward(Problem(q_reward, torch.zeros(1, 3, 1, 3, 3), value, 1, 0))
    with pytest.raises(ValueError, match=r"expected .* contiguous torch.float32, got .* torch.float64"):
        cpu.forward(Problem(q_reward, torch.zeros(1, 2, 1, 3, 3), value.double(), 1, 0))
    with pytest.raises(ValueError, match="kernels must be 1 or K"):
        cpu.forward(Problem(q_reward, torch.zeros(5, 2, 1, 3, 3), value, 1, 0))


def test_a_map_without_cells_and_a_batch_without_maps():
    assert value_iteration(torch.zeros(0, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=2).value.shape == (
        0,
        1,
        3,
        3,
    )
    with pytest.raises(ShapeError, match="at least one cell"):
        value_iteration(torch.zeros(1, 2, 0, 3), torch.zeros(2, 1, 3, 3), num_iterations=2)


def test_an_unknown_instruction_set_is_refused(monkeypatch):
    monkeypatch.setenv("TORCHVIN_INSTRUCTION_SET", "mmx")
    with pytest.raises(ValueError, match="this machine has no instruction set 'mmx'"):
        value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=1, backend="cpu")


@pytest.mark.sanitizers
@pytest.mark.skipif(sys.platform != "linux", reason="sanitizers are run on Linux")
def test_sanitizers_find_nothing(tmp_path):
    """The C++ test (tests/cpp) under the address and undefined-behaviour sanitizers, every instruction set."""
    compiler = os.environ.get("CXX", "g++")
    flags = ["-std=c++17", "-O1", "-g", "-Wno-psabi", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sets = {"plain": []}
    if len(INSTRUCTION_SETS) > 1:
        sets["avx2"] = ["-mavx2", "-mfma"]
        sets["avx512"] = ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"]
        flags.append("-DTORCHVIN_X86")
    objects = []
    for name, extra in sets.items():
        objects.append(str(tmp_path / f"{name}.o"))
        source = str(SOURCES / f"sweeps_{name}.cpp")
        subprocess.run([compiler, *flags, *extra, "-ffp-contract=fast", "-c", source, "-o", objects[-1]], check=True)
    test = str(Path(__file__).parents[2] / "cpp" / "test_value_iteration.cpp")
    program = str(tmp_path / "test")
    sources = [test, *(str(SOURCES / name) for name in ("forward.cpp", "backward.cpp")), f"-I{SOURCES}"]
    subprocess.run([compiler, *flags, *sources, *objects, "-pthread", "-o", program], check=True)
    result = subprocess.run([program], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "cases agree" in result.stdout
