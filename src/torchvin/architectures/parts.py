"""Parts that several architectures have in common."""

from typing import TYPE_CHECKING

from torchvin.errors import InputError
from torchvin.planning.gradient import Gradient

if TYPE_CHECKING:  # a configuration needs no torch
    from torchvin.planning.models.reward import ActionReward, ImageReward


def image_reward(
    *,
    num_q: int,
    hidden_channels: int,
    kernel_size: int,
    num_orientations: int,
    num_terrains: int,
    extra_planes: int = 0,
) -> "ImageReward":
    """The paper's reward: one image, and its contribution to each Q channel."""
    from torchvin.planning.models.reward import ImageReward

    return ImageReward(
        num_actions=num_q,
        in_channels=num_terrains + num_orientations + extra_planes,
        hidden_channels=hidden_channels,
        kernel_size=kernel_size,
        num_orientations=num_orientations,
    )


def action_reward(*, num_q: int, hidden_channels: int, num_orientations: int, num_terrains: int) -> "ActionReward":
    """One reward per action, and a channel of zeros for the termination action."""
    from torchvin.planning.models.reward import ActionReward

    return ActionReward(
        num_actions=num_q - 1,
        terrain_channels=num_terrains,
        hidden_channels=hidden_channels,
        num_orientations=num_orientations,
    )


def check_kernel_size(kernel_size: int) -> None:
    """Raises: InputError for an even size, which has no centre."""
    if kernel_size % 2 == 0:
        raise InputError(f"kernel_size must be odd, got {kernel_size}.")


def check_converges(name: str, gradient: Gradient) -> None:
    """Raises: InputError for an implicit gradient where no fixed point is guaranteed."""
    if gradient == "implicit":
        raise InputError(
            f"gradient implicit needs a fixed point, which the architecture {name!r} does not guarantee; choose unroll "
            "or checkpoint, or the architecture normalized."
        )
