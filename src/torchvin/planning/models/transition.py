"""Transition models: where an action leads, as one kernel for all cells."""

from typing import TypedDict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError
from torchvin.planning.models.latent_mdp import Steps, likeliest_steps

#: What torch takes for a device.
Device = torch.device | str | int | None


class Place(TypedDict):
    """Where weights lie, and their type."""

    device: Device
    dtype: torch.dtype | None


class FreeTransition(nn.Module):
    """Unconstrained weights W_V, the paper's: learned as they are, so a backup need not be a contraction.

    Args:
        num_actions: Q channels A (the paper: 10), in each orientation.
        kernel_size: F, odd (the paper: 3).
        scale: standard deviation of the initial weights (the authors' code: 0.01).
        num_kernels: K + 1 different kernels, one an iteration and one for the look-ahead ("untied", section 5.1);
            0: one for all.
        num_orientations: O, value channels.
        device, dtype: of the weights.

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
        """What is shown between the brackets of the module."""
        return f"weight={list(self.weight.shape)}, scale={self.scale:g}"

    def forward(self) -> Float[Tensor, "*S OA O F F"]:
        return self.weight


class NormalizedTransition(nn.Module):
    """`discount` times a probability distribution over the F*F neighbours, softmax(logits), for each action.

    With O orientations the distribution is over O*F*F states, and each orientation has actions of its own. Weights are
    not negative and sum to `discount` < 1 (less at the edge of the map, where what leaves it is lost), so the backup
    contracts by `discount` in the maximum norm: values stay bounded at any K and the fixed point exists.

    Args:
        num_actions: Q channels A, in each orientation.
        kernel_size: F, odd.
        discount: in (0, 1).
        sharpness: factor on the logits. One step of an optimizer moves them that much further, so the distribution can
            become a single neighbour within a short training (10 epochs on the 16x16 maps: 99.7 % of all states solved
            with 10, 94 % with 1).
        termination: append an action that leads nowhere (a kernel of zeros), worth no more than its reward.
        num_orientations: O, value channels.
        device, dtype: of the logits.

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
        """What is shown between the brackets of the module."""
        shown = f"logits={list(self.logits.shape)}, discount={self.discount:g}, sharpness={self.sharpness:g}"
        return shown + ", termination=True" * self.termination

    def forward(self) -> Float[Tensor, "OA O F F"]:
        logits = self.logits
        _, orientations, size, _ = logits.shape
        kernel = (self.sharpness * logits).flatten(1).softmax(dim=1) * self.discount
        if self.termination:
            kernel = functional.pad(kernel.view(orientations, -1, kernel.shape[1]), (0, 0, 0, 1))
        return kernel.view(-1, orientations, size, size)


def _note_state(module: nn.Module, *_: object) -> None:
    """Keep what the buffer says as a Python number as well; called after weights were loaded, too."""
    assert isinstance(module, LearnedMoves)
    if not module.deterministic.is_meta:
        module.steps = likeliest_steps(module.logits) if bool(module.deterministic) else None
        if module.steps is not None:
            module.logits.requires_grad_(False)


class LearnedMoves(nn.Module):
    """Where each action leads: a distribution over neighbours while it is learned, then the likeliest alone.

    The neighbours are F*F cells in each of O orientations.

    Args:
        num_actions: A, actions of each orientation.
        num_orientations: O.
        kernel_size: F, odd.
        sharpness: factor on the logits, as in `NormalizedTransition`.
        device, dtype: of the logits.

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
        """Draw the logits anew; moves are uncertain again."""
        self.logits.copy_(torch.randn_like(self.logits) / self.sharpness)
        self.logits.requires_grad_()
        self.deterministic.fill_(False)
        self.steps = None

    def extra_repr(self) -> str:
        """What is shown between the brackets of the module."""
        return f"logits={list(self.logits.shape)}, deterministic={self.is_deterministic}"

    @property
    def is_deterministic(self) -> bool:
        """Whether moves are deterministic, as a Python number: a traced program cannot branch on a tensor."""
        return self.steps is not None

    def make_deterministic(self) -> None:
        """From now on each action leads to its likeliest neighbour, and nothing more is learned here."""
        self.deterministic.fill_(True)
        _note_state(self)

    def forward(self) -> Float[Tensor, "OA O F F"]:
        flat = self.logits.flatten(1)
        if self.is_deterministic:
            kernel = functional.one_hot(flat.argmax(dim=1), flat.shape[1]).to(flat.dtype)
        else:
            kernel = (self.sharpness * flat).softmax(dim=1)
        return kernel.view_as(self.logits)
