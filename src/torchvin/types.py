"""What planners and policies return: frozen, the shape on every field, and open to PyTorch's transforms.

Both are pytrees, so `torch.export`, `torch.vmap` and `torch.func` look inside: the tensors are the leaves, the numbers
beside them belong to the structure. `torch.nn.DataParallel` gathers them too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils import _pytree as pytree  # the module that torch.export's errors send one to; it has no other name


@dataclass(frozen=True, init=False)
class PlannerOutput:
    """A plan for every cell of every map. With O > 1 orientations V has O channels, Q has channels o * A + a.

    Attributes:
        q_values: look-ahead at `value`, [B, A, H, W]: `max` over A is the value after one more update.
        value: V_K, [B, 1, H, W].
        num_iterations: K, the number of value updates made; 0 too where a graph search found the fixed point.
        residual: largest change that one more update would make to each map, [B]; 0 at the fixed point. Carries no
            gradient.
        layers: intermediate Q values [B, A, H, W], keyed by iteration; usually empty.
        solved: whether this is the fixed point, so that more iterations would change nothing.
    """

    q_values: Float[Tensor, "*B OA H W"]
    value: Float[Tensor, "*B O H W"]
    num_iterations: int
    residual: Float[Tensor, "*B"]
    layers: Mapping[int, Tensor] = field(default_factory=dict)
    solved: bool = False

    def __init__(
        self,
        q_values: Any,
        value: Any = None,
        num_iterations: int = 0,
        residual: Any = None,
        layers: Mapping[int, Tensor] | None = None,
        solved: bool = False,
    ) -> None:
        if value is None:  # DataParallel rebuilds what it has gathered from an iterator over the parts
            q_values, value, residual, layers, count, done = q_values
            num_iterations, solved = int(count[0]), bool(done.all())
        # A frozen dataclass sets its fields one by one; this is several times as fast, which a small plan notices.
        self.__dict__.update(
            q_values=q_values,
            value=value,
            num_iterations=num_iterations,
            residual=residual,
            layers={} if layers is None else layers,
            solved=solved,
        )

    def __iter__(self) -> Iterator[Any]:
        """The parts for `torch.nn.DataParallel`, which joins tensors only: numbers are tensors with one entry."""
        numbers = (torch.tensor([number], device=self.value.device) for number in (self.num_iterations, self.solved))
        return iter((self.q_values, self.value, self.residual, self.layers, *numbers))


@dataclass(frozen=True, init=False)
class PolicyOutput:
    """What a policy says of a map.

    Attributes:
        logits: unnormalized log-probabilities of the actions in the order of the motion model: [B, A, H, W] for all
            cells (channels o * A + a with orientations), or [B, S, A] for the S states that were asked for.
        plan: the plan behind them; None of a policy that does not plan.
        layers: logits after n value updates, keyed by n, for the `layers` of the plan (the adaptive highway loss trains
            on them); usually empty.
    """

    logits: Float[Tensor, "*B OA H W"] | Float[Tensor, "*B S A"]
    plan: PlannerOutput | None
    layers: Mapping[int, Tensor] = field(default_factory=dict)

    def __init__(self, logits: Any, plan: Any = (), layers: Mapping[int, Tensor] | None = None) -> None:
        if plan == ():  # as in `PlannerOutput`
            logits, plan, layers = logits
        self.__dict__.update(logits=logits, plan=plan, layers={} if layers is None else layers)

    def __iter__(self) -> Iterator[Any]:
        """The parts for `torch.nn.DataParallel`."""
        return iter((self.logits, self.plan, self.layers))


def _open_plan(plan: PlannerOutput) -> tuple[list[Any], tuple[int, bool]]:
    return [plan.q_values, plan.value, plan.residual, dict(plan.layers)], (plan.num_iterations, plan.solved)


def _close_plan(parts: Iterable[Any], numbers: tuple[int, bool]) -> PlannerOutput:
    q_values, value, residual, layers = parts
    return PlannerOutput(q_values, value, numbers[0], residual, layers, numbers[1])


def _open_policy(output: PolicyOutput) -> tuple[list[Any], None]:
    return [output.logits, output.plan, dict(output.layers)], None


def _close_policy(parts: Iterable[Any], _: None) -> PolicyOutput:
    logits, plan, layers = parts
    return PolicyOutput(logits, plan, layers)


def _with_keys(names: tuple[str, ...], opened: Any) -> Any:
    def open_with_keys(output: Any) -> Any:
        parts, context = opened(output)
        return [(pytree.GetAttrKey(name), part) for name, part in zip(names, parts, strict=True)], context

    return open_with_keys


pytree.register_pytree_node(
    PlannerOutput,
    _open_plan,
    _close_plan,
    serialized_type_name="torchvin.PlannerOutput",
    to_dumpable_context=list,
    from_dumpable_context=tuple,
    flatten_with_keys_fn=_with_keys(("q_values", "value", "residual", "layers"), _open_plan),
)
pytree.register_pytree_node(
    PolicyOutput,
    _open_policy,
    _close_policy,
    serialized_type_name="torchvin.PolicyOutput",
    to_dumpable_context=lambda _: None,
    from_dumpable_context=lambda _: None,
    flatten_with_keys_fn=_with_keys(("logits", "plan", "layers"), _open_policy),
)
