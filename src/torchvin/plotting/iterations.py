"""Value spreading from the goal, iteration by iteration, as a GIF."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from torchvin.evaluation.path import State
from torchvin.io.files import replacing
from torchvin.maps.observe import encode
from torchvin.plotting.figure import check_picture
from torchvin.policies.vin import VIN


@torch.no_grad()
def animate_values(
    policy: VIN, blocked: Bool[Tensor, "H W"], goal: State, path: Path, *, num_iterations: int, seconds: float = 6.0
) -> None:
    """Write a GIF of V_0 .. V_K: one frame an update, the same colours throughout.

    Raises: InputError if the suffix is not .gif or `path` cannot be written.
    """
    import matplotlib
    from PIL import Image, ImageDraw

    check_picture(path, (".gif",))
    planes = encode(blocked[None], torch.tensor([goal]), dtype=next(policy.parameters()).dtype)
    value = planes.new_zeros(1, 1, *blocked.shape)
    values = [value]
    for _ in range(num_iterations):
        value = policy(planes, num_iterations=1, initial_value=value).plan.value
        values.append(value)
    stack = torch.cat(values)[:, 0].double().numpy()  # [K + 1, H, W]
    free = stack[:, ~blocked.numpy()]
    low, high = free.min(), max(free.max(), free.min() + 1e-12)
    colours = matplotlib.colormaps["viridis"]((stack - low) / (high - low))[..., :3]
    colours[:, blocked.numpy()] = 0.19
    colours[:, goal[0], goal[1]] = (1.0, 0.84, 0.0)
    scale = max(1, 360 // max(blocked.shape))
    band = 16  # pixels under the map for the caption
    frames = []
    for index, picture in enumerate((colours * 255).astype(np.uint8)):
        enlarged = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        frame = Image.new("RGB", (max(enlarged.shape[1], 120), enlarged.shape[0] + band), "white")
        frame.paste(Image.fromarray(enlarged), (0, 0))
        ImageDraw.Draw(frame).text((4, enlarged.shape[0] + 2), f"value updates: {index}", fill="black")
        frames.append(frame)
    duration = max(20, round(1000 * seconds / len(frames)))  # 20 ms is the fastest that viewers honour
    with replacing(path) as temporary:
        frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=duration, loop=0)
