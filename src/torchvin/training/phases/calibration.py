"""From the soft latent MDP to the hardened one: thresholds and costs by which the training maps are imitated best.

A gate is a number between 0 and 1, and a path of 25,000 moves multiplies as many of them; for deployment it must be
open or shut. Which logit divides the two is asked of the training maps: between the gates of free moves and those of
walls lies a wide plateau of thresholds that imitate the expert equally well, and its centre is the farthest from both.
Then the costs are fine-tuned (`training.phases.costs`), by the same measure.
"""

import torch
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.planning.kernels.reference import by_orientation
from torchvin.planning.models.latent import positive
from torchvin.policies.policy import Policy
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import LABELLED, MapExamples
from torchvin.training.imitation.losses import TIE
from torchvin.training.phases.costs import learn_costs, merged, without_drift
from torchvin.training.phases.phase import Phase, latent_graph

_MAPS = 128  # that thresholds are chosen by
_THRESHOLDS = 48
_TOLERANCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_WORSE = 1e-4  # what counts as no worse: a state or two of 128 mazes of 15x15


class Calibration(Phase):
    """Harden the policy after the epochs, by the maps that it was trained on.

    Args:
        dataset: training maps.
        options: which states teach, and what is right there.
        seed: of the order of the maps while costs learn.
    """

    def __init__(self, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
        self.dataset, self.options, self.seed = dataset, options, seed

    def after(self, policy: Policy) -> None:
        calibrate(policy, self.dataset, self.options, self.seed)


@torch.no_grad()
def calibrate(policy: Policy, dataset: MapDataset, options: TrainingConfig, seed: int = 0) -> float:
    """Harden the policy by the maps that it was trained on; it ends in evaluation mode.

    Args:
        policy: trained; its costs go on learning.
        dataset: training maps; the first hundred choose the thresholds.
        options: which states teach, and what is right there.
        seed: of the order of the maps while costs learn.

    Returns: share of the supervised states where the hardened policy does what they show.
    """
    policy.eval()
    planner = latent_graph(policy)
    model, sample = planner.model, dataset[:_MAPS]
    model.set_calibrated()
    planes = sample.planes().to(model.cost.device)
    gates = model.gate(planes)
    free = ~sample.blocked.to(gates.device)[:, None].expand_as(gates)
    right = _Imitation(policy, sample, options, planes)

    model.gate_threshold.fill_(_plateau(right, model.gate_threshold, gates[free]))
    pull = (-model.goal_cost(planes)).exp()
    model.goal_threshold.fill_(_plateau(right, model.goal_threshold, pull[pull > 0]))

    learn_costs(policy, dataset, options, seed)
    if model.terrain_cost is None:
        cost = positive(model.cost).double()
    else:  # the mean over open moves stands for an action
        opened = free & (gates > model.gate_threshold)
        counts = opened.sum(dim=(0, 2, 3)).clamp(min=1)
        cost = (model.move_cost(planes).double() * opened).sum(dim=(0, 2, 3)) / counts
    candidates = [cost, without_drift(cost, planner.transition())]
    candidates += [merged(candidates[1], tolerance) for tolerance in _TOLERANCES]
    scores = []
    for candidate in candidates:
        model.correction.copy_(candidate - cost)
        scores.append(right(divide_ties=True))
    best = max(index for index, score in enumerate(scores) if score >= max(scores) - _WORSE)
    model.correction.copy_(candidates[best] - cost)
    return scores[best]


class _Imitation:
    """Share of the supervised states where the policy, as it is now, does what they show."""

    def __init__(self, policy: Policy, dataset: MapDataset, options: TrainingConfig, planes: Tensor) -> None:
        examples = MapExamples(dataset, options)
        self.policy, self.planes = policy, planes
        self.states, self.right = examples.states, examples.right_actions
        self.orientations = dataset.moves.num_orientations
        self.ties = options.loss in LABELLED

    def __call__(self, *, divide_ties: bool = False) -> float:
        """With labels, a tie counts as right, or as one n-th of it: then ties that should be none do not pay."""
        output = self.policy(self.planes)
        logits = by_orientation(output.logits, self.orientations).cpu()
        right = self.right.view_as(logits)
        if self.ties:  # what the plan holds to be as good as the best may be shown
            assert output.plan is not None
            values = by_orientation(output.plan.q_values, self.orientations).cpu()
            best = values.amax(dim=2, keepdim=True)
            tied = (values >= best - TIE) & (best > -torch.inf)
            score = (right & tied).any(dim=2) / (tied.sum(dim=2).clamp(min=1) if divide_ties else 1)
        else:
            score = right.gather(2, logits.argmax(dim=2, keepdim=True))[:, :, 0]
        return float(score[self.states.view_as(score)].double().mean())


def _plateau(right: _Imitation, threshold: Tensor, values: Tensor) -> float:
    """The centre of the widest run of thresholds, over the range of `values`, that imitate as well as the best."""
    candidates = torch.linspace(float(values.min()), float(values.max()), _THRESHOLDS)
    scores = []
    for candidate in candidates:
        threshold.copy_(candidate)
        scores.append(right())
    good = [score >= max(scores) - _WORSE for score in scores]
    runs: list[list[int]] = [[]]
    for index, holds in enumerate(good):
        if holds:
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    longest = max(runs, key=len)
    return float(candidates[longest[0]] + candidates[longest[-1]]) / 2
