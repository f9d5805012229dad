"""One call of the operator: to the kernel that was chosen, or to the reference for what only the reference has."""

from torch import Tensor

from torchvin.errors import InputError
from torchvin.planning.kernels import autograd, recording, reference
from torchvin.planning.kernels.registry import REFERENCE, choose

#: Per orientation; the fused kernels keep the action taken in a byte.
MOST_ACTIONS = 255


def run(
    backend: str,
    q_reward: Tensor,
    kernel: Tensor,
    value: Tensor,
    num_iterations: int,
    gradient: str,
    temperature: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Q, V and the residual by the kernel that `registry.choose` chooses, or by the reference for what only it has.

    Args:
        backend: "auto" or a name.
        q_reward, value: as in `value_iteration`.
        kernel: [O*A, O, F, F], or [K + 1, O*A, O, F, F].
        num_iterations: K.
        gradient: "unroll" or "checkpoint".
        temperature: of the soft maximum.

    Raises: InputError, see `registry.choose`; if another backend is named for what only the reference has.
    """
    actions = q_reward.shape[1] // value.shape[1]
    only_reference = "the soft maximum runs" if temperature else ""
    if actions > MOST_ACTIONS:  # GPPN's table has VINs of 600 Q channels
        only_reference = f"more than {MOST_ACTIONS} actions ({actions}) run"
    if only_reference and backend not in ("auto", REFERENCE):
        raise InputError(f"{only_reference} in plain PyTorch: use backend='auto' or 'reference', not {backend!r}.")
    chosen = REFERENCE if only_reference else choose(backend, q_reward)
    if chosen != REFERENCE and not recording.must_be_unrolled():
        return autograd.value_iteration(q_reward, kernel, value, num_iterations, gradient, chosen)
    q_values, final = reference.value_iteration(q_reward, kernel, value, num_iterations, gradient, temperature)
    return q_values, final, reference.residual(q_values, final, temperature)
