"""Fine-tunes only the costs, after hardening.

In the soft model the price of a move is its cost and what its gate, never quite open, adds; hardening takes the second
part away. So costs go on learning for a moment in the hardened model, where nothing else can answer for them. After
that, what no plan depends on is removed (`without_drift`), and costs that differ by little become equal if that
imitates no worse (`merged`): the expert's ties are ties again.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from torchvin.data.dataset import MapDataset
from torchvin.policies.policy import Policy
from torchvin.training.config import TrainingConfig
from torchvin.training.imitation.examples import MapExamples
from torchvin.training.phases.phase import latent_graph


@torch.enable_grad()
def learn_costs(policy: Policy, dataset: MapDataset, options: TrainingConfig, seed: int) -> None:
    """`options.cost_steps` optimizer steps on the costs and the scale of the logits, in the hardened model."""
    model = latent_graph(policy).model
    learned = [model.cost, *(parameter for name, parameter in policy.named_parameters() if name.startswith("head."))]
    if model.terrain_cost is not None:
        learned += model.terrain_cost.parameters()
    optimizer = torch.optim.Adam(learned, lr=options.learning_rate)
    steps = options.cost_steps
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / max(steps, 1))
    generator = torch.Generator().manual_seed(seed)
    examples, device = MapExamples(dataset, options), model.cost.device
    for _ in range(steps):
        chosen = torch.randint(len(dataset), (options.batch_size,), generator=generator)
        loss, count = examples.loss(policy, chosen, device)
        optimizer.zero_grad()
        (loss / count.clamp(min=1)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    policy.zero_grad()


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
