"""The ways of a body through its arena: the shortest path on a fine grid, from any position to the goal."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from torchvin.experts.grid import shortest_paths
from torchvin.maps.arenas import Arenas, cell_centres, cell_of
from torchvin.mdp.motion import GridMotion
from torchvin.mdp.point_mass import HALF_SIDE, PointMass, clearance

_COMFORT = 0.16  # a cell whose centre is nearer than this to an obstacle costs more
_FILL = 6  # cells around the free ones from which a way leads back


class Routes:
    """Shortest paths to the goal of every arena, by the grid expert, with a preference for free space.

    Args:
        arenas: B.
        body: that travels.
        side: cells per side of the grid.

    >>> from torchvin.maps.generators.arenas import generate_arenas
    >>> arenas = generate_arenas(1, seed=0)
    >>> points, length = Routes(arenas, PointMass())(torch.tensor([0]), arenas.start)
    >>> bool((points[0, -1] == arenas.goal[0]).all()), bool(length[0] > 0.8)
    (True, True)
    """

    def __init__(self, arenas: Arenas, body: PointMass, *, side: int = 48) -> None:
        self.arenas, self.side = arenas, side
        centres = cell_centres(side).view(1, -1, 2)
        room = torch.cat([clearance(centres, part.obstacles[:, None]) for part in arenas]).view(-1, side, side)
        blocked = room < body.radius + 0.01
        goal = cell_of(arenas.goal, side)
        blocked[torch.arange(len(arenas)), goal[:, 0], goal[:, 1]] = False
        entry = 1 + 6 * (1 - room / _COMFORT).clamp(min=0)
        solved = shortest_paths(blocked, goal, GridMotion(8, corner_cutting=False), entry)
        self.successor, self.reaches = _descent(solved.distance)

    def reachable(self, which: Int[Tensor, "N"], position: Float[Tensor, "N 2"]) -> Tensor:
        """Whether a way leads from each position to the goal of its arena, [N] bool."""
        found: Tensor = self.reaches[which, self._flat(position)]
        return found

    def __call__(
        self, which: Int[Tensor, "N"], position: Float[Tensor, "N 2"]
    ) -> tuple[Float[Tensor, "N L 2"], Float[Tensor, "N"]]:
        """The points of each way, from the position to the goal; a way that is over stays there.

        Returns: points, and the length of each way.
        """
        here, cells = self._flat(position), []
        while True:
            there = self.successor[which, here]
            if bool((there == here).all()):
                break
            here = there
            cells.append(here)
        centres = cell_centres(self.side).view(-1, 2)
        inner = [centres[cell] for cell in cells[:-1]]
        points = torch.stack([position, *inner, self.arenas.goal[which]], dim=1)
        for _ in range(3):  # round the corners of the grid
            points[:, 1:-1] = (points[:, :-2] + 2 * points[:, 1:-1] + points[:, 2:]) / 4
        return points, points.diff(dim=1).norm(dim=2).sum(dim=1)

    def _flat(self, position: Tensor) -> Tensor:
        row, col = cell_of(position.clamp(-HALF_SIDE, HALF_SIDE), self.side).unbind(1)
        return row * self.side + col


def _descent(distance: Float[Tensor, "B H W"]) -> tuple[Tensor, Tensor]:
    """From the distance of each cell to its best neighbour [B, S], and whether a way leads on from there [B, S]."""
    height, width = distance.shape[1:]
    known = distance.clone()
    for _ in range(_FILL):  # cells in an obstacle, where a body may be pushed to: back to the nearest free ones
        ring = _neighbours(known).amin(dim=1) + 10.0
        known = torch.where(known.isinf(), ring, known)
    around = _neighbours(known)
    steps = torch.tensor([down * width + right for down in (-1, 0, 1) for right in (-1, 0, 1)])
    lengths = torch.tensor([(down**2 + right**2) ** 0.5 for down in (-1, 0, 1) for right in (-1, 0, 1)])
    best = (around + 1e-6 * lengths[None, :, None, None].double()).flatten(2).argmin(dim=1)
    reaches = known.flatten(1).isfinite()
    successor = torch.arange(height * width) + torch.where(reaches, steps[best], 0)
    return successor, reaches


def _neighbours(values: Float[Tensor, "B H W"]) -> Float[Tensor, "B 9 H W"]:
    """The values of the nine cells around each cell, row by row; inf off the map."""
    _, height, width = values.shape
    wide = torch.nn.functional.pad(values, (1, 1, 1, 1), value=torch.inf)
    return torch.stack(
        [wide[:, down : down + height, right : right + width] for down in range(3) for right in range(3)], dim=1
    )
