import math

import pytest
import torch

from torchvin.planning.kernels import reference


def by_hand(q_reward, kernel, value, num_iterations):
    """The definition as loops over lists: (Q, V) after exactly `num_iterations` updates."""
    batch, actions, height, width = q_reward.shape
    reach = kernel.shape[-1] // 2
    rewards, weights, values = q_reward.tolist(), kernel.tolist(), value.tolist()

    def look_ahead():
        q = [[[[0.0] * width for _ in range(height)] for _ in range(actions)] for _ in range(batch)]
        for b in range(batch):
            for a in range(actions):
                for row in range(height):
                    for col in range(width):
                        total = rewards[b][a][row][col]
                        for down in range(-reach, reach + 1):
                            for right in range(-reach, reach + 1):
                                if 0 <= row + down < height and 0 <= col + right < width:
                                    weight = weights[a][0][reach + down][reach + right]
                                    total += weight * values[b][0][row + down][col + right]
                        q[b][a][row][col] = total
        return q

    for _ in range(num_iterations):
        q = look_ahead()
        values = [
            [[[max(q[b][a][row][col] for a in range(actions)) for col in range(width)] for row in range(height)]]
            for b in range(batch)
        ]
    return (
        torch.tensor(look_ahead(), dtype=torch.float64).view(batch, actions, height, width),
        torch.tensor(values, dtype=torch.float64).view(batch, 1, height, width),
    )


@pytest.mark.parametrize("num_iterations", [0, 1, 7])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("num_actions", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("gradient", ["unroll", "checkpoint"])
def test_values_are_those_of_a_loop_written_by_hand(num_iterations, kernel_size, num_actions, gradient):
    generator = torch.Generator().manual_seed(100 * kernel_size + 10 * num_actions + num_iterations)
    q_reward = torch.randn(2, num_actions, 4, 6, generator=generator, dtype=torch.float64)
    kernel = 0.4 * torch.randn(num_actions, 1, kernel_size, kernel_size, generator=generator, dtype=torch.float64)
    value = torch.randn(2, 1, 4, 6, generator=generator, dtype=torch.float64)
    expected_q, expected_value = by_hand(q_reward, kernel, value, num_iterations)
    q_values, final = reference.value_iteration(q_reward, kernel, value, num_iterations, gradient)
    torch.testing.assert_close(q_values, expected_q, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(final, expected_value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (7, 1), (2, 3), (9, 4)])
def test_any_size_of_map_even_smaller_than_the_kernel(height, width):
    generator = torch.Generator().manual_seed(height * 10 + width)
    q_reward = torch.randn(1, 3, height, width, generator=generator, dtype=torch.float64)
    kernel = 0.3 * torch.randn(3, 1, 5, 5, generator=generator, dtype=torch.float64)
    value = torch.randn(1, 1, height, width, generator=generator, dtype=torch.float64)
    expected_q, expected_value = by_hand(q_reward, kernel, value, 3)
    q_values, final = reference.value_iteration(q_reward, kernel, value, 3, "unroll")
    torch.testing.assert_close(q_values, expected_q, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(final, expected_value, rtol=1e-12, atol=1e-12)


def test_a_kernel_is_not_flipped_and_sees_zero_outside_the_map():
    """A weight one to the right of the centre takes the value of the right neighbour: correlation, not convolution."""
    value = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    kernel = torch.zeros(2, 1, 3, 3)
    kernel[0, 0, 1, 2] = 1.0
    kernel[1, 0, 0, 1] = 1.0
    q_values = reference.look_ahead(torch.zeros(1, 2, 2, 3), kernel, value)
    assert q_values[0, 0].tolist() == [[2.0, 3.0, 0.0], [5.0, 6.0, 0.0]]
    assert q_values[0, 1].tolist() == [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_the_update_takes_the_maximum_over_actions(requires_grad):
    q_values = torch.tensor([[[[1.0, 5.0]], [[3.0, -2.0]]]], requires_grad=requires_grad)
    assert reference.update(q_values).tolist() == [[[[3.0, 5.0]]]]


def test_a_checkpointed_run_recomputes_in_about_sqrt_k_pieces(monkeypatch):
    pieces = []
    inner = reference.checkpoint
    monkeypatch.setattr(
        reference, "checkpoint", lambda run, *args, **kw: pieces.append(args[4] - args[3]) or inner(run, *args, **kw)
    )
    q_reward = torch.randn(1, 2, 3, 3, requires_grad=True)
    for num_iterations in (1, 2, 9, 10, 50):
        pieces.clear()
        reference.value_iteration(
            q_reward, torch.randn(2, 1, 3, 3), torch.zeros(1, 1, 3, 3), num_iterations, "checkpoint"
        )
        assert sum(pieces) == num_iterations
        assert len(pieces) <= math.isqrt(num_iterations - 1) + 1
