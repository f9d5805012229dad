"""Optimizers and learning-rate schedules by name: torch's, Adam for CUDA graphs, and the authors' RMSProp."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, LambdaLR, LRScheduler, OneCycleLR

from torchvin.training.config import TrainingConfig


class RMSpropEpsilonInside(Optimizer):
    """RMSProp with epsilon inside the root: w <- w - lr * g / sqrt(mean of g^2 + epsilon) (github.com/avivt/VIN).

    torch adds epsilon after the root, where 1e-6 is a thousandth of what it is inside.

    Args:
        parameters: to optimise.
        lr: learning rate.
        rho: weight of the past in the mean of g^2 (the authors: 0.9).
        epsilon: inside the root (the authors: 1e-6).

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = RMSpropEpsilonInside([weight], lr=0.1)
    >>> weight.grad = torch.tensor([2.0])
    >>> optimizer.step()  # 1 - 0.1 * 2 / sqrt(0.1 * 4 + 1e-6)
    >>> round(weight.item(), 4)
    0.6838
    """

    def __init__(
        self, parameters: Iterable[Tensor], *, lr: float = 0.01, rho: float = 0.9, epsilon: float = 1e-6
    ) -> None:
        super().__init__(parameters, {"lr": lr, "rho": rho, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; closures are not used."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            gradients: list[Tensor] = [parameter.grad for parameter in parameters]
            means = [self._mean(parameter) for parameter in parameters]
            torch._foreach_mul_(means, group["rho"])
            torch._foreach_addcmul_(means, gradients, gradients, value=1 - group["rho"])
            roots = torch._foreach_add(means, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(parameters, gradients, roots, value=-group["lr"])

    def _mean(self, parameter: Tensor) -> Tensor:
        state: dict[str, Any] = self.state[parameter]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(parameter)
        mean: Tensor = state["mean"]
        return mean


class AdamInGraph(Optimizer):
    """Adam whose step can be part of a CUDA graph; with a weight decay, AdamW.

    The schedule changes the learning rate, beta1 and the weight decay from step to step. A graph must read them from
    the device, and torch's capturable Adam has its beta1 on the host. Here the schedule sets the numbers in the
    `param_groups`, as everywhere, and `send_rates` copies them to the device. The state has the names and shapes of
    torch's Adam, so a checkpoint of one is one of the other.

    Args:
        parameters: to optimize, or groups of them, on the device where they stay.
        lr, betas, eps, weight_decay: as in `torch.optim.AdamW`.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = AdamInGraph([weight], lr=0.1)
    >>> weight.grad = torch.tensor([2.0])
    >>> optimizer.send_rates()
    >>> optimizer.step()  # the first step goes as far as the learning rate
    >>> round(weight.item(), 4)
    0.9
    """

    def __init__(
        self,
        parameters: Iterable[Tensor] | Iterable[dict[str, Any]],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        device = next(parameter.device for group in self.param_groups for parameter in group["params"])
        self._rates = torch.zeros(len(self.param_groups), 3, dtype=torch.float64, device=device)
        self._begin()

    def _begin(self) -> None:
        """Give each parameter a state, on its device: what a graph changes must exist before the capture."""
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                step = state.get("step", torch.zeros(()))
                state["step"] = step.to(parameter.device)
                for name in ("exp_avg", "exp_avg_sq"):
                    state.setdefault(name, torch.zeros_like(parameter, memory_format=torch.preserve_format))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state of this class, or of torch's Adam."""
        super().load_state_dict(state_dict)
        self._begin()

    def send_rates(self) -> None:
        """Copy learning rates, beta1 and weight decays to the device; the host does not wait."""
        rates = [[group["lr"], group["betas"][0], group["weight_decay"]] for group in self.param_groups]
        self._rates.copy_(torch.tensor(rates, dtype=torch.float64), non_blocking=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; closures are not used."""
        for group, rates in zip(self.param_groups, self._rates.unbind(), strict=True):
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            gradients: list[Tensor] = [parameter.grad for parameter in parameters]
            steps, means, squares = (
                [self.state[parameter][name] for parameter in parameters] for name in ("step", "exp_avg", "exp_avg_sq")
            )
            rate, beta1, decay = rates.unbind()
            beta2, dtype = group["betas"][1], parameters[0].dtype
            torch._foreach_add_(steps, 1)
            made = steps[0].double()
            torch._foreach_mul_(parameters, (1 - rate * decay).to(dtype))
            torch._foreach_mul_(means, beta1.to(dtype))
            torch._foreach_add_(means, torch._foreach_mul(gradients, (1 - beta1).to(dtype)))
            torch._foreach_mul_(squares, beta2)
            torch._foreach_addcmul_(squares, gradients, gradients, value=1 - beta2)
            roots = torch._foreach_sqrt(squares)
            torch._foreach_div_(roots, (1 - beta2**made).sqrt().to(dtype))
            torch._foreach_add_(roots, group["eps"])
            changes = torch._foreach_div(means, roots)
            torch._foreach_mul_(changes, (rate / (1 - beta1**made)).to(dtype))
            torch._foreach_sub_(parameters, changes)


def build_optimizer(options: TrainingConfig, policy: nn.Module, *, in_graph: bool = False) -> Optimizer:
    """The optimizer of a config, of what is still to be learned.

    Args:
        options: optimizer, learning rate, epsilon, weight decay.
        policy: on its device.
        in_graph: whether its steps are captured in a CUDA graph, for which there is Adam only.
    """
    learned = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    if options.optimizer == "rmsprop-authors":
        return RMSpropEpsilonInside(learned, lr=options.learning_rate)
    if options.optimizer == "rmsprop":
        return torch.optim.RMSprop(learned, lr=options.learning_rate, eps=options.epsilon)
    if options.weight_decay:
        return _adam_with_decay(options, policy, AdamInGraph if in_graph else torch.optim.AdamW)
    adam: type[Any] = AdamInGraph if in_graph else torch.optim.Adam
    optimizer: Optimizer = adam(learned, lr=options.learning_rate, eps=options.epsilon)
    return optimizer


def _adam_with_decay(options: TrainingConfig, policy: nn.Module, adam: type[Any]) -> Optimizer:
    """Adam that shrinks the weights of the reward model only: a transition must be able to become one-hot."""
    named = [(name, parameter) for name, parameter in policy.named_parameters() if parameter.requires_grad]
    rewards = [parameter for name, parameter in named if ".reward." in name]
    others = [parameter for name, parameter in named if ".reward." not in name]
    groups = [{"params": rewards, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer: Optimizer = adam(groups, lr=options.learning_rate, eps=options.epsilon)
    return optimizer


def fade_decay(options: TrainingConfig, optimizer: Optimizer, progress: float) -> None:
    """Let the weight decay fall to 0 over the first part of a training, so that it does not bias what is learned.

    Args:
        options: weight_decay and decay_until.
        optimizer: of `build_optimizer`.
        progress: share of the training that is done.
    """
    if options.weight_decay:
        optimizer.param_groups[0]["weight_decay"] = options.weight_decay * max(0.0, 1 - progress / options.decay_until)


def build_schedule(
    options: TrainingConfig, optimizer: Optimizer, total_steps: int, *, steps_made: int = 0
) -> LRScheduler:
    """The learning-rate schedule of a config, stepped once per batch.

    The rate follows from the number of steps alone, so a schedule need not be saved.

    Args:
        options: schedule, learning rate and stages.
        optimizer: with the state that it had after `steps_made` steps.
        total_steps: of the whole training.
        steps_made: where the schedule begins.

    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = torch.optim.Adam([weight], lr=0.1)
    >>> options = TrainingConfig(schedule="stages", stages=(1.0, 0.5), learning_rate=0.1)
    >>> build_schedule(options, optimizer, 10).get_last_lr()
    [0.1]
    >>> build_schedule(options, optimizer, 10, steps_made=7).get_last_lr()
    [0.05]
    """
    last = steps_made - 1
    if options.schedule == "constant":
        return ConstantLR(optimizer, factor=1.0, last_epoch=last)
    if options.schedule == "stages":
        stages = options.stages

        def factor(step: int) -> float:
            return stages[min(step * len(stages) // total_steps, len(stages) - 1)]

        return LambdaLR(optimizer, factor, last_epoch=last)
    return OneCycleLR(optimizer, options.learning_rate, total_steps=total_steps, last_epoch=last)
