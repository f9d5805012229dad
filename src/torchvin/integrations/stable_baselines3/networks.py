"""The planner as modules of Stable-Baselines3: features are a plan, logits and value are read from it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from torchvin.architectures.registry import architecture, build_policy
from torchvin.errors import InputError
from torchvin.integrations.stable_baselines3.grid_space import GridSpace
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.kept_plan import KeptPlans
from torchvin.policies.policy import Policy
from torchvin.pretrained.store import load_policy


class PlanExtractor(BaseFeaturesExtractor):  # type: ignore[misc] # the library is left out of type checks
    """Features of an observation, [B, A + 1]: the network's action logits in the agent's state, and V of the state.

    Without gradients, in evaluation mode, plans are kept: a map is planned again when it or the weights change.

    Args:
        observation_space: see the module.
        num_actions: A.
        architecture: name of a design that plans.
        architecture_kwargs: its options, such as `hidden_channels`.
        num_iterations: K; chosen by the size of the map if not given.
        weights: name or folder of weights to begin with; architecture and options are then theirs.

    Raises: InputError for an observation space that is no grid, a design that does not plan, an option that it does not
        have, and weights that do not fit.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        num_actions: int,
        architecture: str = "normalized",
        architecture_kwargs: Mapping[str, Any] | None = None,
        num_iterations: int | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__(observation_space, features_dim=num_actions + 1)
        self.grid = GridSpace.of(observation_space)
        self.num_iterations = num_iterations
        if weights is None:
            self.network = build_policy(config_of(architecture, self.grid, num_actions, architecture_kwargs or {}))
        else:
            self.network = load_policy(weights)
        check_network(self.network, self.grid, num_actions)
        self._kept = KeptPlans(AtK(self.network, num_iterations))
        self.keeps_plans = True  # may be set to False where weights change without a trace

    def train(self, mode: bool = True) -> "PlanExtractor":
        """See `torch.nn.Module.train`; what was planned before a training is forgotten."""
        if mode:
            self._kept.forget()
        super().train(mode)
        return self

    def forward(self, observation: Tensor | Mapping[str, Tensor]) -> Tensor:
        planes, state = self.grid.split(observation)
        if self.keeps_plans and not self.training and not torch.is_grad_enabled():
            logits, value = self._kept(planes, state)
        else:
            output = self.network(planes, state[:, None], num_iterations=self.num_iterations)
            logits, cells = output.logits[:, 0], state[:, -2] * self.grid.width + state[:, -1]
            flat = cells + (state[:, 0] * self.grid.height * self.grid.width if state.shape[1] == 3 else 0)
            value = output.plan.value.flatten(1).gather(1, flat[:, None])[:, 0]
        return torch.cat([logits, value[:, None]], dim=1)


class AtK(Policy):
    """A policy with a fixed K. It does not own the policy, whose parameters are those of the extractor."""

    network: Policy

    def __init__(self, network: Policy, num_iterations: int | None) -> None:
        super().__init__()
        object.__setattr__(self, "network", network)  # no submodule: not twice in the state
        self.config = network.config
        self.num_iterations = num_iterations

    def parameters(self, recurse: bool = True) -> Any:
        """Those of the network."""
        return self.network.parameters(recurse)

    def forward(self, observation: Tensor, states: Any = None, **_: Any) -> Any:
        return self.network(observation, states, num_iterations=self.num_iterations)


class Logits(nn.Module):
    """The action logits among the features of `PlanExtractor`."""

    def forward(self, features: Tensor) -> Tensor:
        return features[:, :-1]


class ValueOfPlan(nn.Module):
    """State value = scale * V + offset, with the V of the plan (see `torchvin.policies.critic`)."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        return self.scale * features[:, -1:] + self.offset


class QOfPlan(nn.Module):
    """Q values of the environment = gain * V + offset + (logits - their maximum), read from the features of a plan.

    The best action has the value of its state, an affine function of the planner's own V. The others are as much worse
    as their logits say: the planner's Q in the learned scale of the policy's head. With one scale for both, as in
    Q = logits + offset, training is far slower: a collision costs a hundred times what a detour costs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(()))  # from 0: the planner's V has a scale of its own
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        logits, value = features[:, :-1], features[:, -1:]
        return self.gain * value + self.offset + logits - logits.amax(dim=1, keepdim=True)


#: Options of SB3's policies that ours decide.
_OURS = ("features_extractor_class", "features_extractor_kwargs", "net_arch", "ortho_init", "normalize_images")


def plan_options(
    architecture: str, architecture_kwargs: Mapping[str, Any] | None, num_iterations: int | None, weights: str | None
) -> dict[str, Any]:
    """The options of a planning policy by name, as `PlanExtractor` takes them and a saved policy keeps them."""
    return {
        "architecture": architecture,
        "architecture_kwargs": dict(architecture_kwargs or {}),
        "num_iterations": num_iterations,
        "weights": weights,
    }


def of_plan(action_space: spaces.Space, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of SB3 by which the features of a policy are a plan, with nothing behind it.

    Raises: InputError for actions that are not `Discrete`.
    """
    return {
        "features_extractor_class": PlanExtractor,
        "features_extractor_kwargs": {"num_actions": number_of(action_space), **options},
        "net_arch": [],
        "normalize_images": False,
    }


def without_ours(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a user without what these policies decide themselves.

    Raises: InputError if the user gave one of those.
    """
    if given := [name for name in _OURS if name in options]:
        raise InputError(f"policy_kwargs: {', '.join(given)} is decided by this policy; leave it out.")
    return dict(options)


def own_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with which a policy is made again, from those that its base class keeps."""
    return {name: value for name, value in parameters.items() if name not in _OURS}


def number_of(actions: spaces.Space) -> int:
    """Number of discrete actions.

    Raises: InputError for another space.
    """
    if not isinstance(actions, spaces.Discrete):
        raise InputError(f"a planning policy chooses among Discrete actions, got {type(actions).__name__}.")
    return int(actions.n)


def config_of(name: str, grid: GridSpace, num_actions: int, options: Mapping[str, Any]) -> ArchitectureConfig:
    """The configuration of a design for a grid."""
    kind = architecture(name).config
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(options) - known):
        raise InputError(f"the architecture {name!r} has no option {', '.join(unknown)}; it has {', '.join(known)}.")
    terrains = grid.planes - grid.num_orientations
    wanted = {"num_actions": num_actions, "num_orientations": grid.num_orientations, "num_terrains": terrains}
    return kind(**{**{key: value for key, value in wanted.items() if key in known}, **options})


def check_network(network: Policy, grid: GridSpace, num_actions: int) -> None:
    """Check that a network plans and has the actions and planes of an environment.

    Raises: InputError.
    """
    config = network.config
    if network.planner is None:
        raise InputError(f"a {type(network).__name__} does not plan; use CNNPolicy, or a design that plans.")
    assert config is not None
    fits = {
        "actions": (config.num_actions, num_actions),
        "orientations": (config.num_orientations, grid.num_orientations),
        "planes": (config.num_terrains + config.num_orientations, grid.planes),
    }
    for what, (ours, theirs) in fits.items():
        if ours != theirs:
            raise InputError(f"the network has {ours} {what}, the environment {theirs}; they must be the same.")
