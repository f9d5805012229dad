"""Imitation losses over all states of a map at once; each returns the sum, for one division by a global count.

Answers are [B, H, W], or [B, O, H, W] of an agent with orientations, whose logits have channels o * A + a.
"""

import math
from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from torchvin.experts.demonstrations import NOT_SHOWN
from torchvin.experts.grid import action_set

TIE = 0.05  # log U of two actions as good as each other differ by no more; a step costs about 0.3 at first


def optimal_set_loss(
    logits: Float[Tensor, "B OA H W"], optimal_actions: UInt8[Tensor, "B *O H W"], cells: Bool[Tensor, "B *O H W"]
) -> Float[Tensor, ""]:
    """Sum over `cells` of -log of the total probability of the optimal actions: ties cost nothing.

    >>> logits = torch.zeros(1, 4, 1, 1)
    >>> loss = optimal_set_loss(logits, torch.tensor([[[3]]], dtype=torch.uint8), torch.tensor([[[True]]]))
    >>> round(loss.exp().item(), 4)  # two of four actions are optimal
    2.0
    """
    optimal_actions, cells = optimal_actions.flatten(0, -3), cells.flatten(0, -3)
    log_probabilities = _of_each_orientation(logits, len(optimal_actions)).log_softmax(dim=1)
    optimal = action_set(optimal_actions, log_probabilities.shape[1]).movedim(-1, 1)  # [B * O, A, H, W]
    outside = ~(optimal | ~cells[:, None])  # cells that do not count keep all actions, so no row is empty
    return -_sum_over(log_probabilities.masked_fill(outside, -torch.inf).logsumexp(dim=1), cells)


def uniform_set_loss(
    logits: Float[Tensor, "B OA H W"], optimal_actions: UInt8[Tensor, "B *O H W"], cells: Bool[Tensor, "B *O H W"]
) -> Float[Tensor, ""]:
    """Sum over `cells` of the cross-entropy against the even distribution over the optimal actions.

    Ties must be ties: each is an equation between the costs of two paths, where the optimal set only asks that one of
    them be cheap. Its least value is the entropy of the even distribution, log of the number of optimal actions.

    >>> logits = torch.tensor([0.0, 0.0, -50.0, -50.0]).view(1, 4, 1, 1)
    >>> loss = uniform_set_loss(logits, torch.tensor([[[3]]], dtype=torch.uint8), torch.tensor([[[True]]]))
    >>> round(loss.exp().item(), 4)
    2.0
    """
    optimal_actions, cells = optimal_actions.flatten(0, -3), cells.flatten(0, -3)
    log_probabilities = _of_each_orientation(logits, len(optimal_actions)).log_softmax(dim=1)
    optimal = action_set(optimal_actions, log_probabilities.shape[1]).movedim(-1, 1)  # [B * O, A, H, W]
    summed = log_probabilities.masked_fill(~optimal, 0.0).sum(dim=1)
    return -_sum_over(summed / optimal.sum(dim=1).clamp(min=1), cells)


def single_label_loss(
    logits: Float[Tensor, "B OA H W"], labels: UInt8[Tensor, "B *O H W"], cells: Bool[Tensor, "B *O H W"]
) -> Float[Tensor, ""]:
    """Sum over `cells` of the cross-entropy against one label each (the paper's).

    >>> single_label_loss(torch.zeros(1, 4, 1, 1), torch.zeros(1, 1, 1, dtype=torch.uint8), torch.tensor([[[True]]]))
    tensor(1.3863)
    """
    targets = labels.long().masked_fill(~cells | (labels == NOT_SHOWN), -100)  # -100: cross_entropy's "ignore"
    targets = targets.flatten(0, -3)
    if not logits.is_cpu:  # where the sums of cross_entropy have no fixed order
        log_probabilities = _of_each_orientation(logits, len(targets)).log_softmax(dim=1)
        shown = log_probabilities.gather(1, targets.clamp(min=0)[:, None])[:, 0]
        return -_sum_over(shown, targets >= 0)
    return functional.cross_entropy(_of_each_orientation(logits, len(targets)), targets, reduction="sum")


def tied_label_loss(
    logits: Float[Tensor, "B OA H W"],
    labels: UInt8[Tensor, "B *O H W"],
    cells: Bool[Tensor, "B *O H W"],
    values: Float[Tensor, "B OA H W"],
    *,
    label_noise: float = 0.0,
) -> Float[Tensor, ""]:
    """Sum over `cells` of -log of the probability of the label or of what the plan holds to be as good.

    A demonstrator has to choose among equals, and a rule by which it does (diagonals first) is not in the costs of the
    map: a network that is pressed to follow it bends its costs. So a tie with the label, as the plan has it now, is
    left alone; what is better than the label, or worse, is not. Ties are those of `values` and not of the logits, which
    any network could shrink until all of them tie.

    Args:
        logits, labels, cells: as in `single_label_loss`.
        values: Q values of the plan behind the logits; `TIE` apart they are equal.
        label_noise: share of labels that are taken to be drawn at random. What a wrong label can cost is then bounded,
            and a confident network ignores it.

    >>> logits = torch.tensor([0.0, 0.2, -50.0, -50.0]).view(1, 4, 1, 1)
    >>> labels, cells = torch.zeros(1, 1, 1, dtype=torch.uint8), torch.tensor([[[True]]])
    >>> loss = tied_label_loss(logits, labels, cells, values=logits / 10)
    >>> round(loss.exp().item(), 4)  # 1 / (probability of either)
    1.0
    """
    labels, cells = labels.flatten(0, -3).long(), cells.flatten(0, -3)
    actions, plan = (_of_each_orientation(each, len(labels)) for each in (logits, values.detach()))
    shown = labels.where(cells, 0)[:, None]
    tied = (plan - plan.gather(1, shown)).nan_to_num(nan=0.0).abs() <= TIE  # -inf and -inf: no way, and no better one
    log_probability = actions.log_softmax(dim=1).masked_fill(~tied, -torch.inf).logsumexp(dim=1)
    if label_noise:
        at_random = log_probability.new_full((), label_noise / actions.shape[1]).log()
        log_probability = torch.logaddexp(log_probability + math.log(1 - label_noise), at_random)
    return -_sum_over(log_probability, cells)


def adaptive_highway_loss(
    loss: Callable[[Tensor, Tensor, Tensor], Tensor],
    layers: Mapping[int, Float[Tensor, "B OA H W"]],
    answers: UInt8[Tensor, "B *O H W"],
    cells: Bool[Tensor, "B *O H W"],
    path_lengths: Int[Tensor, "B *O H W"],
) -> tuple[Tensor | float, Int[Tensor, ""]]:
    """The sum of a loss over hidden layers, and the number of its terms (DT-VIN, ICML 2025).

    After n value updates a plan can know of paths of at most n moves, so layer n teaches the cells whose expert path is
    no longer than that. It gives a network of thousands of layers a short way for its gradient; the layers are those
    that the planner reports (the paper: every 10th), and planning does not need them.

    Args:
        loss: `optimal_set_loss` or `single_label_loss`.
        layers: n to the logits after n value updates.
        answers, cells: as `loss` takes them.
        path_lengths: moves of the expert's path from each cell, or an estimate of it.

    >>> layers = {10: torch.zeros(1, 4, 1, 2), 20: torch.zeros(1, 4, 1, 2)}
    >>> answers, cells = torch.zeros(1, 1, 2, dtype=torch.uint8), torch.ones(1, 1, 2, dtype=torch.bool)
    >>> adaptive_highway_loss(single_label_loss, layers, answers, cells, torch.tensor([[[3, 15]]]))[1]
    tensor(3)
    """
    total: Tensor | float = 0.0
    terms = cells.new_zeros((), dtype=torch.int64)
    for made, logits in layers.items():
        reached = cells & (path_lengths <= made)
        total = total + loss(logits, answers, reached)
        terms = terms + reached.sum()
    return total, terms


def _sum_over(terms: Float[Tensor, "B H W"], cells: Bool[Tensor, "B H W"]) -> Float[Tensor, ""]:
    """The sum over `cells`. On a device without a selection, whose size the host would have to wait for."""
    return terms[cells].sum() if terms.is_cpu else terms.where(cells, 0.0).sum()


def _of_each_orientation(logits: Float[Tensor, "B OA H W"], rows: int) -> Float[Tensor, "R A H W"]:
    """A row for each map and orientation."""
    return logits.reshape(rows, -1, *logits.shape[2:])
