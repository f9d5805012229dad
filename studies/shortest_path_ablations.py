"""What each ingredient of the shortest-path design is worth: one taken away at a time, the same short training.

python -m studies.shortest_path_ablations all --seed 0 1 2 --out runs/shortest-path
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from studies.shortest_path import fit, scored
from studies.study import Row, main
from torchvin.architectures.registry import build_policy
from torchvin.architectures.shortest_path import ShortestPathConfig
from torchvin.planning.kernels.reference import update
from torchvin.planning.models.latent import LatentModel
from torchvin.planning.models.latent_mdp import LatentMDP
from torchvin.planning.planners.latent_graph import LatentGraphPlanner
from torchvin.policies.policy import Policy
from torchvin.policies.vin import VIN
from torchvin.training.config import CurriculumConfig, RunConfig
from torchvin.training.presets import preset
from torchvin.types import PlannerOutput

FRESH = (("maze", 15, 200), ("perfect-maze", 15, 200), ("maze", 101, 10), ("perfect-maze", 101, 10))


class ProbabilityHead(nn.Module):
    """Logits from V itself in place of log-advantages: scale * U."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(3.0).log())

    def forward(self, features: Tensor) -> Tensor:
        return (features.exp() * self.log_scale.exp()).to(self.log_scale.dtype)


class FreeHeads(LatentModel):
    """Goal and gates by one network over all planes, the goal's sign left to learning."""

    def __init__(self, num_actions: int) -> None:
        super().__init__(num_actions=num_actions)
        last = nn.Conv2d(32, num_actions + 1, 1)
        assert last.bias is not None
        nn.init.constant_(last.bias, 4.0)
        with torch.no_grad():
            last.bias[-1] = -4.0
        self.gates = nn.Sequential(nn.Conv2d(2, 32, 3), nn.ReLU(), last)

    def _both(self, planes: Tensor) -> Tensor:
        around = (1, 1, 1, 1)
        padded = torch.cat([functional.pad(planes[:, :1], around, value=1.0), functional.pad(planes[:, 1:], around)], 1)
        both: Tensor = self.gates(padded)
        return both

    def gate(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B OA H W"]:
        return self._both(planes)[:, :-1]

    def goal_cost(self, planes: Float[Tensor, "B C H W"]) -> Float[Tensor, "B O H W"]:
        return functional.softplus(-self._both(planes)[:, -1:])


class ExpectedCostPlanner(LatentGraphPlanner):
    """While moves are uncertain: the expected cost to go, in place of the exponential domain."""

    def plan_by_iteration(self, mdp: LatentMDP, num_iterations: int, initial_value: Tensor | None) -> PlannerOutput:
        stop = (-mdp.goal_cost).clamp(min=-20.0)  # an expectation needs finite values
        value, q_values = stop, stop
        for _ in range(num_iterations + 1):
            padded = functional.pad(value, (1, 1, 1, 1), value=-20.0)
            q_values = functional.conv2d(padded, mdp.kernel) - mdp.cost
            last, value = value, torch.maximum(stop, update(q_values))
        return PlannerOutput(q_values, last, num_iterations, value.new_zeros(len(value)))


def built(config: ShortestPathConfig, change: Callable[[VIN], None]) -> Policy:
    """The design with a part changed."""
    policy = build_policy(config)
    assert isinstance(policy, VIN)
    change(policy)
    return policy


def _set_head(policy: VIN) -> None:
    policy.head = ProbabilityHead()


def _set_planner(policy: VIN) -> None:
    planner = policy.planner
    policy.planner = ExpectedCostPlanner(
        model=planner.model, transition=planner.transition, iterations_per_side=planner.iterations_per_side
    )


def _set_model(policy: VIN) -> None:
    policy.planner.model = FreeHeads(4)


def _nothing(policy: VIN) -> None:
    pass


_BASE = replace(
    preset("maze-15"),
    data=replace(preset("maze-15").data, maps=1_500),
    training=replace(preset("maze-15").training, epochs=6, validation_maps=32),
)


def _training(config: RunConfig = _BASE, **changes: object) -> RunConfig:
    return replace(config, training=replace(config.training, **changes))  # type: ignore[arg-type]


#: what is taken away -> the training, and the change of the network
ABLATIONS: dict[str, tuple[RunConfig, Callable[[VIN], None]]] = {
    "nothing": (_BASE, _nothing),
    "hardening": (_BASE, _nothing),
    "log-advantages": (_BASE, _set_head),
    "phase 1": (
        _training(replace(_BASE, policy=replace(_BASE.policy, iterations_per_side=2.0)), curriculum=CurriculumConfig()),
        _nothing,
    ),
    "exponential domain": (_BASE, _set_planner),
    "goal structure": (_BASE, _set_model),
    "even ties": (_training(loss="optimal-set"), _nothing),
}


def ablation(name: str, seed: int) -> Iterator[Row]:
    """Train without one ingredient and score."""
    config, change = ABLATIONS[name]
    config = replace(config, seed=seed)
    trained = fit(config, build=partial(built, change=change))
    policy = trained.policy
    assert isinstance(policy, VIN)
    if name == "hardening":
        policy.planner.model.set_calibrated(False)
    for kind, side, number in FRESH:
        if name == "phase 1" and side > 15:
            policy.planner.solve = "exact"  # of moves at their likeliest: iterating to 101x101 takes minutes
            policy.planner.transition.make_deterministic()
        row = scored(policy, kind, side, number, config)
        yield {"without": name, "train_seconds": round(trained.seconds, 1), **row}


def every(seed: int) -> Iterator[Row]:
    """Every ablation."""
    for name in ABLATIONS:
        yield from ablation(name, seed)


EXPERIMENTS = {"all": every, **{name: partial(ablation, name) for name in ABLATIONS}}


if __name__ == "__main__":
    main(EXPERIMENTS, __doc__)
