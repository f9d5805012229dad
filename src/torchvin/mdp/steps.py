"""The least number of steps to the goal, for every state of many maps at once, by breadth-first search."""

import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.mdp.transitions import Transitions

#: What stands for a state that cannot reach the goal.
UNREACHABLE = -1


def steps_to_goal(table: Transitions, goal: Int[Tensor, "B D"]) -> Int[Tensor, "B S"]:
    """Least number of steps from each state to the goal, int64; -1 where there is no way.

    The search goes backwards from all goals together. A state is looked at once, so the work grows with the number of
    transitions and not with the length of the longest path.

    Args:
        table: dynamics of B maps.
        goal: (row, col), [B, 2], or (orientation, row, col), [B, 3].

    >>> from torchvin.mdp.motion import GridMotion
    >>> from torchvin.mdp.transitions import transitions
    >>> table = transitions(torch.tensor([[[False, False, True, False]]]), GridMotion(4))
    >>> steps_to_goal(table, torch.tensor([[0, 0]])).tolist()
    [[0, 1, -1, -1]]
    """
    batch, actions, states = table.allowed.shape
    cells = table.space.num_cells
    before = torch.arange(0, states, cells, device=table.steps.device).repeat_interleave(
        actions
    )  # first of orientation
    action = torch.arange(actions, device=before.device).repeat(states // cells)
    change = table.steps[action, before]  # what each action adds in each orientation, [O * A]
    allowed = table.allowed.transpose(1, 2).flatten()  # by map, state, action
    found = torch.full((batch * states,), UNREACHABLE, device=before.device)
    first = torch.arange(batch, device=before.device) * states
    frontier = first + table.space.flatten(goal)
    found[frontier] = 0
    distance = 0
    while len(frontier):
        distance += 1
        state = frontier[:, None] % states
        source = state - change  # the state that the action would have to begin in, [F, O * A]
        possible = (source >= before) & (source < before + cells)
        at = (frontier[:, None] - state + source).masked_fill(~possible, 0)
        possible &= allowed[at * actions + action] & (found[at] == UNREACHABLE)
        frontier = torch.unique(at[possible])
        found[frontier] = distance
    return found.view(batch, states)
