"""Tasks for pictures: a start that makes the policy work."""

import torch
from jaxtyping import Bool
from torch import Tensor

from torchvin.errors import InputError
from torchvin.evaluation.path import State
from torchvin.experts.grid import shortest_paths
from torchvin.mdp.motion import GridMotion, MotionModel


def furthest_start(blocked: Bool[Tensor, "H W"], goal: State, motion: MotionModel | None = None) -> State:
    """The cell (row, col) with the costliest shortest path to the goal.

    Args:
        blocked: True = obstacle, [H, W].
        goal: (row, col).
        motion: of the agent, without orientations; the paper's 8 moves if not given.

    Raises: InputError if no other cell can reach the goal.

    >>> furthest_start(torch.tensor([[False, False, False, True, False]]), (0, 0))
    (0, 2)
    """
    distance = shortest_paths(blocked[None], torch.tensor([goal]), motion or GridMotion()).distance[0]
    furthest = int(torch.where(distance.isinf(), -1.0, distance).argmax())
    start = divmod(furthest, blocked.shape[1])
    if start == tuple(goal):
        raise InputError(f"no other cell can reach the goal {tuple(goal)}; choose a goal with a free neighbour.")
    return start
