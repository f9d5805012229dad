"""The first of two phases: learn where moves lead from states near the goal, then settle it.

Far from the goal a soft transition leaks at every step, and what is left says little about where it should lead. One
step from the goal it says everything: the action that the expert takes must lead there. So states within 1, 2, 3, ...
steps teach first, with as many value updates as that takes, and after some hundred optimiser steps each action has its
neighbour. Then the moves are settled, and the second phase (the epochs) learns costs and gates from all states, through
exact plans.
"""

from functools import partial

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.maps.states import flatten
from torchvin.policies.shortest_path import ShortestPathPolicy
from torchvin.training.config import TrainingConfig
from torchvin.training.examples import MapExamples

_UPDATES_A_STEP = 2  # value updates for each step of the horizon: some leak, and a detour may be shorter


def learn_moves(policy: ShortestPathPolicy, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
    """Run the curriculum and settle the moves; the same bits from the same seed, so it is never resumed but repeated.

    Args:
        policy: with fresh weights, on any device.
        dataset: training maps.
        options: the curriculum, the loss, the supervision and the size of a batch.
        seed: of the choice of maps.

    Raises: InputError for supervision by states, which does not hold whole maps.
    """
    if options.supervision == "states":
        raise InputError(
            "a curriculum chooses the states of a map by their distance to the goal: set --training.supervision to "
            "all-cells or demonstrations, got states."
        )
    curriculum = options.curriculum
    device = next(policy.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(policy.parameters(), lr=curriculum.learning_rate)
    examples = MapExamples(dataset, options)
    distance = steps_to_goal(dataset, examples.labels, max(curriculum.horizons))
    policy.train()
    for horizon in curriculum.horizons:
        model = partial(policy, num_iterations=_UPDATES_A_STEP * horizon)
        for _ in range(curriculum.steps):
            chosen = torch.randint(len(dataset), (options.batch_size,), generator=generator)
            loss, count = examples.loss(model, chosen, device, only=distance[chosen] <= horizon)
            optimiser.zero_grad()
            (loss / max(count, 1)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    policy.transition.settle()


def steps_to_goal(dataset: MapDataset, labels: UInt8[Tensor, "M *O H W"], most: int) -> Int[Tensor, "M *O H W"]:
    """How many labelled actions lead from each state to the goal; `most` + 1 where it takes more or none do.

    >>> from torchvin import Moves, solve_maps
    >>> dataset = solve_maps(torch.zeros(1, 1, 5, dtype=torch.bool), torch.tensor([[0, 0]]), moves=Moves(4))
    >>> steps_to_goal(dataset, torch.full((1, 1, 5), 3, dtype=torch.uint8), most=3).tolist()
    [[[0, 1, 2, 3, 4]]]
    """
    flat = labels.flatten(1).long()
    shown = flat != NOT_SHOWN
    leads = dataset.moves.destinations(dataset.blocked).gather(1, flat.where(shown, 0)[:, None])[:, 0]
    steps = torch.full_like(flat, most + 1).scatter_(1, flatten(dataset.goal, dataset.size)[:, None], 0)
    for _ in range(most):
        steps = torch.minimum(steps, (steps.gather(1, leads) + 1).masked_fill(~shown, most + 1))
    return steps.view_as(labels)
