"""Weights to begin a training with that are not torch's own: of another training, or the authors'."""

import numpy as np
import torch
from torch import Tensor

from torchvin.errors import InputError
from torchvin.planning.models.reward import ImageReward
from torchvin.planning.models.transition import FreeTransition
from torchvin.planning.planners.grid import GridPlanner
from torchvin.policies.heads import LinearHead
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import load_policy

#: The name under which `initialize_from` draws the authors' initial weights.
AUTHORS_START = "authors"


def initialize_from(policy: Policy, weights: str, seed: int = 0) -> None:
    """Give `policy` the weights of that name or folder; "authors": draw them as the authors' code does.

    Args:
        policy: that will learn.
        weights: name or folder.
        seed: of the authors' draw.

    Raises: InputError if there are none, or they are of another policy.
    """
    if weights == AUTHORS_START:
        return initialize_as_authors(policy, seed)
    before = load_policy(weights).state_dict()
    shapes = {name: list(value.shape) for name, value in policy.state_dict().items()}
    for name, shape in shapes.items():
        if name not in before or list(before[name].shape) != shape or len(before) != len(shapes):
            got = list(before[name].shape) if name in before else "none"
            raise InputError(
                f"--init {weights}: weights of another policy: {name} should be {shape}, got {got}; give a preset or "
                "--policy options that build the policy they were trained with."
            )
    policy.load_state_dict(before)


@torch.no_grad()
def initialize_as_authors(policy: Policy, seed: int) -> None:
    """Draw the initial weights of the paper's network in the order of the authors' code (github.com/avivt/VIN).

    numpy's generator, 0.01 * N(0, 1). The authors have one seed, 0, so these are the weights that the networks of the
    paper's table began with, whatever the size of the maps. Theano turns kernels around before it applies them, torch
    does not, so they are turned here.

    Args:
        policy: the design `paper`, with one kernel for all iterations.
        seed: of numpy's generator.

    Raises: InputError for another policy.

    >>> from torchvin import PaperConfig, build_policy
    >>> policy = build_policy(PaperConfig())
    >>> initialize_as_authors(policy, seed=0)
    >>> round(policy.planner.reward.hidden.bias[0].item(), 6)  # numpy's first number, 1.764052, times 0.01
    0.017641
    """
    generator = np.random.RandomState(seed)
    for parameter in _in_the_authors_order(policy):
        across = tuple(reversed(parameter.shape)) if parameter.dim() == 2 else parameter.shape  # theirs: [Q, A]
        drawn = torch.from_numpy((generator.randn(*across) * 0.01).astype(np.float32))
        parameter.copy_(drawn.T if parameter.dim() == 2 else drawn.flip(-1, -2) if parameter.dim() == 4 else drawn)


def _in_the_authors_order(policy: Policy) -> list[Tensor]:
    planner = policy.planner
    reward, transition = (
        (planner.reward, planner.iteration.transition) if isinstance(planner, GridPlanner) else (None, None)
    )
    head = getattr(policy, "head", None)
    if not (
        isinstance(reward, ImageReward)
        and isinstance(transition, FreeTransition)
        and isinstance(head, LinearHead)
        and transition.weight.dim() == 4
    ):
        raise InputError(
            f"--init {AUTHORS_START}: these are weights of the design 'paper' with one kernel for all iterations; "
            "leave --init out, or give a preset that ends in -paper."
        )
    assert reward.hidden.bias is not None
    of_reward = [reward.hidden.bias, reward.hidden.weight, reward.reward.weight, reward.q_conv.weight]
    return [*of_reward, transition.weight, head.weight]
