"""Arenas: obstacles, start and goal of a body in the plane, and the coarse image of them that a policy sees."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.errors import InputError, check_shape
from torchvin.maps.observe import GOAL_VALUE
from torchvin.mdp.point_mass import HALF_SIDE, clearance, signed_distance

#: A capsule that is far away: what pads the obstacles of an arena that has fewer than others.
NOWHERE = (9.0, 9.0, 9.0, 9.0, 0.1)
_SAMPLES = 4  # per side of a cell, for the share of it that is covered


@dataclass(frozen=True)
class Arenas:
    """B arenas, [-1, 1] x [-1, 1], x to the right and y up.

    Attributes:
        obstacles: capsules (x0, y0, x1, y1, radius), [B, P, 5] float64; arenas with fewer are padded with `NOWHERE`.
        start: where an episode begins, at rest, [B, 2] float64.
        goal: [B, 2] float64.

    Raises: ShapeError; InputError for a number that is not finite, a radius that is not positive, or a start or goal
        outside the arena.
    """

    obstacles: Float[Tensor, "B P 5"]
    start: Float[Tensor, "B 2"]
    goal: Float[Tensor, "B 2"]

    def __post_init__(self) -> None:
        check_shape("obstacles", self.obstacles, "B P 5")
        for name in ("start", "goal"):
            place = getattr(self, name)
            check_shape(name, place, f"{len(self.obstacles)} 2")
            if not bool((place.abs() < HALF_SIDE).all()):
                raise InputError(f"a {name} lies outside the arena: coordinates are between -1 and 1.")
        if not bool(self.obstacles.isfinite().all()) or not bool((self.obstacles[..., 4] > 0).all()):
            raise InputError("obstacles are (x0, y0, x1, y1, radius), all finite, the radius positive.")

    def __len__(self) -> int:
        return len(self.obstacles)

    def __iter__(self) -> Iterator["Arenas"]:
        return (self[index : index + 1] for index in range(len(self)))

    def __getitem__(self, which: Any) -> "Arenas":
        """Some of the arenas (a slice, or indices [N])."""
        return Arenas(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def clearance_at_start(self) -> Float[Tensor, "B"]:
        """Distance of each start from the nearest obstacle or wall."""
        return clearance(self.start, self.obstacles)


def joined(parts: "list[Arenas]") -> Arenas:
    """The arenas of a list, one after the other, padded to the same number of obstacles."""
    most = max(part.obstacles.shape[1] for part in parts)
    return Arenas(
        torch.cat([padded(part.obstacles, most) for part in parts]),
        torch.cat([part.start for part in parts]),
        torch.cat([part.goal for part in parts]),
    )


def padded(obstacles: Float[Tensor, "B P 5"], number: int) -> Float[Tensor, "B Q 5"]:
    """The obstacles, with capsules that are far away up to a number.

    >>> padded(torch.zeros(2, 1, 5), 3).shape
    torch.Size([2, 3, 5])
    """
    missing = number - obstacles.shape[1]
    far = torch.tensor(NOWHERE, dtype=obstacles.dtype, device=obstacles.device).expand(len(obstacles), missing, 5)
    return torch.cat([obstacles, far], dim=1)


def cell_of(position: Float[Tensor, "*B 2"], side: int) -> Int[Tensor, "*B 2"]:
    """The cell (row, col) of a position; row 0 is at the top, y = 1.

    >>> cell_of(torch.tensor([-0.99, 0.99]), 16).tolist()
    [0, 0]
    """
    down_right = torch.stack([-position[..., 1], position[..., 0]], dim=-1)
    return ((down_right + HALF_SIDE) * (side / (2 * HALF_SIDE))).floor().long().clamp(0, side - 1)


def cell_centres(side: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "side side 2"]:
    """The position (x, y) of the centre of each cell [row, col].

    >>> cell_centres(2)[0, 1].tolist()
    [0.5, 0.5]
    """
    middle = (torch.arange(side, dtype=dtype) + 0.5) * (2 * HALF_SIDE / side) - HALF_SIDE
    y, x = torch.meshgrid(-middle, middle, indexing="ij")
    return torch.stack([x, y], dim=-1)


def encode_arenas(
    obstacles: Float[Tensor, "B P 5"], goal: Float[Tensor, "B 2"], side: int = 16, *, radius: float = 0.05
) -> Float[Tensor, "B 2 side side"]:
    """The image that a policy sees: the share of each cell where the body would touch, and 10 at the cell of the goal.

    Args:
        obstacles, goal: of the arenas.
        side: cells per side.
        radius: of the body; walls are not drawn.

    >>> encode_arenas(torch.zeros(1, 0, 5), torch.tensor([[0.9, 0.9]]), 4)[0, 1].nonzero().tolist()
    [[0, 3]]
    """
    batch = len(obstacles)
    planes = torch.zeros(batch, 2, side, side, dtype=torch.float32, device=obstacles.device)
    points = cell_centres(side * _SAMPLES, dtype=obstacles.dtype).to(obstacles.device).view(1, -1, 2)
    for first in range(0, batch, 64):  # bounds memory: 1 MB per arena and obstacle, in pieces
        here = slice(first, first + 64)
        if obstacles.shape[1] == 0:
            break
        inside = signed_distance(points, obstacles[here, None])[0].amin(dim=-1) < radius
        shares = inside.view(-1, side, _SAMPLES, side, _SAMPLES).float().mean(dim=(2, 4))
        planes[here, 0] = shares
    row, col = cell_of(goal, side).unbind(1)
    planes[torch.arange(batch, device=obstacles.device), 1, row, col] = GOAL_VALUE
    return planes
