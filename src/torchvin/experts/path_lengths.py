"""How many moves the expert's path has, from every state."""

from jaxtyping import Bool, Int, Integer
from torch import Tensor

from torchvin.experts.grid import preferred_action
from torchvin.mdp.motion import MotionModel
from torchvin.mdp.transitions import transitions


def path_lengths(
    blocked: Bool[Tensor, "M H W"], optimal_actions: Integer[Tensor, "M *O H W"], moves: MotionModel
) -> Int[Tensor, "M *O H W"]:
    """Moves from each state to the goal along the preferred optimal actions, 0 where there is no path.

    Lengths double: after n rounds a state knows where 2^n moves lead, so a path of l moves takes log2(l) rounds.

    >>> import torch
    >>> from torchvin.experts.grid import shortest_paths
    >>> from torchvin.mdp.motion import GridMotion
    >>> blocked = torch.tensor([[[False, False, False, True, False]]])
    >>> optimal_actions = shortest_paths(blocked, torch.tensor([[0, 0]])).optimal_actions
    >>> path_lengths(blocked, optimal_actions, GridMotion()).tolist()
    [[[0, 1, 2, 0, 0]]]
    """
    action = preferred_action(optimal_actions, moves).flatten(1)  # 255 at the goal and where there is no path
    moving = optimal_actions.flatten(1) != 0
    there, _ = transitions(blocked, moves).under(action)
    length = moving.long()
    while (ahead := length.gather(1, there)).any():
        length, there = length + ahead, there.gather(1, there)
    return length.view_as(optimal_actions)
