"""Many maps to act on at once: the tables of `mdp.transitions` with rewards, so that a step is three look-ups.

The Gymnasium environments and the training from reward step the same worlds. The dynamics are those of the expert and
of the scorer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.maps.observe import encode
from torchvin.mdp.motion import GridMotion, MotionModel
from torchvin.mdp.rewards import RewardConfig
from torchvin.mdp.steps import UNREACHABLE, steps_to_goal
from torchvin.mdp.transitions import transitions


@dataclass(frozen=True)
class Worlds:
    """B maps with A actions in S flat states (`spaces.StateSpace`).

    Attributes:
        blocked: True = obstacle, [B, H, W] bool.
        goal: (row, col), [B, 2], or (orientation, row, col), [B, 3].
        planes: network input (`maps.observe`), [B, C, H, W] float32.
        successor: flat state after each action, [B, A, S] int32.
        reward: of each action, [B, A, S] float32.
        ends: whether the action ends the episode, [B, A, S] bool.
        steps: least number of steps to the goal, -1 where there is no way, [B, S] int64.
    """

    blocked: Bool[Tensor, "B H W"]
    goal: Int[Tensor, "B D"]
    planes: Float[Tensor, "B C H W"]
    successor: Tensor
    reward: Float[Tensor, "B A S"]
    ends: Bool[Tensor, "B A S"]
    steps: Int[Tensor, "B S"]

    def __len__(self) -> int:
        return len(self.blocked)

    def __getitem__(self, maps: Any) -> "Worlds":
        """The worlds of these maps only (a slice, or indices [N])."""
        return Worlds(**{field.name: getattr(self, field.name)[maps] for field in fields(self)})

    def put(self, maps: Int[Tensor, "N"], others: "Worlds") -> None:
        """Put other worlds in the place of those of the maps `maps`."""
        for field in fields(self):
            getattr(self, field.name)[maps] = getattr(others, field.name)

    def to(self, device: torch.device) -> "Worlds":
        """The same on a device."""
        return Worlds(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def step(
        self, states: Int[Tensor, "B"], actions: Int[Tensor, "B"]
    ) -> tuple[Int[Tensor, "B"], Float[Tensor, "B"], Bool[Tensor, "B"]]:
        """What one action per map does.

        Args:
            states: flat state of the agent of each map.
            actions: index of its action, in 0 .. A - 1.

        Returns: next flat states, rewards, and whether the episode ended.
        """
        batch, num_actions, num_states = self.reward.shape
        index = torch.arange(0, batch * num_actions, num_actions, device=states.device)
        index = (index + actions).mul_(num_states).add_(states)
        return self.successor.take(index).long(), self.reward.take(index), self.ends.take(index)

    def draw_starts(
        self,
        random: torch.Generator,
        maps: Tensor | None = None,
        *,
        longest: int | None = None,
        by_distance: float = 0.0,
    ) -> Int[Tensor, "N"]:
        """One flat state per map, evenly among those that can reach the goal in 1 to `longest` steps.

        Every map has such a state, because some move leads to its goal.

        Args:
            random: where the numbers come from.
            maps: indices of some maps; all if not given.
            longest: number of steps; as many as there are if not given.
            by_distance: share of the states whose distance is drawn first, evenly from 1 to the longest of the map, so
                that the few states far from the goal come as often as the many near it.
        """
        steps = (self.steps if maps is None else self.steps[maps]).cpu()
        return draw_starts(steps, random, longest=longest, by_distance=by_distance).to(self.steps.device)

    def possible(self, states: Int[Tensor, "B"], num_actions: int) -> None:
        """All actions are possible everywhere; some collide."""


def draw_starts(
    steps: Int[Tensor, "B S"], random: torch.Generator, *, longest: int | None = None, by_distance: float = 0.0
) -> Int[Tensor, "B"]:
    """One place per row; see `Worlds.draw_starts`.

    Args:
        steps: least number of steps to the goal from each place, at most 0 where none may begin.
        random, longest, by_distance: see there.
    """
    eligible = steps > 0 if longest is None else (steps > 0) & (steps <= longest)
    if by_distance and len(steps):
        uniform = torch.rand(2, len(steps), generator=random)
        furthest = torch.where(eligible, steps, 0).amax(dim=1)
        distance = 1 + (uniform[0] * furthest).long()
        eligible &= (steps == distance[:, None]) | (uniform[1] >= by_distance)[:, None]
    order = torch.rand(steps.shape, generator=random).masked_fill_(~eligible, -1.0)
    return order.argmax(dim=1)


def make_worlds(
    blocked: Bool[Tensor, "B H W"],
    goal: Int[Tensor, "B D"],
    *,
    moves: MotionModel | None = None,
    rewards: RewardConfig | None = None,
    entry_cost: Float[Tensor, "B H W"] | None = None,
    planes: Float[Tensor, "B C H W"] | None = None,
    worth: Float[Tensor, "B H W"] | None = None,
) -> Worlds:
    """The worlds of maps.

    Args:
        blocked, goal: maps and their goals.
        moves: what the agent can do; the paper's 8 moves if not given.
        rewards: what is paid; the paper's rewards if not given.
        entry_cost: factor on the cost of a move that ends in a cell, for rewards by length.
        planes: network input; obstacles and goal if not given.
        worth: of each cell that ends an episode, as a multiple of the reward of the goal, 0 elsewhere; 1 at the goal if
            not given. `steps` are those to `goal`.

    >>> worlds = make_worlds(torch.zeros(1, 1, 3, dtype=torch.bool), torch.tensor([[0, 2]]))
    >>> worlds.step(torch.tensor([1]), torch.tensor([2]))  # east, to the goal
    (tensor([2]), tensor([1.]), tensor([True]))
    """
    moves, rewards = moves or GridMotion(), rewards or RewardConfig()
    table = transitions(blocked, moves, entry_cost)
    successor = table.successor
    if worth is None:
        worth = torch.zeros(blocked.shape, device=blocked.device)
        worth.flatten(1).scatter_(1, (table.space.flatten(goal) % table.space.num_cells)[:, None], 1.0)
    gain = worth.flatten(1).gather(1, (successor % table.space.num_cells).flatten(1)).view(successor.shape)
    at_goal = gain > 0
    if table.space.num_orientations > 1:
        at_goal = successor == table.space.flatten(goal)[:, None, None]
    reward = torch.full(successor.shape, rewards.step, device=blocked.device)
    if rewards.step_cost == "length":
        cost = table.cost.float()
        reward = rewards.step * torch.where(table.allowed, cost, 1.0)
    reward = torch.where(at_goal & table.allowed, rewards.goal * gain, reward)
    ends = at_goal & table.allowed
    if rewards.collisions == "ends":
        ends = ends | ~table.allowed
        reward = reward.masked_fill(~table.allowed, rewards.collision)
    return Worlds(
        blocked=blocked,
        goal=goal,
        planes=encode(blocked, goal, num_orientations=moves.num_orientations) if planes is None else planes,
        successor=successor.int(),
        reward=reward,
        ends=ends,
        steps=steps_to_goal(table, goal),
    )


def join_worlds(parts: Sequence[Worlds]) -> Worlds:
    """The maps of several worlds of one size, one after the other."""
    return Worlds(**{field.name: torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Worlds)})


def reachable(worlds: Worlds) -> Bool[Tensor, "B S"]:
    """The states that can reach the goal."""
    return worlds.steps != UNREACHABLE
