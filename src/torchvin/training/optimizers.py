"""RMSProp as the authors' code has it; every other optimizer is torch's."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


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
