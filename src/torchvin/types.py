"""What planners and policies return: frozen, the shape on every field."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
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

    q_values: Float[Tensor, "B OA H W"]
    value: Float[Tensor, "B O H W"]
    num_iterations: int
    residual: Float[Tensor, "B"]
    layers: Mapping[int, Tensor] = field(default_factory=dict)
    solved: bool = False


@dataclass(frozen=True)
class PolicyOutput:
    """What a policy says of a map.

    Attributes:
        logits: unnormalized log-probabilities of the actions in the order of `maps.moves`: [B, A, H, W] for all cells
            (channels o * A + a with orientations), or [B, S, A] for the S states that were asked for.
        plan: the plan behind them; None of a policy that does not plan.
        layers: n to what the logits were after n value updates, for the `layers` of the plan (the adaptive highway
            loss trains on them); mostly none.
    """

    logits: Float[Tensor, "B OA H W"] | Float[Tensor, "B S A"]
    plan: PlannerOutput | None
    layers: Mapping[int, Tensor] = field(default_factory=dict)
