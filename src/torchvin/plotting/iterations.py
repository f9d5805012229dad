"""Value spreading from the goal, iteration by iteration, as a GIF."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from torchvin.errors import InputError
from torchvin.evaluation.path import State
from torchvin.io.files import replacing
from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rollout import rollout
from torchvin.plotting.figure import check_picture
from torchvin.policies.policy import Policy
from torchvin.spaces import StateSpace

_SIDE = 360  # pixels of the longer side of the map
_BAND = 16  # pixels of the caption below the map
_BAR = 64  # pixels of the colour bar beside it
_OBSTACLE, _GOLD, _RED = (48, 48, 48), (255, 214, 0), (214, 39, 40)


@dataclass(frozen=True)
class Moment:
    """What a policy computes after some value updates.

    Attributes:
        value: V, [H, W].
        path: states (row, col) of the greedy policy from the start on.
    """

    value: Float[Tensor, "H W"]
    path: Sequence[State]


@torch.no_grad()
def moments(
    policy: Policy,
    blocked: Bool[Tensor, "H W"],
    start: State,
    goal: State,
    num_iterations: int,
    motion: MotionModel | None = None,
) -> list[Moment]:
    """V_0 .. V_K and the greedy path at each of them.

    Args:
        policy: with a planner that can continue from a value, without orientations.
        blocked: True = obstacle, [H, W].
        start, goal: (row, col).
        num_iterations: K.
        motion: of the agent; the paper's 8 moves if not given.

    Returns: K + 1 moments.
    Raises: InputError if the policy does not plan by value updates, or cannot continue from a value.
    """
    planner = policy.planner
    if planner is None or planner.exact or not planner.resumable:
        inside = type(policy if planner is None else planner).__name__
        raise InputError(f"a {inside} has no value after each update to draw; choose a policy that iterates.")
    target, space = torch.tensor([goal]), StateSpace(*blocked.shape)
    begin = space.flatten(torch.tensor([[start]]))
    observation = encode(blocked[None], target, dtype=next(policy.parameters()).dtype)
    value = observation.new_zeros(1, 1, *blocked.shape)
    found = []
    for iteration in range(num_iterations + 1):
        output = policy(observation, num_iterations=min(iteration, 1), initial_value=value)
        value, actions = output.plan.value, output.logits.argmax(dim=1)
        limit = torch.full_like(begin, blocked.numel())
        states = rollout(
            actions, blocked[None], target, begin, limit=limit, moves=motion or GridMotion(), record=True
        ).path
        assert states is not None  # recorded
        line = space.unflatten(states[0, 0][states[0, 0] >= 0]).tolist()
        found.append(Moment(value[0, 0], [(row, col) for row, col in line]))
    return found


def animate_values(
    policy: Policy,
    blocked: Bool[Tensor, "H W"],
    start: State,
    goal: State,
    path: str | PathLike[str],
    *,
    num_iterations: int,
    seconds: float = 6.0,
    motion: MotionModel | None = None,
) -> None:
    """Write a GIF of V_0 .. V_K: one frame per update, the same colours throughout, the greedy path on each.

    Args:
        policy, blocked, start, goal, num_iterations, motion: see `moments`.
        path: of the GIF.
        seconds: that one round lasts.

    Raises: InputError if the suffix is not .gif or `path` cannot be written, and see `moments`.
    """
    check_picture(path, (".gif",))
    found = moments(policy, blocked, start, goal, num_iterations, motion)
    values = torch.stack([moment.value for moment in found]).double().numpy()  # [K + 1, H, W]
    free = values[:, ~blocked.numpy()]
    low, high = float(free.min()), float(max(free.max(), free.min() + 1e-12))
    bar = _colour_bar(_scale(blocked) * blocked.shape[0], low, high)
    frames = [
        _frame((value - low) / (high - low), blocked, moment.path, start, goal, bar, f"value updates: {index}")
        for index, (value, moment) in enumerate(zip(values, found, strict=True))
    ]
    duration = max(20, round(1000 * seconds / len(frames)))  # 20 ms is the fastest that viewers honour
    with replacing(Path(path)) as temporary:
        frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=duration, loop=0)


def _scale(blocked: Tensor) -> int:
    """Pixels per cell."""
    return max(1, _SIDE // max(blocked.shape))


def _colours(values: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1] to bytes of red, green and blue."""
    import matplotlib

    pixels: np.ndarray = (255 * matplotlib.colormaps["viridis"](values)[..., :3]).astype(np.uint8)
    return pixels


def _frame(
    value: np.ndarray, blocked: Tensor, path: Sequence[State], start: State, goal: State, bar: Any, caption: str
) -> Any:
    """One picture: value, path, start, goal, colour bar and caption."""
    from PIL import Image, ImageDraw

    scale = _scale(blocked)
    pixels = _colours(value)
    pixels[blocked.numpy()] = _OBSTACLE
    enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    height, width = enlarged.shape[:2]
    frame = Image.new("RGB", (max(width, 120) + _BAR, height + _BAND), "white")
    frame.paste(Image.fromarray(enlarged), (0, 0))
    frame.paste(bar, (width, 0))
    pen = ImageDraw.Draw(frame)

    def centre(state: State) -> tuple[float, float]:
        return (state[1] + 0.5) * scale, (state[0] + 0.5) * scale

    if len(path) > 1:
        pen.line([centre(state) for state in path], fill=_RED, width=max(1, scale // 4))
    radius = max(1.0, 0.4 * scale)
    for state, fill in ((start, (255, 255, 255)), (goal, _GOLD)):
        x, y = centre(state)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline=(0, 0, 0))
    arrives = ", path arrives" if tuple(path[-1]) == tuple(goal) else ""
    pen.text((4, height + 2), caption + arrives, fill="black")
    return frame


def _colour_bar(height: int, low: float, high: float) -> Any:
    """A bar of the colours of the values, with its ends named."""
    from PIL import Image, ImageDraw

    bar = Image.new("RGB", (_BAR, height), "white")
    ramp = _colours(np.linspace(1.0, 0.0, max(1, height - 4))[:, None].repeat(12, axis=1))
    bar.paste(Image.fromarray(ramp), (6, 2))
    pen = ImageDraw.Draw(bar)
    for y, value in ((0, high), (height // 2 - 6, (low + high) / 2), (height - 13, low)):
        pen.text((21, y), f"{value:.3g}", fill="black")
    return bar
