"""Maps that come again because the policy failed on them: prioritized level replay (Jiang et al. 2021).

The method scores levels by the temporal-difference error (arXiv:2010.03934). Here the score is whether an episode
failed by an action that the policy meant to do: what is left to learn when nearly all episodes succeed.
"""

from collections.abc import Mapping
from dataclasses import fields

import torch
from jaxtyping import Int
from torch import Tensor

from torchvin.mdp.worlds import Worlds, join_worlds


class Replay:
    """Maps on which the policy failed, and the states where the failed episodes began.

    Args:
        share: of the maps of a rollout that come from here, at most.

    >>> from torchvin.mdp.worlds import make_worlds
    >>> worlds = make_worlds(torch.zeros(2, 1, 3, dtype=torch.bool), torch.tensor([[0, 2], [0, 0]]))
    >>> replay = Replay(share=0.5)
    >>> replay.keep(worlds, torch.tensor([-1, 1]))  # on the second map an episode from state 1 failed
    >>> replay.put_in(worlds)  # it takes the place of the first one, and its episodes begin in state 1
    tensor([ 1, -1])
    >>> worlds.goal
    tensor([[0, 0],
            [0, 0]])
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.worlds: Worlds | None = None
        self.starts = torch.empty(0, dtype=torch.int64)
        self._played = 0

    def put_in(self, worlds: Worlds) -> Int[Tensor, "B"]:
        """Put kept maps in the place of the first ones of a rollout, those that wait longest first.

        Returns: where the episodes of each map must begin, -1: anywhere.
        """
        starts = torch.full((len(worlds),), -1, device=worlds.steps.device)
        self._played = min(len(self.starts), int(self.share * len(worlds)))
        if self._played:
            assert self.worlds is not None
            worlds.put(torch.arange(self._played, device=starts.device), self.worlds[: self._played])
            starts[: self._played] = self.starts[: self._played]
        return starts

    def keep(self, worlds: Worlds, failed: Int[Tensor, "B"]) -> None:
        """Keep the maps with a failure (`Rollout.failed`) behind those that still wait, as many as a rollout has.

        A map that was put in and caused no failure again has been learned, and is not kept.
        """
        again = (failed >= 0).nonzero()[:, 0]
        kept, starts = worlds[again], failed[again]
        if self.worlds is not None:
            kept = join_worlds([self.worlds[self._played :], kept])
            starts = torch.cat([self.starts[self._played :], starts])
        self.worlds, self.starts, self._played = kept[-len(worlds) :], starts[-len(worlds) :], 0

    def tensors(self) -> dict[str, Tensor]:
        """What is kept, by name; empty before the first `keep`."""
        if self.worlds is None:
            return {}
        return {**{field.name: getattr(self.worlds, field.name) for field in fields(Worlds)}, "starts": self.starts}

    def set_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to what `tensors` gave."""
        parts = dict(tensors)
        if parts:
            self.starts = parts.pop("starts")
            self.worlds = Worlds(**parts)
