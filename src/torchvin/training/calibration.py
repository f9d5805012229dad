"""From the soft latent MDP to the hardened one: thresholds and costs by which the training maps are imitated best.

A gate is a number between 0 and 1, and a path of 25,000 moves multiplies as many of them; for deployment it must be
open or shut. Which logit divides the two is asked of the training maps: between the gates of free moves and those of
walls lies a wide plateau of thresholds that imitate the expert equally well, and its centre is the farthest from both.

Costs are settled by the same measure. What soft gates add to the cost of open moves is kept as its mean. Then what no
plan depends on is removed: a cost that a move and its opposite share with opposite signs (any two paths between the
same ends pay it alike). Last, costs that differ by less than a tolerance become equal, with the largest tolerance that
imitates no worse: the expert's ties are ties again.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.planning.kernels.reference import by_orientation
from torchvin.policies.shortest_path import ShortestPathPolicy
from torchvin.training.config import TrainingConfig
from torchvin.training.examples import MapExamples

_THRESHOLDS = 64
_TOLERANCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_WORSE = 1e-4  # what counts as no worse: less than the states of one map in a hundred maps of 15x15


@torch.no_grad()
def calibrate(policy: ShortestPathPolicy, dataset: MapDataset, options: TrainingConfig) -> float:
    """Harden the policy by maps that it was trained on; it ends in evaluation mode.

    Args:
        policy: trained.
        dataset: some hundred training maps.
        options: which states teach, and what is right there.

    Returns: share of the supervised states where the hardened policy does what they show.
    """
    policy.eval()
    model = policy.model
    model.calibrated.fill_(True)
    device = next(policy.parameters()).device
    planes = dataset.planes().to(device)
    gates = model.gate(planes)
    free = ~dataset.blocked.to(device)[:, None].expand_as(gates)
    right = _Imitation(policy, dataset, options, planes)

    model.gate_threshold.fill_(_plateau(right, model.gate_threshold, gates[free]))
    pull = (-model.goal_cost(planes)).exp()
    model.goal_threshold.fill_(_plateau(right, model.goal_threshold, pull[pull > 0]))

    open_ = free & (gates > model.gate_threshold)
    passed = torch.nn.functional.softplus(-gates)
    extra = (passed * open_).sum(dim=(0, 2, 3)) / open_.sum(dim=(0, 2, 3)).clamp(min=1)
    cost = (model.move_cost(planes) * open_).sum(dim=(0, 2, 3)) / open_.sum(dim=(0, 2, 3)).clamp(min=1)
    candidates = [cost + extra]
    candidates.append(without_drift(candidates[0], policy.transition()))
    candidates += [merged(candidates[1], tolerance) for tolerance in _TOLERANCES]
    scores = []
    for candidate in candidates:
        model.correction.copy_(candidate - cost)
        scores.append(right())
    best = max(index for index, score in enumerate(scores) if score >= max(scores) - _WORSE)
    model.correction.copy_(candidates[best] - cost)
    return scores[best]


class _Imitation:
    """Share of the supervised states where the policy, as it is now, does what they show."""

    def __init__(
        self, policy: ShortestPathPolicy, dataset: MapDataset, options: TrainingConfig, planes: Tensor
    ) -> None:
        examples = MapExamples(dataset, options)
        self.policy, self.planes = policy, planes
        self.states, self.right = examples.states, examples.right_actions
        self.orientations = dataset.moves.num_orientations

    def __call__(self) -> float:
        logits = by_orientation(self.policy(self.planes).logits, self.orientations).cpu()
        right = self.right.view_as(logits).gather(2, logits.argmax(dim=2, keepdim=True))[:, :, 0]
        return float(right[self.states.view_as(right)].double().mean())


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


def without_drift(cost: Float[Tensor, "OA"], kernel: Float[Tensor, "OA O F F"]) -> Float[Tensor, "OA"]:
    """Costs without the part that is linear in where the move leads.

    If every move down costs x more and every move up x less, every path from one state to another costs x times the
    same number of rows more, so no plan changes. A least-squares fit over the actions finds that part.

    >>> kernel = torch.zeros(2, 1, 3, 3)
    >>> kernel[0, 0, 0, 1] = kernel[1, 0, 2, 1] = 1.0  # up, down
    >>> without_drift(torch.tensor([1.0, 3.0]), kernel).tolist()
    [2.0, 2.0]
    """
    half = kernel.shape[-1] // 2
    offsets = torch.arange(-half, half + 1, dtype=torch.float64, device=kernel.device)
    weights = kernel.double().sum(dim=1)  # [O*A, F, F]
    leads = torch.stack([(weights.sum(dim=2) * offsets).sum(dim=1), (weights.sum(dim=1) * offsets).sum(dim=1)], dim=1)
    features = torch.cat([torch.ones_like(leads[:, :1]), leads], dim=1)
    # gelsd through the pseudo-inverse: where no move changes a row, that column is zero
    fit = torch.linalg.pinv(features) @ cost.double()
    without: Tensor = cost.double() - leads @ fit[1:]
    return without.to(cost.dtype) if bool((without > 0).all()) else cost


def merged(cost: Float[Tensor, "OA"], tolerance: float) -> Float[Tensor, "OA"]:
    """Costs within a factor of 1 + `tolerance` of the smallest of their group, made their mean.

    >>> [round(cost, 3) for cost in merged(torch.tensor([1.0, 1.42, 1.02, 1.4]), 0.05).tolist()]
    [1.01, 1.41, 1.01, 1.41]
    """
    values, order = cost.sort()
    result = cost.clone()
    first = 0
    for last in range(1, len(values) + 1):
        if last == len(values) or values[last] > values[first] * (1 + tolerance):
            result[order[first:last]] = values[first:last].mean()
            first = last
    return result
