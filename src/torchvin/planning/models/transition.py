"""Transition models: where an action leads, as one kernel for all cells (Tamar et al. 2016, section 4)."""

from typing import TypedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.planning.models.latent_mdp import Steps, likeliest_steps

#: The types that torch accepts as a device.
Device = torch.device | str | int | None


class Place(TypedDict):
    """Device and type of weights, as keyword arguments of torch's modules."""

    device: Device
    dtype: torch.dtype | None


class FreeTransition(nn.Module):
    """The paper's transition: unconstrained weights W_V. A backup with them need not be a contraction.

    Args:
        num_actions: number of Q channels A (the paper: 10), in each orientation.
        kernel_size: F, odd (the paper: 3).
        scale: standard deviation of the initial weights (the authors' code: 0.01).
        num_kernels: K + 1: a kernel per iteration, and one for the look-ahead ("untied", section 5.1). 0: one kernel
            for all.
        num_orientations: O, the number of value channels.
        device, dtype: device and type of the weights.

    >>> FreeTransition(num_actions=10)().shape
    torch.Size([10, 1, 3, 3])
    """

    def __init__(
        self,
        *,
        num_actions: int,
        kernel_size: int = 3,
        scale: float = 0.01,
        num_kernels: int = 0,
        num_orientations: int = 1,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.scale = scale
        untied = (num_kernels,) if num_kernels else ()
        channels = (num_orientations * num_actions, num_orientations)
        shape = (*untied, *channels, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the weights anew, `scale` * N(0, 1)."""
        self.weight.copy_(self.scale * torch.randn_like(self.weight))

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        return f"weight={list(self.weight.shape)}, scale={self.scale:g}"

    def forward(self) -> Float[Tensor, "*S OA O F F"]:
        return self.weight


class NormalizedTransition(nn.Module):
    """`discount` times a probability distribution over the F*F neighbours, softmax(logits), for each action.

    With O orientations the distribution is over O*F*F states, and each orientation has its own actions. Weights are not
    negative and sum to `discount` < 1. At the edge of the map the sum is smaller, because the part off the map is lost.
    The backup is therefore a contraction by `discount` in the maximum norm: values stay bounded at any K, and the fixed
    point exists.

    Args:
        num_actions: number of Q channels A, in each orientation.
        kernel_size: F, odd.
        discount: discount factor in (0, 1).
        sharpness: factor on the logits. It makes the steps of an optimizer larger by this factor, so that a
            distribution can become one-hot in a short training. After 10 epochs on 16x16 maps 99.7 % of all states
            were solved with 10, and 94 % with 1.
        termination: whether to append a termination action: a kernel of zeros, whose value is its reward alone.
        num_orientations: O, the number of value channels.
        device, dtype: device and type of the logits.

    Raises: InputError for a discount outside (0, 1).

    >>> round(NormalizedTransition(num_actions=8, discount=0.5)().sum(dim=(1, 2, 3))[0].item(), 5)
    0.5
    """

    def __init__(
        self,
        *,
        num_actions: int,
        kernel_size: int = 3,
        discount: float = 0.99,
        sharpness: float = 10.0,
        termination: bool = False,
        num_orientations: int = 1,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not 0 < discount < 1:
            raise InputError(f"discount must lie between 0 and 1, got {discount}: the backup must be a contraction.")
        self.discount = discount
        self.sharpness = sharpness
        self.termination = termination
        shape = (num_orientations * num_actions, num_orientations, kernel_size, kernel_size)
        self.logits = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the logits anew, so that `sharpness` times them is N(0, 1)."""
        self.logits.copy_(torch.randn_like(self.logits) / self.sharpness)

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        shown = f"logits={list(self.logits.shape)}, discount={self.discount:g}, sharpness={self.sharpness:g}"
        return shown + ", termination=True" * self.termination

    def forward(self) -> Float[Tensor, "OA O F F"]:
        logits = self.logits
        _, orientations, size, _ = logits.shape
        kernel = (logits.flatten(1) * self.sharpness).softmax(dim=1) * self.discount
        if self.termination:
            kernel = functional.pad(kernel.view(orientations, -1, kernel.shape[1]), (0, 0, 0, 1))
        return kernel.view(-1, orientations, size, size)


def _note_state(module: nn.Module, *_: object) -> None:
    """Copy the buffer `deterministic` to Python values. It is called whenever the buffer changes, also by loading."""
    assert isinstance(module, LearnedMoves)
    if not module.deterministic.is_meta:
        module.steps = likeliest_steps(module.logits) if bool(module.deterministic) else None
        if module.steps is not None:
            module.logits.requires_grad_(False)


class LearnedMoves(nn.Module):
    """Where each action leads: a learned distribution over neighbours, which can be made deterministic.

    The neighbours are F*F cells in each of O orientations.

    Args:
        num_actions: A, the number of actions in each orientation.
        num_orientations: O.
        kernel_size: F, odd.
        sharpness: factor on the logits, as in `NormalizedTransition`.
        device, dtype: device and type of the logits.

    >>> moves = LearnedMoves(num_actions=4)
    >>> moves.make_deterministic()
    >>> moves().flatten(1).amax(dim=1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    deterministic: Tensor
    steps: Steps | None

    def __init__(
        self,
        *,
        num_actions: int,
        num_orientations: int = 1,
        kernel_size: int = 3,
        sharpness: float = 10.0,
        device: Device = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.sharpness = sharpness
        shape = (num_orientations * num_actions, num_orientations, kernel_size, kernel_size)
        self.logits = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.register_buffer("deterministic", torch.tensor(False, device=device))
        self.steps = None
        self.reset_parameters()
        self.register_load_state_dict_post_hook(_note_state)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the logits anew. Moves are then no longer deterministic."""
        self.logits.copy_(torch.randn_like(self.logits) / self.sharpness)
        self.logits.requires_grad_()
        self.deterministic.fill_(False)
        self.steps = None

    def extra_repr(self) -> str:
        """The arguments that `print(module)` shows."""
        return f"logits={list(self.logits.shape)}, deterministic={self.is_deterministic}"

    @property
    def is_deterministic(self) -> bool:
        """Whether moves are deterministic, as a Python bool, because a traced program cannot branch on a tensor."""
        return self.steps is not None

    def make_deterministic(self) -> None:
        """Make each action lead to its likeliest neighbour. The logits are then no longer trained."""
        self.deterministic.fill_(True)
        _note_state(self)

    def forward(self) -> Float[Tensor, "OA O F F"]:
        flat = self.logits.flatten(1)
        if self.is_deterministic:
            kernel = functional.one_hot(flat.argmax(dim=1), flat.shape[1]).to(flat.dtype)
        else:
            kernel = (self.sharpness * flat).softmax(dim=1)
        return kernel.view_as(self.logits)


@torch.no_grad()
def set_to_moves(kernels: Float[Tensor, "A 1 F F"], gain: float) -> None:
    """Set kernels to the moves of the grid: the eight, and staying; further ones stay too.

    So did the authors for continuous control, because its domains are few (Tamar et al. 2016, section 5.3, as
    recalled): with the discount in the kernels W_V, and 1 in W_R.

    Args:
        kernels: weights, [A, 1, F, F].
        gain: at the cell that a move leads to.

    >>> kernels = torch.ones(9, 1, 3, 3)
    >>> set_to_moves(kernels, 0.95)
    >>> kernels[0, 0, 0, 1], kernels[0].sum()  # north
    (tensor(0.9500), tensor(0.9500))
    """
    from torchvin.mdp.motion import GridMotion

    moves = (*GridMotion().offsets, (0, 0))
    middle = kernels.shape[-1] // 2
    kernels.zero_()
    for action in range(len(kernels)):
        down, right = moves[min(action, len(moves) - 1)]
        kernels[action, 0, middle + down, middle + right] = gain
