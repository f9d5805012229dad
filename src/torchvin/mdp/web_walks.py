"""Many walks on one web to act on at once: the dynamics of `torchvin/WebNav-v0` without its texts, in arrays."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from torchvin.mdp.worlds import draw_starts


@dataclass(frozen=True)
class Moment:
    """Where walkers are, decoded from flat states.

    Attributes:
        page: where each is.
        made: links followed since the walk began.
        left: links that it may still follow.
    """

    page: Tensor
    made: Tensor
    left: Tensor


@dataclass(frozen=True)
class WebWalks:
    """B walkers on a web of N pages, each with its target.

    A walk ends on its target, which pays 1, on a page without links, and when as many links were followed as the
    shortest way has and `extra` more. A state is one number: the page, the links followed so far, and those left.

    Attributes:
        offsets: links of page n are offsets[n], ..., offsets[n + 1] - 1, [N + 1].
        targets: where they lead, [E].
        steps: least number of links from each page to the target of each walker, -1 where walks do not begin, [B, N].
        goal: target of each walker, [B].
        farthest: most links between start and target.
        extra: links more than the shortest way that a walk may take.
    """

    offsets: Int[Tensor, "N1"]
    targets: Int[Tensor, "E"]
    steps: Int[Tensor, "B N"]
    goal: Int[Tensor, "B"]
    farthest: int
    extra: int

    def __len__(self) -> int:
        return len(self.goal)

    @property
    def num_pages(self) -> int:
        """N."""
        return len(self.offsets) - 1

    @property
    def most(self) -> int:
        """Links of the longest walk."""
        return self.farthest + self.extra

    def encode(self, moment: Moment) -> Tensor:
        """Flat states."""
        return (moment.made * (self.most + 1) + moment.left) * self.num_pages + moment.page

    def decode(self, states: Tensor) -> Moment:
        """What flat states, of any shape, mean."""
        rest, page = states // self.num_pages, states % self.num_pages
        return Moment(page, rest // (self.most + 1), rest % (self.most + 1))

    def trails(self, states: Int[Tensor, "B T"]) -> Int[Tensor, "B T L"]:
        """The pages of each walk so far, the last one first, -1 before its beginning.

        Args:
            states: of T steps in order; the first one begins a walk.
        """
        moment = self.decode(states)
        before = moment.page.new_full((len(states), self.most), -1)
        pages = torch.cat([before, moment.page], dim=1).unfold(1, self.most + 1, 1).flip(-1)
        return pages.where(torch.arange(self.most + 1) <= moment.made[..., None], -1)

    def followed(self, trail: Int[Tensor, "B L"], states: Int[Tensor, "B"]) -> Int[Tensor, "B L"]:
        """The same one step at a time: the trails of states, from those of the step before."""
        moment = self.decode(states)
        trail = torch.cat([moment.page[:, None], trail[:, :-1]], dim=1)
        return trail.where(torch.arange(self.most + 1) <= moment.made[:, None], -1)

    def possible(self, states: Int[Tensor, "B"], num_actions: int) -> Bool[Tensor, "B A"]:
        """Action i follows the i-th link of the page; a page has as many actions as links."""
        page = self.decode(states).page
        return torch.arange(num_actions) < (self.offsets[page + 1] - self.offsets[page])[:, None]

    def step(
        self, states: Int[Tensor, "B"], actions: Int[Tensor, "B"]
    ) -> tuple[Int[Tensor, "B"], Float[Tensor, "B"], Bool[Tensor, "B"]]:
        """Follow one link per walker; a link that a page does not have leads nowhere, and the step is lost.

        Args:
            states: flat state of each walker.
            actions: number of the link.

        Returns: next flat states, rewards, and whether the walk ended.
        """
        moment = self.decode(states)
        link = self.offsets[moment.page] + actions
        exists = link < self.offsets[moment.page + 1]
        page = moment.page
        if len(self.targets):
            page = torch.where(exists, self.targets[link.clamp(max=len(self.targets) - 1)], page)
        left = moment.left - 1
        reached = page == self.goal
        stuck = self.offsets[page] == self.offsets[page + 1]
        return self.encode(Moment(page, moment.made + 1, left)), reached.float(), reached | stuck | (left <= 0)

    def draw_starts(
        self,
        random: torch.Generator,
        maps: Tensor | None = None,
        *,
        longest: int | None = None,
        by_distance: float = 0.0,
    ) -> Int[Tensor, "X"]:
        """Where walks begin, of all walkers or of some (`maps`); see `Worlds.draw_starts`."""
        steps = self.steps if maps is None else self.steps[maps]
        page = draw_starts(steps, random, longest=min(longest or self.farthest, self.farthest), by_distance=by_distance)
        distance = steps.gather(1, page[:, None])[:, 0]
        return self.encode(Moment(page, torch.zeros_like(page), distance + self.extra))
