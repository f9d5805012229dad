"""Policies for Stable-Baselines3: `PPO(VINPolicy, "torchvin/GridWorld-v0")` (pip install torchvin[rl]).

They take any environment whose observation is a `Dict` with `planes` [C, H, W] (obstacles first, goal last) and `state`
(row, col), or one image of these planes and one that is 1 where the agent is. Importing this module registers the
environments of `torchvin.envs`.

    VINPolicy   PPO, A2C, TRPO (sb3-contrib): logits and state value from one plan
    VINQPolicy  DQN: the planner's Q values are the Q values
    CNNPolicy   PPO, A2C, TRPO: the paper's network without a plan
    MapVecEnv   thousands of maps stepped in arrays: `PPO(VINPolicy, MapVecEnv(256, height=16))`
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.policies import DQNPolicy
from torch import Tensor, nn

from torchvin.architectures.registry import architecture, build_policy
from torchvin.envs import register
from torchvin.envs.vector import GridWorldVectorEnv
from torchvin.errors import InputError
from torchvin.policies.config import ArchitectureConfig
from torchvin.policies.kept_plan import KeptPlans
from torchvin.policies.policy import Policy
from torchvin.policies.reactive.cnn import CNN
from torchvin.pretrained.store import load_policy

__all__ = ["CNNPolicy", "MapVecEnv", "VINPolicy", "VINQPolicy"]

register()


@dataclass(frozen=True)
class GridSpace:
    """The grid that an observation space describes.

    Attributes:
        planes: C, without the plane of an agent.
        height, width: of the maps.
        num_orientations: O.
        image: whether the agent is a plane, and not the entry `state`.
    """

    planes: int
    height: int
    width: int
    num_orientations: int
    image: bool

    @classmethod
    def of(cls, space: spaces.Space) -> "GridSpace":
        """The grid of an observation space.

        Raises: InputError if it has no planes, or neither a state nor a plane for the agent.
        """
        if isinstance(space, spaces.Dict):
            for name in ("planes", "state"):
                if name not in space.spaces:
                    raise InputError(
                        f"the observation has no entry {name!r}, only {', '.join(space.spaces)}; a planning policy "
                        "needs planes [C, H, W] and state (row, col)."
                    )
            planes, state = space["planes"], space["state"]
            _check_box("planes", planes, 3)
            _check_box("state", state, 1)
            length = int(state.shape[0])
            if length not in (2, 3):
                raise InputError(f"state must be (row, col) or (orientation, row, col), got {length} numbers.")
            orientations = int(state.high[0]) + 1 if length == 3 else 1
            number, height, width = planes.shape
            return cls(number, height, width, orientations, image=False)._checked()
        _check_box("an observation", space, 3)
        number, height, width = space.shape
        return cls(number - 1, height, width, 1, image=True)._checked()

    def _checked(self) -> "GridSpace":
        if self.planes < 1 + self.num_orientations:
            raise InputError(
                f"expected at least {1 + self.num_orientations} planes, obstacles first and goal last, got "
                f"{self.planes}."
            )
        return self

    def split(self, observation: Tensor | Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Planes [B, C, H, W] and states [B, D] of an observation.

        Raises: InputError for numbers that are not finite.
        """
        if isinstance(observation, Tensor):
            planes, agent = observation[:, : self.planes], observation[:, self.planes :]
            flat = agent.flatten(1).argmax(dim=1)
            state = torch.stack([flat // self.width, flat % self.width], dim=1)
        else:
            planes, state = observation["planes"], observation["state"].long()
        if not torch.isfinite(planes).all():
            raise InputError("the planes of an observation hold NaN or infinity; look at the environment.")
        return planes.float(), state


def _check_box(name: str, space: spaces.Space, axes: int) -> None:
    if not isinstance(space, spaces.Box) or len(space.shape) != axes:
        shape = getattr(space, "shape", None)
        raise InputError(
            f"{name} must be a Box with {axes} axes, got {type(space).__name__} of shape {shape}; the policies take a "
            "Dict of planes [C, H, W] and state, or an image [C + 1, H, W]."
        )


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
            self.network = build_policy(_config(architecture, self.grid, num_actions, architecture_kwargs or {}))
        else:
            self.network = load_policy(weights)
        _check_network(self.network, self.grid, num_actions)
        self._kept = KeptPlans(_AtK(self.network, num_iterations))

    def train(self, mode: bool = True) -> "PlanExtractor":
        """See `torch.nn.Module.train`; what was planned before a training is forgotten."""
        if mode:
            self._kept.forget()
        super().train(mode)
        return self

    def forward(self, observation: Tensor | Mapping[str, Tensor]) -> Tensor:
        planes, state = self.grid.split(observation)
        if not self.training and not torch.is_grad_enabled():
            logits, value = self._kept(planes, state)
        else:
            output = self.network(planes, state[:, None], num_iterations=self.num_iterations)
            logits, cells = output.logits[:, 0], state[:, -2] * self.grid.width + state[:, -1]
            flat = cells + (state[:, 0] * self.grid.height * self.grid.width if state.shape[1] == 3 else 0)
            value = output.plan.value.flatten(1).gather(1, flat[:, None])[:, 0]
        return torch.cat([logits, value[:, None]], dim=1)


class _AtK(Policy):
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
    """Q values of the environment = logits + offset: the planner's Q in the learned scale of the policy's head."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        return features[:, :-1] + self.offset


class VINPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """A planning policy for PPO, A2C and TRPO.

    The head of the network gives the logits, nothing is put behind it. The value is an affine function of the planner's
    V. sb3-contrib's TRPO leaves parameters out of the actor whose name contains "value": here these are exactly the two
    of `value_net`, because no parameter of a planner has such a name.

    Args:
        observation_space, action_space, lr_schedule: from the algorithm.
        architecture: name of a design that plans (`torchvin list`).
        architecture_kwargs: its options: `{"hidden_channels": 64}`.
        num_iterations: K; chosen by the size of the map if not given.
        weights: name or folder of weights to begin with.
        options: of SB3's `ActorCriticPolicy`, such as `optimizer_kwargs`.

    Raises: InputError: see `PlanExtractor`, and for actions that are not `Discrete`.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any,
        *,
        architecture: str = "normalized",
        architecture_kwargs: Mapping[str, Any] | None = None,
        num_iterations: int | None = None,
        weights: str | None = None,
        **options: Any,
    ) -> None:
        self.plan_options = {
            "architecture": architecture,
            "architecture_kwargs": dict(architecture_kwargs or {}),
            "num_iterations": num_iterations,
            "weights": weights,
        }
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=PlanExtractor,
            features_extractor_kwargs={"num_actions": _number_of(action_space), **self.plan_options},
            net_arch=[],
            ortho_init=False,
            normalize_images=False,
            **_without_ours(options),
        )

    @property
    def network(self) -> Policy:
        """The network, for `torchvin.save_policy` and everything that takes a policy."""
        network: Policy = self.features_extractor.network
        return network

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net, self.value_net = Logits(), ValueOfPlan()
        self.optimizer = self.optimizer_class(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**_own_parameters(super()._get_constructor_parameters()), **self.plan_options}


class CNNPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """The paper's CNN for PPO, A2C and TRPO: logits and value are linear in the features of its last layer.

    Args:
        observation_space, action_space, lr_schedule: from the algorithm.
        options: of SB3's `ActorCriticPolicy`.

    Raises: InputError for an observation space that is no grid, and actions that are not `Discrete`.
    """

    def __init__(
        self, observation_space: spaces.Space, action_space: spaces.Space, lr_schedule: Any, **options: Any
    ) -> None:
        _number_of(action_space)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=CNNExtractor,
            net_arch=[],
            ortho_init=False,
            normalize_images=False,
            **_without_ours(options),
        )

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return _own_parameters(super()._get_constructor_parameters())


class CNNExtractor(BaseFeaturesExtractor):  # type: ignore[misc]
    """What the last layer of the paper's CNN sees of the agent's state."""

    def __init__(self, observation_space: spaces.Space) -> None:
        grid = GridSpace.of(observation_space)
        if grid.num_orientations > 1:
            raise InputError("the CNN has no orientations; use VINPolicy for an agent with a heading.")
        network = CNN(height=grid.height, width=grid.width, in_channels=grid.planes)
        super().__init__(observation_space, features_dim=network.head.in_features)
        self.grid = grid
        network.head = nn.Identity()  # type: ignore[assignment] # the policy has its own
        self.network = network

    def forward(self, observation: Tensor | Mapping[str, Tensor]) -> Tensor:
        planes, state = self.grid.split(observation)
        return self.network.state_features(planes, state[:, None])[:, 0]


class VINQPolicy(DQNPolicy):  # type: ignore[misc]
    """A planning policy for DQN: the planner's Q values, in a learned scale, are the Q values of the environment.

    Args:
        observation_space, action_space, lr_schedule, architecture, architecture_kwargs, num_iterations, weights: as in
            `VINPolicy`.
        options: of SB3's `DQNPolicy`.

    Raises: InputError as there.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Any,
        *,
        architecture: str = "normalized",
        architecture_kwargs: Mapping[str, Any] | None = None,
        num_iterations: int | None = None,
        weights: str | None = None,
        **options: Any,
    ) -> None:
        self.plan_options = {
            "architecture": architecture,
            "architecture_kwargs": dict(architecture_kwargs or {}),
            "num_iterations": num_iterations,
            "weights": weights,
        }
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            features_extractor_class=PlanExtractor,
            features_extractor_kwargs={"num_actions": _number_of(action_space), **self.plan_options},
            net_arch=[],
            normalize_images=False,
            **_without_ours(options),
        )

    @property
    def network(self) -> Policy:
        """The network, for `torchvin.save_policy` and everything that takes a policy."""
        network: Policy = self.q_net.features_extractor.network
        return network

    def make_q_net(self) -> Any:
        """A Q network without layers behind the plan."""
        q_net = super().make_q_net()
        q_net.q_net = QOfPlan().to(self.device)
        return q_net

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**_own_parameters(super()._get_constructor_parameters()), **self.plan_options}


#: Options of SB3's policies that ours decide.
_OURS = ("features_extractor_class", "features_extractor_kwargs", "net_arch", "ortho_init", "normalize_images")


def _without_ours(options: Mapping[str, Any]) -> dict[str, Any]:
    if given := [name for name in _OURS if name in options]:
        raise InputError(f"policy_kwargs: {', '.join(given)} is decided by this policy; leave it out.")
    return dict(options)


def _own_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in _OURS}


def _number_of(actions: spaces.Space) -> int:
    if not isinstance(actions, spaces.Discrete):
        raise InputError(f"a planning policy chooses among Discrete actions, got {type(actions).__name__}.")
    return int(actions.n)


def _config(name: str, grid: GridSpace, num_actions: int, options: Mapping[str, Any]) -> ArchitectureConfig:
    """The configuration of a design for a grid."""
    kind = architecture(name).config
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(options) - known):
        raise InputError(f"the architecture {name!r} has no option {', '.join(unknown)}; it has {', '.join(known)}.")
    terrains = grid.planes - grid.num_orientations
    wanted = {"num_actions": num_actions, "num_orientations": grid.num_orientations, "num_terrains": terrains}
    return kind(**{**{key: value for key, value in wanted.items() if key in known}, **options})


def _check_network(network: Policy, grid: GridSpace, num_actions: int) -> None:
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


class MapVecEnv(VecEnv):  # type: ignore[misc]
    """Thousands of maps as one environment of Stable-Baselines3, stepped in arrays.

    SB3 has a vector interface of its own, and makes one Python object per environment. This class gives it
    `torchvin.envs.vector.GridWorldVectorEnv`.

    Args:
        num_envs: number of agents.
        options: of the environment, as in `gymnasium.make("torchvin/GridWorld-v0", ...)`.

    Raises: InputError for an option that does not exist or is out of its range.

    >>> MapVecEnv(16, height=8).reset()["planes"].shape
    (16, 2, 8, 8)
    """

    def __init__(self, num_envs: int, **options: Any) -> None:
        self.env = GridWorldVectorEnv(num_envs, autoreset_mode=AutoresetMode.SAME_STEP, **options)
        self._actions: Any = None
        self.render_mode = self.env.render_mode
        super().__init__(num_envs, self.env.single_observation_space, self.env.single_action_space)

    def reset(self) -> Any:
        """Begin every episode anew; seeds that `seed` gave are used once."""
        given = [seed for seed in self._seeds if seed is not None]
        observation, _ = self.env.reset(seed=given[0] if given else None)
        self._reset_seeds()
        return observation

    def step_async(self, actions: Any) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Do the actions; an episode that ended has begun again, with its last observation in its information."""
        observation, reward, terminated, truncated, infos = self.env.step(self._actions)
        over = terminated | truncated
        each: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        final = infos.get("final_info", {})
        for index in over.nonzero()[0]:
            each[index] = {name: part[index] for name, part in final.items() if not name.startswith("_")}
            each[index] |= {
                "terminal_observation": infos["final_obs"][index],
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
            }
        return observation, reward, over, each

    def close(self) -> None:
        """Free nothing: there is no process and no window."""

    def get_images(self) -> Any:
        """A picture of every map."""
        return self.env.render()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for every agent."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all agents together."""
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **options: Any) -> list[Any]:
        """Call a method of the vector environment once."""
        return [getattr(self.env, method_name)(*arguments, **options)] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No agent is wrapped, but its episodes are counted here."""
        return [False] * len(list(self._get_indices(indices)))
