"""The first of two phases: learn where moves lead from the states beside the goal, then make it deterministic.

Far from the goal a soft transition leaks at every step, and what is left says little about where it should lead. One
step from the goal it says everything: the move that the expert makes there leads to the goal. So the first phase
maximises log U, the log-probability that the shown move ends at the goal, over the logits of the transition alone. That
is the likelihood of a categorical distribution: it has no other optimum, whatever the initial weights, how ties are
broken, or a few wrong labels. (A policy's cross-entropy in its place only compares moves, and is content if a move puts
a little more on its neighbour than the others do, and most on one that is never asked about.)

Then the moves are made deterministic, and the second phase (the epochs) learns costs and gates from all states, by
exact plans.
"""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.errors import InputError
from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.mdp.transitions import transitions
from torchvin.planning.kernels.reference import by_orientation
from torchvin.policies.policy import Policy
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import MapExamples
from torchvin.training.phases.phase import Phase, latent_graph


class Curriculum(Phase):
    """Learn where moves lead before the epochs, and make them deterministic.

    Without steps (`options.curriculum.steps`) moves stay uncertain, and the planner iterates.

    Args:
        dataset: training maps.
        options: the curriculum, the supervision and the size of a batch.
        seed: of the choice of maps.
    """

    def __init__(self, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
        self.dataset, self.options, self.seed = dataset, options, seed

    def before(self, policy: Policy, *, resumed: bool) -> None:
        if not self.options.curriculum.steps:
            latent_graph(policy).solve = "iterate"
        elif resumed:
            latent_graph(policy).transition.make_deterministic()
        else:
            learn_moves(policy, self.dataset, self.options, self.seed)


def learn_moves(policy: Policy, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
    """Run the first phase and make the moves deterministic.

    The same seed gives the same bits, so the phase is never resumed but repeated.

    Args:
        policy: with fresh weights, on any device.
        dataset: training maps.
        options: the curriculum, the supervision and the size of a batch.
        seed: of the choice of maps.

    Raises: InputError for supervision by states, which does not hold whole maps.
    """
    if options.supervision == "states":
        raise InputError(
            "the first phase looks for the states beside the goal: set --training.supervision to all-cells or "
            "demonstrations, got states."
        )
    device = next(policy.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(latent_graph(policy).transition.parameters(), lr=options.curriculum.learning_rate)
    labels = MapExamples(dataset, options).labels
    beside = beside_goal(dataset, labels)
    policy.train()
    for _ in range(options.curriculum.steps):
        chosen = torch.randint(len(dataset), (options.batch_size,), generator=generator)
        plan = policy(dataset[chosen].planes().to(device), num_iterations=0).plan
        assert plan is not None
        loss = -shown_value(plan.q_values, labels[chosen].to(device), beside[chosen].to(device))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    policy.zero_grad()
    latent_graph(policy).transition.make_deterministic()


def beside_goal(dataset: MapDataset, labels: UInt8[Tensor, "M *O H W"]) -> Bool[Tensor, "M *O H W"]:
    """The states whose shown action leads to the goal.

    >>> from torchvin import GridMotion, solve_maps
    >>> dataset = solve_maps(torch.zeros(1, 1, 4, dtype=torch.bool), torch.tensor([[0, 0]]), moves=GridMotion(4))
    >>> beside_goal(dataset, torch.full((1, 1, 4), 3, dtype=torch.uint8)).tolist()
    [[[False, True, False, False]]]
    """
    flat = labels.flatten(1)
    leads, _ = transitions(dataset.blocked, dataset.moves).under(flat)
    goal = dataset.space.flatten(dataset.goal)[:, None]
    here = torch.arange(flat.shape[1])
    return ((leads == goal) & (flat != NOT_SHOWN) & (here != goal)).view_as(labels)


def shown_value(
    q_values: Float[Tensor, "B OA H W"], labels: UInt8[Tensor, "B *O H W"], states: Bool[Tensor, "B *O H W"]
) -> Float[Tensor, ""]:
    """Mean over `states` of the Q value of the shown action; 0 if there are none."""
    orientations = labels[0].numel() // q_values[0, 0].numel()
    actions = by_orientation(q_values, orientations)  # [B, O, A, H, W]
    counts = states.view(actions[:, :, 0].shape)
    shown = labels.view(counts.shape).long().where(counts, 0)[:, :, None]
    return actions.gather(2, shown)[:, :, 0][counts].sum() / counts.sum().clamp(min=1)
