"""Dynamic transitions (DT-VIN, ICML 2025): a network computes a transition kernel for each cell of each map.

The paper's text was not available. What is called the paper's here, numbers included, is second-hand and unverified.
"""

from contextlib import nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from torchvin.errors import InputError, check_shape
from torchvin.planning.planners.planner import Planner
from torchvin.planning.recurrence import check_gradient, segment_length, segments
from torchvin.planning.value_iteration import check_num_iterations
from torchvin.types import PlannerOutput


class DynamicTransition(nn.Module):
    """T = softmax(f_T(planes)) over the F * F neighbours: a distribution for each action in each cell of each map.

    f_T is one convolution, so its weights are A * F^2 kernels of size F' x F' per plane (the paper: F = F' = 3).

    Args:
        num_actions: number of Q channels A.
        in_channels: number of planes that f_T sees, counted from the first. With 1 it does not see the goal, on which
            transitions do not depend. A short training then solved 98 % of states instead of 85 %. A longer one with
            another seed stayed at 61 %, because it never learned where its moves lead. The default is therefore 2.
        kernel_size: F, odd.
        sharpness: factor on the logits, as in `NormalizedTransition`. It is ours; 1 gives the paper's network.

    >>> DynamicTransition(num_actions=4)(torch.rand(2, 2, 6, 5)).sum(dim=2).round().unique()
    tensor([1.], grad_fn=<Unique2Backward0>)
    """

    def __init__(
        self, *, num_actions: int, in_channels: int = 2, kernel_size: int = 3, sharpness: float = 10.0
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise InputError(f"kernel_size must be odd, got {kernel_size}: its centre is the cell itself.")
        self.num_actions = num_actions
        self.sharpness = sharpness
        self.logits = nn.Conv2d(in_channels, num_actions * kernel_size**2, 3, padding=1)

    def forward(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A FF H W"]:
        batch, _, height, width = planes.shape
        seen = planes[:, : self.logits.in_channels]
        logits: Tensor = self.sharpness * self.logits(seen).view(batch, self.num_actions, -1, height, width)
        return logits.softmax(dim=2)


def neighbours(plane: Float[Tensor, "B 1 H W"], size: int) -> Float[Tensor, "B FF H W"]:
    """The F * F neighbours of each cell, in the order of a kernel's weights; zero outside the map."""
    around: Tensor = functional.unfold(plane, size, padding=size // 2)
    return around.view(*around.shape[:2], *plane.shape[-2:])


def dynamic_value_iteration(
    reward: Float[Tensor, "B 1 H W"],
    transition: Float[Tensor, "B A FF H W"],
    *,
    num_iterations: int,
    initial_value: Float[Tensor, "B 1 H W"] | None = None,
    gradient: str = "checkpoint",
    layer_every: int = 0,
) -> PlannerOutput:
    """Run exactly K updates V_{n+1}(s) = max_a sum over s' of T_a(s, s') (R(s') + V_n(s')), and look ahead once more.

    This is the operator of `value_iteration` with a kernel per cell, and with the reward of the cell that is reached
    (DT-VIN, ICML 2025). The contribution of R does not depend on n and is computed once. There is no discount. T is a
    distribution, so an update adds at most max |R| to a value. Differences between values do not shrink with distance.

    Args:
        reward: R, [B, 1, H, W].
        transition: T, [B, A, F * F, H, W].
        num_iterations: K; 0 only looks ahead at `initial_value`.
        initial_value: V_0, zero if not given.
        gradient: "checkpoint" stores V once per segment for the backward pass; a segment has `layer_every` updates, or
            about sqrt(K) if that is 0. "unroll" stores everything: F * F * A numbers per cell and iteration.
        layer_every: J > 0 reports the Q values after J, 2J, ... < K updates as `PlannerOutput.layers`; 0 reports none.

    Raises: ShapeError; InputError for a negative K, an F * F that is no odd square, or another gradient mode.

    >>> transition = torch.full((2, 4, 9, 6, 5), 1 / 9)
    >>> plan = dynamic_value_iteration(torch.rand(2, 1, 6, 5), transition, num_iterations=25, layer_every=10)
    >>> plan.q_values.shape, list(plan.layers)
    (torch.Size([2, 4, 6, 5]), [10, 20])
    """
    check_shape("reward", reward, "B 1 H W")
    batch, _, height, width = reward.shape
    check_shape("transition", transition, f"{batch} A FF {height} {width}")
    size = round(transition.shape[2] ** 0.5)
    if size * size != transition.shape[2] or size % 2 == 0:
        raise InputError(f"a cell's kernel must have F * F weights, F odd, got {transition.shape[2]}.")
    num_iterations = check_num_iterations(num_iterations)
    check_gradient("dynamic", gradient)
    value = torch.zeros_like(reward) if initial_value is None else initial_value
    check_shape("initial_value", value, f"{batch} 1 {height} {width}")

    def look_ahead(value: Tensor) -> Tensor:
        return q_reward + (transition * neighbours(value, size)[:, None]).sum(dim=2)

    def update(value: Tensor) -> tuple[Tensor]:
        return (look_ahead(value).amax(dim=1, keepdim=True),)

    q_reward = (transition * neighbours(reward, size)[:, None]).sum(dim=2)
    length = layer_every or segment_length(num_iterations, gradient)
    values = {made: after for made, (after,) in segments(update, (value,), num_iterations, length, gradient)}
    value = values[num_iterations]
    layers = {made: look_ahead(after) for made, after in values.items() if layer_every and 0 < made < num_iterations}
    q_values = look_ahead(value)
    residual = (q_values.detach().amax(dim=1, keepdim=True) - value.detach()).abs().flatten(1).amax(dim=1)
    return PlannerOutput(q_values, value, num_iterations, residual, layers)


class DynamicPlanner(Planner):
    """Reward and transition from an observation, then `dynamic_value_iteration`: DT-VIN without its head.

    In training mode it reports every `layer_every`-th layer for the adaptive highway loss. In evaluation mode it
    reports none.

    Args:
        reward: module from an observation to a reward image [B, 1, H, W].
        transition: module from an observation to a kernel per cell, [B, A, F * F, H, W].
        iterations_per_side: as in `Planner`.
        layer_every: J (the paper: 10); 0: no layers.
        gradient: as in `dynamic_value_iteration`.

    >>> planner = DynamicPlanner(reward=nn.Conv2d(2, 1, 1), transition=DynamicTransition(num_actions=4))
    >>> planner(torch.rand(2, 2, 6, 5), num_iterations=20).value.shape
    torch.Size([2, 1, 6, 5])
    """

    def __init__(
        self,
        *,
        reward: nn.Module,
        transition: nn.Module,
        iterations_per_side: float = 4.0,
        layer_every: int = 10,
        gradient: str = "checkpoint",
    ) -> None:
        super().__init__(iterations_per_side=iterations_per_side)
        if layer_every < 0:
            raise InputError(f"layer_every must not be negative, got {layer_every}.")
        check_gradient("dynamic", gradient)
        self.reward = reward
        self.transition = transition
        self.layer_every = layer_every
        self.gradient = gradient

    def forward(
        self,
        observation: Float[Tensor, "B C H W"],
        *,
        num_iterations: int | None = None,
        initial_value: Float[Tensor, "B 1 H W"] | None = None,
    ) -> PlannerOutput:
        """Plan on an observation, as `dynamic_value_iteration`. It runs in float32 under autocast, too."""
        num_iterations = self.iterations_of_call(num_iterations, observation)
        device = observation.device.type
        in_full = torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()
        with in_full:  # the errors of K roundings to half precision would add up
            return dynamic_value_iteration(
                self.reward(observation),
                self.transition(observation),
                num_iterations=num_iterations,
                initial_value=initial_value,
                gradient=self.gradient,
                layer_every=self.layer_every if self.training else 0,
            )
