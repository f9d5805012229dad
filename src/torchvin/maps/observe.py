"""From map and goal to network input: the only place that defines the planes."""

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from torchvin.errors import InputError, check_shape
from torchvin.spaces import StateSpace

GOAL_VALUE = 10.0  # the authors' files: 10 at the goal, 0 elsewhere (-1 cast to uint8)


def encode(
    blocked: Bool[Tensor, "B H W"],
    goal: Int[Tensor, "B D"],
    *,
    dtype: torch.dtype = torch.float32,
    num_orientations: int = 1,
    terrain: UInt8[Tensor, "B H W"] | None = None,
    num_terrains: int = 1,
) -> Float[Tensor, "B C H W"]:
    """The planes a policy sees: channel 0 is 1 on obstacles, the last one is 10 at the goal (row, col).

    With O > 1 orientations the last O are goal planes, one per orientation: the goal is (orientation, row, col). With
    T > 1 classes of terrain there are T - 1 planes between obstacles and goal: 1 on the cells of class 1, 2, ...

    Args:
        blocked: True = obstacle, [B, H, W].
        goal: (row, col) of each map's goal, [B, 2], or (orientation, row, col), [B, 3].
        dtype: of the result.
        num_orientations: O.
        terrain: class of each cell, [B, H, W]; needed if there are several.
        num_terrains: T.

    Raises: ShapeError; InputError if `blocked` is not bool, a goal lies off the map or a class does not exist. Goals
        and classes on a GPU are not looked at, because the host would have to wait for the answer.

    >>> planes = encode(torch.zeros(1, 3, 4, dtype=torch.bool), torch.tensor([[2, 1]]))
    >>> planes[0, 1].nonzero().tolist()
    [[2, 1]]
    """
    check_shape("blocked", blocked, "B H W")
    batch, height, width = blocked.shape
    space = StateSpace(height, width, num_orientations)
    check_shape("goal", goal, f"{batch} {space.state_length}")
    if blocked.dtype != torch.bool:
        raise InputError(f"blocked must be a bool tensor (True = obstacle), got {blocked.dtype}.")
    if goal.is_cpu and not space.contains(goal).all():
        raise InputError(f"a goal lies off its {height}x{width} map: {goal.tolist()[:4]}; goals are (row, col) from 0.")
    planes = torch.zeros(batch, num_terrains + num_orientations, height, width, dtype=dtype, device=blocked.device)
    planes[:, 0] = blocked
    if num_terrains > 1:
        if terrain is None or (terrain.is_cpu and int(terrain.max()) >= num_terrains):
            raise InputError(f"terrain must give each cell one of {num_terrains} classes, from 0.")
        for kind in range(1, num_terrains):
            planes[:, kind] = terrain == kind
    row, col = goal[:, -2:].long().unbind(1)
    orientation = space.orientations(goal).long()
    planes[torch.arange(batch, device=blocked.device), num_terrains + orientation, row, col] = GOAL_VALUE
    return planes


def encode_worth(
    blocked: Bool[Tensor, "B H W"],
    worth: Float[Tensor, "B H W"],
    *,
    terrain: UInt8[Tensor, "B H W"] | None = None,
    num_terrains: int = 1,
) -> Float[Tensor, "B C H W"]:
    """The planes of maps with several goals: as `encode`, with 10 times the worth of each cell in the last plane.

    Args:
        blocked: True = obstacle, [B, H, W].
        worth: of each cell, [B, H, W]; 0 where there is no goal.
        terrain, num_terrains: as in `encode`.

    Raises: ShapeError.

    >>> encode_worth(torch.zeros(1, 1, 2, dtype=torch.bool), torch.tensor([[[0.0, 0.5]]]))[0, 1].tolist()
    [[0.0, 5.0]]
    """
    check_shape("worth", worth, " ".join(map(str, blocked.shape)))
    nowhere = torch.zeros(len(blocked), 2, dtype=torch.int64, device=blocked.device)
    planes = encode(blocked, nowhere, terrain=terrain, num_terrains=num_terrains)
    planes[:, -1] = GOAL_VALUE * worth
    return planes


def encode_image(
    image: UInt8[Tensor, "B P Q"],
    goal: Int[Tensor, "B 2"],
    cell_pixels: int,
    *,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "B C H W"]:
    """What a policy sees of an overhead image: the pixels of each cell as channels, and the goal plane.

    No obstacle and no elevation is among them. `policies.encoders` puts the pixels back in their places.

    Args:
        image: brightness, 0 to 255, [B, P, Q].
        goal: (row, col) of each map's goal, in cells, [B, 2].
        cell_pixels: p, pixels per side of a cell.
        dtype: of the result.

    Returns: p * p channels, 0 (black) to 1 (white), and the goal plane, [B, p * p + 1, P / p, Q / p].
    Raises: ShapeError; InputError if the image does not divide into cells, or a goal lies off it.

    >>> encode_image(torch.zeros(1, 16, 24, dtype=torch.uint8), torch.tensor([[1, 2]]), 8).shape
    torch.Size([1, 65, 2, 3])
    """
    check_shape("image", image, "B P Q")
    batch, rows, cols = image.shape
    if cell_pixels < 1 or rows % cell_pixels or cols % cell_pixels:
        raise InputError(f"an image of {rows}x{cols} pixels does not divide into cells of {cell_pixels}x{cell_pixels}.")
    empty = torch.zeros(batch, rows // cell_pixels, cols // cell_pixels, dtype=torch.bool, device=image.device)
    goal_plane = encode(empty, goal, dtype=dtype)[:, 1:]
    pixels = functional.pixel_unshuffle(image[:, None].to(dtype) / 255, cell_pixels)
    return torch.cat([pixels, goal_plane], dim=1)
